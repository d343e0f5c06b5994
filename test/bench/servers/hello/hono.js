import { serve as serveNode } from "@hono/node-server";
import { Hono } from "hono";
import { distinct } from "../distinct.js";

export function serve(layers) {
  const app = new Hono();
  for (const layer of distinct(layers, "async (c, next) => { await next(); }")) app.use(layer);
  app.get("/", (c) => c.text("Hello, world!"));
  return new Promise((resolve) => {
    serveNode({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => resolve(port));
  });
}
