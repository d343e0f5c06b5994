import { quietly, when } from "../body.ts";
import type { Chunk, MaybePromise } from "../types.ts";
import { endBody, takeChunk } from "./chunk.ts";
import type { Exchange } from "./exchange.ts";
import { checkAllAnswered, checkBlock, checkLazy, noteGiven } from "./layer.ts";
import { checkUntrapped } from "./start.ts";

type Step = IteratorResult<Chunk>;

/** Is an iteration that waits only where the body's does. */
interface Steps {
  next(): MaybePromise<Step>;
  return(): MaybePromise<Step>;
}

const finished: Step = { done: true, value: undefined };

/** Stands before the iteration of a body, and checks each step from both sides. */
export function watchSteps<I extends Iterator<Chunk> | AsyncIterator<Chunk>>(
  iterator: I,
  exchange: Exchange,
  share: () => void,
): I {
  /** Runs a check; what it finds ends the iteration, which the server takes for ended then. */
  const checked = (check: () => void): void => {
    try {
      check();
    } catch (error) {
      exchange.progress = "over";
      void quietly(() => iterator.return?.());
      throw error;
    }
  };
  const pass = (step: Step): Step => {
    share();
    exchange.stepping = false;
    // A step that was under way when the client left is of no concern any more.
    if (!exchange.closed && exchange.progress !== "over") {
      checked(() => checkStep(step, exchange));
    }
    return step;
  };
  const fail = (error: unknown): never => {
    share();
    exchange.stepping = false;
    exchange.progress = "over";
    throw error;
  };
  const steps: Steps = {
    next() {
      checkTurn(exchange);
      checked(() => {
        checkLazy(exchange);
        checkBlock(exchange);
      });
      exchange.progress = "begun";
      exchange.steps += 1;
      exchange.stepping = true;
      let step: MaybePromise<Step>;
      try {
        step = iterator.next();
      } catch (error) {
        return fail(error);
      }
      if (exchange.isSync) return pass(step as Step);
      return when(step, pass, fail);
    },
    return() {
      exchange.progress = "over";
      return when(iterator.return?.(), () => finished);
    },
  };
  // What waits is known to the iterator that it stands for.
  return steps as I;
}

/** Checks that the server may ask for a step now. */
function checkTurn(exchange: Exchange): void {
  if (!exchange.closed && !exchange.stepping) return;
  const found = exchange.closed ? "the body was closed" : "the step before is under way";
  const message = `Cannot take a step: ${found}; wanted one step at a time, and none after close()`;
  exchange.blame("server", "body-once", message);
}

function checkStep(step: Step, exchange: Exchange): void {
  checkUntrapped(exchange);
  if (step.done === true) {
    exchange.progress = "over";
    exchange.ended = true;
    endBody(exchange);
    checkAllAnswered(exchange);
  } else {
    takeChunk(step.value, exchange);
    noteGiven(exchange);
  }
}
