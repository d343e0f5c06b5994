import type { IncomingMessage, ServerResponse } from "node:http";
import { isThenable, type Environ, type Middleware } from "@wsgi/core";
import { answerThrough } from "./answer-through.ts";
import { checkHandler } from "./from-node.ts";
import { Hosting } from "./hosting.ts";

/** Is a middleware of Connect and Express: it answers, or calls `next`. */
export type ConnectMiddleware = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => unknown;

/** Is the key of the request that a Connect middleware has seen. */
export const nodeRequestKey = "wsgix.node_request";

/** Is what an application behind a Connect middleware has. */
export interface NodeRequestEnviron extends Environ {
  /** The request of the innermost one, with what it has put there: `session`, `body`, `user` … */
  [nodeRequestKey]: IncomingMessage;
}

/**
 * Makes a layer of middleware for Connect or Express. Those that need each other belong into one layer,
 * because each layer makes a request and a response of its own.
 *
 * To its application it is a server that writes the response with node's `writeHead`, `write` and `end`,
 * so that a middleware that has put others in their place, such as compression or a session, does its work;
 * to its server it is the application, or what answers instead. Header fields that the middleware has set
 * are sent, unless the application gives them too; cookies are added up. What the middleware leaves on its
 * request is to be had by `wsgix.node_request`; of a body that it has read nothing is left in `wsgi.input`.
 * Errors that it hands to `next` are errors of the application.
 *
 * @param middleware - each `(req, res, next) => …`, in the order in which they are called
 * @returns the layer
 * @throws TypeError if one of them is not a function; for a request, what they throw
 * @example
 * ```ts
 * import { fromConnect } from "@wsgi/bridge/node";
 * import { call, respond } from "@wsgi/testing";
 *
 * const frameless = fromConnect((req, res, next) => {
 *   res.setHeader("X-Frame-Options", "DENY");
 *   next();
 * });
 * (await call(frameless(respond(["Hello"])), "GET /")).header("X-Frame-Options"); // "DENY"
 * ```
 * @see Connect's `app.use`
 */
export function fromConnect(
  ...middleware: readonly ConnectMiddleware[]
): Middleware<NodeRequestEnviron> {
  for (const one of middleware) {
    checkHandler(one, "make a layer of the middleware", "(req, res, next) => …");
  }
  return function fromConnect(app) {
    return function fromConnect(environ, startResponse) {
      return new Hosting(environ, startResponse).run((req, res, fail) => {
        const within = Object.assign(environ, { [nodeRequestKey]: req });
        // Each catches its own errors, because `next` may be called by anybody, at any time.
        const call = (i: number): void => {
          const one = middleware[i];
          if (one === undefined) {
            answerThrough(app, within, res, fail);
            return;
          }
          let isCalled = false;
          const next = (error?: unknown): void => {
            // As Express has it: who calls twice by mistake has gone on the first time.
            if (isCalled) return;
            isCalled = true;
            if (error) fail(error);
            else call(i + 1);
          };
          try {
            const result = one(req, res, next);
            if (isThenable(result)) Promise.resolve(result).then(undefined, fail);
          } catch (error) {
            fail(error);
          }
        };
        call(0);
      });
    };
  };
}
