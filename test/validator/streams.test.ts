import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  chunks,
  createInput,
  pieces,
  readPieceKey,
  toBytes,
  type Application,
  type Environ,
  type ErrorStream,
  type InputStream,
  type PieceStream,
} from "@wsgi/core";
import { environFor, respond } from "@wsgi/testing";
import { judge } from "../support/validating.ts";
import { turn } from "../support/serving.ts";

const hello = respond(["Hello"]);

/** Is an application that uses an input, or an errors stream, in some way. */
function uses<Key extends "wsgi.input" | "wsgi.errors">(
  key: Key,
  use: (stream: Environ[Key]) => unknown,
): Application {
  return async (environ, startResponse) => {
    await use(environ[key]);
    return hello(environ, startResponse);
  };
}

/** Tells what a validator says of an application that reads a body of two lines. */
async function judgeReading(read: (input: InputStream) => unknown): Promise<readonly string[]> {
  const request = environFor("POST /", { body: "one\ntwo\n" });
  return (await judge(uses("wsgi.input", read), request)).faults;
}

/** Tells what a validator says of an input that has answers of its own. */
async function judgeInput(
  input: Partial<Record<keyof PieceStream, () => unknown>>,
  read: (input: InputStream) => unknown,
  keys: Readonly<Record<string, unknown>> = {},
): Promise<readonly string[]> {
  const whole = { ...createInput(() => null), read() {}, readline() {}, readlines() {} };
  const lines = { [Symbol.asyncIterator]: () => {} };
  const environ = { "wsgi.input": { ...whole, ...lines, ...input }, ...keys };
  return (await judge(uses("wsgi.input", read), environFor("POST /", { environ }))).faults;
}

/** Tells what a validator says of the use of wsgi.errors. */
async function judgeWriting(write: (errors: ErrorStream) => unknown): Promise<readonly string[]> {
  return (await judge(uses("wsgi.errors", write))).faults;
}

const untyped = (stream: unknown): Record<string, (...args: unknown[]) => unknown> =>
  stream as Record<string, (...args: unknown[]) => unknown>;

/** Answers with these texts in turn, and then with nothing. */
function gives(...texts: readonly string[]): () => Uint8Array {
  const left = [...texts];
  return () => toBytes(left.shift() ?? "");
}

