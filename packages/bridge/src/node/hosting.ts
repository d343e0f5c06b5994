import { ServerResponse, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import {
  ClientDisconnected,
  describeError,
  isThenable,
  signalKey,
  type Body,
  type Chunk,
  type Environ,
  type StartResponse,
} from "@wsgi/core";
import { headEnd, readHead, type NodeHead } from "./head.ts";
import { createRequest, type HostedRequest } from "./request.ts";
import { HandlerSocket, type Piece } from "./socket.ts";

/**
 * Answers one request with node's objects.
 *
 * @param req - the request
 * @param res - the response
 * @param fail - takes an error that comes later
 * @returns anything; if it is a promise that is rejected, that is an error
 */
export type Handle = (
  req: HostedRequest,
  res: ServerResponse,
  fail: (error: unknown) => void,
) => unknown;

/**
 * Is one request on its way through a handler of node's: its request and response are node's own, over a
 * socket that is not, from which the response is read.
 */
export class Hosting {
  readonly #environ: Environ;
  readonly #startResponse: StartResponse;
  readonly #socket: HandlerSocket;
  readonly #req: HostedRequest;
  readonly #res: ServerResponse;
  #head: NodeHead | undefined;
  /** What was written and not taken yet. */
  #chunks: Chunk[] = [];
  /** Lets the socket take more. */
  #taken: (() => void) | undefined;
  /** How much of a declared length is still to be taken. */
  #left = Infinity;
  /** Whether nobody takes anything any more. */
  #isClosed = false;
  #isFinished = false;
  #failure: { readonly error: unknown } | undefined;
  /** Goes on with whoever waits for something to happen. */
  #wake: () => void = () => {};

  constructor(environ: Environ, startResponse: StartResponse) {
    this.#environ = environ;
    this.#startResponse = startResponse;
    const socket = new HandlerSocket(environ, this.#take);
    this.#socket = socket;
    this.#req = createRequest(environ, socket);
    this.#res = createResponse(this.#req, socket);
    this.#res.on("finish", this.#finish);
    // Writing to a response that has ended is such an error, which nobody may listen for.
    this.#res.on("error", this.#fail);
    socket.on("error", this.#fail);
    socket.on("close", this.#socketClosed);
  }

  /** Calls the handler; returns the body of its response, or a promise of it where that comes later. */
  run(handle: Handle): Body | Promise<Body> {
    try {
      const result = handle(this.#req, this.#res, this.#fail);
      if (isThenable(result)) Promise.resolve(result).then(undefined, this.#fail);
    } catch (error) {
      this.#fail(error);
    }
    return this.#head === undefined && this.#failure === undefined ? this.#later() : this.#answer();
  }

  async #later(): Promise<Body> {
    const makeSignal = this.#environ[signalKey];
    if (typeof makeSignal === "function") {
      // There is no body yet whose close() could tell.
      const signal = makeSignal(this.#environ) as AbortSignal;
      signal.addEventListener("abort", () => this.#fail(signal.reason));
      if (signal.aborted) this.#fail(signal.reason);
    }
    if (this.#failure === undefined) await this.#change();
    // Now a handler that has begun and ended its response in one go is at the end of it.
    return this.#answer();
  }

  /** Starts the response; returns an array if all of it is there. */
  #answer(): Body {
    if (this.#failure !== undefined) throw this.#failure.error;
    const { status, headers } = this.#head!;
    try {
      const write = this.#startResponse(status, headers);
      if (this.#res.writableEnded) return this.#takeAll();
      const length = headers.find(([name]) => name.toLowerCase() === "content-length");
      if (length !== undefined) this.#left = Number(length[1]);
      // Node sends a head without anything after it for who asks to flush it.
      if (this.#chunks.length === 0) void write("");
    } catch (error) {
      this.#isClosed = true;
      this.#abort();
      throw error;
    }
    return {
      [Symbol.asyncIterator]: () => ({ next: () => this.#next() }),
      close: () => this.#close(),
    };
  }

  #takeAll(): Chunk[] {
    const all: Chunk[] = [];
    while (this.#chunks.length > 0) {
      all.push(...this.#chunks);
      this.#chunks = [];
      this.#release();
    }
    return all;
  }

  async #next(): Promise<IteratorResult<Chunk, undefined>> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#left -= Buffer.byteLength(chunk);
        if (this.#chunks.length === 0) this.#release();
        return { done: false, value: chunk };
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#isFinished || this.#isClosed) return { done: true, value: undefined };
      await this.#change();
    }
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const isTaken = this.#res.writableEnded && this.#chunks.length === 0;
    this.#chunks = [];
    this.#wake();
    // Who has what was declared asks for no more, and the handler is about to end the response.
    if (isTaken || this.#left <= 0) this.#release();
    else this.#abort();
  }

  /** Tells the handler that the client has left, as node does. */
  #abort(): void {
    if (this.#isFinished) return;
    this.#socket.destroy();
    const error = Object.assign(new ClientDisconnected("aborted"), { code: "ECONNRESET" });
    this.#req.destroy(error);
  }

  /** Takes what node has written. */
  readonly #take = (pieces: readonly Piece[], taken: () => void): void => {
    for (const piece of pieces) this.#takePiece(piece);
    if (this.#isClosed) this.#chunks = [];
    if (this.#chunks.length === 0) taken();
    else this.#taken = taken;
    if (this.#head !== undefined) this.#wake();
  };

  #takePiece({ chunk, encoding }: Piece): void {
    let rest: Chunk = chunk;
    // What comes before the head of the response are heads of informational ones.
    while (this.#head === undefined) {
      const text = typeof rest === "string" ? rest : Buffer.from(rest).toString("latin1");
      const end = text.indexOf(headEnd);
      if (end === -1) return;
      const head = readHead(text.slice(0, end));
      rest =
        typeof rest === "string"
          ? rest.slice(end + headEnd.length)
          : rest.subarray(end + headEnd.length);
      if (head.code >= 200 || head.code === 101) this.#head = head;
    }
    if (rest.length === 0) return;
    // Text stays text, which servers send with the head.
    this.#chunks.push(
      isUtf8(encoding) || typeof rest !== "string" ? rest : Buffer.from(rest, encoding),
    );
  }

  #release(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  /** Waits until something has changed. */
  #change(): Promise<void> {
    return new Promise((resolve) => void (this.#wake = resolve));
  }

  readonly #finish = (): void => {
    this.#isFinished = true;
    this.#wake();
    this.#socket.destroy();
    // So that it is closed too, as node sees to it: what is unread of it nobody can read any more.
    if (this.#req.complete) this.#req.resume();
    else if (!this.#req.readableDidRead) this.#req.destroy();
  };

  readonly #socketClosed = (): void => {
    if (!this.#isFinished) this.#fail(new Error(destroyed));
  };

  /** Whether the handler has ended its response, and all of it will come. */
  get #isOut(): boolean {
    if (this.#isFinished) return true;
    return this.#head !== undefined && this.#res.writableEnded && !this.#socket.destroyed;
  }

  readonly #fail = (error: unknown): void => {
    if (this.#isClosed || this.#failure !== undefined) return;
    if (this.#isOut) {
      // This is all that can be done then.
      this.#environ["wsgi.errors"].write(`${describeError(error)}\n`);
      return;
    }
    this.#failure = { error };
    this.#wake();
    this.#abort();
  };
}

const destroyed = "Cannot go on with the response: its handler has destroyed it; wanted its end";

function isUtf8(encoding: BufferEncoding | undefined): boolean {
  return encoding === undefined || encoding === null || /^utf-?8$/i.test(encoding);
}

/** Makes the response of a request: one of node's own, which writes to the socket without chunking. */
function createResponse(req: IncomingMessage, socket: HandlerSocket): ServerResponse {
  const res = new ServerResponse(req);
  let isChunked = false;
  // Own properties, because frameworks replace the prototype.
  Object.defineProperties(res, {
    // Chunks are for the connection beneath; a head that says so may have a Trailer field.
    chunkedEncoding: {
      configurable: true,
      get: () => isChunked && !res.headersSent,
      set(value: boolean) {
        isChunked = value;
      },
    },
    // Node's server resets its own in a way that it keeps to itself.
    writableNeedDrain: {
      configurable: true,
      get: () => !res.destroyed && !res.writableEnded && socket.writableNeedDrain,
    },
  });
  socket.on("drain", () => {
    if (!res.writableEnded) res.emit("drain");
  });
  res.assignSocket(socket as unknown as Socket);
  return res;
}
