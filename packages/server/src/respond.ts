import type { IncomingMessage, ServerResponse } from "node:http";
import {
  checkBody,
  checkChunk,
  ClientDisconnected,
  closeBody,
  isBody,
  isThenable,
  quietly,
  saysGone,
  when,
  WsgiError,
  type Application,
  type Body,
  type Chunk,
  type Environ,
  type HeaderList,
  type Write,
} from "@wsgi/core";
import type { Connection, Turn } from "./connection.ts";
import type { RequestBody } from "./input.ts";
import { Pump } from "./pump.ts";
import { describeError } from "./report.ts";
import type { RefusedRequest } from "./request.ts";
import { Sender } from "./send.ts";
import type { Offer } from "./upgrade.ts";
import { Waiters } from "./waiters.ts";

/** Is what an exchange needs of its server. */
export interface ExchangeOwner {
  /** Whether connections end with their present response, because the server is closing. */
  readonly closing: boolean;
  /** Whether a response that is there as a whole may take the fast path. */
  readonly hasFastPath: boolean;
  /** Calls the application for a request, or refuses it. */
  begin(exchange: Exchange): void;
  /** Takes the report of an error. It does not throw. */
  report(text: string): void;
}

/**
 * Is one request on its way through the application: calls it, goes through its body as fast as the
 * client takes it, and closes it. It is over exactly once; then the connection's next request may come.
 */
export class Exchange implements Turn {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly connection: Connection;
  /** Whether the client holds its body back until it is told to go on. */
  readonly awaitsContinue: boolean;
  /** What reads the body of the request, if it has one. */
  request: RequestBody | undefined;
  /** Whether the connection ends with this exchange in any case. */
  isLast = false;
  /** How the application can take the connection over, if the client asks for another protocol. */
  offer: Offer | undefined;
  /** Aborts the signal, once somebody has asked for it. */
  abort: AbortController | undefined;
  readonly #owner: ExchangeOwner;
  readonly #sender: Sender;

  #body: Body | undefined;
  /** What goes through the body, unless it is an array. */
  #pump: Pump | undefined;
  #over = false;
  #gone = false;
  #watching = false;
  /** Who goes on when the buffers have emptied, once somebody has to wait. */
  #waiters: Waiters | undefined;

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    connection: Connection,
    owner: ExchangeOwner,
    awaitsContinue: boolean,
  ) {
    this.req = req;
    this.res = res;
    this.connection = connection;
    this.awaitsContinue = awaitsContinue;
    this.#owner = owner;
    this.#sender = new Sender(req, res, this);
  }

  /** Begins, when the requests before it are done. */
  run(): void {
    this.connection.response = this.res;
    // A client that has left in the meantime is nobody to call the application for.
    if (this.req.socket.destroyed) this.connection.done();
    else this.#owner.begin(this);
  }

  /** Calls the application and answers with what it returns. */
  call<E extends Environ>(app: Application<E>, environ: E): void {
    this.connection.exchange = this;
    try {
      const result = app(environ, this.#startResponse);
      // isBody first: of a body not even "then" is looked at.
      if (!isBody(result) && isThenable(result))
        Promise.resolve(result).then(
          (body) => this.#send(body),
          (error: unknown) => this.fail(error),
        );
      else this.#send(result);
    } catch (error) {
      this.fail(error);
    }
    if (!this.#over) this.#watch();
  }

  /** The signal that aborts if the client leaves, or the server cannot wait, before it is over. */
  get signal(): AbortSignal {
    if (this.abort === undefined) {
      this.abort = new AbortController();
      if (this.#gone) this.abort.abort(new ClientDisconnected());
    }
    return this.abort.signal;
  }

  /** Fails reading the request, because nothing more of it can be read. */
  failRequest(reason: RefusedRequest): void {
    this.request?.fail(reason);
  }

  readonly #startResponse = (status: string, headers: HeaderList, excInfo?: unknown): Write => {
    this.#sender.start(status, headers, excInfo);
    if (excInfo !== undefined) this.offer?.fail();
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
    const flowing = this.#sender.chunkNow(checkChunk(chunk));
    const exceeded = this.#sender.exceededError();
    if (exceeded !== undefined) throw exceeded;
    return flowing ? undefined : (this.#waiters ??= new Waiters()).promise();
  };

  #send(result: unknown): void {
    try {
      if (this.#over) {
        // The client left while the application was thinking.
        if (isBody(result)) void quietly(() => closeBody(result), this.#report);
        return;
      }
      const body = checkBody(result);
      this.#body = body;
      if (Array.isArray(body)) {
        this.#sender.whole(body as readonly Chunk[]);
        this.succeed();
      } else {
        this.#pump = new Pump(body, this.#sender, this);
        this.#pump.pull();
      }
    } catch (error) {
      this.fail(error);
    }
  }

  /** Calls a function when the buffers have emptied, but not if that does not come about. */
  whenDrained(go: () => void): void {
    this.#watch();
    (this.#waiters ??= new Waiters()).call(go);
  }

  /** Ends the exchange when the whole response is on its way. */
  succeed(): void {
    const exceeded = this.#sender.exceededError();
    if (exceeded !== undefined) this.#report(exceeded);
    this.#finish();
  }

  /** Deals with an error of the application: an answer if that can still be, else a cut. */
  fail(error: unknown): void {
    const failure = this.request?.failure;
    const isRefused = failure !== undefined && error === failure;
    if (!isRefused) this.#report(error);
    if (this.#isGone()) {
      this.#leave();
    } else if (!this.#over) {
      this.#sender.fail(isRefused ? failure : undefined);
      this.offer?.fail();
      this.#finish();
    }
  }

  #isGone(): boolean {
    // Not req.destroyed: a request is, too, when it has been read to its end.
    return this.#gone || this.req.socket.destroyed;
  }

  /** Listens for what can happen to a response that is not over at once. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.res.on("close", () => this.#leave());
    this.res.on("error", () => {});
    this.res.on("drain", () => this.#waiters?.settle());
  }

  #leave(): void {
    if (this.#over) return;
    this.#gone = true;
    this.abort?.abort(new ClientDisconnected());
    this.#finish();
  }

  /** Ends the exchange, once: stops the iteration, closes the body, lets the next request in. */
  #finish(): void {
    this.#over = true;
    this.#waiters?.settle(this.#gone ? new ClientDisconnected() : undefined);
    this.request?.release(this.res);
    const pump = this.#pump;
    if (pump !== undefined) void quietly(() => pump.stop(), this.#report);
    const body = this.#body;
    const closed = body && quietly(() => closeBody(body), this.#report);
    void when(closed, () => (this.offer ?? this.connection).done());
  }

  /** Whether a response that is there as a whole may take the fast path. */
  get hasFastPath(): boolean {
    return this.#owner.hasFastPath;
  }

  /** Tells, when the head is sent, whether the connection ends with this response, as it may have to. */
  endsConnection(must = false): boolean {
    const ends =
      must || this.#owner.closing || this.isLast || this.request?.endsConnection === true;
    if (ends) this.connection.end();
    return ends;
  }

  /** Reports an error, unless it only says that the client has left, which it has. */
  readonly #report = (error: unknown): void => {
    if (this.#isGone() && saysGone(error)) return;
    this.#owner.report(`${this.req.method} ${this.req.url}: ${describeError(error)}\n`);
  };
}
