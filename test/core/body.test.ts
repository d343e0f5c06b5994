// oxlint-disable unicorn/no-thenable -- what has a then is the subject here
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { describe, it } from "node:test";
import {
  checkBody,
  closeBody,
  concat,
  isBody,
  isSync,
  isThenable,
  onClose,
  quietly,
  readBody,
  when,
  type Body,
  type Chunk,
} from "@wsgi/core";
import { closable } from "@wsgi/testing";
import { countPromises } from "../support/count-promises.ts";
import { turn } from "../support/serving.ts";

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

describe("isThenable()", () => {
  it("knows a promise and what behaves as one", () => {
    assert.equal(isThenable(Promise.resolve(1)), true);
    assert.equal(isThenable({ then: () => {} }), true);
  });

  it("takes what can be iterated for a body", () => {
    assert.equal(isThenable(Object.assign(["Hello"], { then: () => {} })), false);
    assert.equal(isThenable(Object.assign(later("Hello"), { then: () => {} })), false);
  });

  it("takes values for values", () => {
    assert.equal(isThenable(null), false);
    assert.equal(isThenable(undefined), false);
    assert.equal(isThenable("then"), false);
    assert.equal(isThenable({ then: "later" }), false);
  });
});

describe("when()", () => {
  it("goes on at once with a value", () => {
    assert.equal(
      when(20, (n) => n + 1),
      21,
    );
  });

  it("goes on later with a promise", async () => {
    const result = when(Promise.resolve(20), (n) => n + 1);
    assert.ok(isThenable(result));
    assert.equal(await result, 21);
  });

  it("takes a body for a value, even if it has a then()", () => {
    const body = Object.assign(["Hello"], { then: () => assert.fail("then() was called") });
    assert.equal(
      when(body, (given) => given),
      body,
    );
  });

  it("lets what next() throws out at once", () => {
    assert.throws(
      () =>
        when(1, () => {
          throw new Error("Odd");
        }),
      /^Error: Odd$/,
    );
  });

  it("gives a rejection to the third parameter", async () => {
    const failure = Promise.reject(new Error("Odd"));
    assert.equal(
      await when(
        failure,
        () => "fine",
        (error) => String(error),
      ),
      "Error: Odd",
    );
  });

  it("goes on once, whatever a thenable does", async () => {
    const heard: unknown[] = [];
    // oxlint-disable-next-line unicorn/no-thenable -- one that settles twice is what this is about
    const then = "then";
    const twice = {
      [then](resolve: (value: number) => void, reject: (error: unknown) => void) {
        resolve(20);
        reject(new Error("too late"));
      },
    } as PromiseLike<number>;
    const note = (value: unknown): void => void heard.push(value);
    await when(twice, note, note);
    assert.deepEqual(heard, [20]);
  });

  it("rejects where no third parameter is given", async () => {
    const failure = Promise.reject<string>(new Error("Odd"));
    await assert.rejects(async () => when(failure, (text) => text), /^Error: Odd$/);
  });
});

describe("isSync()", () => {
  it("is true for an array, a generator and a set", () => {
    assert.equal(isSync(["a"]), true);
    assert.equal(isSync(["a"].values()), true);
    assert.equal(isSync(new Set(["a"])), true);
  });

  it("is false for an async generator and a stream", () => {
    assert.equal(isSync(later("a")), false);
    assert.equal(isSync(Readable.from(["a"])), false);
  });
});

describe("isBody()", () => {
  it("is true for what can be iterated, at once or later", () => {
    assert.equal(isBody([]), true);
    assert.equal(isBody(later()), true);
    assert.equal(isBody(Readable.from([])), true);
  });

  it("is false for a chunk", () => {
    assert.equal(isBody("Hello"), false);
    assert.equal(isBody(new Uint8Array(1)), false);
    assert.equal(isBody(Buffer.from("Hello")), false);
  });

  it("is false for a promise, a plain object and nothing", () => {
    assert.equal(isBody(Promise.resolve([])), false);
    assert.equal(isBody({}), false);
    assert.equal(isBody(null), false);
    assert.equal(isBody(undefined), false);
  });
});

describe("checkBody()", () => {
  it("returns a body", () => {
    const body = ["Hello"];
    assert.equal(checkBody(body), body);
  });

  it("says what to return instead of text", () => {
    assert.throws(() => checkBody("Hello"), {
      side: "application",
      message:
        "Cannot send the body: the application returned a string; wanted an iterable of chunks: return [text] [body-iterable]",
    });
  });

  it("names what it was given", () => {
    assert.throws(() => checkBody(undefined), /returned undefined; wanted an iterable/);
    assert.throws(() => checkBody(null), /returned null;/);
    assert.throws(() => checkBody(42), /returned a number;/);
    assert.throws(() => checkBody(new URL("http://a/")), /returned an object of type URL;/);
    assert.throws(() => checkBody(Object.create(null)), /returned an object of type Object;/);
  });
});

