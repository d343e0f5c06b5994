// catchErrors() turns what is thrown into an answer: HTML, JSON or text, as the client likes it. Errors
// that carry a status give that status; others give a 500 that tells nothing, and are reported.
//
//   npx wsgi serve examples/10-errors.ts
//   npx wsgi serve examples/10-errors.ts --development     shows where it was thrown
//   curl -i -H 'Accept: application/json' http://127.0.0.1:8000/missing

import { stack, type Application } from "@wsgi/core";
import { catchErrors, httpError } from "@wsgi/middleware/catch-errors";

const risky: Application = (environ, startResponse) => {
  if (environ.PATH_INFO === "/missing") throw httpError(404, "There is no such page");
  if (environ.PATH_INFO === "/broken") throw new Error("A secret that only the log may have");
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return ["All is well\n"];
};

export const app: Application = stack(catchErrors())(risky);
