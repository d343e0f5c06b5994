// A router is an application that calls others by method and path. The parameters of a pattern are
// typed: /users/:id has an id and nothing else. Layers may stand before one route alone.
//
//   npx wsgi serve examples/08-routes.ts
//   npx wsgi routes examples/08-routes.ts

import type { Application, Middleware } from "@wsgi/core";
import { router } from "@wsgi/router";

const users = new Map([["1", "Ann"]]);
const text = [["Content-Type", "text/plain; charset=utf-8"]] as const;

/** Lets a request pass if it has the right key, and else answers in the application's place. */
const requireKey: Middleware = (app) =>
  function requireKey(environ, startResponse) {
    if (environ.HTTP_X_KEY === "sesame") return app(environ, startResponse);
    startResponse("403 Forbidden", text);
    return ["Send the key in X-Key\n"];
  };

const routes = router();

routes.get("/users/:id", function showUser(environ, startResponse) {
  const { id } = environ["wsgix.route"].params;
  const name = users.get(id);
  startResponse(name === undefined ? "404 Not Found" : "200 OK", text);
  return [name === undefined ? `There is no user ${id}\n` : `${name}\n`];
});

routes.delete("/users/:id", requireKey, function deleteUser(environ, startResponse) {
  users.delete(environ["wsgix.route"].params.id);
  startResponse("204 No Content", []);
  return [];
});

export const app: Application = routes;
