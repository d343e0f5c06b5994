import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stack, type Application, type Middleware } from "@wsgi/core";
import { drawSteps, drawTree, inspect, Recorder, serverTiming, steps } from "@wsgi/inspector";
import { append } from "@wsgi/middleware/append";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { requestId } from "@wsgi/middleware/request-id";
import { router } from "@wsgi/router";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";
import fc from "fast-check";
import { build, fault, plan } from "../support/property-applications.ts";
import { layers, wrap } from "../support/property-layers.ts";
import { pure } from "../support/property.ts";
import { read } from "../support/repository.ts";
import { see } from "./inspecting.ts";

const passes: Middleware = function passes(app) {
  return function passes(environ, startResponse) {
    return app(environ, startResponse);
  };
};

const clauses = new Set(
  [...read("packages/core/SPEC.md").matchAll(/^- \*\*\[(.*?)\]/gm)].map(([, id]) => id),
);

/** Lists the steps of a request as they are printed, without their times. */
async function told(app: Application, request?: string): Promise<string[]> {
  const { recording } = await see(app, request);
  return steps(recording).map(({ text, clause }) => `${text} [${clause}]`);
}

describe("steps()", () => {
  it("tells a request from its beginning to its end", async () => {
    const hello = respond(["Hello"], { headers: [] });
    assert.deepEqual(await told(stack(requestId())(hello), "GET /x"), [
      "The server calls requestId with GET /x: 18 keys of environ. [call-once]",
      "requestId calls respond; of environ it has added wsgix.request_id. [layer-keys]",
      "respond calls startResponse: 200 OK, no header fields. Nothing is sent yet. [start-lazy]",
      "requestId passes it on to the server, with X-Request-Id added. [layer-start]",
      "The server has stored status and headers, and returns the function write to requestId. [start-write]",
      "requestId has stored status and headers, and returns the function write to respond. [start-write]",
      "respond returns an array of 1 chunk with 5 bytes. [body-iterable]",
      "requestId returns an array of 1 chunk with 5 bytes. [body-iterable]",
    ]);
  });

  it("tells of a body that is read step by step", async () => {
    assert.deepEqual(await told(late("one")), [
      "The server calls late with GET /: 18 keys of environ. [call-once]",
      "late returns an iterable, of which nothing is read yet. [body-iterable]",
      "The server asks late for the next chunk. [body-pace]",
      "late yields no bytes. That starts nothing. [body-empty]",
      "The server asks late for the next chunk. [body-pace]",
      "late calls startResponse: 200 OK, 1 header field. Nothing is sent yet. [start-lazy]",
      "The server has stored status and headers, and returns the function write to late. [start-write]",
      "late yields 3 bytes. The head leaves with it. [start-lazy]",
      "The server asks late for the next chunk. [body-pace]",
      "late has no more chunks. [body-once]",
      "The request ends: the server closes the body of late. [close-once]",
      "The body of late is closed. [close-waited]",
    ]);
  });

  it("tells of what is written", async () => {
    const [, , , , , write, passedOn, taken] = await told(stack(passes)(writing(["one"])));
    assert.deepEqual(
      [write, passedOn, taken],
      [
        "passes has stored status and headers, and returns the function write to writing. [start-write]",
        "writing writes: 3 bytes. [write-as-yielded]",
        "passes passes on what was written: 3 bytes. Even without a byte, it sends the head. [write-flush]",
      ],
    );
  });

  it("tells of waiting", async () => {
    const text = await told(slow("one"));
    assert.equal(text[1], "slow returns a promise: whoever is outside has to wait. [body-settled]");
    assert.equal(
      text[4],
      "The promise comes true: slow gives an async iterable, of which nothing is read yet. [body-iterable]",
    );
  });

  it("tells of an error, who lets it through, and who answers it", async () => {
    const text = await told(stack(catchErrors(), passes)(failing("call")));
    assert.deepEqual(text.slice(3, 6), [
      "failing throws Error: Failed in call, to passes. [error-page]",
      "passes lets Error through, to catchErrors. [error-page]",
      "catchErrors calls startResponse: 500 Internal Server Error, 5 header fields, because of Error: Failed in call, which takes the place of what was not sent yet. [start-replace]",
    ]);
    assert.deepEqual(
      (await told(failing("call"))).at(-1),
      "failing throws Error: Failed in call: it reaches the server. [error-contained]",
    );
  });

  it("tells of an iteration that is ended, and of closing that fails", async () => {
    const recorder = new Recorder();
    await call(inspect(respond(closable("one", "two")), recorder), "GET /", { leaveAfter: 1 });
    const clauses = steps(recorder.recordings[0]!).map(({ clause }) => clause);
    assert.deepEqual(clauses.slice(-4), [
      "close-return",
      "close-return",
      "close-once",
      "close-waited",
    ]);
    const failed = await told(failing("close"));
    assert.equal(
      failed.at(-1),
      "Closing the body of failing fails with Error: Failed in close. [close-failed]",
    );
  });

  it("has a sentence and a clause of SPEC.md for every event that there is", () =>
    fc.assert(
      fc.asyncProperty(
        layers,
        plan,
        fc.option(fault, { nil: undefined }),
        async (names, plan, fault) => {
          const planned = build(plan, new Error("Oh"), fault);
          const app = wrap(planned.app, names, { lines: [] }, () => (app) => app);
          const { recording } = await see(app, "GET /here", { headers: { Cookie: "a=1" } });
          const all = steps(recording);
          assert.equal(all.length, recording.events.length);
          for (const { text, clause } of all) {
            assert.match(text, /^\S[^]*\.$/);
            assert.doesNotMatch(text, /undefined|\[object/);
            assert.ok(clauses.has(clause), clause);
          }
          assert.ok(drawTree(recording).length > 0 && serverTiming(recording).length > 0);
        },
      ),
      { ...pure, numRuns: pure.numRuns! / 5 },
    ));
});

describe("drawSteps()", () => {
  it("prints a step on a line, with its time", async () => {
    const { recording } = await see(respond(["Hello"]), "GET /", { now: () => 0 });
    assert.deepEqual(
      drawSteps(recording).split("\n").at(-1),
      "    0.000  respond returns an array of 1 chunk with 5 bytes. [body-iterable]",
    );
  });
});

describe("drawTree()", () => {
  it("draws the layers with what each did", async () => {
    const routes = router();
    routes.get("/hello/:name", respond(["Hello"]));
    const app = stack(requestId({ generate: () => "id-1" }), append("!"))(routes);
    const { recording } = await see(app, "GET /hello/Ann", { now: () => 0 });
    assert.equal(
      drawTree(recording),
      `GET /hello/Ann  200 OK  6 bytes  0.00 ms

requestId                           0.00 ms
│   environ + wsgix.request_id: "id-1"
│   header + X-Request-Id: id-1
└─ append                           0.00 ms
   │   body   ~ 1 chunk, 5 bytes → 2 chunks, 6 bytes
   └─ router                        0.00 ms
      │   environ + wsgix.route: {"pattern":"/hello/:name","params":{"name":"Ann"}}
      └─ GET /hello/:name  respond  0.00 ms
             status   200 OK
             header + Content-Type: text/plain
             body     1 chunk, 5 bytes`,
    );
  });

  it("says who has thrown, caught, answered alone, held back, and left open", async () => {
    const drops: Middleware = () => respond([]);
    const thrown = await see(stack(catchErrors())(failing("call")));
    assert.match(drawTree(thrown.recording), /caught Error: Failed in call[^]*threw Error: Failed/);
    const alone = await see(stack(drops)(respond(["Hello"])));
    assert.match(drawTree(alone.recording), /answered without calling what is inside/);
  });

  it("has colours only if it is asked for them", async () => {
    const { recording } = await see(respond(["Hello"]));
    const line = "\x1b[32mstatus   200 OK\x1b[39m";
    assert.ok(!drawTree(recording).includes("\x1b"));
    assert.ok(drawTree(recording, { color: true }).includes(line));
  });

  it("writes out what could control a terminal", async () => {
    const hostile = "\x1b]0;title\x07\u202e\n\u2028";
    const recorder = new Recorder();
    const app: Application = () => {
      throw new Error(hostile);
    };
    const environ = environFor("GET /", { environ: { REQUEST_URI: `/${hostile}` } });
    await call(inspect(app, recorder), environ).catch(() => {});
    for (const drawn of [drawTree(recorder.recordings[0]!), drawSteps(recorder.recordings[0]!)]) {
      assert.doesNotMatch(drawn, /[^\P{Cc}\n]|[\u202e\u2028]/u);
      assert.match(drawn, /\\u\{1b\}\]0;title\\u\{7\}\\u\{202e\}/);
    }
  });
});

