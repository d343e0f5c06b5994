// A validator stands between two sides, passes everything on, and throws an error when one of them breaks
// the contract: it names the side and the clause of packages/core/SPEC.md.
//
//   node examples/dist/15-validating.js
//   npx wsgi serve examples/05-a-stack.ts --validate

import assert from "node:assert/strict";
import { interleave, stack, type Application, type Middleware } from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import { call } from "@wsgi/testing";
import { app as form } from "./07-request-body.ts";
import { app as mounting } from "./11-mounting.ts";

// Around an application, it sees what that does to its server.
const hasty: Application = (_environ, startResponse) => {
  startResponse("200", []);
  return [];
};
await assert.rejects(call(validator()(hasty), "GET /"), {
  side: "application",
  clause: "status-form",
});

// Two of them see what a layer in between does with what it is given. This one reads a stream to its
// end before it returns, and so nothing is sent until all of it is there.
const shout: Middleware = (app) =>
  function shout(environ, startResponse) {
    const body = app(environ, startResponse) as Iterable<string>;
    return [...body].map((chunk) => chunk.toUpperCase());
  };
const greet: Application = function* greet(_environ, startResponse) {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  yield "Hello, ";
  yield "world!";
};
const checked = stack(validator(), shout, validator())(greet);
await assert.rejects(call(checked, "GET /"), { side: "server", clause: "layer-lazy" });

// interleave() puts one between every two layers, and tells it the names of both.
for (const app of [form, mounting]) await call(interleave(app, validator), "GET /");
await assert.rejects(
  call(interleave(stack(shout)(greet), validator), "GET /"),
  /^WsgiError: server shout: /,
);

console.log("All is well");
