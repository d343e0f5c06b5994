// All that an application knows of a request, printed. Keys in capitals are CGI variables, HTTP_* are
// the header fields, and wsgi.* is the contract's own.
//
//   npx wsgi serve examples/03-environ.ts
//   curl 'http://127.0.0.1:8000/some/path?a=1'

import type { Application } from "@wsgi/core";

export const app: Application = (environ, startResponse) => {
  startResponse("200 OK", [["Content-Type", "text/plain; charset=utf-8"]]);
  return Object.keys(environ)
    .sort()
    .map((key) => `${key} = ${print(environ[key])}\n`);
};

function print(value: unknown): string {
  return typeof value === "object" || typeof value === "function"
    ? typeof value
    : JSON.stringify(value);
}
