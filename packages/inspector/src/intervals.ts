/** Is a time from a beginning to an end. */
export type Interval = readonly [from: number, to: number];

/** Puts intervals in order, those that meet or overlap as one. */
export function unite(intervals: readonly Interval[]): Interval[] {
  const united: [number, number][] = [];
  for (const [from, to] of intervals.toSorted((one, other) => one[0] - other[0])) {
    const last = united.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else united.push([from, to]);
  }
  return united;
}

/** Takes intervals away from others; both are in order, and none overlap. */
export function subtract(whole: readonly Interval[], parts: readonly Interval[]): Interval[] {
  const left: Interval[] = [];
  let first = 0;
  for (const [from, to] of whole) {
    let begin = from;
    while (first < parts.length && parts[first]![1] <= from) first += 1;
    for (let i = first; i < parts.length && parts[i]![0] < to; i++) {
      const [start, end] = parts[i]!;
      if (start > begin) left.push([begin, start]);
      begin = Math.max(begin, end);
    }
    if (begin < to) left.push([begin, to]);
  }
  return left;
}

/** Adds up how long intervals are. */
export function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((all, [from, to]) => all + to - from, 0);
}
