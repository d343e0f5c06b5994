import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import {
  capture,
  closeBody,
  isSync,
  readBody,
  setupTestingDefaults,
  toBytes,
  type Application,
  type Body,
  type Captured,
  type Chunk,
  type MaybePromise,
} from "@wsgi/core";
import { closable, failing, late, respond, slow, writing } from "@wsgi/testing";
import { countPromises } from "../support/count-promises.ts";

const decoder = new TextDecoder();

async function textOf(body: Body): Promise<string> {
  return decoder.decode(await readBody(body));
}

/** Makes a promise that is fulfilled from outside. */
function promise(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const made = new Promise<void>((fulfil) => void (resolve = fulfil));
  return { promise: made, resolve };
}

/** Captures an application that answers at once. */
function captureNow(app: Application): Captured {
  const captured: MaybePromise<Captured> = capture(app, setupTestingDefaults());
  assert.ok("status" in captured);
  return captured;
}

describe("capture()", () => {
  it("gives the head and the body of a response", async () => {
    const app = respond(["Gone"], { status: "410 Gone", headers: [["X-A", "1"]] });
    const { status, headers, body } = captureNow(app);
    assert.equal(status, "410 Gone");
    assert.deepEqual(headers, [["X-A", "1"]]);
    assert.equal(await textOf(body), "Gone");
  });

  it("leaves a body unread whose response has started", () => {
    const body = closable("a");
    assert.equal(captureNow(respond(body)).body, body);
    assert.equal(body.taken, 0);
  });

  it("reads a late body up to its first chunk, and not further", () => {
    const asked: string[] = [];
    const { status, body } = captureNow(function* app(_environ, startResponse) {
      startResponse("200 OK", []);
      yield "a";
      asked.push("b");
      yield "b";
    });
    assert.equal(status, "200 OK");
    assert.deepEqual(asked, []);
    assert.deepEqual([...(body as Iterable<Chunk>)], ["a", "b"]);
  });

  it("waits through empty chunks for the start", async () => {
    assert.equal(await textOf(captureNow(late("Hello")).body), "Hello");
  });

  it("takes a start without any chunk", async () => {
    assert.equal(await textOf(captureNow(late()).body), "");
  });

  it("captures an asynchronous application", async () => {
    const { status, body } = await capture(slow("one", "two"), setupTestingDefaults());
    assert.equal(status, "200 OK");
    assert.equal(await textOf(body), "onetwo");
  });

  it("captures an async generator that starts late", async () => {
    const { status, body } = await capture(async function* app(_environ, startResponse) {
      yield "";
      startResponse("201 Created", []);
      yield "a";
      yield "b";
    }, setupTestingDefaults());
    assert.equal(status, "201 Created");
    assert.equal(isSync(body), false);
    assert.equal(await textOf(body), "ab");
  });

  it("puts what was written before what was returned", async () => {
    assert.equal(await textOf(captureNow(writing(["a", "b"], ["c"])).body), "abc");
  });

  it("puts what a late body wrote before what it yields", async () => {
    const { body } = captureNow(function* app(_environ, startResponse) {
      void startResponse("200 OK", [])("a");
      yield "b";
    });
    assert.equal(await textOf(body), "ab");
  });

  it("refuses to write behind what it has handed out", () => {
    const { body } = captureNow(function* app(_environ, startResponse) {
      const write = startResponse("200 OK", []);
      yield "a";
      void write("b");
    });
    assert.throws(() => [...(body as Iterable<Chunk>)], { clause: "write-outside" });
  });

  it("takes the head that replaces the first", () => {
    const { status } = captureNow((_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("500 Internal Server Error", [], new Error("Odd"));
      return [];
    });
    assert.equal(status, "500 Internal Server Error");
  });

  it("throws excInfo once the head has been handed out", () => {
    const odd = new Error("Odd");
    const { body } = captureNow(function* app(_environ, startResponse) {
      startResponse("200 OK", []);
      yield "a";
      startResponse("500 Internal Server Error", [], odd);
    });
    assert.throws(
      () => [...(body as Iterable<Chunk>)],
      (error) => error === odd,
    );
  });

  it("throws excInfo after a write()", () => {
    const odd = new Error("Odd");
    const app: Application = (_environ, startResponse) => {
      void startResponse("200 OK", [])("a");
      startResponse("500 Internal Server Error", [], odd);
      return [];
    };
    assert.throws(
      () => captureNow(app),
      (error) => error === odd,
    );
  });

  it("takes a body for a body, even if it has a then()", async () => {
    const body = {
      *[Symbol.iterator]() {
        yield "a";
      },
      // oxlint-disable-next-line unicorn/no-thenable -- database queries have both
      then: () => assert.fail("then() was called"),
    };
    assert.equal(captureNow(respond(body)).body, body);
  });

  it("lets an error of the call out", () => {
    assert.throws(() => captureNow(failing("call")), /^Error: Failed in call$/);
  });

  it("lets a rejection of the call out", async () => {
    const app: Application = async () => Promise.reject(new Error("Odd"));
    await assert.rejects(async () => capture(app, setupTestingDefaults()), /^Error: Odd$/);
  });

  it("refuses what is no body", () => {
    assert.throws(() => captureNow((() => "Hello") as never), { clause: "body-iterable" });
  });

  it("refuses a chunk before the start, and closes the body", () => {
    const body = closable("a");
    assert.throws(() => captureNow(() => body), { clause: "start-before-body" });
    assert.equal(body.timesClosed, 1);
    assert.equal(body.returned, true);
  });

  it("refuses an async chunk before the start, ends the iteration and closes the body", async () => {
    const log: string[] = [];
    const app: Application = () => ({
      async *[Symbol.asyncIterator]() {
        try {
          yield "a";
        } finally {
          log.push("finally");
        }
      },
      close: () => void log.push("close"),
    });
    const response = async (): Promise<Captured> => capture(app, setupTestingDefaults());
    await assert.rejects(response, { clause: "start-before-body" });
    assert.deepEqual(log, ["finally", "close"]);
  });

  it("refuses a body that ends without a start, and closes it", async () => {
    const body = closable("");
    assert.throws(() => captureNow(() => body), { clause: "start-before-body" });
    assert.equal(body.timesClosed, 1);
  });

  it("closes a late body that throws before its first chunk", () => {
    let closed = 0;
    const app: Application = () => ({
      // oxlint-disable-next-line require-yield -- it fails before it could
      *[Symbol.iterator]() {
        throw new Error("Odd");
      },
      close: () => void closed++,
    });
    assert.throws(() => captureNow(app), /^Error: Odd$/);
    assert.equal(closed, 1);
  });

  it("closes a late async body that throws before its first chunk", async () => {
    let closed = 0;
    const app: Application = () => ({
      // oxlint-disable-next-line require-yield -- it fails before it could
      async *[Symbol.asyncIterator]() {
        throw new Error("Odd");
      },
      close: async () => void closed++,
    });
    await assert.rejects(async () => capture(app, setupTestingDefaults()), /^Error: Odd$/);
    assert.equal(closed, 1);
  });

  it("waits for the close() of a late body that throws before its first chunk", async () => {
    const { promise: closing, resolve: close } = promise();
    const app: Application = () => ({
      // oxlint-disable-next-line require-yield -- it fails before it could
      *[Symbol.iterator]() {
        throw new Error("Odd");
      },
      close: () => closing,
    });
    const captured = Promise.resolve(capture(app, setupTestingDefaults()));
    assert.match(inspect(captured), /pending/);
    close();
    await assert.rejects(captured, /^Error: Odd$/);
  });

  it("keeps the first error if close() fails too", async () => {
    const failure = (): Promise<void> => Promise.reject(new Error("Second"));
    const app: Application = () => ({
      // oxlint-disable-next-line require-yield -- it fails before it could
      *[Symbol.iterator]() {
        throw new Error("First");
      },
      close: failure,
    });
    await assert.rejects(async () => capture(app, setupTestingDefaults()), /^Error: First$/);
  });

  it("hands the close() of a late body on, once", () => {
    const body = closable("", "a");
    const app: Application = (_environ, startResponse) => ({
      *[Symbol.iterator]() {
        startResponse("200 OK", []);
        yield* body;
      },
      close: () => body.close(),
    });
    const captured = captureNow(app);
    closeBody(captured.body);
    closeBody(captured.body);
    assert.equal(body.timesClosed, 1);
  });

  it("ends the iteration that it has begun, once, before it closes the body", () => {
    const log: string[] = [];
    const { body } = captureNow((_environ, startResponse) => ({
      [Symbol.iterator]() {
        startResponse("200 OK", []);
        const step = { done: false, value: "a" };
        const end = { done: true as const, value: undefined };
        return { next: () => step, return: () => (log.push("return"), end) };
      },
      close: () => void log.push("close"),
    }));
    for (const chunk of body as Iterable<Chunk>) if (log.push(String(chunk)) === 2) break;
    closeBody(body);
    assert.deepEqual(log, ["a", "a", "return", "close"]);
  });

  it("ends a late generator that nobody reads on", () => {
    const log: string[] = [];
    const { body } = captureNow(function* app(_environ, startResponse) {
      try {
        startResponse("200 OK", []);
        yield "a";
      } finally {
        log.push("finally");
      }
    });
    closeBody(body);
    assert.deepEqual(log, ["finally"]);
  });

  it("ends a late generator that is left at its first chunk", () => {
    const log: string[] = [];
    const { body } = captureNow(function* app(_environ, startResponse) {
      try {
        startResponse("200 OK", []);
        yield "a";
        yield "b";
      } finally {
        log.push("finally");
      }
    });
    for (const chunk of body as Iterable<Chunk>) if (log.push(String(chunk)) === 1) break;
    closeBody(body);
    assert.deepEqual(log, ["a", "finally"]);
  });

  it("ends a late async generator that nobody reads on, and waits for it", async () => {
    const log: string[] = [];
    const app: Application = async function* (_environ, startResponse) {
      try {
        startResponse("200 OK", []);
        yield "a";
      } finally {
        await Promise.resolve();
        log.push("finally");
      }
    };
    const { body } = await capture(app, setupTestingDefaults());
    await closeBody(body);
    assert.deepEqual(log, ["finally"]);
  });

  it("does not end an iteration that is over", () => {
    const chunks = closable("", "a");
    const { body } = captureNow((_environ, startResponse) => ({
      [Symbol.iterator]() {
        startResponse("200 OK", []);
        return chunks[Symbol.iterator]();
      },
    }));
    assert.deepEqual([...(body as Iterable<Chunk>)], ["", "a"]);
    closeBody(body);
    assert.equal(chunks.returned, false);
  });

  it("closes a late body that is waiting for its next chunk", async () => {
    const [asked, closed] = [promise(), promise()];
    const app: Application = (_environ, startResponse) => ({
      async *[Symbol.asyncIterator]() {
        startResponse("200 OK", []);
        yield "a";
        asked.resolve();
        await closed.promise;
      },
      close: () => closed.resolve(),
    });
    const { body } = await capture(app, setupTestingDefaults());
    const iterator = (body as AsyncIterable<Chunk>)[Symbol.asyncIterator]();
    await iterator.next();
    const last = iterator.next();
    await asked.promise;
    await closeBody(body);
    assert.deepEqual(await last, { done: true, value: undefined });
  });

  it("waits through empty bytes too", async () => {
    const { body } = captureNow(function* app(_environ, startResponse) {
      yield new Uint8Array(0);
      startResponse("200 OK", []);
      yield "a";
    });
    assert.equal(await textOf(body), "a");
  });

  it("refuses what is no chunk before the start", () => {
    const body = closable(42 as never);
    assert.throws(() => captureNow(() => body), { clause: "body-chunk" });
    assert.equal(body.timesClosed, 1);
  });

  it("closes the body it refuses even if its iteration cannot be ended", () => {
    let closed = 0;
    const app: Application = () => ({
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: "a" }),
        return: () => assert.fail("Second"),
      }),
      close: () => void closed++,
    });
    assert.throws(() => captureNow(app), { clause: "start-before-body" });
    assert.equal(closed, 1);
  });

  it("creates no promise for a synchronous application", () => {
    const environ = setupTestingDefaults();
    const promises = countPromises(() => {
      void capture(respond(["Hello"]), environ);
      void capture(late("Hello"), environ);
      void capture(writing(["Hello"]), environ);
    });
    assert.equal(promises, 0);
    assert.equal(
      countPromises(() => void Promise.resolve()),
      1,
    );
  });
});

