import type { IncomingMessage, ServerResponse } from "node:http";
import type { Application } from "@wsgi/core";
import { fromNode, type FastifyScope, type KoaContext } from "@wsgi/bridge/node";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { stack } from "@wsgi/core";
import { peer } from "../frameworks/peers.ts";

/** Is what these tests use of Express's request. */
export interface ExpressRequest extends IncomingMessage {
  readonly ip: string;
  readonly body: unknown;
  readonly session: { visits?: number };
  readonly file: { readonly size: number };
  readonly query: Readonly<Record<string, string>>;
}

/** Is what these tests use of Express's response. */
export interface ExpressResponse extends ServerResponse {
  cookie(name: string, value: string): this;
  flush(): void;
  json(value: unknown): this;
  send(text: string): this;
  sendStatus(code: number): this;
  type(type: string): this;
}

/** Is a handler or a middleware of Express. */
export type ExpressHandler = (
  req: ExpressRequest,
  res: ExpressResponse,
  next: (error?: unknown) => void,
) => unknown;

/** Is an Express application. */
export interface Express {
  (req: IncomingMessage, res: ServerResponse): void;
  get(path: string, ...handlers: ExpressHandler[]): this;
  post(path: string, ...handlers: ExpressHandler[]): this;
  use(path: string | ExpressHandler, ...handlers: ExpressHandler[]): this;
}

/** Is a Connect application. */
export interface Connect {
  (req: IncomingMessage, res: ServerResponse): void;
  use(path: string, handler: (req: IncomingMessage, res: ServerResponse) => void): this;
}

/** Is a Koa application. */
export interface Koa {
  use(middleware: (ctx: KoaContext & { body: unknown; readonly path: string }) => unknown): this;
  callback(): (req: IncomingMessage, res: ServerResponse) => Promise<void>;
}

/** Is a Fastify application. */
export interface Fastify {
  readonly routing: (req: IncomingMessage, res: ServerResponse) => void;
  get(path: string, handler: () => Promise<unknown>): this;
  post(path: string, handler: (request: { readonly body: unknown }) => Promise<unknown>): this;
  register(
    plugin: (fastify: FastifyScope, options: object, done: () => void) => void,
    options: { readonly prefix: string },
  ): this;
  ready(): Promise<unknown>;
}

/** Imports what a package of CommonJS exports. */
async function main<Exported>(name: string): Promise<Exported> {
  return (await peer<{ default: Exported }>(name)).default;
}

/** Makes a middleware of Express of its options. */
type MiddlewareFactory = (options?: object) => ExpressHandler;

export const express = await main<(() => Express) & { json(): ExpressHandler }>("express");
export const connect = await main<() => Connect>("connect");
export const KoaApplication = await main<new () => Koa>("koa");
export const fastify = await main<() => Fastify>("fastify");
export const compression = await main<MiddlewareFactory>("compression");
export const cors = await main<MiddlewareFactory>("cors");
export const helmet = await main<MiddlewareFactory>("helmet");
export const multer = await main<() => { single(field: string): ExpressHandler }>("multer");
export const session = await main<MiddlewareFactory>("express-session");
export const morgan = await main<(format: string, options: object) => ExpressHandler>("morgan");
export const proxy = (
  await peer<{ createProxyMiddleware: MiddlewareFactory }>("http-proxy-middleware")
).createProxyMiddleware;

/** Puts a hosted handler under the layers that most sites have. */
export function underStack(
  handler: (req: IncomingMessage, res: ServerResponse) => unknown,
  log: string[] = [],
): Application {
  const errors = { write: (text: string) => void log.push(text) };
  return stack(
    accessLog({ destination: errors }),
    catchErrors(),
    append("<last>", { types: ["*"] }),
  )(fromNode(handler));
}
