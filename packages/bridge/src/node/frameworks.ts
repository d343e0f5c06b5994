import type { IncomingMessage, ServerResponse } from "node:http";
import type { Application } from "@wsgi/core";
import type { ServerEnviron } from "@wsgi/server";
import { rawPath, splitPath } from "../target.ts";
import { toNode, type ToNodeOptions } from "./to-node.ts";

/** Is what `toKoa` needs of Koa's context. */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The target as the client sent it; a mount such as koa-mount's takes its path off `req.url`. */
  readonly originalUrl?: string;
  respond?: boolean;
}

/**
 * Makes a Koa middleware of an application, which answers all that comes to it.
 *
 * @param app - the application
 * @param options - as for `toNode`
 * @returns the middleware; it calls no `next`, and Koa leaves the response to it
 * @throws TypeError if the application is no function or an option is not what it should be
 * @example
 * ```ts
 * import { toKoa } from "@wsgi/bridge/node";
 *
 * const middleware = toKoa((environ, startResponse) => {
 *   startResponse("200 OK", []);
 *   return ["Hello from Koa"];
 * });
 * // new Koa().use(middleware)
 * ```
 * @see Koa's ctx.respond
 */
export function toKoa(
  app: Application<ServerEnviron>,
  options?: ToNodeOptions,
): (ctx: KoaContext) => void {
  const listener = toNode(app, options);
  return function toKoa(ctx) {
    const { req, res, originalUrl = req.url } = ctx;
    ctx.respond = false;
    listener(Object.assign(req, { originalUrl }), res);
  };
}

/** Is what `toFastify` needs of a Fastify instance. */
export interface FastifyScope {
  readonly prefix: string;
  removeAllContentTypeParsers(): void;
  addContentTypeParser(type: string, parser: (...args: unknown[]) => void): unknown;
  all(
    path: string,
    handler: (request: { readonly raw: IncomingMessage }, reply: FastifyReply) => unknown,
  ): unknown;
}

/** Is what `toFastify` needs of a Fastify reply. */
export interface FastifyReply {
  readonly raw: ServerResponse;
  hijack(): unknown;
}

/**
 * Makes a Fastify plugin of an application, which answers all that is under the plugin's prefix.
 *
 * @param app - the application
 * @param options - as for `toNode`
 * @returns the plugin, for `fastify.register(plugin, { prefix: "/api" })`
 * @throws TypeError if the application is no function or an option is not what it should be
 * @example
 * ```ts
 * import { toFastify } from "@wsgi/bridge/node";
 *
 * const plugin = toFastify((environ, startResponse) => {
 *   startResponse("200 OK", []);
 *   return ["Hello from Fastify"];
 * });
 * // fastify().register(plugin, { prefix: "/api" })
 * ```
 * @see Fastify's reply.hijack()
 */
export function toFastify(
  app: Application<ServerEnviron>,
  options?: ToNodeOptions,
): (fastify: FastifyScope, options: object, done: () => void) => void {
  const listener = toNode(app, options);
  return function toFastify(fastify, _options, done) {
    const { prefix } = fastify;
    // Whatever a body is, it is for the application to read.
    fastify.removeAllContentTypeParsers();
    fastify.addContentTypeParser("*", (...args) => (args[2] as (error: null) => void)(null));
    const answer = ({ raw }: { readonly raw: IncomingMessage }, reply: FastifyReply): void => {
      reply.hijack();
      listener(stripped(raw, prefix), reply.raw);
    };
    fastify.all("/", answer);
    fastify.all("/*", answer);
    done();
  };
}

/** Takes a prefix off, as the routers of Express and Connect do. */
function stripped(req: IncomingMessage, prefix: string): IncomingMessage {
  const { url = "" } = req;
  const path = url.startsWith("/") ? rawPath(url) : undefined;
  // Fastify finds a route by the decoded path, so the prefix may have come escaped.
  const end = path === undefined ? -1 : splitPath(path, prefix);
  if (prefix === "" || end === -1) return req;
  const rest = url.slice(end);
  return Object.assign(req, {
    originalUrl: url,
    url: rest.startsWith("/") ? rest : `/${rest}`,
  });
}
