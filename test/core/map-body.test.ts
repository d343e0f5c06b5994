import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closeBody, concat, isSync, mapBody, type Body, type Chunk } from "@wsgi/core";
import { closable } from "@wsgi/testing";
import { countPromises } from "../support/count-promises.ts";

const shout = (chunk: Chunk): Chunk => String(chunk).toUpperCase();

async function* later(...chunks: Chunk[]): AsyncGenerator<Chunk, void, undefined> {
  yield* chunks;
}

async function collect(body: Body): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks;
}

/** Signs a list when it is closed. */
function signing(name: string, closed: string[]): Body {
  return Object.assign([name], { close: () => void closed.push(name) });
}

describe("mapBody()", () => {
  it("makes an array of an array", () => {
    const mapped = mapBody(["Hello"], { chunk: shout, end: () => "!" });
    assert.deepEqual(mapped, ["HELLO", "!"]);
  });

  it("leaves a shared array as it is", () => {
    const shared: readonly Chunk[] = Object.freeze(["Hello"]);
    const mapped = mapBody(shared, { end: () => "!" });
    assert.deepEqual(mapped, ["Hello", "!"]);
    assert.deepEqual(shared, ["Hello"]);
  });

  it("makes an iterable of an iterable, and an async one of an async one", async () => {
    assert.deepEqual(await collect(mapBody(new Set(["a"]), { chunk: shout })), ["A"]);
    assert.equal(isSync(mapBody(new Set(["a"]), {})), true);
    assert.deepEqual(await collect(mapBody(later("a"), { chunk: shout })), ["A"]);
    assert.equal(isSync(mapBody(later("a"), {})), false);
  });

  it("adds the last chunk once, behind the others", async () => {
    assert.deepEqual(await collect(mapBody(closable("a"), { end: () => "z" })), ["a", "z"]);
    assert.deepEqual(await collect(mapBody(later("a"), { end: () => "z" })), ["a", "z"]);
  });

  it("adds nothing if end() has nothing", async () => {
    assert.deepEqual(mapBody(["a"], { end: () => undefined }), ["a"]);
    assert.deepEqual(await collect(mapBody(closable("a"), { end: () => undefined })), ["a"]);
  });

  it("tells failed() of an error in the body, and lets it go on", async () => {
    const failures: unknown[] = [];
    const error = new Error("in the body");
    const failed = (thrown: unknown): void => void failures.push(thrown);
    const broken: Body = {
      *[Symbol.iterator]() {
        yield "a";
        throw error;
      },
    };
    await assert.rejects(collect(mapBody(broken, { failed })), error);
    const brokenLater: Body = {
      async *[Symbol.asyncIterator]() {
        yield* broken as Iterable<Chunk>;
      },
    };
    await assert.rejects(collect(mapBody(brokenLater, { failed })), error);
    assert.deepEqual(failures, [error, error]);
  });

  it("tells failed() of an error in the map itself", async () => {
    const failures: unknown[] = [];
    const error = new Error("in the map");
    const chunk = (): never => {
      throw error;
    };
    const mapped = mapBody(later("a"), { chunk, failed: (thrown) => void failures.push(thrown) });
    await assert.rejects(collect(mapped), error);
    assert.deepEqual(failures, [error]);
  });

  it("takes an async iterator whose steps are no promises", async () => {
    const steps = [
      { done: false, value: "a" },
      { done: true, value: undefined },
    ];
    const body = { [Symbol.asyncIterator]: () => ({ next: () => steps.shift() }) };
    assert.deepEqual(await collect(mapBody(body as unknown as Body, { chunk: shout })), ["A"]);
  });

  it("refuses a bare string, which would go out letter by letter", () => {
    assert.throws(
      () => mapBody("Hello" as unknown as Body, {}),
      /return \[text\] \[body-iterable\]$/,
    );
  });

  it("reads a chunk only when it is asked for one", () => {
    const body = closable("a", "b");
    const iterator = (mapBody(body, { chunk: shout }) as Iterable<Chunk>)[Symbol.iterator]();
    assert.equal(body.taken, 0);
    iterator.next();
    assert.equal(body.taken, 1);
  });

  it("ends the iteration below when it is left early, without a last chunk", () => {
    const body = closable("a", "b");
    const mapped = mapBody(body, { end: () => assert.fail("end() was called") });
    for (const chunk of mapped as Iterable<Chunk>) {
      assert.equal(chunk, "a");
      break;
    }
    assert.equal(body.returned, true);
  });

  it("ends an async iteration below when it is left early", async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<Chunk> {
      try {
        for (;;) yield "a";
      } finally {
        ended = true;
      }
    }
    for await (const chunk of mapBody(endless(), { chunk: shout })) if (chunk === "A") break;
    assert.equal(ended, true);
  });

  it("ends the iteration below when the map throws", () => {
    const body = closable("a", "b");
    const mapped = mapBody(body, {
      chunk() {
        throw new Error("Odd");
      },
    });
    assert.throws(() => [...(mapped as Iterable<Chunk>)], /^Error: Odd$/);
    assert.equal(body.returned, true);
  });

  it("ends an async iteration below when the map throws", async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<Chunk> {
      try {
        for (;;) yield "a";
      } finally {
        ended = true;
      }
    }
    const mapped = mapBody(endless(), {
      chunk() {
        throw new Error("Odd");
      },
    });
    await assert.rejects(collect(mapped), /^Error: Odd$/);
    assert.equal(ended, true);
  });

  it("keeps the map's error if the iteration below cannot be ended", async () => {
    const next = { done: false, value: "a" };
    const odd = (): never => assert.fail("Odd");
    const sync = { [Symbol.iterator]: () => ({ next: () => next, return: odd }) };
    const async = { [Symbol.asyncIterator]: () => ({ next: async () => next, return: odd }) };
    const chunk = (): never => assert.fail("First");
    assert.throws(() => [...(mapBody(sync, { chunk }) as Iterable<Chunk>)], /First/);
    await assert.rejects(collect(mapBody(async, { chunk })), /First/);
  });

  it("closes an array whose map throws, because its caller gets nothing to close", () => {
    const closed: string[] = [];
    const chunk = (): never => assert.fail("Odd");
    assert.throws(() => mapBody(signing("a", closed), { chunk }), /Odd/);
    assert.throws(() => mapBody(signing("b", closed), { end: chunk }), /Odd/);
    assert.deepEqual(closed, ["a", "b"]);
  });

  it("closes the body, and only once", () => {
    const body = closable("a");
    const mapped = mapBody(body, { chunk: shout });
    closeBody(mapped);
    closeBody(mapped);
    assert.equal(body.timesClosed, 1);
  });

  it("closes an array only once", () => {
    const closed: string[] = [];
    const mapped = mapBody(signing("a", closed), { chunk: shout });
    closeBody(mapped);
    closeBody(mapped);
    assert.deepEqual(closed, ["a"]);
  });

  it("keeps the close() of an array", () => {
    const closed: string[] = [];
    const mapped = mapBody(signing("a", closed), { chunk: shout });
    assert.ok(Array.isArray(mapped));
    closeBody(mapped);
    assert.deepEqual(closed, ["a"]);
  });

  it("gives an array without close() none", () => {
    assert.equal(mapBody(["a"], {}).close, undefined);
  });

  it("creates no promise for a synchronous body", () => {
    const map = { chunk: shout, end: () => "!" };
    const promises = countPromises(() => {
      void mapBody(["a"], map);
      const body = mapBody(closable("a"), map);
      for (const chunk of body as Iterable<Chunk>) assert.ok(chunk);
      closeBody(body);
    });
    assert.equal(promises, 0);
    assert.equal(
      countPromises(() => void Promise.resolve()),
      1,
    );
  });
});

