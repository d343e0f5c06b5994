import { Readable } from "node:stream";
import { fromNode } from "@wsgi/bridge/node";
import Koa from "koa";
import { broken, fail, largeAsync, steps } from "./source.js";

const site = new Koa();
// It prints what is thrown, which the tests do on purpose.
site.silent = true;

const routes = {
  "/hello": (ctx) => void (ctx.body = "Hello from koa"),
  "/status"(ctx) {
    ctx.status = 203;
    ctx.message = "Fine by me";
    ctx.body = "Fine";
  },
  "/cookies"(ctx) {
    ctx.cookies.set("a", "1", { httpOnly: false });
    ctx.append("Set-Cookie", "b=2");
    ctx.body = "Cookies";
  },
  "/empty": (ctx) => void (ctx.status = 204),
  async "/json"(ctx) {
    ctx.body = { received: JSON.parse(Buffer.concat(await ctx.req.toArray())) };
  },
  "/echo": (ctx) => void (ctx.body = ctx.req),
  "/stream"(ctx) {
    ctx.type = "text/plain";
    ctx.body = Readable.from(steps(ctx.query.id));
  },
  "/broken"(ctx) {
    ctx.type = "text/plain";
    ctx.body = Readable.from(broken(ctx.query.id)).on("error", () => ctx.res.destroy());
  },
  "/large"(ctx) {
    ctx.type = "application/octet-stream";
    ctx.body = Readable.from(largeAsync(ctx.query.id));
  },
  "/throw": fail,
};

site.use((ctx) => {
  const [, name] = /^\/path\/(.*)$/.exec(ctx.path) ?? [];
  if (name === undefined) return routes[ctx.path]?.(ctx);
  ctx.body = { name: decodeURIComponent(name) };
});

export const app = fromNode(site.callback());
