import { H3, serve as serveH3 } from "h3";
import { distinct } from "../distinct.js";

export async function serve(layers) {
  const app = new H3();
  for (const layer of distinct(layers, "(event, next) => next()")) app.use(layer);
  app.get("/", (event) => {
    event.res.headers.set("Content-Type", "text/plain");
    return "Hello, world!";
  });
  const server = serveH3(app, { port: 0, hostname: "127.0.0.1", silent: true });
  await server.ready();
  return Number(new URL(server.url).port);
}
