import { createServer } from "node:http";
import { fromNode, toKoa } from "@wsgi/bridge/node";
import Koa from "koa";
import { listen } from "../listen.js";
import { hello, outermost, underStack } from "./hosts.js";

const app = new Koa();
app.use((ctx) => {
  ctx.type = "text/plain";
  ctx.body = "Hello, world!";
});

const variants = {
  own: () => listen(createServer(app.callback())),
  outermost: () => outermost(fromNode(app.callback())),
  stack: () => underStack(fromNode(app.callback())),
  mount: () => listen(createServer(new Koa().use(toKoa(hello)).callback())),
};

export function serve(variant) {
  return variants[variant]();
}
