// A body is whatever can be iterated. A generator makes it chunk by chunk: each leaves before the next
// is asked for, and none is asked for that the client does not take. When the request ends, for whatever
// reason, the server calls the body's close() once; onClose adds to it.
//
//   npx wsgi serve examples/06-streaming.ts
//   curl -N http://127.0.0.1:8000/5

import { setTimeout } from "node:timers/promises";
import { onClose, type Application } from "@wsgi/core";

export const app: Application = (environ, startResponse) => {
  const from = Number(environ.PATH_INFO.slice(1)) || 3;
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  // Not try/finally in the generator: one that is never started does not run its finally.
  return onClose(countdown(from), () => {
    environ["wsgi.errors"].write(`The countdown from ${from} has ended\n`);
  });
};

async function* countdown(from: number): AsyncGenerator<string> {
  for (let i = from; i > 0; i--) {
    yield `${i}\n`;
    await setTimeout(100);
  }
  yield "Lift-off!\n";
}
