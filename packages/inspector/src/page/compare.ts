import type { Analysis, CallAnalysis } from "../analyse.ts";
import {
  compareHeaders,
  environAt,
  type EnvironDifference,
  type HeaderDifference,
  type KnownEnviron,
} from "../differences.ts";
import type { Json, Recording } from "../recording.ts";
import { show } from "./format.ts";

/** Is a layer in two recordings; null where one of them has it not. */
export interface Pair {
  readonly one: CallAnalysis | null;
  readonly other: CallAnalysis | null;
}

/** Puts the layers of two recordings beside each other, in their order, as many as can be. */
export function pair(one: Analysis, other: Analysis): Pair[] {
  const [left, right] = [one.calls, other.calls];
  const lengths = commonLengths(left, right);
  const pairs: Pair[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const [a = null, b = null] = [left[i], right[j]];
    if (a !== null && b !== null && isSame(a, b)) {
      pairs.push({ one: a, other: b });
      i += 1;
      j += 1;
    } else if (b === null || (a !== null && lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) {
      pairs.push({ one: a, other: null });
      i += 1;
    } else {
      pairs.push({ one: null, other: b });
      j += 1;
    }
  }
  return pairs;
}

/** Counts, for each two places, how many layers the rest of both lists have in common. */
function commonLengths(left: readonly CallAnalysis[], right: readonly CallAnalysis[]): number[][] {
  const lengths = Array.from({ length: left.length + 1 }, () =>
    Array.from({ length: right.length + 1 }, () => 0),
  );
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      lengths[i]![j] = isSame(left[i]!, right[j]!)
        ? lengths[i + 1]![j + 1]! + 1
        : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  return lengths;
}

function isSame(one: CallAnalysis, other: CallAnalysis): boolean {
  return one.name === other.name && one.label === other.label;
}

/** Compares the header fields that two servers were given. */
export function compareResponses(one: Recording, other: Recording): HeaderDifference {
  const headers = ({ events }: Recording) =>
    events.findLast((event) => event.kind === "start" && event.call === 0);
  const [before, after] = [headers(one), headers(other)];
  return compareHeaders(
    before?.kind === "start" ? before.headers : [],
    after?.kind === "start" ? after.headers : [],
  );
}

/** Compares the requests as two servers gave them. */
export function compareRequests(one: Recording, other: Recording): EnvironDifference {
  const [before, after] = [environOf(one), environOf(other)];
  const entries = <Value>(
    of: KnownEnviron,
    value: (key: string, now: Json) => Value | undefined,
  ): Record<string, Value> =>
    Object.fromEntries(
      [...of].flatMap(([key, now]) => {
        const found = value(key, now);
        return found === undefined ? [] : [[key, found] as const];
      }),
    );
  return {
    added: entries(after, (key, now) => (before.has(key) ? undefined : now)),
    removed: entries(before, (key, was) => (after.has(key) ? undefined : was)),
    changed: entries(after, (key, now) => {
      const was = before.get(key);
      return was === undefined || show(was) === show(now) ? undefined : { before: was, after: now };
    }),
  };
}

function environOf({ events }: Recording): KnownEnviron {
  const [first] = events;
  return first?.kind === "call" ? environAt(first, undefined) : new Map();
}
