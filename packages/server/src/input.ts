import type { IncomingMessage, ServerResponse } from "node:http";
import { ClientDisconnected, createInput, type InputStream } from "@wsgi/core";
import type { RequestLimits } from "./limits.ts";
import { linger } from "./linger.ts";
import { tooLarge, type RefusedRequest } from "./request.ts";

/** Reads the body of a request on behalf of its `wsgi.input`, and only when it is asked. */
export class RequestBody {
  readonly input: InputStream;
  readonly #req: IncomingMessage;
  /** The declared length in bytes, if there is one. */
  readonly #length: number | undefined;
  readonly #limits: RequestLimits;
  readonly #sendContinue: (() => void) | undefined;
  #started = false;
  #released = false;
  #received = 0;
  #failure: RefusedRequest | undefined;
  #settle: ((error?: Error) => void) | undefined;

  /**
   * @param req - the request
   * @param length - the declared length of its body, in bytes, if there is one
   * @param limits - how much of it is taken
   * @param sendContinue - tells a client that waits for it to go on, before the first read
   */
  constructor(
    req: IncomingMessage,
    length: number | undefined,
    limits: RequestLimits,
    sendContinue?: () => void,
  ) {
    this.#req = req;
    this.#length = length;
    this.#length = length;
    this.#limits = limits;
    this.#sendContinue = sendContinue;
    this.input = createInput(() => this.#next());
  }

  /** Why the body cannot be read, where the client is to know. */
  get failure(): RefusedRequest | undefined {
    return this.#failure;
  }

  /** Whether the connection is better closed than kept: the body is broken, or much of it was left unread. */
  get endsConnection(): boolean {
    if (this.#failure !== undefined) return true;
    if (this.#started) return false;
    const length = this.#length ?? 0;
    // A client that waits for 100 Continue may send the body yet, or the next request in its place.
    return this.#sendContinue !== undefined || length > this.#limits.unreadBody;
  }

  /** Ends reading with an error, because nothing more can be read. */
  fail(reason: RefusedRequest): void {
    this.#failure ??= reason;
    this.#settle?.(this.#failure);
  }

  /**
   * Ends reading. Whoever still reads gets an error, and a little of what is left is thrown away; a
   * client that has more to send is cut off, but not before it has its response.
   */
  release(res: ServerResponse): void {
    if (this.#released) return;
    this.#released = true;
    this.#settle?.(this.#cutShort());
    const req = this.#req;
    req.removeListener("readable", this.#onReadable);
    if (req.readableEnded || req.destroyed) return;
    linger(req);
    const end = (): void => {
      if (res.writableFinished) req.socket.destroySoon();
      else res.once("finish", () => req.socket.destroySoon());
    };
    if (this.#failure !== undefined) {
      end();
      return;
    }
    let drained = 0;
    req.on("data", (chunk: Uint8Array) => {
      drained += chunk.byteLength;
      if (drained <= this.#limits.unreadBody) return;
      req.pause();
      end();
    });
  }

  #next(): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#released) throw this.#cutShort();
    if (!this.#started) this.#start();
    return this.#take() ?? (this.#req.readableEnded ? null : this.#wait());
  }

  #start(): void {
    this.#started = true;
    this.#sendContinue?.();
    this.#req.on("readable", this.#onReadable);
    this.#req.on("end", this.#onReadable);
    // What the error is about is told by release().
    this.#req.on("error", () => {});
  }

  #take(): Uint8Array | null {
    const chunk = this.#req.read() as Uint8Array | null;
    if (chunk === null) return null;
    this.#received += chunk.byteLength;
    if (this.#received > this.#limits.body) throw (this.#failure = tooLarge(this.#limits));
    return chunk;
  }

  async #wait(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#req.destroyed) throw this.#cutShort();
      await new Promise<void>((resolve, reject) => {
        this.#settle = (error) => (error === undefined ? resolve() : reject(error));
      });
      const chunk = this.#take();
      if (chunk !== null || this.#req.readableEnded) return chunk;
    }
  }

  readonly #onReadable = (): void => this.#settle?.();

  #cutShort(): ClientDisconnected {
    const whole = this.#length === undefined ? "" : ` of ${this.#length}`;
    const why = this.#released ? "the request has ended" : "the client has closed the connection";
    return new ClientDisconnected(
      `Cannot read the request body: ${why} after ${this.#received}${whole} bytes`,
    );
  }
}
