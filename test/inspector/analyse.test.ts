import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  capture,
  mapBody,
  readBody,
  ResponseHeaders,
  stack,
  when,
  type Application,
  type HeaderList,
  type Middleware,
} from "@wsgi/core";
import { analyse, inspect, Recorder } from "@wsgi/inspector";
import { append } from "@wsgi/middleware/append";
import { cascade } from "@wsgi/middleware/cascade";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";
import { ignore } from "../support/validating.ts";
import { callOf, see } from "./inspecting.ts";

const passes: Middleware = function passes(app) {
  return function passes(environ, startResponse) {
    return app(environ, startResponse);
  };
};

/** Makes a layer that changes the header fields of responses. */
function changing(change: (headers: HeaderList) => HeaderList): Middleware {
  return function changes(app) {
    return function changes(environ, startResponse) {
      return app(environ, (status, headers, excInfo) =>
        startResponse(status, change(headers), excInfo),
      );
    };
  };
}

/** Is a clock that goes on when it is told to. */
function makeClock(): { now(): number; pass(ms: number): void } {
  let time = 0;
  return { now: () => time, pass: (ms) => void (time += ms) };
}

const none = { added: [], changed: [], removed: [] };

describe("analyse()", () => {
  it("shows a header field at the layer that has added it, and at no other", async () => {
    const adds = changing((headers) => [...headers, ["X-Added", "yes"]]);
    const seen = await see(stack(passes, adds)(respond(["Hello"], { headers: [] })));
    assert.deepEqual(
      seen.calls.map(({ name, headers }) => [name, headers]),
      [
        ["passes", none],
        ["changes", { ...none, added: [["X-Added", "yes"]] }],
        ["respond", none],
      ],
    );
  });

  it("shows header fields that a layer has changed or removed", async () => {
    const changes = changing((headers) => {
      const changed = new ResponseHeaders(headers);
      changed.set("content-type", "text/html");
      changed.delete("X-Gone");
      return changed.list;
    });
    const headers: HeaderList = [
      ["Content-Type", "text/plain"],
      ["X-Gone", "1"],
      ["X-Gone", "2"],
    ];
    const seen = await see(stack(changes)(respond(["Hello"], { headers })));
    const [change] = callOf(seen, "changes").headers.changed;
    assert.deepEqual([change!.before, change!.after], ["text/plain", "text/html"]);
    assert.deepEqual(callOf(seen, "changes").headers.removed, [
      ["X-Gone", "1"],
      ["X-Gone", "2"],
    ]);
  });

  it("counts a repeated field as often as it is there", async () => {
    const adds = changing((headers) => [...headers, ["X-Same", "1"]]);
    const app = respond(["Hello"], { headers: [["x-same", "1"]] });
    const seen = await see(stack(adds)(app));
    assert.deepEqual(callOf(seen, "changes").headers, { ...none, added: [["X-Same", "1"]] });
  });

  it("shows who has begun the response, and who has changed its status", async () => {
    const gone: Middleware = function gone(app) {
      return function gone(environ, startResponse) {
        return app(environ, (_status, headers, excInfo) =>
          startResponse("410 Gone", headers, excInfo),
        );
      };
    };
    const seen = await see(stack(gone)(respond(["Hello"])));
    assert.deepEqual(
      seen.calls.map(({ status, statusInside }) => [status, statusInside]),
      [
        ["410 Gone", "200 OK"],
        ["200 OK", null],
      ],
    );
    assert.equal(analyse(seen.recording).status, "410 Gone");
  });

  it("compares with the answer that a cascade has chosen", async () => {
    const first = respond(["No"], { status: "404 Not Found", headers: [["X-First", "yes"]] });
    const second = respond(["Yes"], { headers: [["X-Second", "yes"]] });
    const seen = await see(cascade(first, second));
    const { status, statusInside, headers, children } = callOf(seen, "cascade");
    assert.deepEqual([status, statusInside, headers], ["200 OK", "200 OK", none]);
    assert.deepEqual(children, [1, 2]);
  });

  it("shows at a layer what it has done to environ, before and after", async () => {
    const changes: Middleware = function changes(app) {
      return function changes(environ, startResponse) {
        const { HTTP_HOST: _, ...rest } = environ;
        const made = { ...rest, PATH_INFO: "/new", "wsgix.user": "Ann" };
        return app(made as object as typeof environ, startResponse);
      };
    };
    const seen = await see(stack(passes, changes, passes)(respond(["Hello"])), "GET /old");
    assert.deepEqual(
      seen.calls.map(({ environ }) => environ),
      [
        { added: {}, changed: {}, removed: {} },
        {
          added: { "wsgix.user": "Ann" },
          changed: { PATH_INFO: { before: "/old", after: "/new" } },
          removed: { HTTP_HOST: "127.0.0.1" },
        },
        { added: {}, changed: {}, removed: {} },
        { added: {}, changed: {}, removed: {} },
      ],
    );
  });

  it("shows who has answered without calling what is inside", async () => {
    const closed: Middleware = () => respond(["Closed"], { status: "503 Service Unavailable" });
    const seen = await see(stack(passes, closed, passes)(respond(["Hello"])));
    assert.deepEqual(
      seen.calls.map(({ name, shortCircuits }) => [name, shortCircuits]),
      [
        ["passes", false],
        ["closed", true],
      ],
    );
  });

  it("shows who has thrown an error, who has passed it on, and who has caught it", async () => {
    const seen = await see(stack(passes, catchErrors(), passes)(failing("call")));
    const shown = seen.calls.map(({ threw, passedOn, caught }) => [
      threw?.message,
      passedOn.map(({ message }) => message),
      caught.map(({ message }) => message),
    ]);
    assert.deepEqual(shown, [
      [undefined, [], []],
      [undefined, [], ["Failed in call"]],
      [undefined, ["Failed in call"], []],
      ["Failed in call", [], []],
    ]);
  });

  it("shows a layer that throws another error than it has caught", async () => {
    const wraps: Middleware = function wraps(app) {
      return function wraps(environ, startResponse) {
        try {
          return app(environ, startResponse);
        } catch (cause) {
          throw new Error("Wrapped", { cause });
        }
      };
    };
    const { threw, caught } = callOf(await see(stack(wraps)(failing("call"))), "wraps");
    assert.deepEqual([threw!.message, caught[0]!.message], ["Wrapped", "Failed in call"]);
  });

  it("shows a layer that collects chunks before it gives any", async () => {
    const collects: Middleware = function collects(app) {
      return function collects(environ, startResponse) {
        return when(app(environ, startResponse), (body) =>
          when(readBody(body), (bytes) => [bytes]),
        );
      };
    };
    const seen = await see(stack(passes, collects)(respond(() => closable("one", "two"))));
    assert.deepEqual(
      seen.calls.map(({ name, buffers, held }) => [name, buffers, held]),
      [
        ["passes", false, 6],
        ["collects", true, 6],
        ["respond", false, 0],
      ],
    );
  });

  it("takes no layer for a collector that changes chunks one by one", async () => {
    const upper: Middleware = function upper(app) {
      return function upper(environ, startResponse) {
        return when(app(environ, startResponse), (body) =>
          mapBody(body, { chunk: (chunk) => String(chunk).toUpperCase() }),
        );
      };
    };
    const seen = await see(stack(upper, append("!"))(late("one", "two")));
    assert.deepEqual(
      seen.calls.map(({ buffers, held }) => [buffers, held]),
      [
        [false, 3],
        [false, 3],
        [false, 0],
      ],
    );
  });

  it("counts what came in and what went out, written and yielded", async () => {
    const seen = await see(stack(append("!"))(writing(["one"], ["two", ""])));
    const { taken, given } = callOf(seen, "append");
    assert.deepEqual(
      [taken.chunks, taken.bytes, taken.written, given.chunks, given.bytes, given.written],
      [3, 6, 1, 4, 7, 1],
    );
  });

  it("tells when the first and the last chunk came", async () => {
    const clock = makeClock();
    const app: Application = function* counts(_environ, startResponse) {
      startResponse("200 OK", []);
      clock.pass(10);
      yield "one";
      clock.pass(5);
      yield "two";
    };
    const { given } = callOf(await see(app, "GET /", clock), "counts");
    assert.deepEqual([given.first, given.last], [10, 15]);
  });

  it("gives each layer its own time, on the way in and on the way out", async () => {
    const clock = makeClock();
    const layer = (name: string, before: number, after: number): Middleware => {
      const made: Middleware = (app) => (environ, startResponse) => {
        clock.pass(before);
        return app(environ, (...head) => {
          clock.pass(after);
          return startResponse(...head);
        });
      };
      return Object.defineProperty(made, "name", { value: name });
    };
    const app: Application = function works(_environ, startResponse) {
      clock.pass(100);
      startResponse("200 OK", []);
      return ["Hello"];
    };
    const seen = await see(stack(layer("a", 1, 2), layer("b", 10, 20))(app), "GET /", clock);
    assert.deepEqual(
      seen.calls.map(({ name, own, total }) => [name, own, total]),
      [
        ["a", 3, 133],
        ["b", 30, 130],
        ["works", 100, 100],
      ],
    );
  });

  it("counts steps of a body and its close() for those who take the time", async () => {
    const clock = makeClock();
    const app: Application = function works(_environ, startResponse) {
      startResponse("200 OK", []);
      return {
        *[Symbol.iterator]() {
          clock.pass(10);
          yield "one";
        },
        close: () => clock.pass(5),
      };
    };
    const adds: Middleware = function adds(app) {
      return function adds(environ, startResponse) {
        return when(app(environ, startResponse), (body) =>
          mapBody(body, {
            chunk(chunk) {
              clock.pass(1);
              return chunk;
            },
          }),
        );
      };
    };
    const seen = await see(stack(adds)(app), "GET /", clock);
    assert.deepEqual(
      seen.calls.map(({ own }) => own),
      [1, 15],
    );
  });

  it("counts waiting for the innermost that waits", async () => {
    const clock = makeClock();
    const waits: Middleware = function waits(app) {
      return async function waits(environ, startResponse) {
        await Promise.resolve();
        clock.pass(10);
        return app(environ, startResponse);
      };
    };
    const app: Application = async function works(environ, startResponse) {
      await Promise.resolve();
      clock.pass(100);
      return respond(["Hello"])(environ, startResponse);
    };
    const seen = await see(stack(passes, waits)(app), "GET /", clock);
    assert.deepEqual(
      seen.calls.map(({ own, total }) => [own, total]),
      [
        [0, 110],
        [10, 110],
        [100, 100],
      ],
    );
  });

  it("does not count for the request what recording takes", async () => {
    const clock = makeClock();
    const recorder = new Recorder({ now: clock.now });
    recorder.subscribe(() => clock.pass(1_000));
    await call(inspect(stack(passes)(respond(["Hello"])), recorder), "GET /");
    assert.deepEqual(
      analyse(recorder.recordings[0]!).calls.map(({ total }) => total),
      [0, 0],
    );
  });

  it("counts the time of steps that were only counted", async () => {
    const clock = makeClock();
    const app: Application = function* works(_environ, startResponse) {
      startResponse("200 OK", []);
      for (let i = 0; i < 100; i++) {
        clock.pass(1);
        yield "one";
      }
    };
    const seen = await see(stack(passes)(app), "GET /", { ...clock, events: 30 });
    assert.deepEqual(
      seen.calls.map(({ own }) => own),
      [0, 100],
    );
  });

  it("shows who has made the others wait", async () => {
    const waits: Middleware = function waits(app) {
      return async function waits(environ, startResponse) {
        return app(environ, startResponse);
      };
    };
    const promises = async (app: Application): Promise<string[]> =>
      (await see(app)).calls.map(({ promise }) => promise);
    assert.deepEqual(await promises(stack(passes, waits)(respond(["Hello"]))), [
      "passed on",
      "introduced",
      "none",
    ]);
    assert.deepEqual(await promises(stack(passes)(slow("Hello"))), ["passed on", "introduced"]);
  });

  it("shows a body that a layer has dropped without closing it", async () => {
    const drops: Middleware = function drops(app) {
      return function drops(environ, startResponse) {
        return when(app(environ, startResponse), () => []);
      };
    };
    const seen = await see(stack(drops)(respond(() => closable("one"))));
    assert.deepEqual(
      seen.calls.map(({ name, isLeaked, closes }) => [name, isLeaked, closes]),
      [
        ["drops", false, 0],
        ["respond", true, 0],
      ],
    );
  });

  it("counts how often a body is closed", async () => {
    const { calls } = await see(stack(passes)(respond(() => closable("one"))));
    assert.deepEqual(
      calls.map(({ closes }) => closes),
      [1, 1],
    );
  });

  it("tells what is known so far of a request that is under way", () => {
    const recorder = new Recorder();
    const app = inspect(stack(passes)(respond(() => closable("one"))), recorder);
    app(environFor("GET /"), ignore);
    const { calls, status } = analyse(recorder.recordings[0]!);
    assert.equal(status, "200 OK");
    assert.deepEqual(
      calls.map(({ name, isLeaked }) => [name, isLeaked]),
      [
        ["passes", false],
        ["respond", false],
      ],
    );
  });

  it("shows an answer that was captured and thrown away", async () => {
    const tries: Middleware = function tries(app) {
      return function tries(environ, startResponse) {
        return when(capture(app, environ), ({ body }) =>
          when(readBody(body), () => respond(["Other"])(environ, startResponse)),
        );
      };
    };
    const { taken, given } = callOf(await see(stack(tries)(respond(["One"]))), "tries");
    assert.deepEqual([taken.bytes, given.bytes], [3, 5]);
  });
});
