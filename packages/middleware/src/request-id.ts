import { checkHeaders, ResponseHeaders, type Environ, type Middleware, show } from "@wsgi/core";

/** Is the environ key of the request's id. */
export const requestIdKey = "wsgix.request_id";

/** Is what `requestId` adds to environ. */
export interface RequestIdEnviron {
  /** The id of the request. */
  [requestIdKey]: string;
}

/** Says where ids come from and under which name they travel. */
export interface RequestIdOptions {
  /** The header field that carries the id, in requests and in responses. Default: `"X-Request-Id"`. */
  header?: string;
  /**
   * Whether to take over the id that a request brings: only if the client, or the proxy in front, is
   * known to be honest. A function decides for each request. Default: false.
   */
  trust?: boolean | ((environ: Environ) => boolean);
  /** Makes an id, of characters that a header field may hold. Default: `crypto.randomUUID`. */
  generate?: () => string;
}

/**
 * Gives each request an id, by which to find it in logs and in complaints.
 *
 * To its application it adds the id to environ, as `wsgix.request_id`; to its server it adds the id to
 * the header fields of every response, in the place of one that the application set. It belongs outside
 * the layers that answer errors, so that their answers have it too.
 *
 * @param options - the header field, whom to trust, and how to make an id
 * @returns the middleware
 * @throws TypeError if an option is not of its type; for a request, what `trust` or `generate` throws
 * @example
 * ```ts
 * import { requestId } from "@wsgi/middleware/request-id";
 * import { call } from "@wsgi/testing";
 *
 * const app = requestId({ generate: () => "42" })((environ, startResponse) => {
 *   startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *   return ["This is request ", environ["wsgix.request_id"]];
 * });
 * (await call(app, "GET /")).header("X-Request-Id"); // "42"
 * ```
 * @see ActionDispatch::RequestId; tower-http's request_id
 */
export function requestId(options: RequestIdOptions = {}): Middleware<RequestIdEnviron> {
  checkOptions(options);
  const { header = "X-Request-Id", trust = false } = options;
  const { generate = () => crypto.randomUUID() } = options;
  const trusts = typeof trust === "function" ? trust : () => trust;
  const key = `HTTP_${header.toUpperCase().replaceAll("-", "_")}` as const;
  return function requestId(app) {
    return function requestId(environ, startResponse) {
      const brought = environ[key] ?? "";
      const id = idForm.test(brought) && trusts(environ) ? brought : generate();
      return app(Object.assign(environ, { [requestIdKey]: id }), (status, headers, excInfo) =>
        startResponse(status, new ResponseHeaders(headers).set(header, id).list, excInfo),
      );
    };
  };
}

/** What can stand in a log line, a URL and a header field as it is. */
const idForm = /^[\w=.-]{1,255}$/;

function checkOptions({ header = "X-Request-Id", trust, generate }: RequestIdOptions): void {
  checkHeader(header);
  if (trust !== undefined && typeof trust !== "boolean" && typeof trust !== "function") {
    throw badOption("trust", trust, "a boolean or a function");
  }
  if (generate !== undefined && typeof generate !== "function") {
    throw badOption("generate", generate, "a function");
  }
}

function checkHeader(header: string): void {
  try {
    checkHeaders([[header, "id"]]);
  } catch {
    throw badOption("header", header, "the name of a header field");
  }
}

function badOption(name: string, value: unknown, wanted: string): TypeError {
  return new TypeError(`Cannot give ids: ${name} is ${show(value)}; wanted ${wanted}`);
}
