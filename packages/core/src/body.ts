import type { Body, Chunk, MaybePromise } from "./types.ts";

/**
 * Tells whether a value is a promise or behaves as one. What can be iterated is a body and no promise,
 * whatever else it has: the query of a database may have both.
 *
 * @param value - anything
 * @returns true if it has a `then` method and is no body
 * @example
 * ```ts
 * import { isThenable } from "@wsgi/core";
 *
 * isThenable(Promise.resolve(1)); // true
 * ```
 * @see SPEC.md [body-settled]
 */
export function isThenable<T>(value: MaybePromise<T>): value is PromiseLike<T> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function" &&
    !isBody(value)
  );
}

/**
 * Goes on with a value: at once if it is there, later if it is a promise. A layer written with `when`
 * costs a synchronous application nothing, where `async` would make every request wait.
 *
 * @param value - a value, or the promise of one
 * @param next - what to do with it
 * @param failed - what to do instead if the promise is rejected
 * @returns what `next` (or `failed`) returns, or the promise of it
 * @throws whatever `next` throws, if the value is there
 * @example
 * ```ts
 * import { when } from "@wsgi/core";
 *
 * when(20, (n) => n + 1); // 21
 * await when(Promise.resolve(20), (n) => n + 1); // 21
 * ```
 * @see SPEC.md [body-settled]
 */
export function when<T, R>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<R>,
  failed?: (error: unknown) => MaybePromise<R>,
): MaybePromise<R> {
  return isThenable(value) ? value.then(next, failed) : next(value);
}

/**
 * Tells whether a body yields its chunks at once, so that it can be iterated without waiting.
 *
 * @param body - a body
 * @returns true for arrays, generators and every other iterable; false for an async iterable
 * @example
 * ```ts
 * import { isSync } from "@wsgi/core";
 *
 * isSync(["Hello"]); // true
 * ```
 * @see SPEC.md [body-settled]
 */
export function isSync(body: Body): body is Iterable<Chunk> & Body {
  return typeof (body as Partial<Iterable<Chunk>>)[Symbol.iterator] === "function";
}

/**
 * Tells whether what an application returned is a body.
 *
 * @param value - anything
 * @returns true for an object that is an iterable or an async iterable, but for bytes: they are a chunk
 * @example
 * ```ts
 * import { isBody } from "@wsgi/core";
 *
 * isBody(["Hello"]); // true
 * isBody("Hello"); // false: write ["Hello"]
 * ```
 * @see SPEC.md [body-iterable]
 */
export function isBody(value: unknown): value is Body {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return false;
  const body = value as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  return (
    typeof body[Symbol.iterator] === "function" || typeof body[Symbol.asyncIterator] === "function"
  );
}

/**
 * Tells whether a value may be yielded by a body.
 *
 * @param value - anything
 * @returns true for a string and for a Uint8Array (a Buffer is one)
 * @example
 * ```ts
 * import { isChunk } from "@wsgi/core";
 *
 * isChunk(new Uint8Array(2)); // true
 * isChunk(42); // false
 * ```
 * @see SPEC.md [body-chunk]
 */
export function isChunk(value: unknown): value is Chunk {
  return typeof value === "string" || value instanceof Uint8Array;
}

const encoder = new TextEncoder();

/**
 * Turns a chunk into its bytes.
 *
 * @param chunk - text, which is encoded as UTF-8, or bytes, which are returned as they are
 * @returns the bytes
 * @example
 * ```ts
 * import { toBytes } from "@wsgi/core";
 *
 * toBytes("世").length; // 3
 * ```
 * @see SPEC.md [body-chunk]
 */
export function toBytes(chunk: Chunk): Uint8Array {
  return typeof chunk === "string" ? encoder.encode(chunk) : chunk;
}

/**
 * Counts the bytes of a chunk without encoding it.
 *
 * @param chunk - text or bytes
 * @returns the number of bytes that a server sends for it
 * @example
 * ```ts
 * import { byteLength } from "@wsgi/core";
 *
 * byteLength("世界"); // 6
 * ```
 * @see SPEC.md [body-chunk]
 */
export function byteLength(chunk: Chunk): number {
  if (typeof chunk !== "string") return chunk.byteLength;
  let bytes = chunk.length;
  for (let i = 0; i < chunk.length; i++) {
    const unit = chunk.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A surrogate pair is four bytes: two for each of its halves. A lone half becomes U+FFFD, three.
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = chunk.charCodeAt(i + 1);
      if (next >= 0xdc00 && next < 0xe000) i++;
    }
  }
  return bytes;
}

