import { byHand, interleaved, median, type Outcome, type Size } from "./benchmark.ts";
import { runCase } from "./case-process.ts";
import { browser, headText, program, proxied, small } from "./headers.ts";

const sets = { 2: small, 10: program, 15: browser, 20: proxied };

/** Is what a request takes, in nanoseconds. */
interface Taken {
  readonly parsing: number;
  /** What comes on top of that. */
  readonly above: number;
}

/** Measures the environ of a request, by the number of its header fields. */
export async function environ(size: Size): Promise<Outcome> {
  const counts = Object.keys(sets);
  const heads = Object.values(sets).map((headers) => headText("/articles/2026", headers));
  const names = await runCase<string[]>("environ");
  const cases = names.flatMap((name) => heads.map((head) => ({ name, head })));
  const measured = await interleaved(cases, size.rounds, ({ name, head }) =>
    runCase<Taken>("environ", [name, head, size.seconds / 2]),
  );
  const above = measured.map((rounds) => median(rounds.map((taken) => taken.above)));
  const parsing = heads.map((_, i) => median(measured[i]!.map((taken) => taken.parsing)));
  const rowOf = (i: number): number[] => above.slice(i * heads.length, (i + 1) * heads.length);
  return {
    title: "The environ of a request, in nanoseconds above what node's parser takes",
    columns: ["", ...counts.map((count) => `${count} header fields`)],
    rows: [["the parser alone", ...parsing], ...names.map((name, i) => [name, ...rowOf(i)])],
    caveats: [
      "Both ways get an IncomingMessage of node with strings that are new each time; that is part of the first row.",
      "15 fields are those of Chrome, 20 the same with cookies behind a proxy, 10 those of a program, and 2 the least.",
      "All requests of a case have the same fields, as those of one kind of client have.",
    ],
    figures: Object.fromEntries(counts.map((count, i) => [`environ.${count}`, above[i]!])),
  };
}

await byHand(import.meta.url, environ);