describe("a validator on wsgi.input", () => {
  it("hands on each piece as it comes", async () => {
    const arriving = ["one", "two"].map(toBytes);
    const environ = { "wsgi.input": createInput(() => arriving.shift() ?? null) };
    const found: string[] = [];
    const app = uses("wsgi.input", async (input) => {
      for await (const piece of pieces(input)) found.push(new TextDecoder().decode(piece));
    });
    assert.deepEqual((await judge(app, environFor("POST /", { environ }))).faults, []);
    assert.deepEqual(found, ["one", "two"]);
  });

  it("names a server whose pieces go on behind their end", async () => {
    const left = ["one", "", "more"].map(toBytes);
    const piece = { [readPieceKey]: () => left.shift()! };
    const read = async (input: InputStream): Promise<void> => {
      const stream = input as PieceStream;
      while (left.length > 0) await stream[readPieceKey]();
    };
    assert.deepEqual(await judgeInput(piece, read), ["server input-end"]);
  });

  it("takes every way of reading", async () => {
    assert.deepEqual(await judgeReading((input) => input.read()), []);
    assert.deepEqual(await judgeReading((input) => input.read(3)), []);
    assert.deepEqual(await judgeReading((input) => input.readline()), []);
    assert.deepEqual(await judgeReading((input) => input.readline(2)), []);
    assert.deepEqual(await judgeReading((input) => input.readlines()), []);
    assert.deepEqual(await judgeReading((input) => input.readlines(1)), []);
  });

  it("takes iteration, and reading in blocks", async () => {
    const seen: number[] = [];
    const faults = await judgeReading(async (input) => {
      for await (const line of input) seen.push(line.byteLength);
      for await (const block of chunks(input)) seen.push(block.byteLength);
    });
    assert.deepEqual(faults, []);
    assert.deepEqual(seen, [4, 4]);
  });

  it("gives what was sent", async () => {
    let text = "";
    await judgeReading(async (input) => {
      text = new TextDecoder().decode(await input.read());
    });
    assert.equal(text, "one\ntwo\n");
  });

  it("lets its errors through", async () => {
    const input = createInput(() => {
      throw new Error("Cut");
    });
    const app = uses("wsgi.input", (stream) => assert.throws(() => stream.read(), /^Error: Cut$/));
    const { faults } = await judge(app, environFor("POST /", { environ: { "wsgi.input": input } }));
    assert.deepEqual(faults, []);
  });

  it("refuses two arguments", async () => {
    const faults = await judgeReading((input) => untyped(input).read!(1, 2));
    assert.deepEqual(faults, ["application input-methods"]);
    const lines = await judgeReading((input) => untyped(input).readline!(1, 2));
    assert.deepEqual(lines, ["application input-methods"]);
    const all = await judgeReading((input) => untyped(input).readlines!(1, 2));
    assert.deepEqual(all, ["application input-methods"]);
  });

  it("refuses a size below 0", async () => {
    assert.deepEqual(await judgeReading((input) => input.read(-1)), ["application input-size"]);
  });

  it("refuses a size that is not whole", async () => {
    assert.deepEqual(await judgeReading((input) => input.read(1.5)), ["application input-size"]);
  });

  it("refuses close()", async () => {
    const faults = await judgeReading((input) => untyped(input).close!());
    assert.deepEqual(faults, ["application input-members"]);
  });

  it("hides what else the input has", async () => {
    const input = Object.assign(
      createInput(() => null),
      { socket: {} },
    );
    let seen: unknown;
    const app = uses("wsgi.input", (stream) => void (seen = "socket" in stream));
    await judge(app, environFor("GET /", { environ: { "wsgi.input": input } }));
    assert.equal(seen, false);
  });

  it("refuses a read before the one before it has come", async () => {
    const input = createInput(async () => Promise.resolve(toBytes("slow")));
    const app = uses("wsgi.input", async (stream) => {
      void stream.read(1);
      await stream.read(1);
    });
    const { faults } = await judge(app, environFor("GET /", { environ: { "wsgi.input": input } }));
    assert.deepEqual(faults, ["application input-single"]);
  });

  it("takes a read after one that failed", async () => {
    const faults = await judgeInput(
      { read: () => Promise.reject(new Error("Cut")) },
      async (input) => {
        await assert.rejects(async () => input.read(1));
        await assert.rejects(async () => input.read(1));
      },
    );
    assert.deepEqual(faults, []);
  });

  it("does not end the process for a failed read that nobody waits for", async () => {
    const read = (): Promise<never> => Promise.reject(new Error("Cut"));
    const faults = await judgeInput({ read }, (input) => void input.read(1));
    await turn();
    assert.deepEqual(faults, []);
  });

  it("refuses null at the end", async () => {
    const faults = await judgeInput({ read: () => null }, (input) => input.read());
    assert.deepEqual(faults, ["server input-bytes"]);
  });

  it("refuses text", async () => {
    const faults = await judgeInput({ readline: () => "one\n" }, (input) => input.readline());
    assert.deepEqual(faults, ["server input-bytes"]);
  });

  it("refuses a promise of text", async () => {
    const read = (): unknown => Promise.resolve("one");
    const faults = await judgeInput({ read }, (input) => input.read());
    assert.deepEqual(faults, ["server input-bytes"]);
  });

  it("refuses lines that are no array", async () => {
    const faults = await judgeInput({ readlines: () => 1 }, (input) => input.readlines());
    assert.deepEqual(faults, ["server input-bytes"]);
  });

  it("refuses lines of text", async () => {
    const faults = await judgeInput({ readlines: () => ["one\n"] }, (input) => input.readlines());
    assert.deepEqual(faults, ["server input-bytes"]);
  });

  it("refuses more bytes than were asked for", async () => {
    const faults = await judgeInput({ read: gives("four") }, (input) => input.read(3));
    assert.deepEqual(faults, ["server input-size"]);
  });

  it("refuses a longer line than was asked for", async () => {
    const faults = await judgeInput({ readline: gives("four") }, (input) => input.readline(3));
    assert.deepEqual(faults, ["server input-line"]);
  });

  it("refuses two lines for one", async () => {
    const faults = await judgeInput({ readline: gives("a\nb\n") }, (input) => input.readline());
    assert.deepEqual(faults, ["server input-line"]);
  });

  it("refuses two lines in one of readlines()", async () => {
    const readlines = (): unknown => [toBytes("a\nb\n")];
    const faults = await judgeInput({ readlines }, (input) => input.readlines());
    assert.deepEqual(faults, ["server input-line"]);
  });

  it("refuses blocks where lines are iterated", async () => {
    const iterate = async function* (): AsyncGenerator<Uint8Array> {
      yield toBytes("a\nb");
    };
    const faults = await judgeInput({ [Symbol.asyncIterator]: iterate }, async (input) => {
      for await (const _ of input);
    });
    assert.deepEqual(faults, ["server input-iterate"]);
  });

  it("takes read after read, and line after line", async () => {
    const reads = await judgeReading((input) => [input.read(3), input.read(3), input.read(9)]);
    assert.deepEqual(reads, []);
    const lines = await judgeReading((input) => [input.readline(), input.readline()]);
    assert.deepEqual(lines, []);
  });

  it("refuses bytes after a line of the iteration without its end", async () => {
    const iterate = async function* (): AsyncGenerator<Uint8Array> {
      yield toBytes("one");
      yield toBytes("two");
    };
    const faults = await judgeInput({ [Symbol.asyncIterator]: iterate }, async (input) => {
      for await (const _ of input);
    });
    assert.deepEqual(faults, ["server input-end"]);
  });

  it("refuses a step of the iteration before the one before it has come", async () => {
    const faults = await judgeReading(async (input) => {
      const lines = input[Symbol.asyncIterator]();
      await Promise.all([lines.next(), lines.next()]);
    });
    assert.deepEqual(faults, ["application input-single"]);
  });

  it("refuses bytes after a read that fell short", async () => {
    const faults = await judgeInput({ read: gives("one", "two") }, (input) => {
      void input.read(4);
      return input.read(4);
    });
    assert.deepEqual(faults, ["server input-end"]);
  });

  it("refuses bytes after a line without its end", async () => {
    const faults = await judgeInput({ readline: gives("one", "two") }, (input) => {
      void input.readline();
      return input.readline();
    });
    assert.deepEqual(faults, ["server input-end"]);
  });

  it("refuses bytes after lines without their end", async () => {
    const input = { readlines: () => [toBytes("one")], read: gives("two") };
    const faults = await judgeInput(input, (stream) => {
      void stream.readlines();
      return stream.read();
    });
    assert.deepEqual(faults, ["server input-end"]);
  });

  it("refuses bytes after the end of the iteration", async () => {
    const iterate = async function* (): AsyncGenerator<Uint8Array> {};
    const input = { [Symbol.asyncIterator]: iterate, read: gives("more") };
    const faults = await judgeInput(input, async (stream) => {
      for await (const _ of stream);
      return stream.read();
    });
    assert.deepEqual(faults, ["server input-end"]);
  });

  it("refuses a promise after the end", async () => {
    const answers = [toBytes(""), Promise.resolve(toBytes(""))];
    const faults = await judgeInput({ read: () => answers.shift() }, (input) => {
      void input.read();
      return input.read();
    });
    assert.deepEqual(faults, ["server input-end"]);
  });

  it("refuses more bytes than CONTENT_LENGTH says", async () => {
    const length = { CONTENT_LENGTH: "5" };
    const faults = await judgeInput(
      { read: gives("one", "two") },
      (input) => {
        void input.read(3);
        return input.read(3);
      },
      length,
    );
    assert.deepEqual(faults, ["server input-end"]);
  });
});

