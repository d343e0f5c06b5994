import {
  closeBody,
  isBody,
  isSync,
  typeName,
  when,
  type Body,
  type Chunk,
  type MaybePromise,
} from "@wsgi/core";
import type { Call } from "./exchange.ts";
import { isClosable } from "./summary.ts";

/** Stands before a body: of the same kind, as lazy, and closed as often. What has no parts to watch stays as it is. */
export function watchBody(body: Body, call: Call, kind: "returned" | "settled"): Body {
  if (!isBody(body)) {
    // For the server to refuse.
    call.log({ kind, body: { kind: "no body", type: typeName(body) } });
    call.end();
    return body;
  }
  if (Array.isArray(body)) {
    const at = call.exchange.now();
    const record = call.exchange.readArray(body);
    call.log({ kind, body: record }, at);
    if (record.isClosable) return Object.assign(body.slice(), { close: closer(body, call) });
    call.end();
    return body;
  }
  const steps = isSync(body) ? "iterable" : "async iterable";
  call.log({ kind, body: { kind: steps, isClosable: isClosable(body) } });
  return isSync(body)
    ? {
        [Symbol.iterator]: () => watchSteps(() => body[Symbol.iterator](), call),
        close: closer(body, call),
      }
    : {
        [Symbol.asyncIterator]: () => watchSteps(() => body[Symbol.asyncIterator](), call),
        close: closer(body, call),
      };
}

function closer(body: Body, call: Call): () => void | Promise<void> {
  return () => {
    call.log({ kind: "close" });
    const closed = (): void => {
      call.log({ kind: "closed" });
      call.end();
    };
    const failed = (error: unknown): never => {
      call.threw("close", error);
      call.end();
      throw error;
    };
    let closing: MaybePromise<void>;
    try {
      closing = closeBody(body);
    } catch (error) {
      return failed(error);
    }
    return when(closing, closed, failed) as void | Promise<void>;
  };
}

type Step = IteratorResult<Chunk>;

/** Stands before an iteration, and waits only where it does. */
function watchSteps<I extends Iterator<Chunk> | AsyncIterator<Chunk>>(
  iterate: () => I,
  call: Call,
): I {
  const { exchange } = call;
  const fail = (error: unknown): never => {
    call.threw("next", error);
    throw error;
  };
  const take = (step: Step, omittedSince: number): Step => {
    if (step?.done === true) {
      call.log({ kind: "done" });
    } else {
      const at = exchange.now();
      const record = exchange.readChunk(step?.value);
      if (omittedSince < 0) call.log({ kind: "chunk", ...record }, at);
      else call.omit(record.size, omittedSince);
    }
    return step;
  };
  let iterator: I;
  try {
    iterator = iterate();
  } catch (error) {
    return fail(error);
  }
  // What is none is for the server to stumble over.
  if (typeof iterator?.next !== "function") return iterator;
  const steps = {
    next(): MaybePromise<Step> {
      exchange.forgetChunk();
      const omittedSince = exchange.isFull ? exchange.now() : -1;
      if (omittedSince < 0) call.log({ kind: "next" });
      let step: MaybePromise<Step>;
      try {
        step = iterator.next();
      } catch (error) {
        return fail(error);
      }
      return when(step, (settled) => take(settled, omittedSince), fail);
    },
    return(): MaybePromise<Step> {
      call.log({ kind: "stop" });
      const stopped = (step: Step | undefined): Step => {
        call.log({ kind: "stopped" });
        return step ?? { done: true, value: undefined };
      };
      const failed = (error: unknown): never => {
        call.threw("stop", error);
        throw error;
      };
      let stopping: MaybePromise<Step | undefined>;
      try {
        stopping = iterator.return?.();
      } catch (error) {
        return failed(error);
      }
      return when(stopping, stopped, failed);
    },
  };
  // What waits is known to the iterator that it stands for.
  return steps as I;
}
