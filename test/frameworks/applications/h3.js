import { fromFetch } from "@wsgi/bridge/fetch";
import { getQuery, getRouterParam, H3 } from "h3";
import { broken, fail, large, steps, streamOf } from "./source.js";

const site = new H3({ silent: true });
const text = { "Content-Type": "text/plain" };
const binary = { "Content-Type": "application/octet-stream" };

site.get("/hello", () => new Response("Hello from h3", { headers: text }));
site.get("/status", (event) => {
  event.res.status = 203;
  event.res.statusText = "Fine by me";
  event.res.headers.set("Content-Type", "text/plain");
  return "Fine";
});
site.get("/cookies", (event) => {
  event.res.headers.append("Set-Cookie", "a=1; Path=/");
  event.res.headers.append("Set-Cookie", "b=2");
  event.res.headers.set("Content-Type", "text/plain");
  return "Cookies";
});
site.get("/empty", () => new Response(null, { status: 204 }));
site.post("/json", async (event) => ({ received: await event.req.json() }));
site.post("/echo", (event) => new Response(event.req.body, { headers: binary }));
site.get(
  "/stream",
  (event) => new Response(streamOf(steps(getQuery(event).id)), { headers: text }),
);
site.get(
  "/large",
  (event) => new Response(streamOf(large(getQuery(event).id)), { headers: binary }),
);
site.get(
  "/broken",
  (event) => new Response(streamOf(broken(getQuery(event).id)), { headers: text }),
);
site.get("/path/:name", (event) => ({ name: getRouterParam(event, "name", { decode: true }) }));
site.get("/throw", fail);

export const app = fromFetch(site.fetch, { path: "inside" });
