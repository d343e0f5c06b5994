import type { ServerResponse } from "node:http";
import {
  checkBody,
  checkChunk,
  ClientDisconnected,
  closeBody,
  isBodyless,
  quietly,
  ResponseHead,
  when,
  type Application,
  type Body,
  type Chunk,
  type Environ,
  type StartResponse,
} from "@wsgi/core";
import { setFields } from "./set-fields.ts";

/**
 * Calls an application and writes its response with the methods that a response of node's has, whoever may
 * have replaced them.
 *
 * @param fail - takes an error of the application; the response is not ended then
 */
export function answerThrough<E extends Environ>(
  app: Application<E>,
  environ: E,
  res: ServerResponse,
  fail: (error: unknown) => void,
): void {
  const answer = new Answer(res, fail);
  try {
    void when(app(environ, answer.startResponse), answer.send, fail);
  } catch (error) {
    fail(error);
  }
}

/** Is one response on its way. */
class Answer {
  readonly #res: ServerResponse;
  readonly #fail: (error: unknown) => void;
  readonly #head: ResponseHead = new ResponseHead();
  #body: Body | undefined;
  /** How many bytes of a declared length are still to be sent. */
  #left = Infinity;
  #isGone = false;

  constructor(res: ServerResponse, fail: (error: unknown) => void) {
    this.#res = res;
    this.#fail = fail;
    res.once("close", () => {
      this.#isGone = true;
      void quietly(() => this.#close());
    });
  }

  readonly startResponse: StartResponse = (status, headers, excInfo) => {
    this.#head.start(status, headers, excInfo);
    const { contentLength } = this.#head;
    this.#left = contentLength === -1 ? Infinity : contentLength;
    return (chunk) => {
      if (this.#isGone) throw new ClientDisconnected();
      checkChunk(chunk);
      if (chunk.length === 0) this.#flush();
      return this.#write(chunk) ? undefined : this.#drained();
    };
  };

  /** Sends a body, and closes it. It does not throw. */
  readonly send = (body: unknown): void => {
    try {
      this.#body = checkBody(body);
      if (this.#isGone) void quietly(() => this.#close());
      else if (Array.isArray(body)) this.#sendAll(body as Chunk[]);
      else void this.#sendEach(this.#body).catch(this.#failed);
    } catch (error) {
      this.#failed(error);
    }
  };

  #sendAll(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) this.#write(checkChunk(chunk));
    this.#end();
    void when(this.#close(), () => {}, this.#fail);
  }

  async #sendEach(body: Body): Promise<void> {
    if (!this.#isComplete) {
      for await (const chunk of body) {
        if (!this.#isGone && !this.#write(checkChunk(chunk))) await this.#drained();
        if (this.#isGone || this.#isComplete) break;
      }
    }
    if (!this.#isGone) this.#end();
    await this.#close();
  }

  /** Whether nothing that the body might still yield would be sent. */
  get #isComplete(): boolean {
    const { code } = this.#head;
    if (code === 0) return false;
    return this.#left <= 0 || this.#res.req.method === "HEAD" || isBodyless(code);
  }

  /** Sends a chunk, and the head before it; tells whether the buffers take more. */
  #write(chunk: Chunk): boolean {
    if (chunk.length === 0) return true;
    this.#sendHead();
    this.#left -= Buffer.byteLength(chunk);
    return this.#res.write(chunk);
  }

  #flush(): void {
    this.#sendHead();
    this.#res.flushHeaders();
  }

  #end(): void {
    this.#sendHead();
    this.#res.end();
  }

  #sendHead(): void {
    const head = this.#head;
    head.demand();
    if (head.sent) return;
    head.sent = true;
    setFields(this.#res, head.headers.flat());
    this.#res.writeHead(head.code, head.status.slice(4));
  }

  #close(): void | Promise<void> {
    const body = this.#body;
    this.#body = undefined;
    return body === undefined ? undefined : closeBody(body);
  }

  readonly #failed = (error: unknown): void => {
    void quietly(() => this.#close());
    this.#fail(error);
  };

  /** Waits until the buffers have emptied, or nobody is left to empty them. */
  #drained(): Promise<void> {
    const res = this.#res;
    return new Promise((resolve) => {
      const go = (): void => {
        res.removeListener("drain", go);
        res.removeListener("close", go);
        resolve();
      };
      res.on("drain", go);
      res.on("close", go);
    });
  }
}
