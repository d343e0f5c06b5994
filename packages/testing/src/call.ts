import {
  capture,
  checkChunk,
  closeBody,
  getHeader,
  isBodyless,
  isSync,
  joinBytes,
  statusCode,
  toBytes,
  when,
  type Application,
  type Body,
  type Chunk,
  type Environ,
  type HeaderList,
} from "@wsgi/core";
import { environFor } from "./environ-for.ts";

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
  /** How often the `close()` of the returned body ran: 1, or 0 if it has none. */
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
 * The body of a response to HEAD and of 204 and 304 is not read, only closed.
 *
 * @param app - the application
 * @param request - an environ, or what `environFor` makes one of, `"GET /"`
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
  request: E | string,
  options: CallOptions = {},
): Promise<CallResult> {
  const environ = typeof request === "string" ? (environFor(request) as Environ as E) : request;
  const method = environ.REQUEST_METHOD;
  const counted = countClose(app);
  const { status, headers, body } = await capture(counted.app, environ);
  const code = statusCode(status);
  const wanted = method === "HEAD" || isBodyless(code) ? 0 : (options.leaveAfter ?? Infinity);
  const chunks = await readChunks(body, wanted);
  const bytes = (): Uint8Array => joinBytes(chunks.map(toBytes));
  const text = (): string => new TextDecoder().decode(bytes());
  return {
    status,
    code,
    headers,
    chunks,
    closed: counted.closed(),
    header: (name) => getHeader(headers, name),
    bytes,
    text,
    json: () => JSON.parse(text()) as unknown,
  };
}

/** Counts how often the body's own `close()` runs, without hiding that the body has none. */
function countClose<E extends Environ>(
  app: Application<E>,
): { app: Application<E>; closed(): number } {
  let closed = 0;
  const count = (body: Body): Body => {
    if (body?.close === undefined) return body;
    const close = (): void | Promise<void> => {
      closed += 1;
      return body.close!();
    };
    return isSync(body)
      ? { [Symbol.iterator]: () => body[Symbol.iterator](), close }
      : { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](), close };
  };
  return {
    app: (environ, startResponse) => when(app(environ, startResponse), count),
    closed: () => closed,
  };
}

async function readChunks(body: Body, wanted: number): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  let taken = 0;
  try {
    // A loop that is left calls the iterator's return(), as a server does for a client that leaves.
    if (wanted > 0) {
      for await (const chunk of body) {
        chunks.push(checkChunk(chunk));
        if (chunk.length > 0 && ++taken >= wanted) break;
      }
    }
  } finally {
    await closeBody(body);
  }
  return chunks;
}
