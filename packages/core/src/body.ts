import { WsgiError } from "./errors.ts";
import { FileWrapper, isFile } from "./file-wrapper.ts";
import { isPlain } from "./plain.ts";
import { typeName } from "./show.ts";
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
  // Promise.resolve, because a thenable may settle more than once.
  return isThenable(value) ? Promise.resolve(value).then(next, failed) : next(value);
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
 * Makes sure that what an application returned is a body.
 *
 * @param body - what it returned, settled
 * @returns the same
 * @throws WsgiError [body-iterable] if it is a string, bytes, or nothing that can be iterated
 * @example
 * ```ts
 * import { checkBody } from "@wsgi/core";
 *
 * checkBody(["Hello"]); // ["Hello"]
 * ```
 * @see SPEC.md [body-iterable]
 */
export function checkBody(body: unknown): Body {
  if (isBody(body)) return body;
  const wanted =
    typeof body === "string" || body instanceof Uint8Array
      ? "wanted an iterable of chunks: return [text]"
      : "wanted an iterable of strings or Uint8Arrays";
  throw new WsgiError(
    "application",
    "body-iterable",
    `Cannot send the body: the application returned ${typeName(body)}; ${wanted}`,
  );
}

/**
 * Releases a body as its server must: through `close()`, or else through its disposer; a web stream that
 * nobody reads is cancelled.
 *
 * @param body - the body, iterated or not
 * @returns nothing, or the promise of the end of closing
 * @throws whatever the body's `close()` throws
 * @example
 * ```ts
 * import { closeBody } from "@wsgi/core";
 *
 * await closeBody(Object.assign(["Hello"], { close: () => console.log("Closed") }));
 * ```
 * @see SPEC.md [close-once], [close-dispose]
 */
export function closeBody(body: Body): void | Promise<void> {
  // A node stream that was not read tells of its failure by an event, which somebody has to hear.
  if ("on" in body && typeof body.on === "function") body.on("error", () => {});
  const { close } = body;
  if (typeof close === "function") return close.call(body);
  // Quietly, because of a stream that failed it would be the failure once more.
  if (isWebStream(body) && !body.locked) return quietly(() => body.cancel());
  const disposable = body as Partial<AsyncDisposable & Disposable>;
  const dispose = disposable[Symbol.asyncDispose] ?? disposable[Symbol.dispose];
  // A node stream that failed has closed itself; its disposer would report the failure once more.
  if ("errored" in body && body.errored instanceof Error) return undefined;
  // What iterators inherit, where they do, is their return(), which may wait for a step that never comes.
  if (dispose === ofIterators || dispose === ofAsyncIterators) return undefined;
  return dispose?.call(body) as void | Promise<void>;
}

function isWebStream(body: object): body is { locked: boolean; cancel(): Promise<void> } {
  return "locked" in body && "cancel" in body;
}

const ofIterators = ancestor(function* () {})[Symbol.dispose];
const ofAsyncIterators = ancestor(async function* () {})[Symbol.asyncDispose];

/** Gives the prototype of all iterators, or of all async ones. */
function ancestor(generator: {
  readonly prototype: object;
}): Partial<AsyncDisposable & Disposable> {
  return Object.getPrototypeOf(Object.getPrototypeOf(generator.prototype)) as object;
}

/**
 * Does what must be done although something else has failed already, and drops its errors: the first
 * error is the one to report.
 *
 * @param act - closes a body, or ends an iteration
 * @param failed - is told of the error that is dropped. Default: nobody
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
export function quietly(
  act: () => unknown,
  failed: (error: unknown) => void = nothing,
): void | Promise<void> {
  try {
    return when(act(), nothing, failed) as void | Promise<void>;
  } catch (error) {
    failed(error);
    return undefined;
  }
}

function nothing(): void {}

/**
 * Runs a function once when a body is closed, after the body's own `close()` and even if that throws.
 * It runs for a body that was never iterated too, which `finally` in a generator does not.
 *
 * @param body - the body to wait for; it belongs to the result from now on
 * @param closed - the function; what it returns is waited for, what it throws comes out of `close()`
 * @returns the same chunks with the longer `close()`
 * @throws WsgiError [body-iterable] for what is no body, a bare string above all
 * @example
 * ```ts
 * import { onClose } from "@wsgi/core";
 *
 * const body = onClose(["Hello"], () => console.log("The request has ended"));
 * ```
 * @see SPEC.md [close-once], [close-forward]; Rack::BodyProxy
 */
export function onClose(body: Body, closed: () => void | Promise<void>): Body {
  checkBody(body);
  const close = once(() => finallyDo(() => closeBody(body), closed));
  // A copy, because an array may be a constant that other requests return too.
  if (Array.isArray(body)) return Object.assign(body.slice(), { close });
  if (isFile(body)) return Object.assign(new FileWrapper(body.file, body.blockSize), { close });
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
    return (bodies as readonly Body[]).every(isPlain) ? chunks : Object.assign(chunks, { close });
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
