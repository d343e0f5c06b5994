import { lengthOf, subtract, unite, type Interval } from "./intervals.ts";
import type { Entering, RecordedEvent, Recording } from "./recording.ts";

/** Is when control was in a call, or in what is inside of it; and how long it was that only the sum is known of. */
export interface Times {
  readonly inside: readonly Interval[];
  readonly omitted: number;
}

/** Tells when control was in each call: by then it had gone in, and neither come back nor gone out again. */
export function timesOf({ events, omitted }: Recording): Times[] {
  const now = events.at(-1)?.at ?? 0;
  const spans: { in: Interval[]; out: Interval[]; begun: Map<Entering["kind"], number[]> }[] = [];
  const end = (call: number, kind: Entering["kind"], at: number): void => {
    const span = spans[call]!;
    const from = span.begun.get(kind)?.shift();
    if (from !== undefined) span[isOutward(kind) ? "out" : "in"].push([from, at]);
  };
  for (const event of events) {
    const { call, at } = event;
    if (event.kind === "call") spans[call] = { in: [], out: [], begun: new Map() };
    const kind = endedBy(event);
    if (kind !== undefined) end(call, kind, at);
    else if (isEntering(event)) {
      const { begun } = spans[call]!;
      begun.set(event.kind, [...(begun.get(event.kind) ?? []), at]);
    }
  }
  return spans.map((span, call) => {
    for (const [kind, open] of span.begun) for (const _ of open.slice()) end(call, kind, now);
    return {
      inside: subtract(unite(span.in), unite(span.out)),
      omitted: omitted.find((one) => one.call === call)?.time ?? 0,
    };
  });
}

/** Tells how long a call took with all that is inside. */
export function totalTime(call: number, times: readonly Times[]): number {
  const { inside, omitted } = times[call]!;
  return rounded(lengthOf(inside) + omitted);
}

/** Tells how long a call took without the calls that it made. */
export function ownTime(
  call: number,
  children: readonly number[],
  times: readonly Times[],
): number {
  const { inside, omitted } = times[call]!;
  const theirs = children.map((id) => times[id]!);
  const own = subtract(inside, unite(theirs.flatMap((child) => child.inside)));
  const ownOmitted = theirs.reduce((left, child) => left - child.omitted, omitted);
  return rounded(Math.max(0, lengthOf(own) + ownOmitted));
}

function rounded(time: number): number {
  return Math.round(time * 1_000) / 1_000;
}

/** Tells whether control goes out: to the server, and the layers on the way to it. */
function isOutward(kind: Entering["kind"]): boolean {
  return kind === "start" || kind === "write";
}

function isEntering(event: RecordedEvent): event is Entering {
  return endings.has(event.kind as Entering["kind"]);
}

const endings: ReadonlyMap<Entering["kind"], readonly RecordedEvent["kind"][]> = new Map([
  ["call", ["returned", "settled"]],
  ["start", ["started"]],
  ["write", ["wrote"]],
  ["next", ["chunk", "done"]],
  ["stop", ["stopped"]],
  ["close", ["closed"]],
]);

/** Tells what an event is the end of. */
function endedBy(event: RecordedEvent): Entering["kind"] | undefined {
  if (event.kind === "threw") return event.during;
  // What has returned a promise goes on until that is settled.
  if (event.kind === "returned" && event.body.kind === "promise") return undefined;
  return [...endings].find(([, ends]) => ends.includes(event.kind))?.[0];
}
