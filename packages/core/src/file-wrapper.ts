import type { Body, Chunk, MaybePromise } from "./types.ts";

/**
 * Is what a file must have to be a body: `read` gives the next piece, at most `size` bytes of it, and
 * nothing (`null`, `""` or no bytes) at the end.
 */
export interface FileLike {
  read(size: number): MaybePromise<Chunk | null>;
  close?(): void | Promise<void>;
  /** Is what a `FileHandle` has. */
  readonly fd?: undefined;
}

/**
 * Is what is used of a `FileHandle` of node:fs/promises, whose `read` fills memory that it is given. Its
 * number tells it from a `FileLike`.
 */
export interface FileHandleLike {
  readonly fd: number;
  read(memory: Uint8Array, offset: number, length: number): Promise<{ readonly bytesRead: number }>;
  close(): Promise<void>;
}

/**
 * Turns a file into a body that is read block by block, from where the file stands. Reading to the end
 * leaves the file open; `close()` closes it. A server may send a `FileHandle` in a shorter way as long as
 * it gets the wrapper itself, which `onClose` keeps.
 *
 * Its steps are promises even if `read` answers at once: which of the two it does is not known before
 * the first read, and a body says how it is iterated before that.
 *
 * @example
 * ```ts
 * import { FileWrapper } from "@wsgi/core";
 *
 * let left = "a text in memory";
 * const file = {
 *   read(size) {
 *     const piece = left.slice(0, size);
 *     left = left.slice(size);
 *     return piece;
 *   },
 * };
 * const body = new FileWrapper(file);
 * ```
 * @see PEP 3333, "Optional Platform-Specific File Handling"; wsgiref.util.FileWrapper
 */
export class FileWrapper implements AsyncIterable<Chunk> {
  /** The file that was given. */
  readonly file: FileLike | FileHandleLike;
  /** The most bytes that one read asks for. */
  readonly blockSize: number;

  /**
   * @param file - the file
   * @param blockSize - the most bytes to read at a time; default 262,144
   * @throws TypeError if the file has no `read`, RangeError if the size is not a positive whole number
   */
  constructor(file: FileLike | FileHandleLike, blockSize = 262_144) {
    if (typeof file?.read !== "function") {
      throw new TypeError("Cannot wrap the file: it has no read(size); wanted a file-like object");
    }
    if (!Number.isSafeInteger(blockSize) || blockSize < 1) {
      throw new RangeError(
        `Cannot wrap the file: the block size is ${String(blockSize)}; wanted a positive whole number of bytes`,
      );
    }
    this.file = file;
    this.blockSize = blockSize;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Chunk, void, undefined> {
    return this.blocks();
  }

  /**
   * Reads block by block, a `FileHandle` into memory that the caller may use again.
   *
   * @param memory - gives the memory for the next block of a `FileHandle`; default: new memory each time
   * @returns the blocks
   * @throws what the file throws, out of the iteration
   * @see SPEC.md [file-read]
   */
  async *blocks(
    memory: (size: number) => Uint8Array = (size) => new Uint8Array(size),
  ): AsyncGenerator<Chunk, void, undefined> {
    const { file, blockSize } = this;
    for (;;) {
      const block = isHandle(file)
        ? await readInto(memory(blockSize), file)
        : await file.read(blockSize);
      if (block === null || block.length === 0) return;
      yield block;
    }
  }

  /** Closes the file. */
  close(): void | Promise<void> {
    return this.file.close?.();
  }
}

/**
 * Tells whether a body is a file that nobody has changed, so that its server may send it in a way of its own.
 *
 * @param body - a body
 * @returns true for a `FileWrapper` that is iterated as it was made to be
 * @example
 * ```ts
 * import { FileWrapper, isFile, onClose } from "@wsgi/core";
 *
 * const body = new FileWrapper({ read: () => null });
 * isFile(onClose(body, () => console.log("Sent"))); // true
 * ```
 * @see SPEC.md [file-lazy]
 */
export function isFile(body: Body): body is FileWrapper {
  const { [Symbol.asyncIterator]: iterate, blocks } = FileWrapper.prototype;
  return (
    body instanceof FileWrapper && body[Symbol.asyncIterator] === iterate && body.blocks === blocks
  );
}

function isHandle(file: FileLike | FileHandleLike): file is FileHandleLike {
  return typeof file.fd === "number";
}

async function readInto(memory: Uint8Array, handle: FileHandleLike): Promise<Uint8Array> {
  const { bytesRead } = await handle.read(memory, 0, memory.length);
  return memory.subarray(0, bytesRead);
}
