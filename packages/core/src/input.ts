import { when } from "./body.ts";
import { joinBytes } from "./chunk.ts";
import type { InputStream, MaybePromise } from "./types.ts";

/**
 * Gives the next bytes of a request body: at once if they are there, else with a promise; null at the
 * end. It is not called again before the promise settles, nor after null.
 */
export type InputSource = () => MaybePromise<Uint8Array | null>;

const nothing = new Uint8Array(0);
const newline = 0x0a;

/**
 * Makes a `wsgi.input` from a source of bytes: what is read waits only when the source does, and no
 * more is taken from it than was asked for, but for the rest of its last piece.
 *
 * @param source - where the bytes come from
 * @returns the stream
 * @throws nothing of its own; reading throws (or rejects with) what the source throws
 * @example
 * ```ts
 * import { createInput, toBytes } from "@wsgi/core";
 *
 * const pieces = [toBytes("one\ntwo\n")];
 * const input = createInput(() => pieces.shift() ?? null);
 * input.readline(); // the bytes of "one\n"
 * ```
 * @see SPEC.md, "wsgi.input"
 */
export function createInput(source: InputSource): InputStream {
  return new SourceInput(source);
}

/**
 * Is the key of a method that streams of core's own have: it reads what is there, or the next piece that comes,
 * and no bytes at the end. Who stands in the place of such a stream hands the method on, for `pieces`.
 *
 * @see SPEC.md [input-settled]
 */
export const readPieceKey: unique symbol = Symbol.for("wsgi.read_piece") as never;

/** Is a stream that can be read as it arrives. */
export interface PieceStream extends InputStream {
  [readPieceKey](): Uint8Array | Promise<Uint8Array>;
}

class SourceInput implements PieceStream {
  readonly #source: InputSource;
  #pieces: Uint8Array[] = [];
  #buffered = 0;
  #ended = false;
  #waiting = false;

  constructor(source: InputSource) {
    this.#source = source;
  }

  read(size?: number): Uint8Array | Promise<Uint8Array> {
    const wanted = checkSize("read", size);
    return this.#until(
      () => this.#buffered >= wanted,
      () => this.#take(wanted),
    );
  }

  readline(size?: number): Uint8Array | Promise<Uint8Array> {
    const wanted = checkSize("readline", size);
    let length = -1;
    let searched = 0;
    return this.#until(
      () => {
        if (length === -1) {
          // Search each piece once, however many of them a long line takes.
          for (let before = 0, at = 0; at < this.#pieces.length; at++) {
            const piece = this.#pieces[at]!;
            const place = at < searched ? -1 : piece.indexOf(newline);
            if (place !== -1) {
              length = before + place + 1;
              break;
            }
            before += piece.byteLength;
          }
          searched = this.#pieces.length;
        }
        return length !== -1 || this.#buffered >= wanted;
      },
      () => this.#take(Math.min(length === -1 ? wanted : length, wanted)),
    );
  }

  readlines(hint?: number): Uint8Array[] | Promise<Uint8Array[]> {
    // In Python a hint of 0 is none.
    const wanted = checkSize("readlines", hint) || Infinity;
    const lines: Uint8Array[] = [];
    let length = 0;
    const more = (line: Uint8Array): MaybePromise<Uint8Array[]> => {
      // A loop for the lines that are there, and a promise only where one has to be waited for.
      for (let next: MaybePromise<Uint8Array> = line; ; next = this.readline()) {
        if (!(next instanceof Uint8Array)) return when(next, more);
        if (next.byteLength === 0) return lines;
        lines.push(next);
        length += next.byteLength;
        if (length >= wanted) return lines;
      }
    };
    const all = when(this.readline(), more) as Uint8Array[] | Promise<Uint8Array[]>;
    return Array.isArray(all) ? all : heard(all);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return iterate(() => this.readline());
  }

  [readPieceKey](): Uint8Array | Promise<Uint8Array> {
    return this.#until(
      () => this.#buffered > 0,
      () => this.#take(this.#buffered),
    );
  }

  /** Fills until there is enough or the source has ended, and then takes. */
  #until(enough: () => boolean, take: () => Uint8Array): Uint8Array | Promise<Uint8Array> {
    if (this.#waiting) {
      throw new Error("Cannot read the request body: another read is waiting; await it first");
    }
    while (!this.#ended && !enough()) {
      const piece = this.#source();
      if (piece !== null && !(piece instanceof Uint8Array)) {
        return heard(this.#wait(piece, enough, take));
      }
      this.#keep(piece);
    }
    return take();
  }

  async #wait(
    piece: PromiseLike<Uint8Array | null>,
    enough: () => boolean,
    take: () => Uint8Array,
  ): Promise<Uint8Array> {
    this.#waiting = true;
    try {
      this.#keep(await piece);
    } finally {
      this.#waiting = false;
    }
    return this.#until(enough, take);
  }

  #keep(piece: Uint8Array | null): void {
    if (piece === null) {
      this.#ended = true;
    } else if (piece.byteLength > 0) {
      this.#pieces.push(piece);
      this.#buffered += piece.byteLength;
    }
  }

  #take(size: number): Uint8Array {
    const first = this.#pieces[0];
    if (first === undefined || size === 0) return nothing;
    if (first.byteLength > size) {
      this.#pieces[0] = first.subarray(size);
      this.#buffered -= size;
      return first.subarray(0, size);
    }
    const taken: Uint8Array[] = [];
    let left = size;
    let at = 0;
    for (; at < this.#pieces.length && this.#pieces[at]!.byteLength <= left; at++) {
      taken.push(this.#pieces[at]!);
      left -= this.#pieces[at]!.byteLength;
    }
    this.#pieces.splice(0, at);
    const next = this.#pieces[0];
    if (next !== undefined && left > 0) {
      taken.push(next.subarray(0, left));
      this.#pieces[0] = next.subarray(left);
    }
    const all = joinBytes(taken);
    this.#buffered -= all.byteLength;
    return all;
  }
}