describe("readBody()", () => {
  it("reads a synchronous body at once", () => {
    const bytes = readBody(["Hello, ", toBytes("world!")]);
    assert.ok(bytes instanceof Uint8Array);
    assert.equal(decoder.decode(bytes), "Hello, world!");
  });

  it("reads an asynchronous body", async () => {
    async function* body(): AsyncGenerator<Chunk> {
      yield "a";
      yield "b";
    }
    assert.equal(await textOf(body()), "ab");
  });

  it("closes the body once", async () => {
    const body = closable("a");
    await readBody(body);
    assert.equal(body.timesClosed, 1);
  });

  it("waits for an asynchronous close()", async () => {
    let closed = false;
    const close = async (): Promise<void> => {
      await Promise.resolve();
      closed = true;
    };
    await readBody(Object.assign(["a"], { close }));
    assert.equal(closed, true);
  });

  it("closes the body that it refuses to read on", () => {
    const body = closable("a", 42 as never, "b");
    assert.throws(() => readBody(body), { clause: "body-chunk" });
    assert.equal(body.timesClosed, 1);
    assert.equal(body.returned, true);
  });

  it("waits for an asynchronous close() of the body that it refuses", async () => {
    const { promise: closing, resolve: close } = promise();
    const body = Object.assign([42], { close: () => closing }) as never;
    const read = Promise.resolve(readBody(body));
    assert.match(inspect(read), /pending/);
    close();
    await assert.rejects(read, { clause: "body-chunk" });
  });

  it("closes an asynchronous body that fails, and keeps its error", async () => {
    let closed = 0;
    const body: Body = {
      async *[Symbol.asyncIterator]() {
        yield "a";
        throw new Error("First");
      },
      close() {
        closed++;
        throw new Error("Second");
      },
    };
    await assert.rejects(async () => readBody(body), /^Error: First$/);
    assert.equal(closed, 1);
  });

  it("lets an error of close() out", () => {
    const body = Object.assign(["a"], {
      close() {
        throw new Error("Odd");
      },
    });
    assert.throws(() => readBody(body), /^Error: Odd$/);
  });

  it("creates no promise for a synchronous body", () => {
    assert.equal(
      countPromises(() => void readBody(closable("a", "b"))),
      0,
    );
  });
});
