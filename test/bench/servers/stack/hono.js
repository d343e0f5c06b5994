import { randomUUID } from "node:crypto";
import { serve as serveNode } from "@hono/node-server";
import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { added, log, nextVisit, routes, textOf } from "./work.js";

const app = new Hono();

app.use(async (c, next) => {
  await next();
  log(c.env.incoming, c.res.status);
});
app.use(async (c, next) => {
  const id = randomUUID();
  c.set("requestId", id);
  c.header("X-Request-Id", id);
  await next();
});
app.use(async (c, next) => {
  await next();
  c.res = new Response((await c.res.text()) + added, c.res);
});
app.onError((error, c) => {
  console.error(error);
  return c.text("Internal Server Error", 500);
});
for (const [pattern, title] of routes) {
  app.get(pattern, (c) => {
    const visits = nextVisit(getCookie(c, "visits"));
    setCookie(c, "visits", visits, { path: "/", httpOnly: true, sameSite: "Lax" });
    return c.text(textOf(title, c.req.param(), visits));
  });
}

export function serve() {
  return new Promise((resolve) => {
    serveNode({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => resolve(port));
  });
}
