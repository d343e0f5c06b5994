import { createInput, type Environ, type InputStream } from "@wsgi/core";

/** So much of a request's body is kept for a replay. */
export const mostKept = 65_536;

/** Is a `wsgi.input` that keeps what is read of it. */
export class KeptInput implements InputStream {
  readonly #input: InputStream;
  readonly #declared: number | undefined;
  #pieces: Uint8Array[] = [];
  #length = 0;
  #hasEnded = false;

  constructor(environ: Environ) {
    this.#input = environ["wsgi.input"];
    const { CONTENT_LENGTH } = environ;
    this.#declared = CONTENT_LENGTH ? Number(CONTENT_LENGTH) : undefined;
  }

  read(size?: number): Uint8Array | Promise<Uint8Array> {
    const isShort = (bytes: Uint8Array): boolean =>
      size === undefined || size === null || size < 0 || bytes.byteLength < size;
    return this.#keep(this.#input.read(size), (bytes) => this.#take(bytes, isShort(bytes)));
  }

  readline(size?: number): Uint8Array | Promise<Uint8Array> {
    return this.#keep(this.#input.readline(size), (bytes) =>
      this.#take(bytes, bytes.byteLength === 0 && size !== 0),
    );
  }

  readlines(hint?: number): Uint8Array[] | Promise<Uint8Array[]> {
    return this.#keep(this.#input.readlines(hint), (lines) => {
      for (const line of lines) this.#take(line, false);
      if (!hint || lines.length === 0) this.#hasEnded = true;
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const lines = this.#input[Symbol.asyncIterator]();
    return {
      next: () =>
        this.#keep(lines.next(), ({ done, value }) => {
          if (done === true) this.#hasEnded = true;
          else this.#take(value, false);
        }) as Promise<IteratorResult<Uint8Array>>,
    };
  }

  /** Tells why the body cannot be read once more; undefined if it can. */
  get fault(): string | undefined {
    if (this.#length > mostKept) return `it is longer than ${mostKept} bytes`;
    if (this.#hasEnded || this.#length === (this.#declared ?? 0)) return undefined;
    return "it was not read to its end";
  }

  /** Makes a stream of what was read. */
  replay(): InputStream {
    const left = this.#pieces.slice();
    return createInput(() => left.shift() ?? null);
  }

  /** Looks at what is read, now or later, and hands on the very same: a copy might be rejected unheard. */
  #keep<T>(read: T | Promise<T>, take: (value: T) => void): T | Promise<T> {
    if (read instanceof Promise) read.then(take).catch(() => {});
    else take(read);
    return read;
  }

  #take(bytes: Uint8Array, isLast: boolean): void {
    this.#hasEnded ||= isLast;
    this.#length += bytes.byteLength;
    if (this.#length > mostKept) this.#pieces = [];
    else if (bytes.byteLength > 0) this.#pieces.push(bytes.slice());
  }
}