/**
 * Puts chunks together to one.
 *
 * @param chunks - byte pieces
 * @returns their bytes; the piece itself if there is only one
 * @example
 * ```ts
 * import { joinBytes, toBytes } from "@wsgi/core";
 *
 * joinBytes([toBytes("Hello, "), toBytes("world!")]).length; // 13
 * ```
 * @see SPEC.md [body-chunk]
 */
export function joinBytes(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  let length = 0;
  for (const chunk of chunks) length += chunk.byteLength;
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}

/**
 * Releases a body as its server must: through `close()`, or else through its disposer.
 *
 * @param body - the body, iterated or not
 * @returns nothing, or the promise of the end of closing
 * @throws whatever the body's `close()` throws
 * @example
 * ```ts
 * import { closeBody } from "@wsgi/core";
 *
 * await closeBody({ ...["Hello"], [Symbol.iterator]: () => [][Symbol.iterator](), close() {} });
 * ```
 * @see SPEC.md [close-once], [close-dispose]
 */
export function closeBody(body: Body): void | Promise<void> {
  const { close } = body;
  if (typeof close === "function") return close.call(body);
  const disposable = body as Partial<AsyncDisposable & Disposable>;
  const dispose = disposable[Symbol.asyncDispose] ?? disposable[Symbol.dispose];
  return dispose?.call(body) as void | Promise<void>;
}

/**
 * Does what must be done although something else has failed already, and drops its errors: the first
 * error is the one to report.
 *
 * @param act - closes a body, or ends an iteration
 * @returns nothing, or the promise of its end, which is never rejected
 * @throws nothing
 * @example
 * ```ts
 * import { closeBody, quietly } from "@wsgi/core";
 *
 * const body = Object.assign(["Hello"], {
 *   close() {
 *     throw new Error("Too late to matter");
 *   },
 * });
 * quietly(() => closeBody(body));
 * ```
 * @see SPEC.md [close-once]
 */
export function quietly(act: () => unknown): void | Promise<void> {
  const nothing = (): void => {};
  try {
    return when(act(), nothing, nothing) as void | Promise<void>;
  } catch {
    return undefined;
  }
}

/** Says what `mapBody` does with a body. */
export interface BodyMap {
  /** Turns each chunk into one chunk; `""` holds it back. Default: leaves it as it is. */
  chunk?: (chunk: Chunk) => Chunk;
  /** Makes one more chunk after the last; undefined makes none. Not called if iteration stops early. */
  end?: () => Chunk | undefined;
}

/**
 * Changes the chunks of a body, one for one: an array gives an array, an iterable an iterable, an async
 * iterable an async iterable. Nothing is read before its server asks, and `close()` reaches the body.
 *
 * @param body - the body to change; it belongs to the result from now on
 * @param map - what to do with each chunk, and what to add at the end
 * @returns the changed body
 * @throws nothing of its own; what `map` throws comes out of the iteration (for an array, at once, and
 * the array is closed)
 * @example
 * ```ts
 * import { mapBody } from "@wsgi/core";
 *
 * mapBody(["Hello"], { chunk: (chunk) => String(chunk).toUpperCase(), end: () => "!" }); // ["HELLO", "!"]
 * ```
 * @see SPEC.md [layer-block], [close-forward]
 */
export function mapBody(body: Body, map: BodyMap): Body {
  if (Array.isArray(body)) return mapArray(body, map);
  const close = once(() => closeBody(body));
  return isSync(body)
    ? { [Symbol.iterator]: () => mapIterator(body[Symbol.iterator](), map), close }
    : { [Symbol.asyncIterator]: () => mapAsyncIterator(body[Symbol.asyncIterator](), map), close };
}

function mapArray(body: Chunk[] & Body, { chunk, end }: BodyMap): Body {
  try {
    const chunks = chunk === undefined ? body.slice() : body.map((value) => chunk(value));
    const last = end?.();
    if (last !== undefined) chunks.push(last);
    if (body.close === undefined) return chunks;
    const close = once(() => closeBody(body));
    return withClose(chunks, close);
  } catch (error) {
    // Nobody else will: the caller gets no body to close.
    void quietly(() => closeBody(body));
    throw error;
  }
}

const finished: IteratorReturnResult<undefined> = { done: true, value: undefined };

