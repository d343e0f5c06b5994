import { stack } from "@wsgi/core";
import { serve as serveWsgi } from "@wsgi/server";
import { distinct } from "../distinct.js";

const hello = (environ, startResponse) => {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return ["Hello, world!"];
};

// These do something, where those of the others only pass on: they change environ and see the response start.
const layer = `(app) => (environ, startResponse) => {
  environ["bench.seen"] = true;
  return app(environ, (status, headers, excInfo) => startResponse(status, headers, excInfo));
}`;

export async function serve(layers) {
  const app = stack(...distinct(layers, layer))(hello);
  const server = await serveWsgi(app, { port: 0 });
  return Number(new URL(server.url).port);
}
