import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stack, type Application, type Middleware } from "@wsgi/core";
import { analyse, type RecordedEvent, type Recording } from "@wsgi/inspector";
import { append } from "@wsgi/middleware/append";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { requestId } from "@wsgi/middleware/request-id";
import { failing, respond } from "@wsgi/testing";
import { compareRequests, compareResponses, pair } from "#page/compare.js";
import { bytes, time } from "#page/format.js";
import { ticksOf, timeLine } from "#page/lanes.js";
import { crossingOf, knownIn, upTo } from "#page/moments.js";
import { signsIn, signsOut } from "#page/signs.js";
import { reduce, shown, unknown, type Action, type State } from "#page/state.js";
import { callOf, see } from "./inspecting.ts";

describe("signsIn()", () => {
  it("names a key that a layer adds", async () => {
    const seen = await see(stack(requestId())(respond(["Hello"])));
    assert.deepEqual(textsOf(signsIn(callOf(seen, "requestId"))), ["+ wsgix.request_id"]);
  });

  it("counts keys where there are many", async () => {
    const more: Middleware = (app) => (environ, startResponse) =>
      app(Object.assign(environ, { "x.a": 1, "x.b": 2, "x.c": 3 }), startResponse);
    const seen = await see(stack(more)(respond(["Hello"])));
    assert.deepEqual(textsOf(signsIn(callOf(seen, "more"))), ["+ 3 keys"]);
  });

  it("says that a layer has short-circuited", async () => {
    const no: Middleware = () => respond(["No"], { status: "403 Forbidden" });
    const seen = await see(stack(no)(respond(["Hello"])));
    assert.deepEqual(textsOf(signsIn(callOf(seen, "no"))), ["short-circuited"]);
  });
});

describe("signsOut()", () => {
  it("tells the status, the headers and the body of who has begun the response", async () => {
    const hello: Application = (_environ, startResponse) => {
      startResponse("200 OK", [["X-One", "1"]]);
      return ["Hello", "!"];
    };
    const seen = await see(hello);
    assert.deepEqual(textsOf(signsOut(callOf(seen, "hello"))), [
      "200 OK",
      "+ X-One",
      "2 chunks, 6 bytes",
    ]);
  });

  it("tells of a layer only what it has changed", async () => {
    const seen = await see(stack(requestId(), append("!"))(respond(["Hello"])));
    assert.deepEqual(textsOf(signsOut(callOf(seen, "requestId"))), ["+ X-Request-Id"]);
  });

  it("tells who threw, who let it through, and who caught it", async () => {
    const passing: Middleware = (app) => (environ, startResponse) => app(environ, startResponse);
    const seen = await see(stack(catchErrors(), passing)(failing("call")));
    const last = (name: string) => textsOf(signsOut(callOf(seen, name))).at(-1);
    assert.equal(last("failing"), "threw Error");
    assert.equal(last("passing"), "let Error through");
    assert.equal(last("catchErrors"), "caught Error");
  });
});

describe("timeLine()", () => {
  it("has a lane for each call, to scale", () => {
    const { lanes } = timeLine(recorded(call(0, 0, null), call(1, 1, 0), back(3, 1), back(4, 0)));
    assert.deepEqual(lanes[0]!.inside, [{ left: 0, width: 100 }]);
    assert.deepEqual(lanes[0]!.own, [
      { left: 0, width: 25 },
      { left: 75, width: 25 },
    ]);
    assert.deepEqual(lanes[1]!.own, [{ left: 25, width: 50 }]);
    assert.equal(lanes[1]!.depth, 1);
  });

  it("marks a chunk where it is given, and where it is taken", () => {
    const { lanes } = timeLine(recorded(call(0, 0, null), call(1, 1, 0), back(2, 1), back(4, 0)));
    assert.deepEqual(marksOf(lanes[1]!), ["given 50"]);
    assert.deepEqual(marksOf(lanes[0]!), ["taken 50", "given 100"]);
  });

  it("has places even where no time has passed", () => {
    const { lanes } = timeLine(recorded(call(0, 0, null), back(0, 0)));
    assert.deepEqual(marksOf(lanes[0]!), ["given 0"]);
  });
});

describe("ticksOf()", () => {
  it("chooses round times", () => {
    assert.deepEqual(ticksOf(9), [0, 2, 4, 6, 8]);
    assert.deepEqual(ticksOf(300), [0, 100, 200, 300]);
  });
});

describe("upTo()", () => {
  it("shows a recording as it was after an event", async () => {
    const { recording } = await see(stack(requestId())(respond(["Hello"])));
    const past = upTo(recording, 1);
    assert.equal(past.ended, null);
    assert.equal(analyse(past).status, null);
    assert.equal(analyse(past).calls.length, 2);
  });

  it("leaves it as it is at the end", async () => {
    const { recording } = await see(respond(["Hello"]));
    assert.equal(upTo(recording, recording.events.length - 1), recording);
  });
});

describe("crossingOf()", () => {
  it("tells which way control goes", async () => {
    const { recording } = await see(respond(["Hello"]));
    assert.deepEqual(
      recording.events.map((event) => `${crossingOf(event).what} ${crossingOf(event).way}`),
      ["environ in", "startResponse out", "write in", "body out"],
    );
  });
});

