// Applications are put together from others. mount() calls one by the beginning of the path or by the
// host, and moves that beginning from PATH_INFO to SCRIPT_NAME: the application below does not notice
// where it is. cascade() asks one after another until one has an answer.
//
//   npx wsgi serve examples/11-mounting.ts
//   npx wsgi layers examples/11-mounting.ts

import { stack, type Application } from "@wsgi/core";
import { append } from "@wsgi/middleware/append";
import { cascade } from "@wsgi/middleware/cascade";
import { mount } from "@wsgi/middleware/mount";
import { when } from "@wsgi/middleware/when";
import { app as greet } from "./02-greet.ts";

const text = [["Content-Type", "text/plain"]] as const;

function where(environ: { SCRIPT_NAME: string; PATH_INFO: string }): string {
  return `SCRIPT_NAME is "${environ.SCRIPT_NAME}", PATH_INFO is "${environ.PATH_INFO}"\n`;
}

const wiki: Application = function wiki(environ, startResponse) {
  startResponse("200 OK", text);
  return [where(environ)];
};

const robots: Application = function robots(environ, startResponse) {
  const found = environ.PATH_INFO === "/robots.txt";
  startResponse(found ? "200 OK" : "404 Not Found", text);
  return found ? ["User-agent: *\n"] : [];
};

const isQuiet = (environ: { QUERY_STRING: string }): boolean => environ.QUERY_STRING === "quiet";

export const app: Application = stack(when((environ) => !isQuiet(environ), append("Bye!\n")))(
  mount({ "/wiki": wiki, "/": cascade(robots, greet) }),
);
