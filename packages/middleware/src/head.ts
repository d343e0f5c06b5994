import { closeBody, mapBody, onClose, when, type Middleware, type StartResponse } from "@wsgi/core";

/**
 * Answers HEAD as GET would be answered, without the body: for applications that do not know HEAD.
 *
 * To its application it is a server that asks for GET, in a copy of environ, and throws away the chunks
 * that it writes and yields; to its server it is an application with an empty body. Status and headers,
 * Content-Length too, pass as they are, and so do requests with other methods.
 *
 * @returns the middleware
 * @throws nothing of its own
 * @example
 * ```ts
 * import { head } from "@wsgi/middleware/head";
 * import { call } from "@wsgi/testing";
 *
 * const getOnly = (environ, startResponse) => {
 *   const found = environ.REQUEST_METHOD === "GET";
 *   startResponse(found ? "200 OK" : "405 Method Not Allowed", [["Content-Length", "5"]]);
 *   return ["Hello"];
 * };
 * (await call(head()(getOnly), "HEAD /")).status; // "200 OK"
 * ```
 * @see RFC 9110, section 9.3.2; SPEC.md [close-once]; Ring's wrap-head; Rack::Head
 */
export function head(): Middleware {
  return function head(app) {
    return function head(environ, startResponse) {
      if (environ.REQUEST_METHOD !== "HEAD") return app(environ, startResponse);
      let started = false;
      const start: StartResponse = (status, headers, excInfo) => {
        startResponse(status, headers, excInfo);
        started = true;
        return () => {};
      };
      return when(app({ ...environ, REQUEST_METHOD: "GET" }, start), (body) =>
        // A body that starts the response late must run until it does.
        started ? onClose([], () => closeBody(body)) : mapBody(body, { chunk: () => "" }),
      );
    };
  };
}