describe("closeBody()", () => {
  it("calls close() as a method of the body", () => {
    const body = closable("Hello");
    closeBody(body);
    assert.equal(body.timesClosed, 1);
  });

  it("does nothing for a body without one", () => {
    assert.equal(closeBody(["Hello"]), undefined);
  });

  it("returns the promise of an asynchronous close()", async () => {
    const closing = closeBody(Object.assign([], { close: async () => {} }));
    assert.ok(closing instanceof Promise);
    await closing;
  });

  it("lets what close() throws out", () => {
    const body = Object.assign([], {
      close() {
        throw new Error("Odd");
      },
    });
    assert.throws(() => closeBody(body), /^Error: Odd$/);
  });

  it("falls back to the disposer, the asynchronous one first", async () => {
    const disposed: string[] = [];
    const sync = { [Symbol.dispose]: () => void disposed.push("sync") };
    const async = { [Symbol.asyncDispose]: async () => void disposed.push("async") };
    await closeBody(Object.assign([], sync, async));
    await closeBody(Object.assign([], sync));
    assert.deepEqual(disposed, ["async", "sync"]);
  });

  it("leaves the disposer alone where there is a close()", () => {
    const disposed: string[] = [];
    const body = Object.assign([], {
      close: () => void disposed.push("close"),
      [Symbol.dispose]: () => void disposed.push("dispose"),
    });
    closeBody(body);
    assert.deepEqual(disposed, ["close"]);
  });

  it("leaves alone a stream that has failed, and has said so to its reader", async () => {
    const stream = Readable.from(
      (async function* () {
        yield "Hello";
        throw new Error("It broke");
      })(),
    );
    await assert.rejects(stream.toArray(), /It broke/);
    await closeBody(stream);
  });

  it("cancels a web stream that was never read, and waits for that", async () => {
    const done: string[] = [];
    const cancel = async (): Promise<void> => {
      await turn();
      done.push("cancelled");
    };
    await closeBody(new ReadableStream({ cancel }));
    assert.deepEqual(done, ["cancelled"]);
  });

  it("leaves alone a web stream that somebody reads", () => {
    const stream = new ReadableStream();
    stream.getReader();
    assert.equal(closeBody(stream), undefined);
  });

  it("leaves alone a web stream that has failed, and has said so to its reader", async () => {
    const stream = new ReadableStream({ pull: () => Promise.reject(new Error("It broke")) });
    await assert.rejects(readBody(stream) as Promise<unknown>, /It broke/);
    await closeBody(stream);
  });

  it("destroys a stream that was never read", async () => {
    const stream = Readable.from(["Hello"]);
    stream.on("error", () => {});
    await closeBody(stream);
    assert.equal(stream.destroyed, true);
  });
});

describe("quietly()", () => {
  it("does it at once", () => {
    const body = closable("Hello");
    assert.equal(
      quietly(() => closeBody(body)),
      undefined,
    );
    assert.equal(body.timesClosed, 1);
  });

  it("drops what is thrown", () => {
    assert.equal(
      quietly(() => assert.fail("Odd")),
      undefined,
    );
  });

  it("tells of what is thrown, or of a rejection, whoever is to hear of it", async () => {
    const told: unknown[] = [];
    const tell = (error: unknown): void => void told.push(error);
    void quietly(() => {
      throw "thrown";
    }, tell);
    await quietly(() => Promise.reject("rejected"), tell);
    assert.deepEqual(told, ["thrown", "rejected"]);
  });

  it("drops a rejection, and waits for it", async () => {
    let closed = false;
    await quietly(async () => {
      await Promise.resolve();
      closed = true;
      throw new Error("Odd");
    });
    assert.equal(closed, true);
  });
});

