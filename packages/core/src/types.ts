/** Is one piece of a body; a string is UTF-8 text. */
export type Chunk = string | Uint8Array;

/**
 * Is what an application returns: an iterable of chunks, which may have a `close()` that its server
 * calls exactly once, when the request ends. A bare string is no body: write `[text]`.
 *
 * @see SPEC.md [body-iterable], [close-once]
 */
export type Body = object &
  (Iterable<Chunk> | AsyncIterable<Chunk>) & { close?(): void | Promise<void> };

/** Is one header field of a response. */
export type Header = readonly [name: string, value: string];

/** Is the header fields in the order in which they are sent; repeated names stay repeated. */
export type HeaderList = readonly Header[];

/**
 * Sends a chunk ahead of the returned body. Returns a promise only when the buffers are full.
 *
 * @see SPEC.md [write-as-yielded]
 */
export type Write = (chunk: Chunk) => void | Promise<void>;

/**
 * Stores the status line and the header fields, until the first byte of the body takes them along.
 * A second call must bring the error that made it necessary, as `excInfo`.
 *
 * @see SPEC.md [start-once], [start-lazy]
 */
export type StartResponse = (status: string, headers: HeaderList, excInfo?: unknown) => Write;

/** Is a value, or the promise of one. */
export type MaybePromise<T> = T | PromiseLike<T>;

/**
 * Answers a request: calls `startResponse` with the status and the headers, and returns the body.
 *
 * @example
 * ```ts
 * const hello = (environ, startResponse) => {
 *   startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *   return ["Hello, world!"];
 * };
 * ```
 * @see PEP 3333, "The Application/Framework Side"
 */
export type Application<E extends Environ = Environ> = (
  environ: E,
  startResponse: StartResponse,
) => Body | PromiseLike<Body>;

/** Carries what a middleware adds and needs for the compiler; nothing has it at run time. */
declare const contract: unique symbol;

/**
 * Wraps an application in another: to its server it is an application, to its application a server.
 * `Adds` are the environ keys that it provides to the application, `Needs` those it must be given.
 *
 * @example
 * ```ts
 * const poweredBy = (app) => (environ, startResponse) =>
 *   app(environ, (status, headers, excInfo) =>
 *     startResponse(status, [...headers, ["X-Powered-By", "WSGI"]], excInfo));
 * ```
 * @see PEP 3333, "Middleware: Components that Play Both Sides"
 */
export interface Middleware<Adds = unknown, Needs = unknown> {
  <E extends Environ & Needs>(app: Application<E & Adds>): Application<E>;
  readonly [contract]?: { adds: Adds; needs(needs: Needs): void };
}

/** Is a middleware whose keys are of no concern here. */
// oxlint-disable-next-line typescript/no-explicit-any -- unknown would refuse every layer that needs a key
export type AnyMiddleware = Middleware<any, any>;

/**
 * Is the keys that an environ has by name, and not because it may have any: what a layer made of
 * applications for that environ needs.
 */
export type NamedKeys<E> = { [Key in keyof E as string extends Key ? never : Key]: E[Key] };

/** Is the part of a layer's type that says which keys it adds. */
export type AddsOf<M> = M extends {
  readonly [contract]?: { adds: infer Adds; needs(needs: never): void };
}
  ? Adds
  : unknown;

/** Is the part of a layer's type that says which keys it needs. */
export type NeedsOf<M> = M extends {
  readonly [contract]?: { adds: unknown; needs(needs: infer Needs): void };
}
  ? Needs
  : unknown;

/**
 * Is the request: CGI variables and `wsgi.*` keys in a plain object that the application owns and may
 * change. Keys that are not listed here belong to middleware (`wsgix.*`) and to applications.
 *
 * @see SPEC.md, "environ"
 */
export interface Environ {
  /** The method as sent, `"GET"`. */
  REQUEST_METHOD: string;
  /** The part of the path that led to this application; `""` or begins with `/`. Decoded once. */
  SCRIPT_NAME: string;
  /** The rest of the path, inside this application. Decoded once; do not decode it again. */
  PATH_INFO: string;
  /** What stands after `?`, as it came; `""` if nothing does. */
  QUERY_STRING: string;
  /** The request's Content-Type, if it has one. */
  CONTENT_TYPE?: string;
  /** The request's Content-Length in decimal digits, if it has one. */
  CONTENT_LENGTH?: string;
  /** The server's own name or address; never empty. */
  SERVER_NAME: string;
  /** The server's port in decimal digits; never empty. */
  SERVER_PORT: string;
  /** The version that the client used, `"HTTP/1.1"`. */
  SERVER_PROTOCOL: string;
  /** The request target as the client sent it. */
  REQUEST_URI: string;
  /** The client's address; `""` on a Unix socket. */
  REMOTE_ADDR: string;
  /** `"on"` if the connection is encrypted. */
  HTTPS?: string;
  /** The request's header fields: `Accept-Language` is `HTTP_ACCEPT_LANGUAGE`. */
  [header: `HTTP_${string}`]: string | undefined;
  "wsgi.version": readonly [1, 0];
  "wsgi.url_scheme": "http" | "https";
  /** The request's body. */
  "wsgi.input": InputStream;
  /** Where messages for the server's operator go. */
  "wsgi.errors": ErrorStream;
  /** Whether another thread of this process may call the application at the same time. */
  "wsgi.multithread": boolean;
  /** Whether another process may call the application at the same time. */
  "wsgi.multiprocess": boolean;
  /** Whether this process is expected to call the application only once. */
  "wsgi.run_once": boolean;
  /** Whether `wsgi.input` ends by itself, so that a body without Content-Length can be read. */
  "wsgi.input_terminated": boolean;
  [key: string]: unknown;
}

/**
 * Reads a request's body. Each method answers at once when the bytes are there, and otherwise with a
 * promise: `await input.read()` is always right.
 *
 * @see SPEC.md, "wsgi.input"
 */
export interface InputStream {
  /** Reads exactly `size` bytes, fewer only at the end; without `size`, everything. */
  read(size?: number): Uint8Array | Promise<Uint8Array>;
  /** Reads to the end of the line, with its `\n`, and at most `size` bytes. Empty at the end. */
  readline(size?: number): Uint8Array | Promise<Uint8Array>;
  /** Reads the lines that are left; stops after the line that reaches `hint` bytes. */
  readlines(hint?: number): Uint8Array[] | Promise<Uint8Array[]>;
  /** Goes through the lines, as Python does; for blocks use core's `chunks`. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array>;
}

/**
 * Takes text for the server's operator. No text makes it throw.
 *
 * @see SPEC.md, "wsgi.errors"
 */
export interface ErrorStream {
  /** Writes the text as it is; end it with `"\n"`. */
  write(text: string): void;
  /** Writes each text as it is. */
  writelines(texts: Iterable<string>): void;
  /** Hands on what is still buffered. */
  flush(): void;
}
