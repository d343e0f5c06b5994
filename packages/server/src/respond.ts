import type { IncomingMessage, ServerResponse } from "node:http";
import {
  checkBody,
  checkChunk,
  ClientDisconnected,
  closeBody,
  isBody,
  isSync,
  isThenable,
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
import { describeError, saysGone } from "./report.ts";
import type { RefusedRequest } from "./request.ts";
import { Sender } from "./send.ts";
import { Waiters } from "./waiters.ts";

/** Is what an exchange needs of its server. */
export interface ExchangeOwner {
  /** Whether connections end with their present response, because the server is closing. */
  readonly closing: boolean;
  /** Takes the report of an error. It does not throw. */
  report(text: string): void;
}

/** How many chunks a body may yield before other requests get a turn. */
const turnChunks = 64;
/** How many bytes a synchronous body may yield before that. */
const turnBytes = 262_144;

/**
 * Is one request on its way through the application: calls it, goes through its body as fast as the
 * client takes it, and closes it. It is over exactly once; then the connection's next request may come.
 */
export class Exchange {
  /** Aborts the signal, once somebody has asked for it. */
  abort: AbortController | undefined;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #request: RequestBody | undefined;
  readonly #connection: Connection;
  readonly #owner: ExchangeOwner;
  readonly #isLast: boolean;
  readonly #sender: Sender;

  #body: Body | undefined;
  /** The iteration of the body, as long as it may go on. */
  #iterator: Iterator<Chunk> | AsyncIterator<Chunk> | undefined;
  /** How many steps of an async body were taken. */
  #steps = 0;
  #over = false;
  #gone = false;
  #watching = false;
  /** Who goes on when the buffers have emptied. */
  readonly #waiters = new Waiters();

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    request: RequestBody | undefined,
    connection: Connection,
    owner: ExchangeOwner,
    isLast: boolean,
  ) {
    this.#req = req;
    this.#res = res;
    this.#request = request;
    this.#connection = connection;
    this.#owner = owner;
    this.#isLast = isLast;
    this.#sender = new Sender(req, res, this);
  }

  /** Calls the application and answers with what it returns. */
  run<E extends Environ>(app: Application<E>, environ: E): void {
    try {
      const result = app(environ, this.#startResponse);
      // isBody first: of a body not even "then" is looked at.
      if (!isBody(result) && isThenable(result))
        Promise.resolve(result).then(this.#send, this.#fail);
      else this.#send(result);
    } catch (error) {
      this.#fail(error);
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
    this.#request?.fail(reason);
  }

  readonly #startResponse = (status: string, headers: HeaderList, excInfo?: unknown): Write => {
    this.#sender.start(status, headers, excInfo);
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
    return flowing ? undefined : this.#waiters.promise();
  };

  readonly #send = (result: unknown): void => {
    try {
      if (this.#over) {
        // The client left while the application was thinking.
        if (isBody(result)) this.#settle(() => closeBody(result));
        return;
      }
      const body = checkBody(result);
      this.#body = body;
      if (Array.isArray(body)) {
        this.#sender.whole(body as readonly Chunk[]);
        this.#succeed();
      } else {
        this.#iterator = isSync(body) ? body[Symbol.iterator]() : body[Symbol.asyncIterator]();
        this.#pull();
      }
    } catch (error) {
      this.#fail(error);
    }
  };

  /** Takes the next chunks of the body, as far as the client takes them. */
  readonly #pull = (): void => {
    if (this.#over) return;
    try {
      if (this.#sender.isComplete) this.#end();
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
      if (step.done === true) return this.#endOfBody();
      const chunk = checkChunk(step.value);
      // At once, because the iterator may compute for long before it yields the next one.
      const flowing = chunk.length === 0 || this.#sender.chunkNow(chunk);
      sent += chunk.length;
      if (this.#sender.isComplete) return this.#end();
      if (!flowing) return this.#pullWhenDrained();
    }
    setImmediate(this.#pull);
  }

  #pullAsync(iterator: AsyncIterator<Chunk>): void {
    Promise.resolve(iterator.next()).then((step) => {
      if (this.#over) return;
      try {
        if (step.done === true) return this.#endOfBody();
        const chunk = checkChunk(step.value);
        const flowing = chunk.length === 0 || this.#sender.chunk(chunk);
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
    this.#waiters.call(this.#pull);
  }

  #endOfBody(): void {
    this.#iterator = undefined;
    this.#end();
  }

  #end(): void {
    this.#sender.end();
    this.#succeed();
  }

  #succeed(): void {
    const exceeded = this.#sender.exceededError();
    if (exceeded !== undefined) this.#report(exceeded);
    this.#finish();
  }

  /** Deals with an error of the application: an answer if that can still be, else a cut. */
  readonly #fail = (error: unknown): void => {
    const failure = this.#request?.failure;
    const isRefused = failure !== undefined && error === failure;
    if (!isRefused) this.#report(error);
    if (this.#isGone()) {
      this.#leave();
    } else if (!this.#over) {
      this.#sender.fail(isRefused ? failure : undefined);
      this.#finish();
    }
  };

  #isGone(): boolean {
    // Not req.destroyed: a request is, too, when it has been read to its end.
    return this.#gone || this.#req.socket.destroyed;
  }

  /** Listens for what can happen to a response that is not over at once. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#res.on("close", this.#leave);
    this.#res.on("error", () => {});
    this.#res.on("drain", () => this.#waiters.settle());
  }

  readonly #leave = (): void => {
    if (this.#over) return;
    this.#gone = true;
    this.abort?.abort(new ClientDisconnected());
    this.#finish();
  };

  /** Ends the exchange, once: stops the iteration, closes the body, lets the next request in. */
  #finish(): void {
    this.#over = true;
    this.#waiters.settle(this.#gone ? new ClientDisconnected() : undefined);
    this.#request?.release(this.#res);
    const iterator = this.#iterator;
    if (iterator !== undefined) this.#settle(() => iterator.return?.());
    const body = this.#body;
    this.#settle(
      () => body && closeBody(body),
      () => this.#connection.done(),
    );
  }

  /** Tells, when the head is sent, whether the connection ends with this response, as it may have to. */
  endsConnection(must = false): boolean {
    const ends =
      must || this.#owner.closing || this.#isLast || this.#request?.endsConnection === true;
    if (ends) this.#connection.end();
    return ends;
  }

  /** Runs the application's clean-up, whose errors are reported and stop nothing. */
  #settle(cleanUp: () => unknown, settled: () => void = () => {}): void {
    try {
      const result = cleanUp();
      if (isThenable(result)) {
        // Promise.resolve, because a thenable may settle more than once.
        Promise.resolve(result).then(settled, (error: unknown) => {
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

  /** Reports an error, unless it only says that the client has left, which it has. */
  #report(error: unknown): void {
    if (this.#isGone() && saysGone(error)) return;
    this.#owner.report(`${this.#req.method} ${this.#req.url}: ${describeError(error)}\n`);
  }
}