describe("mapBody() of what mapBody() made", () => {
  const signed = (body: Body, name: string, failures: string[] = []): Body =>
    mapBody(body, {
      chunk: (chunk) => `${name}(${String(chunk)})`,
      end: () => name,
      failed: (error) => void failures.push(`${name}: ${(error as Error).message}`),
    });

  it("changes each chunk in turn, the inner one first, and the last ones too", async () => {
    const chunks = await collect(signed(signed(later("x"), "a"), "b"));
    assert.deepEqual(chunks, ["b(a(x))", "b(a)", "b"]);
    assert.deepEqual(await collect(signed(signed(closable("x"), "a"), "b")), chunks);
  });

  it("tells each of an error in the body, the inner one first", async () => {
    const failures: string[] = [];
    const broken: Body = {
      async *[Symbol.asyncIterator]() {
        yield "x";
        throw new Error("Odd");
      },
    };
    await assert.rejects(collect(signed(signed(broken, "a", failures), "b", failures)), /Odd/);
    assert.deepEqual(failures, ["a: Odd", "b: Odd"]);
  });

  it("tells the outer one of an error in the inner one, and ends the iteration below", async () => {
    const failures: string[] = [];
    const body = closable("x", "y");
    const async = { [Symbol.asyncIterator]: () => (body as Iterable<Chunk>)[Symbol.iterator]() };
    const chunk = (): never => assert.fail("Odd");
    await assert.rejects(
      collect(signed(mapBody(async as unknown as Body, { chunk }), "b", failures)),
    );
    assert.deepEqual(failures, ["b: Odd"]);
    assert.equal(body.returned, true);
  });

  it("closes the body, and only once", () => {
    const body = closable("x");
    const mapped = signed(signed(body, "a"), "b");
    closeBody(mapped);
    closeBody(mapped);
    assert.equal(body.timesClosed, 1);
  });

  it("takes no more promises for a step than one mapBody()", () => {
    const promises = (body: Body): number => {
      const iterator = (body as AsyncIterable<Chunk>)[Symbol.asyncIterator]();
      return countPromises(() => void iterator.next());
    };
    assert.equal(
      promises(signed(signed(signed(later("x"), "a"), "b"), "c")),
      promises(signed(later("x"), "a")),
    );
  });
});

describe("an array that has a disposer in place of close()", () => {
  it("is disposed of when what mapBody() made of it is closed", async () => {
    let disposed = 0;
    const array = Object.assign(["Hello"], { [Symbol.asyncDispose]: async () => void disposed++ });
    await closeBody(mapBody(array, {}));
    assert.equal(disposed, 1);
  });

  it("is disposed of when what concat() made of it is closed", async () => {
    let disposed = 0;
    const array = Object.assign(["Hello"], { [Symbol.asyncDispose]: async () => void disposed++ });
    await closeBody(concat(array, ["!"]));
    assert.equal(disposed, 1);
  });
});
