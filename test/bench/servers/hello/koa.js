import { createServer } from "node:http";
import Koa from "koa";
import { distinct } from "../distinct.js";
import { listen } from "../listen.js";

export function serve(layers) {
  const app = new Koa();
  for (const layer of distinct(layers, "async (ctx, next) => { await next(); }")) app.use(layer);
  app.use((ctx) => {
    ctx.type = "text/plain";
    ctx.body = "Hello, world!";
  });
  return listen(createServer(app.callback()));
}
