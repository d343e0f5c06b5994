import type { IncomingMessage, ServerResponse } from "node:http";
import { inspect } from "node:util";
import {
  checkBody,
  checkChunk,
  ClientDisconnected,
  closeBody,
  isBody,
  isBodyless,
  isSync,
  isThenable,
  ResponseHead,
  WsgiError,
  type Application,
  type Body,
  type Chunk,
  type Environ,
  type HeaderList,
  type Write,
} from "@wsgi/core";
import type { Connection } from "./connection.ts";
import type { RequestBody } from "./input.ts";

/** Is what an exchange needs of its server. */
export interface ExchangeOwner {
  /** Whether connections end with their present response, because the server is closing. */
  readonly closing: boolean /** Takes the report of an error. It does not throw. */;
  report(text: string): void;
}

/** How many chunks a body may yield before other requests get a turn. */
const turnChunks = 64;
/** How many bytes a synchronous body may yield before that. */
const turnBytes = 262_144;

const nothing = Buffer.alloc(0);
const beyondAscii = /[\x80-\xff]/;

/**
 * Is one request on its way through the application: keeps the contract's rules for the response, and
 * sends it. It is over exactly once; then the body is closed, and the next request may come.
 */
export class Exchange {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #request: RequestBody | undefined;
  readonly #connection: Connection;
  readonly #owner: ExchangeOwner;

