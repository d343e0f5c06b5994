// What `npm start` serves: an application answered through four layers.
//
//   server ──environ──▶ accessLog ──▶ catchErrors ──▶ append ──▶ router ──▶ home, greet, fail
//          ◀─ startResponse(status, headers) ── body, chunk by chunk ── close() ─
//
//   npx wsgi layers examples/05-a-stack.ts    prints these layers as a tree
//   npx wsgi inspect examples/05-a-stack.ts GET /hello/Ann    shows what each does to a request

import { stack, type Application } from "@wsgi/core";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { router } from "@wsgi/router";

const html = [["Content-Type", "text/html; charset=utf-8"]] as const;

const routes = router();

routes.get("/", function home(environ, startResponse) {
  const inspector = environ["wsgix.inspector"]; // the path of its page, if it is on
  const link = `<p>The <a href="${inspector}">inspector</a> shows what each layer did to them.</p>`;
  startResponse("200 OK", html);
  return [
    "<!doctype html><title>WSGI for TypeScript</title><h1>It works</h1>",
    '<p>Ask for <a href="/hello/Ann">/hello/Ann</a>, <a href="/hello/世界">/hello/世界</a>,',
    ' <a href="/fail">/fail</a> or <a href="/nowhere">/nowhere</a>,',
    " and watch the terminal: a line for each request.</p>",
    inspector === undefined ? "" : link,
  ];
});

routes.get("/hello/:name", function greet(environ, startResponse) {
  const { name } = environ["wsgix.route"].params;
  startResponse("200 OK", [["Content-Type", "text/plain; charset=utf-8"]]);
  return [`Hello, ${name}!\n`];
});

routes.get("/fail", function fail() {
  throw new Error("This text is for the terminal, and not for the client");
});

const layers = stack(
  accessLog(), // a line in the terminal for each request
  catchErrors(), // what is thrown becomes an answer
  append("\n<!-- appended on the way out -->\n", { types: ["text/html"] }),
);

export const app: Application = layers(routes);
