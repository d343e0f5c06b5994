// Applications as data, which fast-check makes up, shows, and makes smaller when it finds a fault.
import { isBodyless, joinBytes, toBytes } from "@wsgi/core";
import type { Application, Body, Chunk, HeaderList, MaybePromise } from "@wsgi/core";
import fc from "fast-check";
import { turn } from "./serving.ts";

/** Is an application that keeps the contract, as far as no fault is put into it. */
export interface Plan {
  readonly status: string;
  readonly headers: HeaderList;
  /** What it sends, empty chunks too; of a response without a body, only these. */
  readonly chunks: readonly Chunk[];
  /** What it returns. */
  readonly shape: "array" | "iterable" | "generator" | "async iterable" | "async generator";
  /** Whether it returns a promise of that. */
  readonly promised: boolean;
  /** Whether it starts its response only when it is iterated. */
  readonly late: boolean;
  /** Whether it starts twice, the second time with an error. */
  readonly restarts: boolean;
  /** How many of its chunks it hands to `write()`; none if it starts late. */
  readonly written: number;
  /** Whether it declares its Content-Length. */
  readonly declares: boolean;
  /** Whether and how its body is closed. */
  readonly close: "none" | "at once" | "later";
}

/** Is a moment at which a planned application throws. */
export interface Fault {
  readonly at: "call" | "start" | "chunk" | "end" | "close";
  /** Which of the chunks that are not written it does not come to. */
  readonly chunk: number;
}

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "grapheme", maxLength: 8 }) },
  // Halves of a surrogate pair, in one chunk or in two.
  { weight: 1, arbitrary: fc.constantFrom("\ud83d", "\ude00", "\ud83d\ude00", "x\ud83d") },
);

/** Is text or bytes, few of them; often none. */
export const chunk: fc.Arbitrary<Chunk> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom<Chunk>("", new Uint8Array()) },
  { weight: 4, arbitrary: text },
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 12 }) },
);

/** Is a media type that no layer cares for but those of the properties. */
export const tailed = "text/x-tailed";

const fields: fc.Arbitrary<HeaderList> = fc.subarray([
  ["Content-Type", tailed],
  ["X-Thing", "one"],
  ["x-thing", "caf\xe9"],
  ["Set-Cookie", "a=1"],
  ["Set-Cookie", "b=2"],
  ["Cache-Control", "no-cache"],
]);

const anyPlan: fc.Arbitrary<Plan> = fc.record({
  status: fc.constantFrom(
    "200 OK",
    "201 Created",
    "299 Odd \xe9",
    "204 No Content",
    "304 Not Modified",
    "404 Not Found",
    "500 Internal Server Error",
  ),
  headers: fields,
  chunks: fc.array(chunk, { maxLength: 5 }),
  shape: fc.constantFrom("array", "iterable", "generator", "async iterable", "async generator"),
  promised: fc.boolean(),
  late: fc.boolean(),
  restarts: fc.boolean(),
  written: fc.nat(2),
  declares: fc.boolean(),
  close: fc.constantFrom("none", "at once", "later"),
});

/** Is any application that keeps the contract. */
export const plan: fc.Arbitrary<Plan> = anyPlan.map((any) => {
  const empty = isBodyless(codeOf(any));
  const late = any.late && any.shape !== "array";
  return {
    ...any,
    late,
    chunks: empty ? any.chunks.map(() => "") : any.chunks,
    declares: any.declares && !empty,
    written: late ? 0 : any.written,
  };
});

/** Is any moment at which an application can throw. */
export const fault: fc.Arbitrary<Fault> = fc.record({
  at: fc.constantFrom("call", "start", "chunk", "end", "close"),
  chunk: fc.nat(4),
});

/** Reads the code of a plan's status. */
export function codeOf({ status }: Pick<Plan, "status">): number {
  return Number(status.slice(0, 3));
}

/** Puts together what a plan sends. */
export function bytesOf({ chunks }: Pick<Plan, "chunks">): Uint8Array {
  return joinBytes(chunks.map(toBytes));
}

