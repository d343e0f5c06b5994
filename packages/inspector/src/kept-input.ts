import { createInput, type InputStream } from "@wsgi/core";

/** So much of a request's body is kept for a replay. */
const mostKept = 65_536;

/** Is what was read of a request's body, without the connection that it came from. */
export class KeptBody {
  readonly #declared: number;
  #pieces: Uint8Array[] = [];
  #length = 0;
  /** Whether the end was seen. */
  hasEnded = false;

  /** @param contentLength - how long the body is to be, as environ has it */
  constructor(contentLength: string | undefined) {
    this.#declared = Number(contentLength ?? 0);
  }

  /** Keeps bytes that were read; a copy, because whoever reads them may change them. */
  take(bytes: Uint8Array): void {
    this.#length += bytes.byteLength;
    if (this.#length > mostKept) this.#pieces = [];
    else if (bytes.byteLength > 0) this.#pieces.push(bytes.slice());
  }

  /** Tells why the body cannot be read once more; undefined if it can. */
  get fault(): string | undefined {
    if (this.#length > mostKept) return `it is longer than ${mostKept} bytes`;
    if (this.hasEnded || this.#length === this.#declared) return undefined;
    return "it was not read to its end";
  }

  /** Makes a stream of what was read. */
  replay(): InputStream {
    const left = this.#pieces.slice();
    return createInput(() => left.shift() ?? null);
  }
}

/** Is a `wsgi.input` that keeps what is read of it. */
export class KeptInput implements InputStream {
  readonly #input: InputStream;
  readonly #body: KeptBody;

  constructor(input: InputStream, body: KeptBody) {
    this.#input = input;
    this.#body = body;
  }

  read(size?: number): Uint8Array | Promise<Uint8Array> {
    return this.#watch(this.#input.read(size), (bytes) => {
      this.#body.take(bytes);
      const isAll = size === undefined || size === null || size < 0;
      if (isAll || bytes.byteLength < size) this.#body.hasEnded = true;
    });
  }

  readline(size?: number): Uint8Array | Promise<Uint8Array> {
    return this.#watch(this.#input.readline(size), (line) => {
      this.#body.take(line);
      if (line.byteLength === 0 && size !== 0) this.#body.hasEnded = true;
    });
  }

  readlines(hint?: number): Uint8Array[] | Promise<Uint8Array[]> {
    return this.#watch(this.#input.readlines(hint), (lines) => {
      for (const line of lines) this.#body.take(line);
      if (!hint || lines.length === 0) this.#body.hasEnded = true;
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const lines = this.#input[Symbol.asyncIterator]();
    return {
      next: () =>
        this.#watch(lines.next(), ({ done, value }) => {
          if (done === true) this.#body.hasEnded = true;
          else this.#body.take(value);
        }) as Promise<IteratorResult<Uint8Array>>,
    };
  }

  /** Looks at what is read, now or later, and hands on the very same: a copy might be rejected unheard. */
  #watch<T>(read: T | Promise<T>, take: (value: T) => void): T | Promise<T> {
    if (read instanceof Promise) read.then(take).catch(() => {});
    else take(read);
    return read;
  }
}
