import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chunks, stack, type Application, type Middleware } from "@wsgi/core";
import { inspect, Recorder, type Recording } from "@wsgi/inspector";
import { requestId } from "@wsgi/middleware/request-id";
import {
  call,
  closable,
  environFor,
  failing,
  respond,
  slow,
  type RequestOptions,
} from "@wsgi/testing";
import { kindsOf } from "./inspecting.ts";

/** Answers with the body of the request, read in the way that the query says. */
const echo: Application = async function echo(environ, startResponse) {
  const input = environ["wsgi.input"];
  const parts: Uint8Array[] = [];
  const readers: Record<string, () => Promise<void>> = {
    async read() {
      parts.push(await input.read());
    },
    async blocks() {
      for await (const block of chunks(input, 4)) parts.push(block);
    },
    async lines() {
      for await (const line of input) parts.push(line);
    },
    async readline() {
      for (let line = await input.readline(); line.length > 0; line = await input.readline()) {
        parts.push(line);
      }
    },
    async readlines() {
      parts.push(...(await input.readlines()));
    },
    async some() {
      parts.push(await input.read(3));
    },
    async none() {},
  };
  await readers[environ.QUERY_STRING]!();
  startResponse("200 OK", [["X-Type", environ.CONTENT_TYPE ?? "none"]]);
  return parts;
};

/** Calls an application, inspected, with a request, and replays that. */
async function replayOnce(
  app: Application,
  request: string,
  options: RequestOptions = {},
): Promise<[first: Recording, replay: Recording]> {
  const recorder = new Recorder();
  const inspected = inspect(app, recorder);
  await call(inspected, environFor(request, options)).catch(() => {});
  const id = await recorder.replay(1, inspected);
  return [recorder.find(1)!, recorder.find(id)!];
}

/** Tells what of a recording does not depend on time. */
function timeless({ events }: Recording): unknown[] {
  return events.map((event) => ({ ...event, at: 0 }));
}

/** Tells the size of the body that came back last. */
function sizeOf({ events }: Recording): number {
  const event = events.findLast((one) => one.kind === "settled" && one.body.kind === "array");
  assert.ok(event?.kind === "settled" && event.body.kind === "array");
  return event.body.size;
}

