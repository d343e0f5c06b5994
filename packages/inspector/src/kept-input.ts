import {
  createInput,
  emptyInput,
  quietly,
  readPieceKey,
  when,
  type Environ,
  type InputStream,
  type MaybePromise,
  type PieceStream,
} from "@wsgi/core";

/** So much of a request's body is kept for a replay. */
const mostKept = 65_536;

/** Is what was read of a request's body, without the connection that it came from. */
export class KeptBody {
  /** How long the body is to be; undefined if only its end tells. */
  readonly #declared: number | undefined;
  /** What was read, and room for more. */
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;
  /** Whether the end was seen. */
  hasEnded: boolean;

  /** @param environ - the request */
  constructor(environ: Environ) {
    const { CONTENT_LENGTH } = environ;
    this.#declared = CONTENT_LENGTH === undefined ? undefined : Number(CONTENT_LENGTH);
    this.hasEnded = environ["wsgi.input"] === emptyInput;
  }

  /** Keeps bytes that were read; a copy, because whoever reads them may change them. */
  take(bytes: Uint8Array): void {
    const begin = this.#length;
    this.#length += bytes.byteLength;
    if (this.#length > mostKept) this.#bytes = new Uint8Array(0);
    else this.#reserve(this.#length).set(bytes, begin);
  }

  #reserve(length: number): Uint8Array {
    if (length > this.#bytes.byteLength) {
      const larger = new Uint8Array(
        Math.min(mostKept, Math.max(length, 2 * this.#bytes.byteLength)),
      );
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return this.#bytes;
  }

  /** Tells why the body cannot be read once more; undefined if it can. */
  get fault(): string | undefined {
    if (this.#length > mostKept) return `it is longer than ${mostKept} bytes`;
    if (this.hasEnded || this.#length === this.#declared) return undefined;
    return "it was not read to its end";
  }

  /** Makes a stream of what was read. */
  replay(): InputStream {
    if (this.#length === 0) return emptyInput;
    const left = [this.#bytes.slice(0, this.#length)];
    return createInput(() => left.shift() ?? null);
  }
}

/** Makes a `wsgi.input` that keeps what is read of another. */
export function keepInput(input: InputStream, body: KeptBody): InputStream {
  const takePiece = (bytes: Uint8Array): void => {
    body.take(bytes);
    if (bytes.byteLength === 0) body.hasEnded = true;
  };
  const kept: InputStream = {
    read: (size) =>
      watch(input.read(size), (bytes) => {
        body.take(bytes);
        const isAll = size === undefined || size === null || size < 0;
        if (isAll || bytes.byteLength < size) body.hasEnded = true;
      }),
    readline: (size) => watch(input.readline(size), size === 0 ? () => {} : takePiece),
    readlines: (hint) =>
      watch(input.readlines(hint), (lines) => {
        for (const line of lines) body.take(line);
        if (!hint || lines.length === 0) body.hasEnded = true;
      }),
    [Symbol.asyncIterator]() {
      const lines = input[Symbol.asyncIterator]();
      return {
        next: () =>
          watch(lines.next(), ({ done, value }) => {
            if (done === true) body.hasEnded = true;
            else body.take(value);
          }),
      };
    },
  };
  if (!(readPieceKey in input)) return kept;
  const stream = input as PieceStream;
  return Object.assign(kept, {
    [readPieceKey]: () => watch(stream[readPieceKey](), takePiece),
  });
}

/**
 * Looks at what is read, now or later, and hands on the very same: a copy might be rejected unheard. What
 * an input should not have given is not for the recorder to find.
 */
function watch<T extends MaybePromise<unknown>>(read: T, take: (value: Awaited<T>) => void): T {
  void quietly(() => when(read as MaybePromise<Awaited<T>>, take));
  return read;
}
