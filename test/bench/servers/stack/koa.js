import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import Router from "@koa/router";
import Koa from "koa";
import { listen } from "../listen.js";
import { added, log, nextVisit, routes, textOf } from "./work.js";

const app = new Koa();

app.use(async (ctx, next) => {
  await next();
  log(ctx.req, ctx.status, ctx.length);
});
app.use(async (ctx, next) => {
  ctx.state.id = randomUUID();
  ctx.set("X-Request-Id", ctx.state.id);
  await next();
});
app.use(async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    console.error(error);
    ctx.status = 500;
    ctx.body = "Internal Server Error";
  }
});
app.use(async (ctx, next) => {
  await next();
  ctx.body += added;
});

const router = new Router();
for (const [pattern, title] of routes) {
  router.get(pattern, (ctx) => {
    const visits = nextVisit(ctx.cookies.get("visits"));
    ctx.cookies.set("visits", visits, { httpOnly: true, sameSite: "lax" });
    ctx.type = "text/plain";
    ctx.body = textOf(title, ctx.params, visits);
  });
}
app.use(router.routes());

export function serve() {
  return listen(createServer(app.callback()));
}
