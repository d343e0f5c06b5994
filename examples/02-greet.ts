// The request is a plain object, environ. PATH_INFO is the path as text: whoever asks for /世界 is greeted
// as 世界, although what came over the wire was /%E4%B8%96%E7%95%8C.
//
//   npx wsgi serve examples/02-greet.ts
//   curl http://127.0.0.1:8000/Ann

import type { Application } from "@wsgi/core";

export const app: Application = (environ, startResponse) => {
  const name = environ.PATH_INFO.slice(1) || "world";
  startResponse("200 OK", [["Content-Type", "text/plain; charset=utf-8"]]);
  return [`Hello, ${name}!\n`];
};