/** Sees to it that a read which nobody waits for yet, or ever, does not end the process by failing. */
function heard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function checkSize(method: string, size: number | undefined): number {
  // Python reads everything for None and for negative numbers, and so does this.
  if (size === undefined || size === null || size < 0) return Infinity;
  if (!Number.isInteger(size) && size !== Infinity) {
    throw new TypeError(
      `Cannot ${method}: the size is ${String(size)}; wanted a whole number of bytes`,
    );
  }
  return size;
}

function iterate(read: () => MaybePromise<Uint8Array>): AsyncIterator<Uint8Array, undefined> {
  const step = (bytes: Uint8Array): IteratorResult<Uint8Array, undefined> =>
    bytes.byteLength === 0 ? { done: true, value: undefined } : { done: false, value: bytes };
  return {
    next: async () => step(await read()),
  };
}

/** Is the body of a request that has none; it can be shared. */
export const emptyInput: InputStream = createInput(() => null);

/**
 * Goes through a request body in blocks, as node's streams do (iterating `wsgi.input` gives lines).
 *
 * @param input - the stream, `environ["wsgi.input"]`
 * @param size - the size of a block in bytes, which only the last one falls short of; default 65,536
 * @returns the blocks
 * @throws RangeError if the size is not a positive whole number
 * @example
 * ```ts
 * import { chunks, emptyInput } from "@wsgi/core";
 *
 * for await (const block of chunks(emptyInput)) console.log(block.byteLength);
 * ```
 * @see SPEC.md [input-iterate]
 */
export function chunks(input: InputStream, size = 65_536): AsyncIterable<Uint8Array> {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(
      `Cannot read in blocks: the size is ${String(size)}; wanted a positive whole number of bytes`,
    );
  }
  return { [Symbol.asyncIterator]: () => iterate(() => input.read(size)) };
}

/**
 * Goes through a request body as it arrives: each piece as soon as it is there, where `chunks` waits for
 * a block to fill. For who hands the body on, and must not wait for more than there is.
 *
 * @param input - the stream, `environ["wsgi.input"]`
 * @returns the pieces; blocks of 65,536 bytes if the stream is none of core's own, nor stands for one
 * @example
 * ```ts
 * import { createInput, pieces, toBytes } from "@wsgi/core";
 *
 * const left = ["Hello, ", "world!"].map(toBytes);
 * const input = createInput(() => left.shift() ?? null);
 * for await (const piece of pieces(input)) console.log(piece.byteLength); // 7, then 6
 * ```
 * @see SPEC.md [input-settled]
 */
export function pieces(input: InputStream): AsyncIterable<Uint8Array> {
  if (!(readPieceKey in input)) return chunks(input);
  const stream = input as PieceStream;
  return { [Symbol.asyncIterator]: () => iterate(() => stream[readPieceKey]()) };
}
