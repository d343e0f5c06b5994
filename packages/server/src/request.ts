import type { IncomingMessage } from "node:http";
import type { RequestLimits } from "./limits.ts";

/**
 * Says with which status, and why, a request is refused: before the application hears of it, or when it
 * reads a body that cannot be read. The client may know, and whoever makes error pages sees that by `expose`.
 */
export class RefusedRequest extends Error {
  readonly status: number;
  readonly expose = true;

  constructor(status: number, message: string) {
    super(message);
    this.name = "RefusedRequest";
    this.status = status;
  }
}

/** @throws RefusedRequest if the head of the request is larger than its server takes */
export function checkHeadSize(req: IncomingMessage, limits: RequestLimits): void {
  const { method = "", url = "", rawHeaders } = req;
  if (method.length + url.length + "  HTTP/1.1".length > limits.requestLine) {
    throw new RefusedRequest(414, `its first line is longer than ${limits.requestLine} bytes`);
  }
  if (rawHeaders.length > 2 * limits.headerCount) {
    throw new RefusedRequest(431, `it has more than ${limits.headerCount} header fields`);
  }
}

/** Makes the error that the body is larger than its server takes. */
export function tooLarge({ body }: RequestLimits): RefusedRequest {
  return new RefusedRequest(413, `its body is longer than ${body} bytes`);
}

/** Is a request target taken apart, with nothing decoded. */
export interface Target {
  /** The host and port that an absolute target names; they replace the Host header. */
  readonly authority: string | undefined;
  readonly path: string;
  readonly query: string;
}

/** RFC 9112 section 3.2.2, absolute-form, for the two schemes that reach an origin server. */
const absoluteForm = /^https?:\/\/(?:[^/?@]*@)?([^/?@]+)(\/[^?]*)?(?:\?(.*))?$/i;

/**
 * Takes a request target apart as RFC 9112 section 3.2 has it.
 *
 * @throws RefusedRequest for a method, version or target that an origin server does not answer
 */
export function readTarget(req: IncomingMessage): Target {
  const { method, url = "", httpVersion } = req;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    throw new RefusedRequest(
      505,
      `the version is HTTP/${httpVersion}; wanted HTTP/1.0 or HTTP/1.1`,
    );
  }
  if (method === "TRACE") {
    throw new RefusedRequest(405, "the method TRACE is not answered here");
  }
  if (url.includes("#")) throw new RefusedRequest(400, "the request target has a fragment");
  if (url.startsWith("/")) {
    const end = url.indexOf("?");
    return end === -1
      ? { authority: undefined, path: url, query: "" }
      : { authority: undefined, path: url.slice(0, end), query: url.slice(end + 1) };
  }
  if (url === "*" && method === "OPTIONS") return { authority: undefined, path: "*", query: "" };
  const [, authority, path = "/", query = ""] = absoluteForm.exec(url) ?? [];
  if (authority === undefined) {
    throw new RefusedRequest(400, "the request target is neither a path nor an http URL");
  }
  return { authority, path, query };
}

/** RFC 3986 section 3.2.2, host, without what no name that is looked up contains; RFC 9110 section 7.2. */
const hostForm = /^(?:[\w.~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;

/** @throws RefusedRequest unless the value is a host with or without a port */
export function checkHost(host: string): void {
  if (host.length > 261 || !hostForm.test(host)) {
    throw new RefusedRequest(400, "Host is not a host name with an optional port");
  }
}

/** RFC 9112 section 6.1: at least two codings, of which the last is chunked */
const codedAndChunked = /^(?:[ \t]*[!#$%&'*+\-.^_`|~\w]+[ \t]*,)+[ \t]*chunked$/i;

/**
 * Checks that a body's framing is one that node's parser has taken off: chunked, and nothing else.
 *
 * @throws RefusedRequest for any other transfer coding, and for a coding in HTTP/1.0; with 501 if the
 *   body's end could still be told, RFC 9112 section 6.3
 */
export function checkTransferEncoding(codings: string, httpVersion: string): void {
  if (httpVersion === "1.0") {
    throw new RefusedRequest(400, "Transfer-Encoding is given in HTTP/1.0");
  }
  if (codings.toLowerCase() !== "chunked") {
    throw new RefusedRequest(
      codedAndChunked.test(codings) ? 501 : 400,
      `Transfer-Encoding is ${JSON.stringify(codings)}; wanted "chunked" alone`,
    );
  }
}
