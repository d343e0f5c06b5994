// The smallest application. A server calls it with the request and with a function to call back; it
// calls back with the status and the headers, and returns the body. There is nothing to import: any
// server of the contract runs it.
//
//   npx wsgi serve examples/01-hello.ts

import type { Application } from "@wsgi/core";

export const app: Application = (_environ, startResponse) => {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return ["Hello, world!\n"];
};
