import type { Application } from "@wsgi/core";

/** Answers every request with the same line. */
export const application: Application = (_environ, startResponse) => {
  startResponse("200 OK", [["Content-Type", "text/plain; charset=utf-8"]]);
  return ["hello world from a simple WSGI application!"];
};
