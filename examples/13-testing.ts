// A middleware is tested without a server: environFor() makes a request, call() plays the server.
//
//   node examples/dist/13-testing.js

import assert from "node:assert/strict";
import { call, closable, environFor, respond } from "@wsgi/testing";
import { poweredBy } from "./04-middleware.ts";
import { app as form } from "./07-request-body.ts";

// A layer does its one thing …
const response = await call(poweredBy("tests")(respond(["Hello"])), "GET /");
assert.equal(response.header("X-Powered-By"), "tests");
assert.equal(response.text(), "Hello");

// … and keeps the contract: a body that nobody reads is closed all the same.
const body = closable("Hello");
await call(poweredBy("tests")(respond(body)), "HEAD /");
assert.equal(body.timesClosed, 1);

// An application gets what environFor() is told to send.
const answer = await call(form, environFor("POST /", { form: { name: "Ann" } }));
assert.equal(answer.text(), "Hello, Ann!\n");

// layerSuite(poweredBy("tests")), of "@wsgi/testing/layer-suite", looks at all the rest: put it into a file
// of its own, and run that with `node --test`.
console.log("All is well");
