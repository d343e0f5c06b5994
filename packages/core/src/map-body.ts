import { closeBody, isSync, onClose, quietly } from "./body.ts";
import type { Body, Chunk } from "./types.ts";

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
  const mapped: Body = isSync(body)
    ? { [Symbol.iterator]: () => mapIterator(body[Symbol.iterator](), map) }
    : { [Symbol.asyncIterator]: () => mapAsyncIterator(body[Symbol.asyncIterator](), map) };
  return onClose(mapped, () => closeBody(body));
}

function mapArray(body: Chunk[] & Body, { chunk, end }: BodyMap): Body {
  try {
    const chunks = chunk === undefined ? body.slice() : body.map((value) => chunk(value));
    const last = end?.();
    if (last !== undefined) chunks.push(last);
    return body.close === undefined ? chunks : onClose(chunks, () => closeBody(body));
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
