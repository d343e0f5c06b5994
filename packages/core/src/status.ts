import { WsgiError } from "./errors.ts";
import { show } from "./show.ts";

/** Reason phrases of the IANA registry of HTTP status codes, 2026-09. */
const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  207: "Multi-Status",
  208: "Already Reported",
  226: "IM Used",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  305: "Use Proxy",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  424: "Failed Dependency",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  506: "Variant Also Negotiates",
  507: "Insufficient Storage",
  508: "Loop Detected",
  511: "Network Authentication Required",
};

/**
 * Makes a status line from a code, with the standard reason phrase or one of your own.
 *
 * @param code - a final status code, 200 to 599
 * @param reason - the phrase, if it is not the standard one; `"Unknown"` for a code without one
 * @returns the line that `startResponse` takes
 * @throws WsgiError [status-form] if the line would not be one
 * @example
 * ```ts
 * import { statusLine } from "@wsgi/core";
 *
 * statusLine(404); // "404 Not Found"
 * ```
 * @see RFC 9110, section 15
 */
export function statusLine(code: number, reason: string = reasons[code] ?? "Unknown"): string {
  const line = `${code} ${reason}`;
  statusCode(line);
  return line;
}

/** Three digits of a final status, one space, a phrase without control characters or edge spaces. */
const statusForm =
  /^[2-5][0-9]{2} [\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/;

// Applications use a handful of status lines; the bound is for those that build them from input.
const known = new Map<string, number>();
const knownLimit = 256;

/**
 * Checks a status line and reads its code.
 *
 * @param status - the line, `"404 Not Found"`
 * @returns the code, 200 to 599
 * @throws WsgiError [status-form] if it is not three digits, one space and a reason
 * @example
 * ```ts
 * import { statusCode } from "@wsgi/core";
 *
 * statusCode("404 Not Found"); // 404
 * ```
 * @see SPEC.md [status-form]
 */
export function statusCode(status: string): number {
  let code = known.get(status);
  if (code === undefined) {
    if (typeof status !== "string" || !statusForm.test(status)) {
      throw new WsgiError(
        "application",
        "status-form",
        `Cannot start the response: the status is ${show(status)}; wanted a code from 200 to 599, one space and a reason, "200 OK"`,
      );
    }
    code = Number(status.slice(0, 3));
    if (known.size < knownLimit) known.set(status, code);
  }
  return code;
}

/**
 * Tells whether a response with this status has no body, whatever the application returns.
 *
 * @param code - the status code
 * @returns true for 204 and 304 (and 1xx, which an application cannot send)
 * @example
 * ```ts
 * import { isBodyless } from "@wsgi/core";
 *
 * isBodyless(304); // true
 * ```
 * @see RFC 9110, section 6.4.1
 */
export function isBodyless(code: number): boolean {
  return code === 204 || code === 304 || code < 200;
}
