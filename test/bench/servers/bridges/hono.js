import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { fromFetch, toFetch } from "@wsgi/bridge/fetch";
import { fromNode } from "@wsgi/bridge/node";
import { Hono } from "hono";
import { listen } from "../listen.js";
import { hello, outermost, underStack } from "./hosts.js";

const app = new Hono();
app.get("/", (c) => c.text("Hello, world!"));

// As @hono/node-server's own `serve` does it.
const own = ({ fetch }) => listen(createServer(getRequestListener(fetch)));
const mounted = toFetch(hello);

const variants = {
  own: () => own(app),
  outermost: () => outermost(fromNode(getRequestListener(app.fetch))),
  stack: () => underStack(fromNode(getRequestListener(app.fetch))),
  "outermost, fetch": () => outermost(fromFetch(app.fetch)),
  "stack, fetch": () => underStack(fromFetch(app.fetch)),
  mount: () => own(new Hono().all("*", (c) => mounted(c.req.raw))),
};

export function serve(variant) {
  return variants[variant]();
}
