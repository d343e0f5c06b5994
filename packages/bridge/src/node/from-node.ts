import type { IncomingMessage, ServerResponse } from "node:http";
import { nodeHandlerKey, show, type Application } from "@wsgi/core";
import { Hosting } from "./hosting.ts";

/**
 * Answers requests of node:http: an Express application, a Koa application's `callback()`, Fastify's
 * `routing`, a Connect application, or a function of your own.
 */
export type NodeHandler = (req: IncomingMessage, res: ServerResponse) => unknown;

/**
 * Makes an application of a handler for node's `request` event, so that layers around it see its responses
 * and change them as they stream.
 *
 * The handler gets a request and a response of node's own. `req.url` is PATH_INFO, `req.baseUrl` is
 * SCRIPT_NAME and `req.originalUrl` both, letter by letter as they came unless a layer has rewritten them.
 * What it throws, and what its promise is rejected with, is an error of the application. If the client
 * leaves, it sees `close` and `aborted` as on node's own server. Informational responses and trailers are
 * dropped, and so are timeouts of the socket, which is not the client's.
 *
 * Served by `@wsgi/server` without a layer around it, the handler gets the server's own request and response.
 *
 * @param handler - the handler
 * @returns the application
 * @throws TypeError if the handler is not a function; for a request, what the handler throws
 * @example
 * ```ts
 * import { fromNode } from "@wsgi/bridge/node";
 * import { call } from "@wsgi/testing";
 *
 * const app = fromNode((req, res) => res.end(`Hello from ${req.url}`));
 * (await call(app, "GET /node")).text(); // "Hello from /node"
 * ```
 * @see SPEC.md [ext-node-handler]; srvx's fetchNodeHandler, which does so for Fetch
 */
export function fromNode(handler: NodeHandler): Application {
  checkHandler(
    handler,
    "host the handler",
    "(req, res) => …. Koa has app.callback(), Fastify has fastify.routing",
  );
  const app: Application = function fromNode(environ, startResponse) {
    // With two arguments: what Express and Connect are given as a third would be their error page.
    return new Hosting(environ, startResponse).run((req, res) => handler(req, res));
  };
  return Object.defineProperty(app, nodeHandlerKey, { value: handler });
}

/** @throws TypeError if what is to be hosted is no function */
export function checkHandler(handler: unknown, act: string, form: string): void {
  if (typeof handler === "function") return;
  throw new TypeError(`Cannot ${act}: it is ${show(handler)}; wanted a function ${form}`);
}
