import { checkBody, closeBody, isSync, onClose, quietly } from "./body.ts";
import { isPlain } from "./plain.ts";
import type { Body, Chunk } from "./types.ts";

/** Says what `mapBody` does with a body. */
export interface BodyMap {
  /** Turns each chunk into one chunk; `""` holds it back. Default: leaves it as it is. */
  chunk?: (chunk: Chunk) => Chunk;
  /** Makes one more chunk after the last; undefined makes none. Not called if iteration stops early. */
  end?: () => Chunk | undefined;
  /** Is told when the body, or one of the two above, throws; the error goes on. Not called for arrays. */
  failed?: (error: unknown) => void;
}

/**
 * Changes the chunks of a body, one for one: an array gives an array, an iterable an iterable, an async
 * iterable an async iterable. Nothing is read before its server asks, and `close()` reaches the body.
 *
 * @param body - the body to change; it belongs to the result from now on
 * @param map - what to do with each chunk, and what to add at the end
 * @returns the changed body
 * @throws WsgiError [body-iterable] for what is no body, a bare string above all; what `map` throws comes
 *   out of the iteration (for an array, at once, and the array is closed)
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
  checkBody(body);
  const mapped: Body = isSync(body)
    ? { [Symbol.iterator]: () => mapIterator(body[Symbol.iterator](), map) }
    : { [Symbol.asyncIterator]: () => new MappedIterator(body[Symbol.asyncIterator](), map) };
  return onClose(mapped, () => closeBody(body));
}

function mapArray(body: Chunk[] & Body, { chunk, end }: BodyMap): Body {
  try {
    const chunks = [...body];
    if (chunk !== undefined) for (let i = 0; i < chunks.length; i++) chunks[i] = chunk(chunks[i]!);
    const last = end?.();
    if (last !== undefined) chunks.push(last);
    return isPlain(body) ? chunks : closing(chunks, body);
  } catch (error) {
    dropped(body);
    throw error;
  }
}

// Functions of their own, because a function that others are made in costs more on every call.

function closing(chunks: Chunk[], body: Body): Body {
  return onClose(chunks, () => closeBody(body));
}

/** Closes a body that nobody else will: whoever wanted it gets an error. */
function dropped(body: Body): void {
  void quietly(() => closeBody(body));
}

const finished: IteratorReturnResult<undefined> = { done: true, value: undefined };

function mapIterator(iterator: Iterator<Chunk>, map: BodyMap): Iterator<Chunk, undefined> {
  const { take, fail } = mapSteps(map, iterator);
  return {
    next() {
      let step: IteratorResult<Chunk>;
      try {
        step = iterator.next();
      } catch (error) {
        return fail(error);
      }
      return take(step);
    },
    return() {
      iterator.return?.();
      return finished;
    },
  };
}

/** Maps an async iteration; several maps around one another take one promise for each of its steps. */
class MappedIterator implements AsyncIterator<Chunk, undefined> {
  /** The iteration below all maps. */
  readonly #source: AsyncIterator<Chunk>;
  readonly #steps: Steps;

  constructor(iterator: AsyncIterator<Chunk>, map: BodyMap) {
    const steps = mapSteps(map, iterator);
    const isMapped = iterator instanceof MappedIterator;
    this.#source = isMapped ? iterator.#source : iterator;
    this.#steps = isMapped ? inTurn(iterator.#steps, steps) : steps;
  }

  next(): Promise<IteratorResult<Chunk, undefined>> {
    // Promise.resolve, because a server takes steps that are no promises, and so does this.
    return Promise.resolve(this.#source.next()).then(this.#steps.take, this.#steps.fail);
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#source.return?.();
    return finished;
  }
}

/** Is what becomes of a step of an iteration, and of its error. */
interface Steps {
  readonly take: (step: IteratorResult<Chunk>) => IteratorResult<Chunk, undefined>;
  readonly fail: (error: unknown) => never;
}

/** Takes steps, or their errors, through an inner map and then through an outer one. */
function inTurn(inner: Steps, outer: Steps): Steps {
  return {
    take(step) {
      let mapped: IteratorResult<Chunk>;
      try {
        mapped = inner.take(step);
      } catch (error) {
        return outer.fail(error);
      }
      return outer.take(mapped);
    },
    fail(error) {
      try {
        return inner.fail(error);
      } catch (thrown) {
        return outer.fail(thrown);
      }
    },
  };
}

/** Maps the steps of one iteration in turn; ends the iteration below if the map throws. */
function mapSteps(
  { chunk, end, failed }: BodyMap,
  iterator: Iterator<Chunk> | AsyncIterator<Chunk>,
): Steps {
  let ended = false;
  const mapStep = (step: IteratorResult<Chunk>): IteratorResult<Chunk, undefined> => {
    if (!step.done) return chunk === undefined ? step : { done: false, value: chunk(step.value) };
    if (ended) return finished;
    ended = true;
    const last = end?.();
    return last === undefined ? finished : { done: false, value: last };
  };
  const fail = (error: unknown): never => {
    failed?.(error);
    throw error;
  };
  return {
    take(step) {
      try {
        return mapStep(step);
      } catch (error) {
        void quietly(() => iterator.return?.());
        return fail(error);
      }
    },
    fail,
  };
}
