import { randomUUID } from "node:crypto";
import { getCookie, H3, onError, onResponse, serve as serveH3, setCookie } from "h3";
import { added, log, nextVisit, routes, textOf } from "./work.js";

const app = new H3();

app.use(
  onResponse((response, event) => {
    log(event.runtime.node.req, response.status);
  }),
);
app.use((event, next) => {
  event.context.id = randomUUID();
  event.res.headers.set("X-Request-Id", event.context.id);
  return next();
});
app.use(
  onError((error) => {
    console.error(error);
    return new Response("Internal Server Error", { status: 500 });
  }),
);
app.use(async (event, next) => (await next()) + added);
for (const [pattern, title] of routes) {
  app.get(pattern, (event) => {
    const visits = nextVisit(getCookie(event, "visits"));
    setCookie(event, "visits", visits, { path: "/", httpOnly: true, sameSite: "lax" });
    event.res.headers.set("Content-Type", "text/plain; charset=utf-8");
    return textOf(title, event.context.params, visits);
  });
}

export async function serve() {
  const server = serveH3(app, { port: 0, hostname: "127.0.0.1", silent: true });
  await server.ready();
  return Number(new URL(server.url).port);
}
