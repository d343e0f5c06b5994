import {
  checkChunk,
  closeBody,
  isBody,
  isSync,
  isThenable,
  onClose,
  quietly,
  show,
  signalKey,
  type Body,
  type Chunk,
  type Environ,
  type Middleware,
} from "@wsgi/core";
import { Deadline } from "./timeout/deadline.ts";

/** Is what `timeout` adds to environ, or extends where the server has it. */
export interface TimeoutEnviron {
  /** Makes the signal that aborts when the time is up, or when the server's own does. */
  [signalKey]: (environ: Environ) => AbortSignal;
}

/** Says how long an application may take. */
export interface TimeoutOptions {
  /** How long until the first byte of the body, in milliseconds. Default: 30,000. */
  after?: number;
}

/**
 * Answers 503 in the place of an application that has not begun its response in time, and tells it so by
 * its signal. What such an application returns later is closed. A response that has begun takes the time
 * it takes, and an application that does not wait cannot be interrupted, and costs no timer.
 *
 * To its application it is a server that loses patience: `wsgix.signal` aborts, and `startResponse` and
 * `write` throw from then on. To its server it is an application that answers in time.
 *
 * @param options - how long it waits
 * @returns the middleware
 * @throws RangeError if the time is none that a timer takes; for a request, nothing of its own
 * @example
 * ```ts
 * import { timeout } from "@wsgi/middleware/timeout";
 * import { call } from "@wsgi/testing";
 *
 * const stuck = () => new Promise(() => {});
 * (await call(timeout({ after: 10 })(stuck), "GET /")).status; // "503 Service Unavailable"
 * ```
 * @see SPEC.md [client-signal], [start-replace]; RFC 9110, section 15.6.4; Rack::Timeout
 */
export function timeout(options: TimeoutOptions = {}): Middleware<TimeoutEnviron> {
  const after = checkAfter(options.after ?? 30_000);
  return function timeout(app) {
    return function timeout(environ, startResponse) {
      const deadline = new Deadline(after, environ, startResponse);
      const signal = (): AbortSignal => deadline.signal;
      const result = app({ ...environ, [signalKey]: signal }, deadline.start);
      const watched = (body: Body): Body => watch(body, deadline);
      return isThenable(result)
        ? deadline.wait<Body>(result, (body) => body, closeLate).then(watched)
        : watched(result);
    };
  };
}

function checkAfter(after: number): number {
  if (Number.isInteger(after) && after >= 1 && after < 2 ** 31) return after;
  throw new RangeError(
    `Cannot set a timeout: after is ${show(after)}; wanted whole milliseconds, from 1 to 2147483647`,
  );
}

function closeLate(body: Body): void | Promise<void> {
  return isBody(body) ? closeBody(body) : undefined;
}

/** Watches an asynchronous body until its first byte. Nothing can interrupt another, or has to. */
function watch(body: Body, deadline: Deadline): Body {
  if (!isBody(body) || isSync(body)) {
    deadline.end();
    return body;
  }
  const iterate = (): AsyncIterator<Chunk> => {
    const steps = body[Symbol.asyncIterator]();
    let refused: Iterator<Chunk> | undefined;
    const refuse = (text: string[]): IteratorResult<Chunk> => {
      refused = text[Symbol.iterator]();
      // It ends when it goes on, if it ever does, and nobody waits for that.
      void quietly(() => steps.return?.());
      return refused.next();
    };
    const next = (): Promise<IteratorResult<Chunk>> => {
      if (refused !== undefined) return Promise.resolve(refused.next());
      // Promise.resolve, because a server takes steps that are no promises, and so does this.
      const step = Promise.resolve(steps.next());
      return deadline.hasEnded ? step : deadline.wait(step, refuse, () => {}).then(taken);
    };
    const end = (): Promise<IteratorResult<Chunk>> =>
      Promise.resolve((refused ?? steps).return?.() ?? finished);
    return { next, return: end };
  };
  const taken = (step: IteratorResult<Chunk>): IteratorResult<Chunk> => {
    if (step.done === true || checkChunk(step.value).length > 0) deadline.end();
    return step;
  };
  return onClose({ [Symbol.asyncIterator]: iterate }, () => {
    deadline.end();
    return closeBody(body);
  });
}

const finished = { done: true, value: undefined } as const;
