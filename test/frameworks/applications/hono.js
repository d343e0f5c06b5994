import { fromFetch } from "@wsgi/bridge/fetch";
import { Hono } from "hono";
import { broken, fail, large, steps, streamOf } from "./source.js";

const site = new Hono();
const binary = { "Content-Type": "application/octet-stream" };

site.get("/hello", (c) => c.text("Hello from hono"));
site.get("/status", () => {
  const headers = { "Content-Type": "text/plain" };
  return new Response("Fine", { status: 203, statusText: "Fine by me", headers });
});
site.get("/cookies", (c) => {
  c.header("Set-Cookie", "a=1; Path=/");
  c.header("Set-Cookie", "b=2", { append: true });
  return c.text("Cookies");
});
site.get("/empty", (c) => c.body(null, 204));
site.post("/json", async (c) => c.json({ received: await c.req.json() }));
site.post("/echo", (c) => c.body(c.req.raw.body, { headers: binary }));
site.get("/stream", (c) =>
  c.body(streamOf(steps(c.req.query("id"))), { headers: { "Content-Type": "text/plain" } }),
);
site.get("/broken", (c) =>
  c.body(streamOf(broken(c.req.query("id"))), { headers: { "Content-Type": "text/plain" } }),
);
site.get("/large", (c) => c.body(streamOf(large(c.req.query("id"))), { headers: binary }));
site.get("/path/:name", (c) => c.json({ name: c.req.param("name") }));
site.get("/throw", fail);
// Its own handler prints what is thrown, which the tests do on purpose.
site.onError((error, c) => c.text(error.name, 500));

export const app = fromFetch(site.fetch, { path: "inside" });
