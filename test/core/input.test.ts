import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  chunks,
  createInput,
  emptyInput,
  pieces,
  toBytes,
  type InputStream,
  type MaybePromise,
} from "@wsgi/core";

const decoder = new TextDecoder();

/** Makes an input whose bytes are all there, and says how many pieces are left. */
function ready(...pieces: readonly string[]): InputStream & { left(): number } {
  const left = pieces.map(toBytes);
  const input = createInput(() => left.shift() ?? null);
  return Object.assign(input, { left: () => left.length });
}

/** Makes an input that has to wait for each piece. */
function arriving(...pieces: readonly string[]): InputStream {
  const left = pieces.map(toBytes);
  return createInput(async () => left.shift() ?? null);
}

async function text(bytes: MaybePromise<Uint8Array>): Promise<string> {
  return decoder.decode(await bytes);
}

async function texts(lines: MaybePromise<readonly Uint8Array[]>): Promise<string[]> {
  return (await lines).map((line) => decoder.decode(line));
}

describe("createInput()", () => {
  it("answers at once where the bytes are there", () => {
    const input = ready("one\ntwo\n");
    assert.ok(input.readline() instanceof Uint8Array);
    assert.ok(input.read(1) instanceof Uint8Array);
    assert.ok(Array.isArray(input.readlines()));
  });

  it("answers with a promise where it has to wait", async () => {
    const line = arriving("one\n").readline();
    assert.ok(line instanceof Promise);
    assert.equal(await text(line), "one\n");
  });

  it("throws at once what the source throws", () => {
    const input = createInput(() => {
      throw new Error("Odd");
    });
    assert.throws(() => input.read(), /^Error: Odd$/);
  });

  it("rejects with what the source rejects with", async () => {
    const input = createInput(() => Promise.reject(new Error("Odd")));
    await assert.rejects(async () => input.read(), /^Error: Odd$/);
  });

  it("refuses a second read while one is waiting", async () => {
    const input = arriving("one", "two");
    const first = input.read();
    assert.throws(() => input.read(), /another read is waiting; await it first$/);
    assert.equal(await text(first), "onetwo");
    assert.equal(await text(input.read()), "");
  });

  it("does not ask its source again after the end", async () => {
    let asked = 0;
    const input = createInput(() => {
      asked += 1;
      return null;
    });
    await input.read();
    await input.readline();
    await input.readlines();
    assert.equal(asked, 1);
  });

  it("passes over empty pieces", async () => {
    assert.equal(await text(ready("", "a", "", "b").read()), "ab");
  });
});

describe("read()", () => {
  it("reads everything without a size", async () => {
    assert.equal(await text(ready("one", "two").read()), "onetwo");
    assert.equal(await text(arriving("one", "two").read()), "onetwo");
  });

  it("reads everything for a negative size, as Python does", async () => {
    assert.equal(await text(ready("one", "two").read(-1)), "onetwo");
  });

  it("reads exactly the size, across pieces", async () => {
    const input = ready("abc", "def", "ghi");
    assert.equal(await text(input.read(4)), "abcd");
    assert.equal(await text(input.read(2)), "ef");
    assert.equal(await text(input.read(1)), "g");
  });

  it("reads exactly the size where it has to wait", async () => {
    const input = arriving("abc", "def", "ghi");
    assert.equal(await text(input.read(4)), "abcd");
    assert.equal(await text(input.read(5)), "efghi");
  });

  it("reads fewer bytes only at the end, and then none", async () => {
    const input = ready("abc");
    assert.equal(await text(input.read(100)), "abc");
    assert.equal(await text(input.read(100)), "");
    assert.equal(await text(input.read()), "");
  });

  it("reads nothing for nothing, and takes nothing for it", async () => {
    const input = ready("abc");
    assert.equal(await text(input.read(0)), "");
    assert.equal(input.left(), 1);
  });

  it("takes no more pieces than it needs", async () => {
    const input = ready("abc", "def", "ghi");
    await input.read(4);
    assert.equal(input.left(), 1);
  });

  it("refuses a size that is no whole number", () => {
    assert.throws(() => ready("abc").read(1.5), {
      name: "TypeError",
      message: "Cannot read: the size is 1.5; wanted a whole number of bytes",
    });
    assert.throws(() => ready("abc").read(Number.NaN), TypeError);
    assert.throws(() => ready("abc").read("3" as never), TypeError);
  });
});

