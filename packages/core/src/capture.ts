import { checkBody, closeBody, concat, isSync, onClose, quietly, when } from "./body.ts";
import { checkChunk, joinBytes, toBytes } from "./chunk.ts";
import { WsgiError } from "./errors.ts";
import { ResponseHead } from "./head.ts";
import type { Application, Body, Chunk, Environ, HeaderList, MaybePromise } from "./types.ts";

/** Is a response as a value: the head is there, the body still to be read and closed. */
export interface Captured {
  /** The status line. */
  readonly status: string;
  /** The header fields. */
  readonly headers: HeaderList;
  /** What the application wrote and what it returned, in this order. Whoever has it must close it. */
  readonly body: Body;
}

/**
 * Calls an application and gives its response as a value, for a layer that must see the head before it
 * decides. A body that starts the response late is read up to its first chunk, and not further.
 *
 * @param app - the application
 * @param environ - the request
 * @returns the response; a promise of it only if the application is asynchronous
 * @throws whatever the application throws before its response starts; WsgiError if it never starts
 * @example
 * ```ts
 * import { capture, setupTestingDefaults } from "@wsgi/core";
 *
 * const hello = (environ, startResponse) => {
 *   startResponse("200 OK", []);
 *   return ["Hello"];
 * };
 * const { status, body } = await capture(hello, setupTestingDefaults());
 * ```
 * @see SPEC.md [start-lazy]
 */
export function capture<E extends Environ>(
  app: Application<E>,
  environ: E,
): MaybePromise<Captured> {
  const head = new ResponseHead();
  const written: Chunk[] = [];
  let captured = false;
  const write = (chunk: Chunk): void => {
    if (captured) {
      throw new WsgiError(
        "application",
        "write-outside",
        "Cannot write: the body is being read; write before it, or yield the chunk",
      );
    }
    head.sent = true;
    written.push(checkChunk(chunk));
  };
  const result = app(environ, (status, headers, excInfo) => {
    head.start(status, headers, excInfo);
    return write;
  });
  return when(result, (body) =>
    when(startedBody(checkBody(body), head), (started) => {
      head.sent = true;
      captured = true;
      return {
        status: head.status,
        headers: head.headers,
        body: written.length === 0 ? started : concat(written, started),
      };
    }),
  );
}

/** Reads up to the first chunk if the response has not started yet, and puts it back. */
function startedBody(body: Body, head: ResponseHead): MaybePromise<Body> {
  if (head.code !== 0) return body;
  return isSync(body) ? startSync(body, head) : startAsync(body, head);
}

function startSync(body: Iterable<Chunk> & Body, head: ResponseHead): MaybePromise<Body> {
  const chunks = (function* () {
    for (const chunk of body) if (isDue(chunk, head)) yield chunk;
  })();
  // Whoever stops before coming to this iteration does not end it, so `close()` has to.
  const end = (): void => void chunks.return();
  const rest = onClose({ [Symbol.iterator]: () => chunks, close: end }, () => closeBody(body));
  try {
    const first = chunks.next();
    head.demand();
    return first.done ? rest : concat([first.value], rest);
  } catch (error) {
    return giveUp(rest, error);
  }
}

async function startAsync(body: AsyncIterable<Chunk> & Body, head: ResponseHead): Promise<Body> {
  let waiting = true;
  const chunks = (async function* () {
    for await (const chunk of body) {
      if (!isDue(chunk, head)) continue;
      waiting = false;
      yield chunk;
      waiting = true;
    }
  })();
  const end = (): void | Promise<void> => {
    const ended = chunks.return().then(() => {});
    // Behind a next() under way it would have to wait, and that may wait for the body to be closed.
    return waiting ? void ended.catch(() => {}) : ended;
  };
  const rest = onClose({ [Symbol.asyncIterator]: () => chunks, close: end }, () => closeBody(body));
  try {
    const first = await chunks.next();
    head.demand();
    return first.done ? rest : concat([first.value], rest);
  } catch (error) {
    await quietly(() => closeBody(rest));
    throw error;
  }
}

/** Tells whether a chunk is to be handed on: every one after the start, and before it an empty one is not. */
function isDue(chunk: Chunk, head: ResponseHead): boolean {
  return head.code !== 0 || checkChunk(chunk).length > 0;
}

/**
 * Reads a body to its end and closes it.
 *
 * @param body - the body
 * @returns all of its bytes; a promise of them only if the body or its `close()` is asynchronous
 * @throws whatever the body throws, after closing it; WsgiError [body-chunk] for what is no chunk
 * @example
 * ```ts
 * import { readBody } from "@wsgi/core";
 *
 * new TextDecoder().decode(await readBody(["Hello, ", "world!"])); // "Hello, world!"
 * ```
 * @see SPEC.md [close-once]
 */
export function readBody(body: Body): MaybePromise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const closed = (): MaybePromise<Uint8Array> =>
    when(closeBody(body) as MaybePromise<void>, () => joinBytes(chunks));
  if (!isSync(body)) return readAsync(body, chunks).then(closed);
  try {
    for (const chunk of body) chunks.push(toBytes(checkChunk(chunk)));
  } catch (error) {
    return giveUp(body, error);
  }
  return closed();
}

async function readAsync(body: AsyncIterable<Chunk> & Body, chunks: Uint8Array[]): Promise<void> {
  try {
    for await (const chunk of body) chunks.push(toBytes(checkChunk(chunk)));
  } catch (error) {
    await quietly(() => closeBody(body));
    throw error;
  }
}

/** Closes the body of a response that failed, and lets the error go on when that is done. */
function giveUp(body: Body, error: unknown): MaybePromise<never> {
  return when(quietly(() => closeBody(body)) as MaybePromise<void>, () => {
    throw error;
  });
}
