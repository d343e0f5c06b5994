import assert from "node:assert/strict";
import { closeBody, isSync, type Application, type Body, type Chunk } from "@wsgi/core";
import { closable, failing, respond } from "../applications.ts";
import { closing } from "../closing.ts";
import { assertFailed, layerCase, type Bench, type LayerCase } from "./bench.ts";

const oops = new Error("Oops");

/** Is a body that counts how often it is closed. */
type Counted = Body & { timesClosed: number };

function counted(body: Iterable<Chunk> | AsyncIterable<Chunk>): Counted {
  const close = (): void => void (made.timesClosed += 1);
  const made = Object.assign(closing(body, close), { timesClosed: 0 });
  return made;
}

/** Calls the layer and sees that the application's body was closed once in the end. */
async function closesOnce(
  bench: Bench,
  body: Counted,
  app: Application = respond(body),
  method = "GET",
): Promise<void> {
  await bench.outcome(app, bench.environ(method));
  assert.equal(body.timesClosed, 1, "how often the application's body was closed");
}

async function* never(first: Chunk): AsyncGenerator<Chunk, void> {
  yield first;
  await new Promise<never>(() => {});
}

/** Is the cases about closing, and about what fails. */
export const closeCases: readonly LayerCase[] = [
  layerCase("close-once/array", "closes an array that has a close", (bench) =>
    closesOnce(bench, counted(["one", "two"])),
  ),
  layerCase("close-once/stream", "closes a stream at its end", (bench) =>
    closesOnce(bench, counted(new Set(["one", "two"]))),
  ),
  layerCase("close-once/async", "closes an async stream at its end", (bench) => {
    const body = counted(
      (async function* () {
        yield "one";
      })(),
    );
    return closesOnce(bench, body, async (environ, startResponse) =>
      respond(body)(environ, startResponse),
    );
  }),
  layerCase("close-once/head", "closes a body that HEAD does not get", async (bench) => {
    const body = counted(new Set(["one"]));
    await closesOnce(bench, body, respond(body), "HEAD");
  }),
  layerCase("close-once/304", "closes a body that 304 does not send", async (bench) => {
    const body = counted(new Set(["one"]));
    await closesOnce(bench, body, respond(body, { status: "304 Not Modified", headers: [] }));
  }),
  layerCase("close-once/throws", "closes a body whose first step throws", async (bench) => {
    const next = (): never => {
      throw oops;
    };
    await closesOnce(bench, counted({ [Symbol.iterator]: () => ({ next }) }));
  }),
  layerCase("close-once/throws-later", "closes a body whose later step throws", async (bench) => {
    const body = counted({
      *[Symbol.iterator]() {
        yield "one";
        throw oops;
      },
    });
    await closesOnce(bench, body);
  }),
  layerCase("close-once/rejects", "closes an async body that fails", async (bench) => {
    const body = counted({
      async *[Symbol.asyncIterator]() {
        yield "one";
        throw oops;
      },
    });
    await closesOnce(bench, body);
  }),
  layerCase("close-once/not-started", "closes a body that never started", async (bench) => {
    const body = counted(["one"]);
    await closesOnce(bench, body, () => body);
  }),
  layerCase("close-once/left", "closes a body whose client leaves half-way", async (bench) => {
    const body = counted(new Set(["one", "two", "three"]));
    await bench.call(respond(body), "GET", { leaveAfter: 1 });
    assert.equal(body.timesClosed, 1, "how often the application's body was closed");
  }),
  layerCase("close-once/unread", "closes a body that nobody has read", async (bench) => {
    for (const chunks of [["one"], new Set(["one"])]) {
      const body = counted(chunks);
      await closeBody(await bench.begin(respond(body)).body());
      assert.equal(body.timesClosed, 1, "how often the application's body was closed");
    }
  }),
  layerCase("close-returned", "closes what was returned, and not its iterator", async (bench) => {
    let iteratorClosed = 0;
    const iterator = Object.assign(new Set(["one"]).values(), {
      close: () => void (iteratorClosed += 1),
    });
    await closesOnce(bench, counted({ [Symbol.iterator]: () => iterator }));
    assert.equal(iteratorClosed, 0, "how often the iterator was closed");
  }),
  layerCase(
    "close-return",
    "ends the iteration with return when the client leaves",
    async (bench) => {
      const body = closable("one", "two", "three");
      await bench.call(respond(body), "GET", { leaveAfter: 1 });
      assert.ok(body.returned, "the iterator's return is to be called");
    },
  ),
  layerCase("close-dispose", "disposes of a body without close", async (bench) => {
    let disposed = 0;
    const dispose = async (): Promise<void> => void (disposed += 1);
    const body = await bench
      .begin(respond(Object.assign(["one"], { [Symbol.asyncDispose]: dispose })))
      .body();
    await closeBody(body);
    assert.equal(disposed, 1, "how often the application's body was disposed of");
  }),
  layerCase("close-waited", "lets the server wait for close", async (bench) => {
    const events: string[] = [];
    const close = async (): Promise<void> => {
      await new Promise<void>((resolve) => void setImmediate(resolve));
      events.push("closed");
    };
    const body = await bench.begin(respond(Object.assign(["one"], { close }))).body();
    await bench.wait(Promise.resolve(closeBody(body)), "the body to be closed");
    events.push("ended");
    assert.deepEqual(events, ["closed", "ended"]);
  }),
  layerCase("close-failed", "lets what close throws out, or reports it", async (bench) => {
    const environ = bench.environ();
    const { error } = await bench.outcome(failing("close", oops), environ);
    const reported = environ["wsgi.errors"].text.includes("Oops");
    assert.ok(error === oops || reported, "the error is to be seen by somebody");
  }),
  layerCase("client-closed", "closes a body at once, though a step is pending", async (bench) => {
    const inner = counted(never("one"));
    const body = await bench.begin(respond(inner)).body();
    const iterator = isSync(body) ? body[Symbol.iterator]() : body[Symbol.asyncIterator]();
    await bench.wait(Promise.resolve(iterator.next()), "the first chunk");
    Promise.resolve(iterator.next()).catch(() => {});
    // As a server does, which waits for neither.
    for (const end of [iterator.return?.(), closeBody(body)]) Promise.resolve(end).catch(() => {});
    assert.equal(inner.timesClosed, 1, "how often the application's body was closed");
  }),
  layerCase(
    "error-unsent/call",
    "lets out what the application throws, or answers it",
    async (bench) => {
      assertFailed(await bench.outcome(failing("call", oops)), oops);
    },
  ),
  layerCase("error-unsent/start", "does so also after the start", async (bench) => {
    assertFailed(await bench.outcome(failing("start", oops)), oops);
  }),
  layerCase("error-unsent/promise", "does so for a promise that is rejected", async (bench) => {
    const app: Application = async () => {
      throw oops;
    };
    assertFailed(await bench.outcome(app), oops);
  }),
  layerCase("error-unsent/body", "does so if the first step of the body throws", async (bench) => {
    const app: Application = function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "";
      throw oops;
    };
    assertFailed(await bench.outcome(app), oops);
  }),
  layerCase("error-cut", "lets out what comes too late to be answered", async (bench) => {
    const { error } = await bench.outcome(failing("body", oops));
    assert.equal(error, oops, "the server has to cut the response off");
  }),
  layerCase("error-cut/async", "lets it out of an async body, too", async (bench) => {
    const app: Application = async function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "Hello";
      throw oops;
    };
    const { error } = await bench.outcome(app);
    assert.equal(error, oops, "the server has to cut the response off");
  }),
  layerCase("error-contained", "answers the next request after an error", async (bench) => {
    let fails = true;
    const app: Application = (environ, startResponse) => {
      if (!fails) return respond(["Hello"])(environ, startResponse);
      fails = false;
      throw oops;
    };
    const wrapped = bench.wrap(app);
    await bench.outcomeOf(wrapped);
    assert.equal((await bench.outcomeOf(wrapped)).response?.text(), bench.expected("Hello"));
  }),
];
