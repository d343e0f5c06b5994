import {
  byteLength,
  checkChunk,
  isBodyless,
  isChunk,
  mapBody,
  statusCode,
  when,
  type Chunk,
  type Environ,
  type Header,
  type HeaderList,
  type Middleware,
  type StartResponse,
  show,
} from "@wsgi/core";

/** Says where to append. */
export interface AppendOptions {
  /**
   * The media types to append to, `"text/html"`, or ranges of them, `"text/*"`; `"*"` is every response,
   * even one without a type. Default: `["text/plain", "text/html"]`.
   */
  types?: readonly string[];
}

/**
 * Adds text or bytes to the end of responses, after all that was written and yielded.
 *
 * To its application it is a server that sends a little more; to its server it is an application with
 * one chunk more: the others come as they came. Content-Length grows, a strong ETag becomes weak, and
 * fields that only fit the old bytes (digests, Accept-Ranges) go. HEAD gets the header fields of GET.
 * What has no body (204, 205, 304), is a part (206) or compressed, or says `Cache-Control: no-transform`
 * stays as it is.
 *
 * @param addition - what to add: text, which is sent as UTF-8, bytes, or a function that makes them from
 *   the environ each time that a response starts; `""` adds nothing
 * @param options - which responses to add it to
 * @returns the middleware
 * @throws TypeError if the addition is something else, or a type is no media type; for a request, what
 *   the function throws, and WsgiError [body-chunk] if what it returns is neither text nor bytes
 * @example
 * ```ts
 * import { append } from "@wsgi/middleware/append";
 * import { call, respond } from "@wsgi/testing";
 *
 * const app = append("\nGoodbye!")(respond(["Hello!"]));
 * (await call(app, "GET /")).text(); // "Hello!\nGoodbye!"
 * ```
 * @see SPEC.md [layer-block]; RFC 9110, section 7.7; nginx's ngx_http_addition_module
 */
export function append(
  addition: Chunk | ((environ: Environ) => Chunk),
  options: AppendOptions = {},
): Middleware {
  const make = chunkMaker(addition);
  const types = typeForm(options.types ?? ["text/plain", "text/html"]);
  return function append(app) {
    return function append(environ, startResponse) {
      const isHead = environ.REQUEST_METHOD === "HEAD";
      let added: Chunk = "";
      let wrote = false;
      const start: StartResponse = (status, headers, excInfo) => {
        const adding = isOpen(status, headers, types) ? make(environ) : "";
        const write = startResponse(status, lengthen(headers, byteLength(adding)), excInfo);
        added = adding;
        if (!isHead) return write;
        return (chunk) => {
          wrote ||= chunk.length > 0;
          return write(chunk);
        };
      };
      return when(app(environ, start), (body) => {
        const whole = Array.isArray(body);
        if (whole && added.length === 0) return body;
        // An array that answers HEAD as if it were GET is not sent, but a layer outside may measure it,
        // and what was written before it, too.
        if (isHead && !(whole && (wrote || body.some(hasBytes)))) return body;
        return mapBody(body, { end: () => (added.length === 0 ? undefined : added) });
      });
    };
  };
}

function hasBytes(chunk: unknown): boolean {
  return isChunk(chunk) && chunk.length > 0;
}

function chunkMaker(addition: Chunk | ((environ: Environ) => Chunk)): (environ: Environ) => Chunk {
  if (typeof addition === "function") return (environ) => checkChunk(addition(environ));
  if (isChunk(addition)) return () => addition;
  throw new TypeError(
    `Cannot append: the addition is ${show(addition)}; wanted text, bytes or a function`,
  );
}

/** RFC 9110 section 8.3.1: type "/" subtype, both tokens; and "*" in the place of one or both. */
const mediaRange = /^(?:\*|[!#$%&'+\-.^_`|~0-9A-Za-z]+\/(?:\*|[!#$%&'+\-.^_`|~0-9A-Za-z]+))$/;

/** Makes the form of a Content-Type that is one of the given ones, or in one of the ranges. */
function typeForm(types: readonly string[]): RegExp {
  if (!Array.isArray(types) || !types.every((type) => mediaRange.test(type))) {
    throw new TypeError(
      `Cannot append: types is ${show(types)}; wanted an array of media types, ["text/html"]`,
    );
  }
  const forms = types.map((type) => type.replace(/[$+.^|]/g, "\\$&").replace("*", "[^;]*"));
  return new RegExp(`^\\s*(?:${forms.join("|") || "(?!)"})\\s*(?:;|$)`, "i");
}

/** Tells whether a response has a body, the whole of it, of a right type and open to change. */
function isOpen(status: string, headers: HeaderList, types: RegExp): boolean {
  const code = statusCode(status);
  if (isBodyless(code) || code === 205 || code === 206) return false;
  let type = "";
  for (const [name, value] of headers) {
    switch (name.toLowerCase()) {
      case "content-type":
        type ||= value;
        break;
      case "content-range":
        return false;
      case "content-encoding":
        if (value.toLowerCase() !== "identity") return false;
        break;
      case "cache-control":
        if (forbidsChange(value)) return false;
    }
  }
  return types.test(type);
}

function forbidsChange(cacheControl: string): boolean {
  return cacheControl
    .split(",")
    .some((directive) => directive.trim().toLowerCase() === "no-transform");
}

/** The names of fields that only fit one body, byte by byte. */
const tellsOfBytes =
  /^(?:content-length|etag|accept-ranges|content-digest|content-md5|digest|repr-digest)$/i;

/** Makes the header fields of a body that is so many bytes longer. */
function lengthen(headers: HeaderList, bytes: number): HeaderList {
  if (bytes === 0 || !headers.some(([name]) => tellsOfBytes.test(name))) return headers;
  return headers.flatMap((header): Header[] => {
    const [name, value] = header;
    switch (name.toLowerCase()) {
      case "content-length":
        // What is no number is left for the server to refuse.
        return [[name, /^\d+$/.test(value) ? String(Number(value) + bytes) : value]];
      case "etag":
        return [[name, value.startsWith("W/") ? value : `W/${value}`]];
      case "accept-ranges":
      case "content-digest":
      case "content-md5":
      case "digest":
      case "repr-digest":
        return [];
      default:
        return [header];
    }
  });
}
