import type { Chunk, MaybePromise } from "./types.ts";

/**
 * Is what a file must have to be a body: `read` gives the next piece, at most `size` bytes of it, and
 * nothing (`null`, `""` or no bytes) at the end.
 */
export interface FileLike {
  read(size: number): MaybePromise<Chunk | null>;
  close?(): void | Promise<void>;
}

/**
 * Turns a file into a body that is read block by block, from where the file stands. Reading to the end
 * leaves the file open; `close()` closes it.
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
  readonly file: FileLike;
  /** The most bytes that one read asks for. */
  readonly blockSize: number;

  /**
   * @param file - the file
   * @param blockSize - the most bytes to read at a time; default 262,144
   * @throws TypeError if the file has no `read`, RangeError if the size is not a positive whole number
   */
  constructor(file: FileLike, blockSize = 262_144) {
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

  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk, void, undefined> {
    for (;;) {
      const piece = await this.file.read(this.blockSize);
      if (piece === null || piece.length === 0) return;
      yield piece;
    }
  }

  /** Closes the file. */
  close(): void | Promise<void> {
    return this.file.close?.();
  }
}
