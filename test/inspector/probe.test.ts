import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  compositionOf,
  interleave,
  isThenable,
  stack,
  type Application,
  type Body,
  type Middleware,
} from "@wsgi/core";
import { analyse, inspect, Recorder, type RecordedEvent } from "@wsgi/inspector";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { contentLength } from "@wsgi/middleware/content-length";
import { head } from "@wsgi/middleware/head";
import { requestId } from "@wsgi/middleware/request-id";
import { call, closable, environFor, failing, respond, writing } from "@wsgi/testing";
import { layerSuite } from "@wsgi/testing/layer-suite";
import fc from "fast-check";
import { countPromises } from "../support/count-promises.ts";
import { build, fault, plan, type Fault, type Plan } from "../support/property-applications.ts";
import { layers, wrap, type KindName } from "../support/property-layers.ts";
import { pure } from "../support/property.ts";
import { turn } from "../support/serving.ts";
import { ignore, makeJudge } from "../support/validating.ts";

const inspected = (app: Application): Application => inspect(app, new Recorder());

layerSuite(inspected as Middleware, { name: "inspect()" });

layerSuite(
  ((app: Application) =>
    inspect(stack(requestId(), catchErrors())(app), new Recorder())) as Middleware,
  { name: "inspect() of layers" },
);

layerSuite(
  ((app: Application) =>
    inspect(app, new Recorder({ events: 3 }), { serverTiming: true })) as Middleware,
  { name: "inspect() with few events and a field of its own" },
);

/** Calls an application and gives what it returned. */
function begin(app: Application): Body {
  return app(environFor("GET /"), ignore) as Body;
}

describe("a probe", () => {
  it("hands on the very array that it is given", () => {
    const body = ["Hello"];
    assert.equal(begin(inspected(respond(body))), body);
  });

  it("hands on an array as one, and its close()", () => {
    let closed = 0;
    const body = Object.assign(["Hello"], { close: () => void closed++ });
    const given = begin(inspected(respond(body)));
    assert.deepEqual([Array.isArray(given), ...(given as string[])], [true, "Hello"]);
    void given.close!();
    void given.close!();
    assert.equal(closed, 2);
  });

  it("hands on the very environ and the very chunks", () => {
    const environ = environFor("GET /");
    const chunk = new Uint8Array(3);
    let seen: unknown;
    const app = inspected((given, startResponse) => {
      seen = given;
      return respond(closable(chunk))(given, startResponse);
    });
    const [first] = app(environ, ignore) as Iterable<unknown>;
    assert.equal(seen, environ);
    assert.equal(first, chunk);
  });

  it("hands on the very error", async () => {
    const error = { not: "an Error" };
    const thrown = await call(inspected(failing("start", error)), "GET /").catch((it) => it);
    assert.equal(thrown, error);
  });

  it("hands on startResponse's arguments as they are, and excInfo", () => {
    const error = new Error("Oh");
    const headers = [["X-One", "1"]] as const;
    const starts: unknown[][] = [];
    const app = inspected((_environ, startResponse) => {
      startResponse("200 OK", headers);
      startResponse("500 Oh", headers, error);
      return [];
    });
    app(environFor("GET /"), (...args) => {
      starts.push(args);
      return () => {};
    });
    assert.deepEqual(starts, [
      ["200 OK", headers],
      ["500 Oh", headers, error],
    ]);
    assert.equal(starts[0]![1], headers);
  });

  it("hands on what write returns", () => {
    const waits = Promise.resolve();
    let returned: unknown;
    const app = inspected((_environ, startResponse) => {
      returned = startResponse("200 OK", [])("Hello");
      return [];
    });
    app(environFor("GET /"), () => () => waits);
    assert.equal(returned, waits);
  });

  it("reads nothing before its server asks", () => {
    const body = closable("one", "two");
    const given = begin(inspected(stack(requestId())(respond(body)))) as Iterable<unknown> & Body;
    assert.equal(body.taken, 0);
    given[Symbol.iterator]().next();
    assert.equal(body.taken, 1);
  });

  it("makes no promise for a synchronous request", () => {
    const app = inspected(stack(requestId(), head())(respond(() => closable("one"))));
    const promises = countPromises(() => {
      const body = begin(app) as Iterable<unknown> & Body;
      assert.deepEqual([...body], ["one"]);
      void body.close!();
    });
    assert.equal(promises, 0);
  });

  it("does not end the process if a read fails that nobody waits for", async () => {
    const app = inspected((environ, startResponse) => {
      void environ["wsgi.input"].read();
      startResponse("200 OK", []);
      return [];
    });
    const failed = Promise.reject(new Error("The client has left"));
    failed.catch(() => {});
    const input = { ...environFor("GET /")["wsgi.input"], read: () => failed };
    await call(app, environFor("GET /", { environ: { "wsgi.input": input } }));
    await turn(2);
  });

  it("leaves a server's faults to those who find them", async () => {
    const judge = makeJudge();
    const app = inspected(judge.validator()(respond(["Hello"])));
    const odd = app as (...args: unknown[]) => unknown;
    assert.throws(() => odd(undefined, ignore), /call-arguments|environ-plain/);
    assert.throws(() => odd(environFor("GET /"), ignore, 3), /call-arguments/);
    assert.throws(() => odd(Object.freeze(environFor("GET /")), ignore), /environ-plain/);
    assert.deepEqual(judge.faults, [
      "server environ-plain",
      "server call-arguments",
      "server environ-plain",
    ]);
  });

  it("hands on what is no body", () => {
    assert.equal(begin(inspected(() => "Hello" as never)), "Hello");
  });

  it("is not there unless it is asked for", () => {
    const app = stack(requestId())(respond(["Hello"]));
    assert.deepEqual(
      compositionOf(app)!.layers!.map(({ name }) => name),
      ["requestId"],
    );
    inspect(app, new Recorder());
    assert.equal(compositionOf(app)!.layers!.length, 1);
  });
});

