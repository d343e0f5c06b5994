import {
  isThenable,
  when,
  type Application,
  type Body,
  type Boundary,
  type Environ,
  type Middleware,
  type StartResponse,
} from "@wsgi/core";
import { Call } from "./exchange.ts";
import type { Journal } from "./journal.ts";
import { watchBody } from "./watch-body.ts";
import { watchStart } from "./watch-start.ts";

/** Says where a probe is, and what it does besides recording. */
export interface Place {
  readonly boundary: Boundary;
  /** Whether there are boundaries inside; not known before all are made. */
  isLayer(): boolean;
  readonly serverTiming: boolean;
}

/** Makes a layer that changes nothing, and writes down what passes it in either direction. */
export function probe(place: Place, journal: Journal): Middleware {
  return function inspect<E extends Environ>(app: Application<E>): Application<E> {
    // With all that it was given: a fault of the server is not for the probe to mend.
    const run = app as (...args: readonly [...Parameters<typeof app>, ...unknown[]]) => Result;
    return function inspect(environ: E, startResponse: StartResponse, ...more: unknown[]): Result {
      const call = enter(environ, place, journal);
      if (call === undefined) return run(environ, startResponse, ...more);
      let result: Result;
      try {
        result = run(environ, watchStart(startResponse, call, place.serverTiming), ...more);
      } catch (error) {
        return fail(error, call);
      }
      if (!isThenable(result)) return watchBody(result, call, "returned");
      call.log({ kind: "returned", body: { kind: "promise" } });
      return when(
        result,
        (body) => watchBody(body, call, "settled"),
        (error) => fail(error, call),
      );
    };
  };
}

type Result = Body | PromiseLike<Body>;

function fail(error: unknown, call: Call): never {
  call.threw("call", error);
  call.end();
  throw error;
}

/** Begins to record a call; undefined if it is not to be recorded. */
function enter(environ: Environ, place: Place, journal: Journal): Call | undefined {
  // For others to refuse: it takes no mark.
  if (typeof environ !== "object" || !Object.isExtensible(environ)) return undefined;
  const { boundary } = place;
  const mark = journal.markOf(environ);
  const parent = mark instanceof Call ? parentOf(mark, boundary) : undefined;
  const exchange =
    parent?.exchange ??
    (mark === null ? undefined : journal.begin(environ, boundary.outside !== undefined));
  if (exchange === undefined) return undefined;
  // The first begins when the recording does, and not when that is set up.
  const at = parent === undefined ? 0 : exchange.now();
  if (parent !== undefined && exchange.isFull) {
    exchange.omittedOf(parent.id).calls += 1;
    return undefined;
  }
  const call = new Call(exchange, boundary, parent, place.isLayer(), environ, at);
  journal.mark(environ, call);
  return call;
}

/**
 * Finds the call from within which another one came. The last that has passed with this environ need not be
 * it: a layer may call its application twice, and then what the first call has left there is further in.
 */
function parentOf(last: Call, { outside }: Boundary): Call | undefined {
  return find(last, ({ boundary }) => boundary === outside) ?? find(last, ({ isOver }) => !isOver);
}

function find(last: Call, fits: (call: Call) => boolean): Call | undefined {
  let call: Call | undefined = last;
  while (call !== undefined && !fits(call)) call = call.parent;
  return call;
}
