import {
  checkChunk,
  closeBody,
  isSync,
  isThenable,
  onClose,
  quietly,
  when,
  type Body,
  type Chunk,
  type MaybePromise,
} from "@wsgi/core";

/** Says what happens when a body fails. */
export interface BodyGuard {
  /** Whether an answer may take time, which only an asynchronous body has. */
  readonly mayWait: boolean;
  /** Makes the body to go on with, if nothing of the failed one was handed on; or throws. */
  answer(error: unknown): MaybePromise<Body>;
  /** Is told of an error that comes too late to be answered, and goes on its way. */
  passOn(error: unknown): void;
  /** Is told of an error that goes no further. */
  tell(error: unknown): void;
}

/**
 * Watches over a body: an error before its first byte puts another in its place, a later one is told and
 * goes on its way, and one in `close()` is told and goes no further.
 *
 * @param body - the body; it belongs to the result from now on
 * @param guard - what to do
 * @returns an array from an array, an iterable from an iterable unless the guard may wait
 */
export function guardBody(body: Body, guard: BodyGuard): Body {
  const close = (): MaybePromise<void> => attempt<void>(() => closeBody(body), guard.tell);
  return onClose(guardChunks(body, guard), close as () => void | Promise<void>);
}

function guardChunks(body: Body, guard: BodyGuard): Body {
  if (Array.isArray(body)) return body.slice();
  if (isSync(body) && !guard.mayWait) {
    return { [Symbol.iterator]: () => guardSteps(body, guard) as Iterator<Chunk> };
  }
  return {
    [Symbol.asyncIterator]() {
      const steps = guardSteps(body, guard);
      return { next: () => promise(steps.next), return: () => promise(steps.return) };
    },
  };
}

type Step = IteratorResult<Chunk, undefined>;

/** Is an iteration that waits only if the body's does, or the answer. */
interface Steps {
  next(): MaybePromise<Step>;
  return(): MaybePromise<Step>;
}

const finished: Step = { done: true, value: undefined };

function guardSteps(body: Body, guard: BodyGuard): Steps {
  let steps: Iterator<Chunk> | AsyncIterator<Chunk> | undefined;
  let sent = false;
  const next = (): MaybePromise<Step> => when((steps ??= iterate(body)).next(), pass);
  const pass = (step: IteratorResult<Chunk>): Step => {
    if (step.done) return finished;
    try {
      if (checkChunk(step.value).length > 0) sent = true;
    } catch (error) {
      void quietly(() => steps?.return?.());
      throw error;
    }
    return step;
  };
  const replace = (error: unknown): MaybePromise<Step> => {
    if (!sent) {
      return when(guard.answer(error), (answer) => {
        steps = iterate(answer);
        return next();
      });
    }
    guard.passOn(error);
    throw error;
  };
  const stopped = (): Step => finished;
  return {
    next: () => attempt(next, replace),
    return: () =>
      attempt(
        () => when(steps?.return?.(), stopped),
        (error) => {
          guard.tell(error);
          return finished;
        },
      ),
  };
}

function iterate(body: Body): Iterator<Chunk> | AsyncIterator<Chunk> {
  return isSync(body) ? body[Symbol.iterator]() : body[Symbol.asyncIterator]();
}

/**
 * Does something that may throw, or reject, and goes on with the error if it does.
 *
 * @param action - what to do
 * @param failed - what to do with the error
 * @returns what `action` returns, or else what `failed` does
 */
export function attempt<T>(
  action: () => MaybePromise<T>,
  failed: (error: unknown) => MaybePromise<T>,
): MaybePromise<T> {
  let result: MaybePromise<T>;
  try {
    result = action();
  } catch (error) {
    return failed(error);
  }
  return isThenable(result) ? result.then(undefined, failed) : result;
}

/** Gives a promise, whatever the action does. */
function promise<T>(action: () => MaybePromise<T>): Promise<T> {
  try {
    return Promise.resolve(action());
  } catch (error) {
    return Promise.reject(error);
  }
}