function mapIterator(iterator: Iterator<Chunk>, map: BodyMap): Iterator<Chunk, undefined> {
  const step = mapStep(map, iterator);
  return {
    next: () => step(iterator.next()),
    return() {
      iterator.return?.();
      return finished;
    },
  };
}

function mapAsyncIterator(
  iterator: AsyncIterator<Chunk>,
  map: BodyMap,
): AsyncIterator<Chunk, undefined> {
  const step = mapStep(map, iterator);
  return {
    next: () => iterator.next().then(step),
    async return() {
      await iterator.return?.();
      return finished;
    },
  };
}

/** Maps the steps of one iteration in turn; ends the iteration below if the map throws. */
function mapStep(
  { chunk, end }: BodyMap,
  iterator: Iterator<Chunk> | AsyncIterator<Chunk>,
): (step: IteratorResult<Chunk>) => IteratorResult<Chunk, undefined> {
  let ended = false;
  return (step) => {
    if (step.done) {
      if (ended) return finished;
      ended = true;
      const last = end?.();
      return last === undefined ? finished : { done: false, value: last };
    }
    if (chunk === undefined) return step;
    try {
      return { done: false, value: chunk(step.value) };
    } catch (error) {
      void quietly(() => iterator.return?.());
      throw error;
    }
  };
}

/**
 * Runs a function once when a body is closed, after the body's own `close()` and even if that throws.
 * It runs for a body that was never iterated too, which `finally` in a generator does not.
 *
 * @param body - the body to wait for; it belongs to the result from now on
 * @param closed - the function; what it returns is waited for, what it throws comes out of `close()`
 * @returns the same chunks with the longer `close()`
 * @example
 * ```ts
 * import { onClose } from "@wsgi/core";
 *
 * const body = onClose(["Hello"], () => console.log("The request has ended"));
 * ```
 * @see SPEC.md [close-once], [close-forward]; Rack::BodyProxy
 */
export function onClose(body: Body, closed: () => void | Promise<void>): Body {
  const close = once(() => finallyDo(() => closeBody(body), closed));
  // A copy, because an array may be a constant that other requests return too.
  if (Array.isArray(body)) return withClose(body.slice(), close);
  return isSync(body)
    ? { [Symbol.iterator]: () => body[Symbol.iterator](), close }
    : { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](), close };
}

/**
 * Puts bodies one after another. Each is started when the one before it has ended, and closing the
 * result closes all of them, first to last.
 *
 * @param bodies - the bodies; they belong to the result from now on
 * @returns an array if all are arrays, an iterable if all are synchronous, else an async iterable
 * @example
 * ```ts
 * import { concat } from "@wsgi/core";
 *
 * concat(["Hello, "], ["world!"]); // ["Hello, ", "world!"]
 * ```
 * @see SPEC.md [close-forward]
 */
export function concat(...bodies: readonly Body[]): Body {
  const close = once(() => closeFrom(bodies, 0));
  if (bodies.every((body) => Array.isArray(body))) {
    const chunks = bodies.flat() as Chunk[];
    const plain = (bodies as readonly Body[]).every((body) => body.close === undefined);
    return plain ? chunks : withClose(chunks, close);
  }
  if (bodies.every(isSync)) {
    return {
      *[Symbol.iterator]() {
        for (const body of bodies) yield* body;
      },
      close,
    };
  }
  return {
    async *[Symbol.asyncIterator]() {
      for (const body of bodies) yield* body;
    },
    close,
  };
}

function closeFrom(bodies: readonly Body[], first: number): void | Promise<void> {
  const body = bodies[first];
  if (body === undefined) return;
  return finallyDo(
    () => closeBody(body),
    () => closeFrom(bodies, first + 1),
  );
}

type Close = () => void | Promise<void>;

function withClose(chunks: Chunk[], close: Close): Body {
  return Object.assign(chunks, { close });
}

function once(close: Close): Close {
  let open = true;
  return () => {
    if (!open) return;
    open = false;
    return close();
  };
}

/** Does `last` after `first` on every path; waits only if one of them made a promise. */
function finallyDo(first: Close, last: Close): void | Promise<void> {
  const failed = (error: unknown): MaybePromise<void> =>
    when(last(), () => {
      throw error;
    });
  let pending: MaybePromise<void>;
  try {
    pending = first();
  } catch (error) {
    return failed(error) as void | Promise<void>;
  }
  return when(pending, last, failed) as void | Promise<void>;
}
