import {
  checkBody,
  checkChunk,
  ClientDisconnected,
  closeBody,
  describeError,
  isBody,
  isSync,
  isThenable,
  quietly,
  saysGone,
  when,
  WsgiError,
  type Body,
  type Chunk,
  type ErrorStream,
  type MaybePromise,
  type StartResponse,
  type Write,
} from "@wsgi/core";
import { Sender } from "./sender.ts";

/** How many chunks a body may yield before other requests get a turn. */
const turnChunks = 64;

/** Is what an exchange needs to know of its request. */
export interface ExchangeRequest {
  readonly method: string;
  /** The request target, for reports. */
  readonly target: string;
  readonly errors: ErrorStream;
  /** Gives the signal that aborts when the client leaves, if the host has one. */
  signal?(): AbortSignal | undefined;
  /** Ends reading the request's body. */
  release?(): void;
}

/**
 * Is one request on its way through the application: calls it, makes a Response when its head is due,
 * goes through its body as fast as the Response is read, and closes it. It is over exactly once.
 */
export class Exchange {
  readonly #request: ExchangeRequest;
  readonly #sender: Sender;
  /** Aborts the signal, once somebody has asked for it. */
  #abort: AbortController | undefined;
  /** What is listened to for the client that leaves, while it is. */
  #watched: AbortSignal | undefined;
  #body: Body | undefined;
  /** The iteration of the body, as long as it may go on. */
  #iterator: Iterator<Chunk> | AsyncIterator<Chunk> | undefined;
  #stepping = false;
  #steps = 0;
  #over = false;
  #gone = false;

  constructor(request: ExchangeRequest) {
    this.#request = request;
    this.#sender = new Sender(request.method, {
      pull: () => this.#pull(),
      cancel: () => this.leave(),
    });
  }

  /** The signal that aborts if the client leaves before it is over. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#gone) this.#abort.abort(new ClientDisconnected());
    }
    return this.#abort.signal;
  }

  /**
   * Answers with what the application returns; the promise is never rejected.
   *
   * @param call - calls the application
   */
  run(call: (startResponse: StartResponse) => MaybePromise<Body>): Promise<Response> {
    try {
      const result = call(this.#startResponse);
      // isBody first: of a body not even "then" is looked at.
      if (!isBody(result) && isThenable(result)) {
        Promise.resolve(result).then(
          (body) => this.#take(body),
          (error: unknown) => this.fail(error),
        );
      } else this.#take(result);
    } catch (error) {
      this.fail(error);
    }
    if (!this.#over) this.#watch();
    return this.#sender.response;
  }

  readonly #startResponse: StartResponse = (status, headers, excInfo) => {
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
    const flowing = this.#sender.write(checkChunk(chunk));
    const exceeded = this.#sender.exceededError();
    if (exceeded !== undefined) throw exceeded;
    return flowing;
  };

  #take(result: unknown): void {
    if (this.#over) {
      // The client left while the application was thinking.
      if (isBody(result)) void quietly(() => closeBody(result), this.#report);
      return;
    }
    try {
      const body = checkBody(result);
      this.#body = body;
      if (Array.isArray(body)) {
        this.#sender.whole(body as readonly Chunk[]);
        this.#succeed();
        return;
      }
      this.#iterator = isSync(body) ? body[Symbol.iterator]() : body[Symbol.asyncIterator]();
      if (this.#sender.isWanted) this.#advance();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Goes on when the Response is read, unless a step is under way that will do so. */
  #pull(): void {
    if (this.#iterator !== undefined && !this.#stepping) this.#advance();
  }

  /** Takes steps until one has brought something to send; from time to time, only in the next turn. */
  #advance(): void {
    this.#stepping = true;
    if (++this.#steps % turnChunks === 0) setTimeout(this.#step, 0);
    else this.#step();
  }

  readonly #step = (): void => {
    const iterator = this.#iterator;
    if (iterator === undefined) return;
    try {
      if (this.#sender.isComplete) {
        this.#succeed();
        return;
      }
      const step = iterator.next();
      if (isSync(this.#body!)) this.#stepped(step as IteratorResult<Chunk>);
      else {
        Promise.resolve(step).then(
          (settled) => this.#stepped(settled),
          (error: unknown) => this.fail(error),
        );
      }
    } catch (error) {
      this.fail(error);
    }
  };

  #stepped(step: IteratorResult<Chunk>): void {
    if (this.#iterator === undefined) return;
    try {
      if (step.done === true) {
        this.#iterator = undefined;
        this.#succeed();
        return;
      }
      const chunk = checkChunk(step.value);
      if (chunk.length > 0) this.#sender.chunk(chunk);
      this.#stepping = false;
      // What comes after the last byte that was declared is not asked for.
      if (this.#sender.isComplete || this.#sender.isWanted) this.#advance();
    } catch (error) {
      this.fail(error);
    }
  }

  #succeed(): void {
    this.#sender.check();
    const exceeded = this.#sender.exceededError();
    if (exceeded !== undefined) this.#report(exceeded);
    this.#finish(() => this.#sender.end());
  }

  /** Deals with an error of the application: an answer if that can still be, else a cut. */
  fail(error: unknown): void {
    this.#report(error);
    if (!this.#over) this.#finish(() => this.#sender.fail());
  }

  /** Ends the exchange, because the client has left. */
  leave(): void {
    if (this.#over) return;
    this.#gone = true;
    this.#abort?.abort(new ClientDisconnected());
    this.#finish(() => this.#sender.leave());
  }

  /** Listens for the client that leaves a response that is not over at once. */
  #watch(): void {
    const signal = this.#request.signal?.();
    if (signal === undefined) return;
    if (signal.aborted) {
      this.leave();
      return;
    }
    this.#watched = signal;
    signal.addEventListener("abort", this.#left);
  }

  readonly #left = (): void => this.leave();

  /** Ends the exchange, once: stops the iteration, closes the body, and then ends the response. */
  #finish(end: () => void): void {
    this.#over = true;
    this.#watched?.removeEventListener("abort", this.#left);
    this.#sender.stop(this.#gone ? new ClientDisconnected() : undefined);
    this.#request.release?.();
    const iterator = this.#iterator;
    this.#iterator = undefined;
    if (iterator !== undefined) void quietly(() => iterator.return?.(), this.#report);
    const body = this.#body;
    const closed = body && quietly(() => closeBody(body), this.#report);
    // A host may stop what runs on after the response; so its end waits for the body to be closed.
    void when(closed, end);
  }

  /** Reports an error, unless it only says that the client has left, which it has. */
  readonly #report = (error: unknown): void => {
    if (this.#gone && saysGone(error)) return;
    const { method, target, errors } = this.#request;
    errors.write(`${method} ${target}: ${describeError(error)}\n`);
  };
}