describe("serverTiming()", () => {
  it("has a metric for each layer, with its own time", async () => {
    const { recording } = await see(stack(passes)(respond(["Hello"])), "GET /", { now: () => 0 });
    assert.equal(serverTiming(recording), "passes;dur=0, respond;dur=0");
  });

  it("has only tokens for names, and describes what is more", async () => {
    const routes = router();
    const odd = Object.defineProperty(respond(["Hello"]), "name", { value: 'å "b"\\' });
    routes.get("/:id", odd);
    const { recording } = await see(routes, "GET /1", { now: () => 0 });
    assert.equal(
      serverTiming(recording),
      'router;dur=0, ___b__;dur=0;desc="GET /:id ? \\"b\\"\\\\"',
    );
  });

  it("is a field of responses that are asked to have it, and of no recording", async () => {
    const recorder = new Recorder({ now: () => 0 });
    const app = stack(passes)(respond(["Hello"]));
    const plain = await call(inspect(app, recorder), "GET /");
    const timed = await call(inspect(app, recorder, { serverTiming: true }), "GET /");
    assert.equal(plain.header("Server-Timing"), undefined);
    assert.equal(timed.header("Server-Timing"), "passes;dur=0, respond;dur=0");
    assert.doesNotMatch(JSON.stringify(recorder.recordings), /Server-Timing/);
  });
});