describe("a validator on wsgi.errors", () => {
  it("takes text, and writes it", async () => {
    const request = environFor("GET /");
    const app = uses("wsgi.errors", (errors) => {
      errors.write("one\n");
      errors.writelines(["two\n", "three\n"]);
      errors.flush();
    });
    assert.deepEqual((await judge(app, request)).faults, []);
    assert.equal(request["wsgi.errors"].text, "one\ntwo\nthree\n");
  });

  it("refuses an error in the place of its text", async () => {
    const faults = await judgeWriting((errors) => untyped(errors).write!(new Error("Failed")));
    assert.deepEqual(faults, ["application errors-text"]);
  });

  it("refuses two texts at once", async () => {
    const faults = await judgeWriting((errors) => untyped(errors).write!("one", "two"));
    assert.deepEqual(faults, ["application errors-text"]);
  });

  it("refuses a text in the place of lines", async () => {
    const faults = await judgeWriting((errors) => errors.writelines("one\n"));
    assert.deepEqual(faults, ["application errors-text"]);
  });

  it("refuses a line that is no text", async () => {
    const faults = await judgeWriting((errors) => errors.writelines([1 as never]));
    assert.deepEqual(faults, ["application errors-text"]);
  });

  it("refuses close()", async () => {
    const faults = await judgeWriting((errors) => untyped(errors).close!());
    assert.deepEqual(faults, ["application errors-members"]);
  });

  it("refuses a stream that throws", async () => {
    const broken = (): never => {
      throw new Error("Full");
    };
    const errors = { write: broken, writelines: broken, flush: broken };
    const app = uses("wsgi.errors", (stream) => stream.write("one\n"));
    const { faults } = await judge(
      app,
      environFor("GET /", { environ: { "wsgi.errors": errors } }),
    );
    assert.deepEqual(faults, ["server errors-text"]);
  });
});
