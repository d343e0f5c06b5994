import { closeBody, isSync, isThenable, when } from "../body.ts";
import type { Body, Chunk, MaybePromise } from "../types.ts";
import { endBody, takeChunk } from "./chunk.ts";
import type { Exchange } from "./exchange.ts";
import { checkHeadersKept } from "./headers.ts";
import { checkForwarded } from "./layer.ts";
import { watchSteps } from "./steps.ts";

/** Is a body for the server, and what that one has done wrong with it, once it closes it. */
interface Watched {
  readonly body: Body;
  fault(): readonly [clause: string, message: string] | undefined;
}

/** Stands before the returned body: of the same kind, as lazy, and closed as often. */
export function watchBody(body: Body, exchange: Exchange, share: () => void): Body {
  exchange.isSync = isSync(body);
  const watched = Array.isArray(body)
    ? watchArray(body, exchange)
    : watchIterable(body, exchange, share);
  const held = exchange.place.enter(watched.body, forgottenTeller(exchange));
  exchange.open = true;
  const close = (): void | Promise<void> => {
    checkNotClosed(exchange);
    const fault = watched.fault();
    exchange.closed = true;
    exchange.open = false;
    held.leave();
    return closeAndCheck(body, exchange, share, fault);
  };
  return Object.assign(watched.body, { close });
}

// Not within the function above, where it would hold the body that is to be forgotten.
function forgottenTeller(exchange: Exchange): () => void {
  return () =>
    exchange.warn("server", "close-once", "a body was never closed; wanted it closed once");
}

/** An array is checked as a whole, and copied: it may be a constant. */
function watchArray(body: readonly Chunk[] & Body, exchange: Exchange): Watched {
  const chunks = body.slice();
  for (const chunk of chunks) takeChunk(chunk, exchange);
  endBody(exchange);
  const handed = body.slice();
  return {
    body: handed,
    fault() {
      const kept =
        handed.length === chunks.length && chunks.every((chunk, i) => chunk === handed[i]);
      const message = "Cannot close the body: its array was changed; wanted it as it was returned";
      return kept ? undefined : ["body-shared", message];
    },
  };
}

function watchIterable(body: Body, exchange: Exchange, share: () => void): Watched {
  const take = <I extends Iterator<Chunk> | AsyncIterator<Chunk>>(iterate: () => I): I => {
    checkFirst(exchange);
    exchange.progress = "taken";
    return watchSteps(iterate(), exchange, share);
  };
  return {
    body: isSync(body)
      ? { [Symbol.iterator]: () => take(() => body[Symbol.iterator]()) }
      : { [Symbol.asyncIterator]: () => take(() => body[Symbol.asyncIterator]()) },
    fault() {
      const left = exchange.progress === "begun" && !exchange.stepping;
      const message = "Cannot close the body: its iteration is not over; call return() before";
      return left ? ["close-return", message] : undefined;
    },
  };
}

function checkFirst(exchange: Exchange): void {
  if (!exchange.closed && exchange.progress === "none") return;
  const found = exchange.closed ? "it was closed" : "it was iterated before";
  const message = `Cannot iterate the body: ${found}; wanted it iterated once, before it is closed`;
  exchange.blame("server", "body-once", message);
}

function checkNotClosed(exchange: Exchange): void {
  if (!exchange.closed) return;
  const message = "Cannot close the body: it was closed before; wanted it closed once";
  exchange.blame("server", "close-once", message);
}

/** Closes the application's own body, and then looks at what the request has left. */
function closeAndCheck(
  body: Body,
  exchange: Exchange,
  share: () => void,
  fault: readonly [clause: string, message: string] | undefined,
): void | Promise<void> {
  const closed = (): void => {
    share();
    checkForwarded(exchange);
    checkHeadersKept(exchange);
    if (fault !== undefined) exchange.blame("server", ...fault);
  };
  const failed = (error: unknown): never => {
    share();
    checkForwarded(exchange, error);
    throw error;
  };
  let closing: MaybePromise<void>;
  try {
    closing = closeBody(body);
  } catch (error) {
    return failed(error);
  }
  if (isThenable(closing)) exchange.closesLater = true;
  return when(closing, closed, failed) as void | Promise<void>;
}
