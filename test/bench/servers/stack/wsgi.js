import { stack } from "@wsgi/core";
import { cookies } from "@wsgi/cookies";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { requestId } from "@wsgi/middleware/request-id";
import { router } from "@wsgi/router";
import { serve as serveWsgi } from "@wsgi/server";
import { added, destination, nextVisit, routes, textOf } from "./work.js";

const text = [["Content-Type", "text/plain; charset=utf-8"]];

const app = router();
for (const [pattern, title] of routes) {
  app.get(pattern, (environ, startResponse) => {
    const jar = environ["wsgix.cookies"];
    const visits = nextVisit(jar.get("visits"));
    jar.set("visits", visits);
    startResponse("200 OK", text);
    return [textOf(title, environ["wsgix.route"].params, visits)];
  });
}

const layers = stack(
  accessLog({ format: "combined", destination }),
  requestId(),
  catchErrors(),
  append(added),
  cookies(),
);

export async function serve() {
  const server = await serveWsgi(layers(app), { port: 0 });
  return Number(new URL(server.url).port);
}