describe("onClose()", () => {
  it("refuses a bare string, which would go out letter by letter", () => {
    const text = "Hello" as unknown as Body;
    assert.throws(() => onClose(text, () => {}), /return \[text\] \[body-iterable\]$/);
  });

  it("runs after the body's own close()", () => {
    const closed: string[] = [];
    closeBody(onClose(signing("body", closed), () => void closed.push("after")));
    assert.deepEqual(closed, ["body", "after"]);
  });

  it("runs for a body without close(), iterated or not", async () => {
    const closed: string[] = [];
    await closeBody(onClose(["a"], () => void closed.push("array")));
    await closeBody(onClose(later("a"), () => void closed.push("async")));
    assert.deepEqual(closed, ["array", "async"]);
  });

  it("runs once, however often the body is closed", () => {
    let times = 0;
    const body = onClose(["a"], () => void times++);
    closeBody(body);
    closeBody(body);
    assert.equal(times, 1);
  });

  it("runs even if the body's close() throws, and lets that error out", () => {
    const closed: string[] = [];
    const body = Object.assign(["a"], {
      close() {
        throw new Error("Odd");
      },
    });
    assert.throws(() => closeBody(onClose(body, () => void closed.push("after"))), /^Error: Odd$/);
    assert.deepEqual(closed, ["after"]);
  });

  it("runs even if the body's close() rejects, and rejects with that error", async () => {
    const closed: string[] = [];
    const body = Object.assign(["a"], { close: () => Promise.reject(new Error("Odd")) });
    const longer = onClose(body, () => void closed.push("after"));
    await assert.rejects(async () => closeBody(longer), /^Error: Odd$/);
    assert.deepEqual(closed, ["after"]);
  });

  it("runs if the body's close() returns a thenable that is no Promise", async () => {
    const closed: string[] = [];
    const close = (): Promise<void> => ({ then: (done: () => void) => done() }) as never;
    await closeBody(onClose(Object.assign(["a"], { close }), () => void closed.push("after")));
    assert.deepEqual(closed, ["after"]);
  });

  it("waits for what it runs after a close() that throws", async () => {
    const closed: string[] = [];
    const body = Object.assign(["a"], { close: () => assert.fail("Odd") });
    const longer = onClose(body, async () => {
      await Promise.resolve();
      closed.push("after");
    });
    await assert.rejects(async () => closeBody(longer), /Odd/);
    assert.deepEqual(closed, ["after"]);
  });

  it("waits for both where they are asynchronous", async () => {
    const closed: string[] = [];
    const sign = (name: string) => async () => {
      await Promise.resolve();
      closed.push(name);
    };
    await closeBody(onClose(Object.assign(["a"], { close: sign("body") }), sign("after")));
    assert.deepEqual(closed, ["body", "after"]);
  });

  it("keeps an array an array, and a shared one as it is", () => {
    const shared = Object.freeze(["a"]);
    const body = onClose(shared, () => {});
    assert.ok(Array.isArray(body));
    assert.deepEqual([...body], ["a"]);
    assert.equal("close" in shared, false);
  });

  it("hands the iterator of the body on", () => {
    const body = closable("a", "b");
    for (const chunk of onClose(body, () => {}) as Iterable<Chunk>) if (chunk === "a") break;
    assert.equal(body.returned, true);
    assert.equal(body.taken, 1);
  });

  it("creates no promise for a synchronous body", () => {
    const promises = countPromises(() => {
      closeBody(onClose(["a"], () => {}));
      closeBody(onClose(closable("a"), () => {}));
    });
    assert.equal(promises, 0);
  });
});

describe("concat()", () => {
  it("makes one array of arrays", () => {
    assert.deepEqual(concat(["a"], [], ["b", "c"]), ["a", "b", "c"]);
  });

  it("copies a single array, which may be shared", () => {
    const shared = ["a"];
    assert.notEqual(concat(shared), shared);
  });

  it("makes an empty body of none", () => {
    assert.deepEqual(concat(), []);
  });

  it("makes an iterable if all are synchronous", () => {
    const both = concat(["a"], closable("b"));
    assert.ok(isSync(both));
    assert.deepEqual([...both], ["a", "b"]);
  });

  it("makes an async iterable if one of them is", async () => {
    const all = concat(["a"], later("b"), closable("c"));
    assert.equal(isSync(all), false);
    assert.deepEqual(await collect(all), ["a", "b", "c"]);
  });

  it("starts a body when the one before it has ended", () => {
    const second = closable("b");
    const iterator = (concat(closable("a"), second) as Iterable<Chunk>)[Symbol.iterator]();
    iterator.next();
    assert.equal(second.taken, 0);
    iterator.next();
    assert.equal(second.taken, 1);
  });

  it("ends the iteration that is under way when it is left early", () => {
    const first = closable("a", "b");
    for (const chunk of concat(first, ["c"]) as Iterable<Chunk>) if (chunk === "a") break;
    assert.equal(first.returned, true);
  });

  it("closes all of them once, first to last, started or not", () => {
    const closed: string[] = [];
    const all = concat(signing("a", closed), closable("b"), signing("c", closed));
    closeBody(all);
    closeBody(all);
    assert.deepEqual(closed, ["a", "c"]);
  });

  it("closes those behind a body whose close() throws", () => {
    const closed: string[] = [];
    const bad = Object.assign(["a"], {
      close() {
        throw new Error("Odd");
      },
    });
    assert.throws(() => closeBody(concat(bad, signing("b", closed))), /^Error: Odd$/);
    assert.deepEqual(closed, ["b"]);
  });

  it("waits for each close() before the next", async () => {
    const closed: string[] = [];
    const slow = Object.assign(["a"], {
      close: async () => {
        await Promise.resolve();
        closed.push("a");
      },
    });
    await closeBody(concat(slow, signing("b", closed)));
    assert.deepEqual(closed, ["a", "b"]);
  });
});