  readonly #head = new ResponseHead();
  #body: Body | undefined;
  /** The iteration of the body, as long as it may go on. */
  #iterator: Iterator<Chunk> | AsyncIterator<Chunk> | undefined;
  /** How many bytes the declared length still allows; negative once there were too many. */
  #left = Infinity;
  /** How many steps of an async body were taken. */
  #steps = 0;
  #over = false;
  #gone = false;
  #watching = false;
  #waiting: { go(): void; stop(error: Error): void }[] = [];
  #abort: AbortController | undefined;

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    request: RequestBody | undefined,
    connection: Connection,
    owner: ExchangeOwner,
  ) {
    this.#req = req;
    this.#res = res;
    this.#request = request;
    this.#connection = connection;
    this.#owner = owner;
  }

  /** Calls the application and answers with what it returns. */
  run(app: Application, environ: Environ): void {
    try {
      const result = app(environ, this.#startResponse);
      if (!isBody(result) && isThenable(result)) result.then(this.#send, this.#fail);
      else this.#send(result as Body);
    } catch (error) {
      this.#fail(error);
    }
    if (!this.#over) this.#watch();
  }

  /** The signal that aborts if the client leaves before the exchange is over. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#gone) this.#abort.abort(new ClientDisconnected());
    }
    return this.#abort.signal;
  }

  readonly #startResponse = (status: string, headers: HeaderList, excInfo?: unknown): Write => {
    this.#head.start(status, headers, excInfo);
    this.#left = this.#head.contentLength === -1 ? Infinity : this.#head.contentLength;
    return this.#write;
  };

  readonly #write: Write = (chunk) => {
    if (this.#gone) throw new ClientDisconnected();
    if (this.#over) {
      throw new WsgiError(
        "application",
        "write-in-time",
        "Cannot write: the response has ended; write before the application returns",
      );
    }
    this.#watch();
    const flowing = this.#sendChunk(checkChunk(chunk));
    this.#res.socket?.uncork();
    if (this.#left < 0) throw this.#lengthExceeded();
    return flowing ? undefined : this.#untilDrained();
  };

  /** Waits for the buffers to empty. Whoever ignores it is not to crash when the client leaves. */
  #untilDrained(): Promise<void> {
    const drained = new Promise<void>((go, stop) => void this.#waiting.push({ go, stop }));
    drained.catch(() => {});
    return drained;
  }

  readonly #send = (result: Body): void => {
    try {
      if (this.#over) {
        // The client left while the application was thinking.
        if (isBody(result)) this.#close(result);
        return;
      }
      const body = checkBody(result);
      this.#body = body;
      if (Array.isArray(body)) {
        this.#sendArray(body as readonly Chunk[]);
      } else {
        this.#iterator = isSync(body) ? body[Symbol.iterator]() : body[Symbol.asyncIterator]();
        this.#pull();
      }
    } catch (error) {
      this.#fail(error);
    }
  };

  /** Sends a body that is there: with its length, and in one write where it is text. */
  #sendArray(chunks: readonly Chunk[]): void {
    this.#head.demand();
    let length = 0;
    let text = true;
    for (const chunk of chunks) {
      length += byteLength(checkChunk(chunk));
      if (typeof chunk !== "string") text = false;
    }
    if (length > this.#left || this.#head.sent || this.#isBodyless()) {
      if (!this.#head.sent && length > 0) this.#sendHead(length);
      for (const chunk of chunks) {
        if (chunk.length > 0 && !this.#isComplete()) this.#sendChunk(chunk);
      }
      this.#end();
      return;
    }
    if (length < this.#left && this.#left !== Infinity) throw this.#lengthShort(length);
    const payload = text ? (chunks.length === 1 ? chunks[0]! : chunks.join("")) : undefined;
    const latin1 = this.#sendHead(length);
    if (payload !== undefined) {
      this.#res.end(latin1 ? Buffer.from(payload) : payload);
    } else {
      for (const chunk of chunks) this.#res.write(latin1 ? toBuffer(chunk) : chunk);
      this.#res.end();
    }
    this.#finish();
  }

  /** Takes the next chunks of the body, as far as the client takes them. */
  readonly #pull = (): void => {
    if (this.#over) return;
    try {
      if (this.#isComplete()) this.#end();
      else if (isSync(this.#body!)) this.#pullSync(this.#iterator as Iterator<Chunk>);
      else this.#pullAsync(this.#iterator as AsyncIterator<Chunk>);
    } catch (error) {
      this.#fail(error);
    }
  };

  #pullSync(iterator: Iterator<Chunk>): void {
    let sent = 0;
    for (let taken = 0; taken < turnChunks && sent < turnBytes; taken++) {
      const step = iterator.next();
      if (this.#over) return;
      if (step.done === true) {
        this.#iterator = undefined;
        this.#end();
        return;
      }
      const chunk = checkChunk(step.value);
      const flowing = chunk.length === 0 || this.#sendChunk(chunk);
      sent += chunk.length;
      // node:http holds writes back until the next tick, and the iterator may compute until then.
      this.#res.socket?.uncork();
      if (this.#isComplete()) {
        this.#end();
        return;
      }
      if (!flowing) {
        this.#pullWhenDrained();
        return;
      }
    }
    setImmediate(this.#pull);
  }

  #pullAsync(iterator: AsyncIterator<Chunk>): void {
    Promise.resolve(iterator.next()).then((step) => {
      if (this.#over) return;
      try {
        if (step.done === true) {
          this.#iterator = undefined;
          this.#end();
          return;
        }
        const chunk = checkChunk(step.value);
        const flowing = chunk.length === 0 || this.#sendChunk(chunk);
        if (!flowing) this.#pullWhenDrained();
        else if (++this.#steps % turnChunks === 0) setImmediate(this.#pull);
        else this.#pull();
      } catch (error) {
        this.#fail(error);
      }
    }, this.#fail);
  }

  #pullWhenDrained(): void {
    this.#watch();
    this.#waiting.push({ go: this.#pull, stop: () => {} });
  }

  /** Whether nothing that the body might still yield would be sent. */
  #isComplete(): boolean {
    return this.#head.code !== 0 && (this.#left <= 0 || this.#isBodyless());
  }

  #isBodyless(): boolean {
    return this.#req.method === "HEAD" || isBodyless(this.#head.code);
  }

  /** Sends what the declared length allows of a chunk; tells whether the buffers take more. */
  #sendChunk(chunk: Chunk): boolean {
    this.#head.demand();
    const latin1 = !this.#head.sent && this.#sendHead(-1);
    if (this.#isBodyless()) return true;
    const length = byteLength(chunk);
    const allowed =
      length > this.#left ? toBuffer(chunk).subarray(0, Math.max(0, this.#left)) : chunk;
    this.#left -= length;
    // No bytes at all still send the head, and as Latin-1.
    if (allowed.length === 0) return this.#res.write(nothing);
    return this.#res.write(latin1 ? toBuffer(allowed) : allowed);
  }

  /**
   * Hands the head to node, which sends it with the first bytes of the body.
   *
   * @param length - the body's length in bytes if it is known, else -1
   * @returns whether the head has characters that node would send as UTF-8 together with text
   */
  #sendHead(length: number): boolean {
    const { status, code, headers, contentLength } = this.#head;
    this.#head.sent = true;
    const fields: string[] = [];
    let latin1 = beyondAscii.test(status);
    for (const [name, value] of headers) {
      if (code === 204 && name.toLowerCase() === "content-length") continue;
      fields.push(name, value);
      latin1 ||= beyondAscii.test(value);
    }
    if (contentLength === -1 && length !== -1 && !isBodyless(code)) {
      fields.push("Content-Length", String(length));
    }
    this.#endConnectionIfNeedBe(fields);
    this.#res.writeHead(code, status.slice(4), fields);
    return latin1;
  }

  /** Ends a response whose body has been sent as far as it goes. */
  #end(): void {
    this.#head.demand();
    if (this.#left < 0) this.#report(this.#lengthExceeded());
    if (this.#left > 0 && this.#left !== Infinity && !this.#isBodyless()) {
      throw this.#lengthShort(this.#head.contentLength - this.#left);
    }
    if (!this.#head.sent) this.#sendHead(this.#req.method === "HEAD" ? -1 : 0);
    this.#res.end();
    this.#finish();
  }

  #lengthShort(length: number): WsgiError {
    return new WsgiError(
      "application",
      "length-short",
      `Cannot end the response: the body has ${length} bytes; wanted ${this.#head.contentLength}, as its Content-Length says`,
    );
  }

  #lengthExceeded(): WsgiError {
    const { contentLength } = this.#head;
    return new WsgiError(
      "application",
      "length-exceeded",
      `Cannot send the whole body: it is longer than ${contentLength} bytes; wanted no more than its Content-Length says`,
    );
  }

  /** Deals with an error of the application: an answer if that can still be, else a cut. */
  readonly #fail = (error: unknown): void => {
    if (this.#isGoneBecauseOf(error)) {
      this.#leave();
      return;
    }
    this.#report(error);
    if (this.#over) return;
    if (!this.#head.sent) this.#sendError();
    else if (this.#left <= 0) this.#res.end();
    else this.#cut();
    this.#finish();
  };

  /** Breaks the connection, so that the client cannot take what it has for the whole. */
  #cut(): void {
    this.#connection.end();
    this.#res.destroy();
  }

  #isGoneBecauseOf(error: unknown): boolean {
    const gone = this.#gone || this.#res.destroyed || this.#req.destroyed;
    const name = error instanceof Error ? error.name : "";
    return gone && (name === "ClientDisconnected" || name === "AbortError");
  }

  /** Answers with a plain 500 that tells nothing of the error. */
  #sendError(): void {
    this.#head.sent = true;
    const text = "Internal Server Error";
    const fields = [
      "Content-Type",
      "text/plain; charset=utf-8",
      "Content-Length",
      String(text.length),
    ];
    this.#endConnectionIfNeedBe(fields);
    this.#res.writeHead(500, text, fields);
    this.#res.end(text);
  }

  #endConnectionIfNeedBe(fields: string[]): void {
    if (!this.#owner.closing && this.#request?.endsConnection !== true) return;
    fields.push("Connection", "close");
    this.#connection.end();
  }

  /** Listens for what can happen to a response that is not over at once. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#res.on("close", this.#leave);
    this.#res.on("error", () => {});
    this.#res.on("drain", () => {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const { go } of waiting) go();
    });
  }

  readonly #leave = (): void => {
    if (this.#over) return;
    this.#gone = true;
    this.#abort?.abort(new ClientDisconnected());
    this.#finish();
  };

  /** Ends the exchange, once: stops the iteration, closes the body, lets the next request in. */
  #finish(): void {
    this.#over = true;
    for (const { go, stop } of this.#waiting) {
      if (this.#gone) stop(new ClientDisconnected());
      else go();
    }
    this.#waiting = [];
    this.#request?.release();
    const iterator = this.#iterator;
    if (iterator !== undefined) this.#settle(() => iterator.return?.());
    const body = this.#body;
    if (body === undefined) this.#connection.done();
    else this.#close(body, () => this.#connection.done());
  }

  #close(body: Body, closed: () => void = () => {}): void {
    this.#settle(() => closeBody(body), closed);
  }

  /** Runs the application's clean-up, whose errors are reported and stop nothing. */
  #settle(cleanUp: () => unknown, settled: () => void = () => {}): void {
    try {
      const result = cleanUp();
      if (isThenable(result)) {
        result.then(settled, (error: unknown) => {
          this.#report(error);
          settled();
        });
        return;
      }
    } catch (error) {
      this.#report(error);
    }
    settled();
  }

  #report(error: unknown): void {
    if (this.#isGoneBecauseOf(error)) return;
    this.#owner.report(`${this.#req.method} ${this.#req.url}: ${inspect(error)}\n`);
  }
}

function byteLength(chunk: Chunk): number {
  return typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.byteLength;
}

function toBuffer(chunk: Chunk): Uint8Array {
  return typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}