describe("probes between strict validators", () => {
  it("break no clause, whatever passes", async () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const applications: Application[] = [
      respond([bytes("one")]),
      respond(() => closable(bytes("one"), bytes("two"))),
      function* later(_environ, startResponse) {
        yield bytes("");
        startResponse("200 OK", [["Content-Type", "text/plain"]]);
        yield bytes("one");
      },
      writing([bytes("one")], [bytes("two")]),
      failing("call"),
    ];
    const judge = makeJudge();
    for (const app of applications) {
      const stacked = stack(
        accessLog({ destination: { write() {} } }),
        requestId(),
        contentLength(),
        append(bytes("!")),
      )(app);
      const judged = interleave(stacked, (place) => judge.validator({ ...place, strict: true }));
      const inspected = inspect(judged, new Recorder());
      await call(inspected, "GET /").catch(() => {});
      await call(inspected, "HEAD /").catch(() => {});
      await call(inspected, "GET /", { leaveAfter: 1 }).catch(() => {});
    }
    assert.deepEqual(judge.faults, []);
  });
});

/** Is what came of a request. */
interface Outcome {
  readonly status?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly text?: string;
  readonly error?: unknown;
  readonly closes: number;
  readonly calls: number;
}

const failure = new Error("The fault that was put in");

/** Serves a request through layers with validators between them, and something around all of that. */
async function serveOne(
  names: readonly KindName[],
  plan: Plan,
  fault: Fault | undefined,
  around: (app: Application) => Application,
): Promise<Outcome & { faults: readonly string[] }> {
  const planned = build(plan, failure, fault);
  const judge = makeJudge();
  const app = around(wrap(planned.app, names, { lines: [] }, (place) => judge.validator(place)));
  const environ = environFor("GET /here", { headers: { Cookie: "a=1", "X-Request-Id": "fixed" } });
  const result = await call(app, environ).then(
    ({ status, headers, text }) => ({
      status,
      headers: headers.filter(([name]) => name !== "X-Request-Id"),
      text: text(),
    }),
    (error: unknown) => ({ error }),
  );
  await turn(3);
  return { ...result, closes: planned.closes, calls: planned.calls, faults: judge.faults };
}

/** What begins, and what may end it. */
const pairs: readonly (readonly [begin: RecordedEvent["kind"], ends: readonly string[]])[] = [
  ["call", ["returned", "threw"]],
  ["start", ["started", "threw"]],
  ["write", ["wrote", "threw"]],
  ["next", ["chunk", "done", "threw"]],
  ["stop", ["stopped", "threw"]],
  ["close", ["closed", "threw"]],
];

describe("any stack of layers, inspected", () => {
  it("answers as it does without, and all that begins ends", () =>
    fc.assert(
      fc.asyncProperty(
        layers,
        plan,
        fc.option(fault, { nil: undefined }),
        async (names, plan, fault) => {
          // Enough for many layers: of what is left out, only the ends are kept.
          const recorder = new Recorder({ events: 100_000 });
          const plainly = await serveOne(names, plan, fault, (app) => app);
          const outcome = await serveOne(names, plan, fault, (app) => inspect(app, recorder));
          assert.deepEqual(outcome, plainly);
          assert.deepEqual(outcome.faults, []);
          for (const recording of recorder.recordings) {
            assert.deepEqual(JSON.parse(JSON.stringify(recording)), recording);
            for (const [begin, ends] of pairs) {
              const begun = recording.events.filter(({ kind }) => kind === begin).length;
              const ended = recording.events.filter(
                (event) =>
                  ends.includes(event.kind) && !(event.kind === "threw" && event.during !== begin),
              );
              const settled = recording.events.filter(
                (event) => event.kind === "returned" && event.body.kind === "promise",
              );
              const failedLater = begin === "call" ? failedPromises(recording.events) : 0;
              assert.ok(settled.length >= failedLater);
              assert.equal(ended.length - failedLater, begun, begin);
            }
            const { calls } = analyse(recording);
            assert.ok(calls.every(({ own, total }) => own >= 0 && own <= total + 0.01));
            assert.deepEqual(
              calls.filter(({ isLeaked }) => isLeaked),
              [],
            );
          }
          assert.ok(!isThenable(recorder.recordings));
        },
      ),
      { ...pure, numRuns: pure.numRuns! / 4 },
    ));
});

/** Counts the calls that have returned a promise, which was rejected. */
function failedPromises(events: readonly RecordedEvent[]): number {
  return events.filter(
    (event) =>
      event.kind === "returned" &&
      event.body.kind === "promise" &&
      events.some(
        (other) => other.call === event.call && other.kind === "threw" && other.during === "call",
      ),
  ).length;
}
