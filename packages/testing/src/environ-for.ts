import {
  createErrors,
  createInput,
  decodePath,
  environKey,
  setupTestingDefaults,
  toBytes,
  type Chunk,
  type Environ,
  type ErrorStream,
  show,
} from "@wsgi/core";

/** Says what a request has besides its method and target. At most one of `body`, `form` and `json`. */
export interface RequestOptions<More extends object = object> {
  /** Header fields by name, in any case; an array repeats the field. Default: Host only. */
  headers?: Readonly<Record<string, string | readonly string[]>>;
  /** The body as it is. An array arrives piece by piece and without Content-Length. */
  body?: Chunk | readonly Chunk[];
  /** Fields for an `application/x-www-form-urlencoded` body. */
  form?: Readonly<Record<string, string>>;
  /** A value for an `application/json` body. */
  json?: unknown;
  /** The client's address. Default: `"127.0.0.1"`. */
  remoteAddr?: string;
  /** The path under which the application is mounted, `"/wiki"`; the target begins with it. Default: `""`. */
  scriptName?: string;
  /** More keys for environ, which win over the others. */
  environ?: More;
}

/** Is a request for tests: its `wsgi.errors` keeps what is written to it. */
export interface TestEnviron extends Environ {
  "wsgi.errors": ErrorStream & { readonly text: string };
}

/**
 * Makes the environ of a request without a server.
 *
 * @param request - the method, a space and the target, `"POST /x?y=1"`; a target alone means GET
 * @param options - headers, a body and more
 * @returns an environ as a server would make it
 * @throws TypeError if the request is not of that form, or if more than one body is given
 * @example
 * ```ts
 * import { environFor } from "@wsgi/testing";
 *
 * const environ = environFor("POST /users?notify=1", { json: { name: "Ann" } });
 * environ.CONTENT_TYPE; // "application/json"
 * ```
 * @see Rack::MockRequest.env_for; werkzeug.test.EnvironBuilder
 */
export function environFor<More extends object = object>(
  request: string,
  options: RequestOptions<More> = {},
): TestEnviron & More {
  const [, method = "GET", target = ""] =
    /^(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+) )?((?:\/|\*$)\S*)$/.exec(request) ?? [];
  if (target === "") {
    throw new TypeError(
      `Cannot make an environ: the request is ${show(request)}; wanted a method and a path, "GET /"`,
    );
  }
  const [, path = "", query = ""] = /^([^?]*)\??(.*)$/.exec(target) ?? [];
  const { scriptName = "" } = options;
  const pathInfo = decodePath(path);
  if (scriptName !== "" && !`${pathInfo}/`.startsWith(`${scriptName}/`)) {
    throw new TypeError(
      `Cannot make an environ: the path ${JSON.stringify(path)} is outside ${JSON.stringify(scriptName)}; wanted a path that begins with scriptName`,
    );
  }
  let text = "";
  const errors = createErrors((written) => void (text += written));
  return setupTestingDefaults({
    REQUEST_METHOD: method,
    SCRIPT_NAME: scriptName,
    PATH_INFO: pathInfo.slice(scriptName.length),
    QUERY_STRING: query,
    REQUEST_URI: target,
    SERVER_PROTOCOL: "HTTP/1.1",
    REMOTE_ADDR: options.remoteAddr ?? "127.0.0.1",
    ...bodyOf(options),
    ...headersOf(options.headers),
    "wsgi.errors": Object.defineProperty(errors, "text", { get: () => text }),
    ...options.environ,
  }) as TestEnviron & More;
}

function bodyOf({ body, form, json }: RequestOptions): Partial<Environ> {
  if ([body, form, json].filter((value) => value !== undefined).length > 1) {
    throw new TypeError("Cannot make an environ: more than one of body, form and json; wanted one");
  }
  if (json !== undefined) return whole(JSON.stringify(json), "application/json");
  if (form !== undefined) {
    return whole(new URLSearchParams(form).toString(), "application/x-www-form-urlencoded");
  }
  if (body === undefined) return {};
  return typeof body === "string" || body instanceof Uint8Array ? whole(body) : pieces(body);
}

function whole(body: Chunk, type?: string): Partial<Environ> {
  const bytes = toBytes(body);
  return {
    ...(type === undefined ? {} : { CONTENT_TYPE: type }),
    CONTENT_LENGTH: String(bytes.byteLength),
    ...pieces([bytes]),
  };
}

function pieces(body: readonly Chunk[]): Partial<Environ> {
  const left = body.map(toBytes);
  return { "wsgi.input": createInput(() => left.shift() ?? null) };
}

function headersOf(headers: RequestOptions["headers"] = {}): Partial<Environ> {
  const environ: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    // As in a server, which drops what could pass for a name with "-".
    if (name.includes("_")) continue;
    const key = environKey(name);
    environ[key] = [value].flat().join(key === "HTTP_COOKIE" ? "; " : ", ");
  }
  return environ;
}