describe("readline()", () => {
  it("reads line by line, the last one as it is", async () => {
    const input = ready("one\ntwo\nthree");
    assert.equal(await text(input.readline()), "one\n");
    assert.equal(await text(input.readline()), "two\n");
    assert.equal(await text(input.readline()), "three");
    assert.equal(await text(input.readline()), "");
  });

  it("finds a line across pieces", async () => {
    const input = ready("o", "n", "e", "\nt", "wo");
    assert.equal(await text(input.readline()), "one\n");
    assert.equal(await text(input.readline()), "two");
  });

  it("finds a line across pieces that it has to wait for", async () => {
    const input = arriving("o", "n", "e", "\nt", "wo");
    assert.equal(await text(input.readline()), "one\n");
    assert.equal(await text(input.readline()), "two");
  });

  it("gives an empty line as its newline", async () => {
    assert.equal(await text(ready("\n\n").readline()), "\n");
  });

  it("reads at most the size", async () => {
    const input = ready("abcdef\n");
    assert.equal(await text(input.readline(3)), "abc");
    assert.equal(await text(input.readline(3)), "def");
    assert.equal(await text(input.readline(3)), "\n");
  });

  it("reads at most the size across pieces, and not past a newline", async () => {
    const input = ready("ab", "cd\n", "ef");
    assert.equal(await text(input.readline(3)), "abc");
    assert.equal(await text(input.readline(100)), "d\n");
  });

  it("takes no more pieces than it needs", async () => {
    const input = ready("abc", "d\n", "ef");
    assert.equal(await text(input.readline(3)), "abc");
    assert.equal(input.left(), 2);
    assert.equal(await text(input.readline()), "d\n");
    assert.equal(input.left(), 1);
  });

  it("mixes with read()", async () => {
    const input = ready("one\ntwo\n", "three");
    assert.equal(await text(input.read(2)), "on");
    assert.equal(await text(input.readline()), "e\n");
    assert.equal(await text(input.read()), "two\nthree");
  });
});

describe("readlines()", () => {
  it("reads the lines that are left", async () => {
    const input = ready("one\ntwo", "\nthree");
    await input.readline();
    assert.deepEqual(await texts(input.readlines()), ["two\n", "three"]);
  });

  it("reads lines that it has to wait for", async () => {
    const input = arriving("one\nt", "wo\n", "three");
    assert.deepEqual(await texts(input.readlines()), ["one\n", "two\n", "three"]);
  });

  it("stops after the line that reaches the hint", async () => {
    const input = ready("one\ntwo\nthree\n");
    assert.deepEqual(await texts(input.readlines(5)), ["one\n", "two\n"]);
    assert.deepEqual(await texts(ready("one\ntwo\n").readlines(4)), ["one\n"]);
    assert.deepEqual(await texts(input.readlines()), ["three\n"]);
  });

  it("takes a hint of 0 for none, as Python does", async () => {
    assert.deepEqual(await texts(ready("one\ntwo\n").readlines(0)), ["one\n", "two\n"]);
  });

  it("reads no lines at the end", async () => {
    assert.deepEqual(await texts(emptyInput.readlines()), []);
  });
});

describe("iterating wsgi.input", () => {
  it("goes through the lines", async () => {
    const lines: string[] = [];
    for await (const line of arriving("one\ntw", "o")) lines.push(decoder.decode(line));
    assert.deepEqual(lines, ["one\n", "two"]);
  });

  it("leaves the rest where it is left early", async () => {
    const input = ready("one\ntwo\n");
    for await (const line of input) if (line.byteLength > 0) break;
    assert.equal(await text(input.read()), "two\n");
  });
});

describe("emptyInput", () => {
  it("is at its end from the start, at once", () => {
    assert.ok(emptyInput.read() instanceof Uint8Array);
    assert.deepEqual(emptyInput.read(), emptyInput.readline());
    assert.equal((emptyInput.read() as Uint8Array).byteLength, 0);
  });
});

describe("chunks()", () => {
  it("goes through blocks of one size, the last one shorter", async () => {
    const blocks: string[] = [];
    for await (const block of chunks(arriving("abc\nd", "efg"), 3)) {
      blocks.push(decoder.decode(block));
    }
    assert.deepEqual(blocks, ["abc", "\nde", "fg"]);
  });

  it("has no block for an empty body", async () => {
    for await (const block of chunks(emptyInput)) assert.fail(String(block));
  });

  it("refuses a size that is no positive whole number", () => {
    assert.throws(() => chunks(emptyInput, 0), {
      name: "RangeError",
      message: "Cannot read in blocks: the size is 0; wanted a positive whole number of bytes",
    });
    assert.throws(() => chunks(emptyInput, 1.5), RangeError);
    assert.throws(() => chunks(emptyInput, Number.NaN), RangeError);
  });
});

describe("pieces()", () => {
  it("hands on each piece as it comes", async () => {
    const found: string[] = [];
    for await (const piece of pieces(arriving("abc\nd", "efg"))) found.push(decoder.decode(piece));
    assert.deepEqual(found, ["abc\nd", "efg"]);
  });

  it("begins with what a read has left", async () => {
    const input = ready("abcd", "ef");
    assert.equal(await text(input.read(1)), "a");
    const first = await pieces(input)[Symbol.asyncIterator]().next();
    assert.equal(decoder.decode(first.value as Uint8Array), "bcd");
  });

  it("goes through the blocks of a stream that is not core's own", async () => {
    const inner = ready("abc");
    const input = { ...emptyInput, read: (size?: number) => inner.read(size) };
    const found: string[] = [];
    for await (const piece of pieces(input)) found.push(decoder.decode(piece));
    assert.deepEqual(found, ["abc"]);
  });
});
