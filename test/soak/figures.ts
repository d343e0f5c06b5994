import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Tally } from "./drive.ts";

/** Is something that was measured, and from where to where it may be. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly least?: number;
  readonly most?: number;
}

export const mebibyte = 1_048_576;

/** Says a figure in a line, with its bounds. */
export function lineOf({ name, value, least, most }: Figure): string {
  const bounds = [
    least === undefined ? [] : `at least ${format(least)}`,
    most === undefined ? [] : `at most ${format(most)}`,
  ].flat();
  return `${name}: ${format(value)}${bounds.length === 0 ? "" : ` (${bounds.join(", ")})`}`;
}

/** Finds those that are out of their bounds. */
export function beyond(figures: readonly Figure[]): Figure[] {
  return figures.filter(({ value, least = -Infinity, most = Infinity }) => {
    return !(value >= least && value <= most);
  });
}

/**
 * Says how many of the answers have to be right.
 *
 * @param inFlight - how many may be lost, because their server was killed
 * @param isRestarted - whether there may be moments when nobody listens
 */
export function answers(tally: Tally, inFlight = 0, isRestarted = false): Figure[] {
  for (const fault of [...tally.wrong, ...tally.lost].slice(0, 20)) console.error(fault);
  const unheard = isRestarted ? {} : { most: inFlight };
  return [
    { name: "requests answered exactly", value: tally.answered },
    { name: "requests with a fault", value: tally.faulty },
    { name: "wrong answers", value: tally.wrong.length, most: 0 },
    { name: "answers lost on the way", value: tally.lost.length, most: inFlight },
    { name: "connections closed under a request", value: tally.raced, most: inFlight },
    { name: "connections closed before they were accepted", value: tally.unaccepted, ...unheard },
    { name: "connections refused", value: tally.refused, ...unheard },
  ];
}

/**
 * Runs a check if its module is what node was started with, and prints what it measures. An argument
 * `--NAME NUMBER` replaces a size of the long form.
 */
export async function byHand<Sizes extends Readonly<Record<string, number>>>(
  url: string,
  check: (sizes: Sizes) => Promise<readonly Figure[]>,
  long: Sizes,
): Promise<void> {
  if (process.argv[1] !== fileURLToPath(url)) return;
  const names = Object.keys(long).map((name) => [name, { type: "string" }] as const);
  const { values } = parseArgs({ options: Object.fromEntries(names) });
  const given = Object.entries(values).map(([name, text]) => [name, Number(text)]);
  const sizes = { ...long, ...(Object.fromEntries(given) as Partial<Sizes>) };
  console.log(`${check.name} ${JSON.stringify(sizes)}`);
  const figures = await check(sizes);
  for (const figure of figures) console.log(`  ${lineOf(figure)}`);
  const faults = beyond(figures);
  for (const figure of faults) console.error(`OUT OF BOUNDS: ${lineOf(figure)}`);
  if (faults.length > 0) process.exitCode = 1;
}

function format(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 2 });
}