describe("knownIn()", () => {
  it("tells the environ of the call where control is, and what layers have added to it", async () => {
    const { recording } = await see(stack(requestId())(respond(["Hello"])));
    const { name, environ, fresh } = knownIn(upTo(recording, 1));
    assert.equal(name, "respond");
    assert.equal(environ.get("PATH_INFO"), "/");
    assert.deepEqual([...fresh], ["wsgix.request_id"]);
  });

  it("tells the response so far, and who has begun it", async () => {
    const { recording } = await see(respond(["Hello"]));
    assert.equal(knownIn(upTo(recording, 0)).start, undefined);
    assert.equal(knownIn(upTo(recording, 1)).by, "respond");
    assert.deepEqual(knownIn(upTo(recording, 1)).chunks, []);
    assert.equal(knownIn(recording).chunks[0]?.text, "Hello");
  });
});

describe("pair()", () => {
  it("puts the same layers beside each other, and others where they stand", async () => {
    const one = await see(stack(requestId(), append("!"))(respond(["Hello"])));
    const other = await see(stack(requestId(), catchErrors(), append("!"))(respond(["Hello"])));
    const names = pair(analyse(one.recording), analyse(other.recording)).map((both) => [
      both.one?.name,
      both.other?.name,
    ]);
    assert.deepEqual(names, [
      ["requestId", "requestId"],
      [undefined, "catchErrors"],
      ["append", "append"],
      ["respond", "respond"],
    ]);
  });
});

describe("compareRequests() and compareResponses()", () => {
  it("tell what differs", async () => {
    const one = await see(respond(["Hello"]), "GET /one");
    const other = await see(stack(requestId())(respond(["Hello"])), "GET /other");
    const { changed } = compareRequests(one.recording, other.recording);
    assert.deepEqual(changed["PATH_INFO"], { before: "/one", after: "/other" });
    const { added } = compareResponses(one.recording, other.recording);
    assert.deepEqual(
      added.map(([name]) => name),
      ["X-Request-Id"],
    );
  });
});

describe("reduce()", () => {
  it("adds a request to the list, and shows the newest", () => {
    const state = after(recordedAction(1, 0), recordedAction(2, 0));
    assert.equal(shown(state)?.id, 2);
  });

  it("appends an event to a recording that is shown", () => {
    const state = after(
      recordedAction(1, 0),
      { type: "loaded", recording: recorded(call(0, 0, null)) },
      recordedAction(1, 1),
    );
    assert.equal(state.recordings.get(1)?.events.length, 2);
  });

  it("knows an event that it has", () => {
    const state = after(
      recordedAction(1, 0),
      { type: "loaded", recording: recorded(call(0, 0, null)) },
      recordedAction(1, 0),
    );
    assert.equal(state.recordings.get(1)?.events.length, 1);
  });

  it("notes where events are missing", () => {
    const state = after(
      recordedAction(1, 0),
      { type: "loaded", recording: recorded(call(0, 0, null)) },
      recordedAction(1, 5),
    );
    assert.deepEqual([...state.stale], [1]);
  });

  it("keeps what it knows while the server is away, and asks anew when it is back", () => {
    const away = after(
      recordedAction(1, 0),
      { type: "loaded", recording: recorded(call(0, 0, null)) },
      { type: "disconnected" },
    );
    assert.equal(away.isLive, false);
    const back = reduce(away, { type: "hello", summaries: away.summaries });
    assert.equal(back.isLive, true);
    assert.deepEqual([...back.stale], [1]);
  });

  it("forgets what the recorder has forgotten", () => {
    const state = after(recordedAction(1, 0), { type: "choose", id: 1 }, recordedAction(9, 0, 2));
    assert.equal(state.chosen, null);
    assert.deepEqual(
      state.summaries.map(({ id }) => id),
      [9],
    );
  });
});

describe("time() and bytes()", () => {
  it("choose a unit", () => {
    assert.deepEqual([0.123, 12.3, 1234].map(time), ["0.12 ms", "12 ms", "1.23 s"]);
    assert.deepEqual([1, 9_999, 12_345, 12_345_678].map(bytes), [
      "1 byte",
      "9999 bytes",
      "12.3 kB",
      "12.3 MB",
    ]);
  });
});

function textsOf(signs: readonly { text: string }[]): string[] {
  return signs.map(({ text }) => text);
}

function marksOf({ marks }: { marks: readonly { kind: string; left: number }[] }): string[] {
  return marks.map(({ kind, left }) => `${kind} ${left}`);
}

const nothing = { added: {}, changed: {}, removed: [] };

function call(id: number, at: number, parent: number | null): RecordedEvent {
  const named = { name: `layer${id}`, label: "", isLayer: true, environ: nothing };
  return { kind: "call", call: id, at, parent, ...named };
}

function back(at: number, id: number): RecordedEvent {
  const body = { kind: "array", size: 5, text: "Hello", sizes: [5], chunks: 1 } as const;
  return { kind: "returned", call: id, at, body: { ...body, isClosable: false } };
}

function recorded(...events: RecordedEvent[]): Recording {
  const about = { id: 1, begun: 0, method: "GET", target: "/", replayOf: null, isDetached: false };
  return { ...about, ended: null, events, omitted: [] };
}

function recordedAction(id: number, index: number, oldest = 0): Action {
  const { begun, method, target, ended, replayOf } = recorded();
  const summary = { id, begun, method, target, ended, replayOf, status: null, failed: false };
  return { type: "recorded", summary, event: back(index, 0), index, oldest };
}

function after(...actions: readonly Action[]): State {
  return actions.reduce(reduce, unknown);
}