/** Tells whether a plan makes no promise. */
export function isSynchronous({ shape, promised, close }: Plan): boolean {
  return !promised && !shape.startsWith("async") && close !== "later";
}

/** Is a planned application, and what became of it. */
export interface Planned {
  readonly app: Application;
  /** How often it was called. */
  calls: number;
  /** How often a body of it was closed. */
  closes: number;
  /** How many bodies it returned that can be closed. */
  closable: number;
  /** Whether the fault has shown itself. */
  failed: boolean;
}

/** Makes an application from its plan, and puts a fault into it. */
export function build(plan: Plan, failure: Error, fault?: Fault): Planned {
  const failAt = (at: Fault["at"], chunk = fault?.chunk): void => {
    if (fault?.at !== at || fault.chunk !== chunk) return;
    planned.failed = true;
    throw failure;
  };
  const headers: HeaderList = plan.declares
    ? [...plan.headers, ["Content-Length", String(bytesOf(plan).byteLength)]]
    : plan.headers;
  const planned: Planned = { app, calls: 0, closes: 0, closable: 0, failed: false };

  function app(...[, startResponse]: Parameters<Application>): ReturnType<Application> {
    planned.calls += 1;
    const start = (): void => {
      if (plan.restarts) startResponse("202 Accepted", [["X-First", "yes"]]);
      const excInfo = plan.restarts ? new Error("The first start was wrong") : undefined;
      const write = startResponse(plan.status, headers, excInfo);
      failAt("start");
      for (const one of plan.chunks.slice(0, plan.written)) void write(one);
    };
    const answer = (): Body => {
      failAt("call");
      if (!plan.late) start();
      return bodyOf(plan, plan.late ? start : () => {}, failAt, planned);
    };
    return plan.promised ? turn().then(answer) : answer();
  }
  return planned;
}

function bodyOf(
  plan: Plan,
  start: () => void,
  failAt: (at: Fault["at"], chunk?: number) => void,
  planned: Planned,
): Body {
  const chunks = plan.chunks.slice(plan.written);
  const body = shapes[plan.shape](chunks, start, failAt);
  if (plan.close === "none") return body;
  planned.closable += 1;
  const close = (): MaybePromise<void> => {
    planned.closes += 1;
    if (plan.close === "at once") return failAt("close");
    return turn().then(() => failAt("close"));
  };
  return Object.assign(body, { close }) as Body;
}

type MakeBody = (
  chunks: readonly Chunk[],
  start: () => void,
  failAt: (at: Fault["at"], chunk?: number) => void,
) => Body;

const shapes: Readonly<Record<Plan["shape"], MakeBody>> = {
  array: (chunks) => chunks.slice(),
  iterable(chunks, start, failAt) {
    return { [Symbol.iterator]: () => ({ next: stepper(chunks, start, failAt) }) };
  },
  *generator(chunks, start, failAt) {
    const next = stepper(chunks, start, failAt);
    for (let step = next(); !step.done; step = next()) yield step.value;
  },
  "async iterable"(chunks, start, failAt) {
    const next = stepper(chunks, start, failAt);
    return { [Symbol.asyncIterator]: () => ({ next: () => turn().then(next) }) };
  },
  async *"async generator"(chunks, start, failAt) {
    const next = stepper(chunks, start, failAt);
    for (let step = next(); !step.done; step = next()) {
      yield step.value;
      await turn();
    }
  },
};

/** Goes through the chunks; a late start comes with the first step, behind an empty chunk. */
function stepper(
  chunks: readonly Chunk[],
  start: () => void,
  failAt: (at: Fault["at"], chunk?: number) => void,
): () => IteratorResult<Chunk, undefined> {
  let at = -1;
  return () => {
    if (++at === 0) return { done: false, value: "" };
    if (at === 1) start();
    const value = chunks[at - 1];
    if (value === undefined) {
      failAt("end");
      return { done: true, value: undefined };
    }
    failAt("chunk", at - 1);
    return { done: false, value };
  };
}