describe("recorder.replay()", () => {
  it("makes the same request again, and tells which it was", async () => {
    const headers = { Authorization: "Bearer swordfish", "Content-Type": "text/plain" };
    const body = "one\ntwo\nthree";
    const [first, replay] = await replayOnce(echo, "POST /x?read", { headers, body });
    assert.deepEqual(timeless(replay), timeless(first));
    assert.deepEqual([first.replayOf, replay.replayOf], [null, 1]);
  });

  it("has the body in whatever way it was read", async () => {
    const options = { body: ["one\n", "two\nth", "ree"] };
    const sizes = ["read", "blocks", "lines", "readline", "readlines"].map(async (way) => {
      const [, replay] = await replayOnce(echo, `POST /?${way}`, options);
      return sizeOf(replay);
    });
    assert.deepEqual(await Promise.all(sizes), [13, 13, 13, 13, 13]);
  });

  it("keeps the body although its buffer is filled again", async () => {
    const texts: string[] = [];
    const app: Application = function reads(environ, startResponse) {
      const block = environ["wsgi.input"].read(2) as Uint8Array;
      texts.push(Buffer.from(block).toString());
      block.fill(0);
      return respond([])(environ, startResponse);
    };
    await replayOnce(app, "POST /", { body: "ab" });
    assert.deepEqual(texts, ["ab", "ab"]);
  });

  it("gives the application the real values of what is hidden in recordings", async () => {
    const seen: (string | undefined)[] = [];
    const app: Application = function secretive(environ, startResponse) {
      seen.push(environ.HTTP_COOKIE);
      return respond(["Hello"])(environ, startResponse);
    };
    const headers = { Cookie: "sid=swordfish" };
    await replayOnce(app, "GET /", { headers });
    assert.deepEqual(seen, ["sid=swordfish", "sid=swordfish"]);
  });

  it("leaves out what belonged to the request alone", async () => {
    const seen: unknown[] = [];
    const app: Application = function looks(environ, startResponse) {
      seen.push(environ["wsgix.signal"], environ["app.text"]);
      return respond(["Hello"])(environ, startResponse);
    };
    const signal = (): undefined => undefined;
    await replayOnce(app, "GET /", { environ: { "wsgix.signal": signal, "app.text": "x" } });
    assert.deepEqual(seen, [signal, "x", undefined, "x"]);
  });

  it("reads the body and closes it", async () => {
    const bodies = [closable("one", "two"), closable("one", "two")];
    const left = bodies.slice();
    await replayOnce(
      respond(() => left.shift()!),
      "GET /",
    );
    assert.deepEqual(
      bodies.map(({ taken, timesClosed }) => [taken, timesClosed]),
      [
        [2, 1],
        [2, 1],
      ],
    );
  });

  it("replays what is asynchronous, and what fails", async () => {
    const [, replay] = await replayOnce(slow("one"), "GET /");
    assert.equal(kindsOf(replay).at(-1), "closed slow");
    const [, failed] = await replayOnce(failing("body"), "GET /");
    assert.ok(kindsOf(failed).includes("threw failing"));
  });

  it("stops reading a body that does not end when there are enough events", async () => {
    let closed = 0;
    const endless: Application = function endless(_environ, startResponse) {
      startResponse("200 OK", []);
      return {
        *[Symbol.iterator]() {
          for (;;) yield "more";
        },
        close: () => void closed++,
      };
    };
    const recorder = new Recorder({ events: 20 });
    const app = inspect(endless, recorder);
    await call(app, "GET /", { leaveAfter: 1 });
    await recorder.replay(1, app);
    assert.equal(closed, 2);
  });

  it("replays a replay", async () => {
    const recorder = new Recorder();
    const app = inspect(echo, recorder);
    await call(app, environFor("POST /?read", { body: "Hello" }));
    const id = await recorder.replay(await recorder.replay(1, app), app);
    assert.deepEqual([recorder.find(id)!.replayOf, sizeOf(recorder.find(id)!)], [2, 5]);
  });

  it("finds the recording although a layer that is not inspected copies environ", async () => {
    const copies: Middleware = (app) => (environ, startResponse) =>
      app({ ...environ }, startResponse);
    const recorder = new Recorder();
    const app = stack(copies)(inspect(stack(requestId())(respond(["Hello"])), recorder));
    await call(app, "GET /");
    assert.equal(await recorder.replay(1, app), 2);
  });

  it("refuses a body that was longer than what is kept", async () => {
    const body = "x".repeat(65_537);
    await assert.rejects(replayOnce(echo, "POST /?read", { body }), {
      message:
        "Cannot replay recording 1: of its request body, it is longer than 65536 bytes; wanted one that was kept as a whole",
    });
  });

  it("refuses a body that was not read to its end", async () => {
    const refused = {
      message: /^Cannot replay recording 1: .* it was not read to its end; wanted/,
    };
    await assert.rejects(replayOnce(echo, "POST /?some", { body: "Hello" }), refused);
    await assert.rejects(replayOnce(echo, "POST /?none", { body: "Hello" }), refused);
    await assert.rejects(replayOnce(echo, "POST /?some", { body: ["Hello"] }), refused);
  });

  it("refuses a recording that is not there, and an application that is not inspected", async () => {
    const recorder = new Recorder();
    const app = inspect(respond(["Hello"]), recorder);
    await call(app, "GET /");
    await assert.rejects(recorder.replay(2, app), {
      message: "Cannot replay recording 2: it is not there; wanted one that is kept",
    });
    await assert.rejects(recorder.replay(1, respond(["Hello"])), {
      message:
        "Cannot replay recording 1: nothing was recorded; wanted an application inspected with this recorder",
    });
  });
});
