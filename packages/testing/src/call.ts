import {
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
 * The body of a response to HEAD and of 204 and 304 is not read, only closed.
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
  const method = environ.REQUEST_METHOD;
  const head = new ResponseHead();
  const sent: Chunk[] = [];
  const write = (chunk: Chunk): void => {
    checkChunk(chunk);
    head.sent = true;
    sent.push(chunk);
  };
  const result = app(environ, (status, headers, excInfo) => {
    head.start(status, headers, excInfo);
    return write;
  });
  const body = checkBody(isThenable(result) ? await result : result);
  const hasBody = (): boolean => method !== "HEAD" && !isBodyless(head.code);
  const wanted = (): number => (hasBody() ? (options.leaveAfter ?? Infinity) : 0);
  let closed = 0;
  const close = (): void | Promise<void> => {
    if (body.close !== undefined) closed += 1;
    return closeBody(body);
  };
  await readChunks(body, close, head, sent, wanted);
  const { status, code, headers } = head;
  const chunks = hasBody() ? sent : [];
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

async function readChunks(
  body: Body,
  close: () => void | Promise<void>,
  head: ResponseHead,
  sent: Chunk[],
  wanted: () => number,
): Promise<void> {
  try {
    await take(body, head, sent, wanted);
    head.demand();
    head.sent = true;
  } catch (error) {
    await quietly(close);
    throw error;
  }
  await close();
}

/** Takes chunks until there are as many as wanted, and then leaves, which ends the iteration. */
async function take(
  body: Body,
  head: ResponseHead,
  sent: Chunk[],
  wanted: () => number,
): Promise<void> {
  let taken = sent.filter((chunk) => chunk.length > 0).length;
  const isEnough = (): boolean => head.code !== 0 && taken >= wanted();
  const isLast = (chunk: unknown): boolean => {
    sent.push(checkChunk(chunk));
    if (sent.at(-1)!.length > 0) {
      // Only the first byte takes the head along: until then it can be replaced.
      head.demand();
      head.sent = true;
      taken += 1;
    }
    return isEnough();
  };
  if (isEnough()) return;
  // Not `for await` for both: it would wait for a promise in a synchronous body, as no server does.
  if (isSync(body)) {
    for (const chunk of body) if (isLast(chunk)) return;
  } else {
    for await (const chunk of body) if (isLast(chunk)) return;
  }
}
