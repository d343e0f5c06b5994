// What the three frameworks have in common here: where their applications are hosted, and in what.
import { stack } from "@wsgi/core";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { serve } from "@wsgi/server";
import { destination } from "../stack/work.js";

/** Serves an application as it is. */
export async function outermost(app) {
  const server = await serve(app, { port: 0 });
  return Number(new URL(server.url).port);
}

const layers = stack(
  accessLog({ format: "combined", destination }),
  catchErrors(),
  append("\nServed under a stack\n"),
);

/** Serves an application under the layers. */
export function underStack(app) {
  return outermost(layers(app));
}

/** Is what is mounted in the frameworks. */
export function hello(environ, startResponse) {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return ["Hello, world!"];
}
