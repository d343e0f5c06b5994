import {
  byteLength,
  checkBody,
  checkChunk,
  closeBody,
  getHeader,
  isBodyless,
  isSync,
  isThenable,
  joinBytes,
  quietly,
  ResponseHead,
  toBytes,
  WsgiError,
  type Application,
  type Body,
  type Chunk,
  type Environ,
  type HeaderList,
} from "@wsgi/core";
import { environFor, type TestEnviron } from "./environ-for.ts";

/** Says how the client behaves. */
export interface CallOptions {
  /** How many non-empty chunks the client takes before it leaves. Default: it stays. */
  leaveAfter?: number;
}

/** Is the response to a call, as a client would have it. */
export interface CallResult {
  /** The status line, `"200 OK"`. */
  readonly status: string;
  /** The status code. */
  readonly code: number;
  /** The header fields as they were given. */
  readonly headers: HeaderList;
  /** The chunks as they were written and yielded, empty ones too. */
  readonly chunks: readonly Chunk[];
  /** How often the `close()` of the returned body was called: once, or never if it has none. */
  readonly closed: number;
  /** Finds the first value of a header field, by its name in any case. */
  header(name: string): string | undefined;
  /** Puts the chunks together. */
  bytes(): Uint8Array;
  /** Decodes the body as UTF-8. */
  text(): string;
  /** Parses the body as JSON. */
  json(): unknown;
}

/**
 * Calls an application as a server does, without a socket: starts it, reads its body, closes it once.
 *
 * The body of a response to HEAD and of 204 and 304 is not read, only closed, and no body is read beyond
 * its Content-Length.
 *
 * @param app - the application
 * @param request - an environ, or what `environFor` makes one of, `"GET /"`, for an application that needs
 *   no keys of layers
 * @param options - how the client behaves
 * @returns the response
 * @throws what the application throws, after closing its body; WsgiError if it breaks the contract
 * @example
 * ```ts
 * import { call } from "@wsgi/testing";
 *
 * const hello = (environ, startResponse) => {
 *   startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *   return ["Hello, ", environ.PATH_INFO.slice(1), "!"];
 * };
 * const response = await call(hello, "GET /Ann");
 * response.text(); // "Hello, Ann!"
 * ```
 * @see werkzeug.test.run_wsgi_app
 */
export async function call<E extends Environ>(
  app: Application<E>,
  request: E | (TestEnviron extends E ? string : never),
  options: CallOptions = {},
): Promise<CallResult> {
  const environ = typeof request === "string" ? (environFor(request) as Environ as E) : request;
  const received = new Received(environ.REQUEST_METHOD, options.leaveAfter ?? Infinity);
  const { head } = received;
  const write = (chunk: Chunk): void => received.write(chunk);
  const result = app(environ, (status, headers, excInfo) => {
    head.start(status, headers, excInfo);
    return write;
  });
  const body = checkBody(isThenable(result) ? await result : result);
  let closed = 0;
  const close = (): void | Promise<void> => {
    received.hasEnded = true;
    if (body.close !== undefined) closed += 1;
    return closeBody(body);
  };
  try {
    await read(body, received);
  } catch (error) {
    await quietly(close);
    throw error;
  }
  await close();
  const { status, code, headers } = head;
  const chunks = received.hasBody ? received.chunks : [];
  const bytes = (): Uint8Array => joinBytes(chunks.map(toBytes));
  const text = (): string => new TextDecoder().decode(bytes());
  return {
    status,
    code,
    headers,
    chunks,
    closed,
    header: (name) => getHeader(headers, name),
    bytes,
    text,
    json: () => JSON.parse(text()) as unknown,
  };
}

/** Is what a client has of a response so far. */
class Received {
  readonly head: ResponseHead = new ResponseHead();
  readonly chunks: Chunk[] = [];
  hasEnded = false;
  readonly #method: string;
  readonly #leaveAfter: number;
  #taken = 0;
  #bytes = 0;

  constructor(method: string, leaveAfter: number) {
    this.#method = method;
    this.#leaveAfter = leaveAfter;
  }

  get hasBody(): boolean {
    return this.#method !== "HEAD" && !isBodyless(this.head.code);
  }

  /** Whether the client wants no more, or can be sent no more. */
  get isEnough(): boolean {
    if (this.head.code === 0) return false;
    return !this.hasBody || this.#taken >= this.#leaveAfter || this.#bytes >= this.#declared;
  }

  get #declared(): number {
    const { contentLength } = this.head;
    return contentLength === -1 ? Infinity : contentLength;
  }

  /** Takes what was written; even nothing takes the head along. */
  write(chunk: Chunk): void {
    if (this.hasEnded) {
      throw new WsgiError(
        "application",
        "write-in-time",
        "Cannot write: the response has ended; write before the application returns",
      );
    }
    checkChunk(chunk);
    this.head.sent = true;
    this.add(chunk);
  }

  /** Takes what was yielded. */
  add(chunk: Chunk): void {
    const length = byteLength(checkChunk(chunk));
    if (length > 0) {
      // Only the first byte takes the head along: until then it can be replaced.
      this.head.demand();
      this.head.sent = true;
      this.#taken += 1;
      this.#bytes += length;
      if (this.hasBody && this.#bytes > this.#declared) throw this.#wrongLength("length-exceeded");
    }
    this.chunks.push(chunk);
  }

  /** Takes note that the body has ended by itself. */
  end(): void {
    this.head.demand();
    this.head.sent = true;
    const isShort = this.hasBody && this.#declared !== Infinity && this.#bytes < this.#declared;
    if (isShort) throw this.#wrongLength("length-short");
  }

  #wrongLength(clause: "length-exceeded" | "length-short"): WsgiError {
    const bytes = `${this.#bytes} bytes${clause === "length-short" ? "" : " or more"}`;
    return new WsgiError(
      "application",
      clause,
      `Cannot take the body: it has ${bytes}; wanted ${this.#declared}, as its Content-Length says`,
    );
  }
}

/** Reads a body until it ends or the client has enough and leaves, which ends the iteration. */
async function read(body: Body, received: Received): Promise<void> {
  if (received.isEnough) return;
  const isLast = (chunk: Chunk): boolean => {
    received.add(chunk);
    return received.isEnough;
  };
  // Not `for await` for both: it would wait for a promise in a synchronous body, as no server does.
  if (isSync(body)) {
    for (const chunk of body) if (isLast(chunk)) return;
  } else {
    for await (const chunk of body) if (isLast(chunk)) return;
  }
  received.end();
}
