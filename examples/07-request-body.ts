// wsgi.input reads the request's body. It answers at once with what has arrived and else with a promise,
// so `await` is always right. It reads no further than the body goes.
//
//   npx wsgi serve examples/07-request-body.ts
//   curl -d 'name=Ann&name=Bob' http://127.0.0.1:8000/

import type { Application } from "@wsgi/core";

export const app: Application = async (environ, startResponse) => {
  if (environ.CONTENT_TYPE !== "application/x-www-form-urlencoded") {
    startResponse("415 Unsupported Media Type", [["Content-Type", "text/plain"]]);
    return ["Send a form\n"];
  }
  const limit = 10_000;
  const bytes = await environ["wsgi.input"].read(limit + 1);
  if (bytes.byteLength > limit) {
    startResponse("413 Content Too Large", [["Content-Type", "text/plain"]]);
    return [`Send at most ${limit} bytes\n`];
  }
  const form = new URLSearchParams(new TextDecoder().decode(bytes));
  startResponse("200 OK", [["Content-Type", "text/plain; charset=utf-8"]]);
  return form.getAll("name").map((name) => `Hello, ${name}!\n`);
};
