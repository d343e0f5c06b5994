import { Buffer } from "node:buffer";
import {
  checkChunk,
  closeBody,
  isBodyless,
  quietly,
  ResponseHead,
  when,
  type Body,
  type Chunk,
  type MaybePromise,
  type Middleware,
  type StartResponse,
  type Write,
} from "@wsgi/core";

/**
 * Declares the Content-Length of bodies that are arrays, if the application has not.
 *
 * To its application it is a server that waits with the head until it has the body; to its server it is
 * an application that knows how long its body is. Streams, responses that are written, responses without
 * a body (204, 304) and empty answers to HEAD go on as they are, and as soon as they come.
 *
 * @returns the middleware
 * @throws for a request, WsgiError [body-chunk] if the array holds something that is no chunk
 * @example
 * ```ts
 * import { contentLength } from "@wsgi/middleware/content-length";
 * import { call, respond } from "@wsgi/testing";
 *
 * const app = contentLength()(respond(["Hello, ", "世界!"]));
 * (await call(app, "GET /")).header("Content-Length"); // "14"
 * ```
 * @see SPEC.md [start-lazy], [header-length]; RFC 9110, section 8.6; Rack::ContentLength
 */
export function contentLength(): Middleware {
  return function contentLength(app) {
    return function contentLength(environ, startResponse) {
      const isHead = environ.REQUEST_METHOD === "HEAD";
      const head = new ResponseHead();
      let reason: unknown;
      let returned = false;
      let write: Write | undefined;
      const release = (headers = head.headers): Write =>
        (write = startResponse(head.status, headers, reason));
      const start: StartResponse = (status, headers, excInfo) => {
        if (returned || write !== undefined) return startResponse(status, headers, excInfo);
        head.start(status, headers, excInfo);
        reason = excInfo;
        if (head.contentLength !== -1 || isBodyless(head.code)) return release();
        return (chunk) => (write ?? release())(chunk);
      };
      return when(app(environ, start), (body) => {
        returned = true;
        if (write !== undefined || head.code === 0) return body;
        try {
          const length = Array.isArray(body) ? lengthOf(body) : undefined;
          const known = length !== undefined && !(isHead && length === 0);
          release(known ? [...head.headers, ["Content-Length", String(length)]] : head.headers);
        } catch (error) {
          return giveUp(body, error);
        }
        return body;
      });
    };
  };
}

function lengthOf(chunks: readonly Chunk[]): number {
  let length = 0;
  // Buffer counts long text a hundred times faster than core's byteLength, which needs no platform.
  for (const chunk of chunks) length += Buffer.byteLength(checkChunk(chunk));
  return length;
}

/** Closes the body of a response that could not start, and lets the error go on. */
function giveUp(body: Body, error: unknown): MaybePromise<never> {
  return when(quietly(() => closeBody(body)) as MaybePromise<void>, () => {
    throw error;
  });
}
