import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  closeBody,
  FileWrapper,
  isBody,
  isFile,
  mapBody,
  onClose,
  type Chunk,
  type FileHandleLike,
  type FileLike,
} from "@wsgi/core";

/** Makes a file of a text, and counts how often it is closed. */
function textFile(text: string): FileLike & { timesClosed: number; sizes: number[] } {
  let left = text;
  return {
    timesClosed: 0,
    sizes: [],
    read(size) {
      this.sizes.push(size);
      const piece = left.slice(0, size);
      left = left.slice(size);
      return piece;
    },
    close() {
      this.timesClosed += 1;
    },
  };
}

/** Makes what behaves as a FileHandle of node:fs/promises, of a text. */
function handleOf(text: string): FileHandleLike & { isOpen: boolean } {
  let left = new TextEncoder().encode(text);
  return {
    fd: 3,
    isOpen: true,
    async read(memory, offset, length) {
      const piece = left.subarray(0, length);
      left = left.subarray(length);
      memory.set(piece, offset);
      return { bytesRead: piece.length };
    },
    async close() {
      this.isOpen = false;
    },
  };
}

async function pieces(body: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const found: Chunk[] = [];
  for await (const piece of body) found.push(piece);
  return found;
}

describe("FileWrapper", () => {
  it("is a body", () => {
    assert.equal(isBody(new FileWrapper(textFile(""))), true);
  });

  it("reads block by block to the end", async () => {
    const file = textFile("x".repeat(150));
    const lengths = (await pieces(new FileWrapper(file, 120))).map((piece) => piece.length);
    assert.deepEqual(lengths, [120, 30]);
  });

  it("reads byte by byte if it is told to", async () => {
    assert.deepEqual(await pieces(new FileWrapper(textFile("ab"), 1)), ["a", "b"]);
  });

  it("reads from where the file stands", async () => {
    const file = textFile("abcdef");
    file.read(2);
    assert.deepEqual(await pieces(new FileWrapper(file)), ["cdef"]);
  });

  it("asks for 262,144 bytes at a time by default", async () => {
    const file = textFile("a");
    await pieces(new FileWrapper(file));
    assert.deepEqual(file.sizes, [262_144, 262_144]);
  });

  it("waits for what is read asynchronously, and ends at null", async () => {
    const left = [Uint8Array.of(1), Uint8Array.of(2)];
    const body = new FileWrapper({ read: async () => left.shift() ?? null });
    assert.deepEqual(await pieces(body), [Uint8Array.of(1), Uint8Array.of(2)]);
  });

  it("reads nothing before it is asked", () => {
    const file = textFile("abc");
    new FileWrapper(file)[Symbol.asyncIterator]();
    assert.deepEqual(file.sizes, []);
  });

  it("leaves the file open at its end, and closes it with close()", async () => {
    const file = textFile("abc");
    const body = new FileWrapper(file);
    await pieces(body);
    assert.equal(file.timesClosed, 0);
    closeBody(body);
    assert.equal(file.timesClosed, 1);
  });

  it("closes nothing where the file has no close()", () => {
    assert.equal(new FileWrapper({ read: () => null }).close(), undefined);
  });

  it("shows its file and the size of its blocks", () => {
    const file = textFile("abc");
    const body = new FileWrapper(file, 2);
    assert.equal(body.file, file);
    assert.equal(body.blockSize, 2);
  });

  it("reads a FileHandle into new memory for each block", async () => {
    const text = new TextDecoder();
    const found = await pieces(new FileWrapper(handleOf("abcde"), 2));
    assert.deepEqual(
      found.map((piece) => text.decode(piece as Uint8Array)),
      ["ab", "cd", "e"],
    );
  });

  it("reads a FileHandle into the memory that it is given", async () => {
    const memory = new Uint8Array(4);
    const blocks = new FileWrapper(handleOf("abcd"), 2).blocks(() => memory);
    const block = (await blocks.next()).value as Uint8Array;
    assert.equal(block.buffer, memory.buffer);
    assert.equal(new TextDecoder().decode(block), "abcd");
  });

  it("closes a FileHandle", async () => {
    const handle = handleOf("");
    await closeBody(new FileWrapper(handle));
    assert.equal(handle.isOpen, false);
  });

  it("refuses what is no file", () => {
    assert.throws(() => new FileWrapper({} as never), {
      name: "TypeError",
      message: "Cannot wrap the file: it has no read(size); wanted a file-like object",
    });
    assert.throws(() => new FileWrapper(undefined as never), TypeError);
  });

  it("refuses a block size that is no positive whole number", () => {
    assert.throws(() => new FileWrapper(textFile(""), 0), {
      name: "RangeError",
      message: "Cannot wrap the file: the block size is 0; wanted a positive whole number of bytes",
    });
    assert.throws(() => new FileWrapper(textFile(""), Number.NaN), RangeError);
  });
});

describe("isFile()", () => {
  it("knows a wrapper, and one inside onClose()", () => {
    const body = new FileWrapper(handleOf(""));
    assert.equal(isFile(body), true);
    const outer = onClose(
      onClose(body, () => {}),
      () => {},
    );
    assert.equal(isFile(outer), true);
  });

  it("does not take a body for a file whose chunks somebody changes", () => {
    assert.equal(isFile(mapBody(new FileWrapper(handleOf("")), {})), false);
    const iterate = async function* () {};
    const body = Object.assign(new FileWrapper(handleOf("")), { [Symbol.asyncIterator]: iterate });
    assert.equal(isFile(body), false);
  });

  it("does not take a wrapper for one whose blocks a class of its own makes", async () => {
    class Loud extends FileWrapper {
      override async *blocks(): AsyncGenerator<Chunk, void, undefined> {
        for await (const block of super.blocks()) yield String(block).toUpperCase();
      }
    }
    const body = new Loud(textFile("abc"));
    assert.equal(isFile(body), false);
    assert.deepEqual(await pieces(onClose(body, () => {}) as AsyncIterable<Chunk>), ["ABC"]);
  });

  it("stays a wrapper of blocks of the same size inside onClose()", async () => {
    const closings: string[] = [];
    const handle = handleOf("abc");
    const body = onClose(new FileWrapper(handle, 2), () => void closings.push("layer"));
    assert.equal((await pieces(body as FileWrapper)).length, 2);
    await closeBody(body);
    assert.deepEqual([closings, handle.isOpen], [["layer"], false]);
  });
});
