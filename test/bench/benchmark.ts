import { mkdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Says how much to measure. */
export interface Size {
  /** How often each case is measured, in turn with the others. */
  readonly rounds: number;
  /** How long each case is measured in a round, in seconds. */
  readonly seconds: number;
  /** How long a server is loaded before that, in seconds, for its engine to learn. */
  readonly warmUp: number;
  /** How many bytes a stream has. */
  readonly bytes: number;
  /** How many connections wait at the same time. */
  readonly connections: number;
}

const full: Size = { rounds: 5, seconds: 1.5, warmUp: 4, bytes: 2 ** 30, connections: 4_000 };
const quick: Size = { rounds: 3, seconds: 0.7, warmUp: 1, bytes: 2 ** 28, connections: 1_000 };

/** Is what a benchmark has measured. */
export interface Outcome {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** What to know before believing it. */
  readonly caveats: readonly string[];
  /** The numbers that the goals are about, by name. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Is the folder with the results, which git ignores. */
export const results: string = fileURLToPath(new URL("../../bench/results/", import.meta.url));

/** Runs a benchmark if its module is what node was started with: prints its table, keeps its figures. */
export async function byHand(
  url: string,
  benchmark: (size: Size) => Promise<Outcome>,
): Promise<void> {
  if (process.argv[1] !== fileURLToPath(url)) return;
  const isQuick = process.argv.includes("--quick");
  const outcome = await benchmark(isQuick ? quick : full);
  const { title, columns, rows, caveats } = outcome;
  console.log(`\n${title}\n\n${table(columns, rows)}\n`);
  for (const caveat of caveats) console.log(`- ${caveat}`);
  if (isQuick) console.log("- Quick mode: good for seeing that it works, not for quoting.");
  const where = { node: process.version, cpu: os.cpus()[0]?.model, date: new Date(), isQuick };
  mkdirSync(results, { recursive: true });
  const text = JSON.stringify({ ...where, ...outcome }, undefined, 2);
  writeFileSync(`${results}${benchmark.name}.json`, `${text}\n`);
}

/** Lays a table out, the first column to the left and the others to the right. */
export function table(
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const lines = [columns, ...rows].map((row) => row.map(cell));
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const drawn = lines.map((line) => {
    const cells = line.map((text, i) =>
      i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!),
    );
    return cells.join("  ").trimEnd();
  });
  return [drawn[0], widths.map((width) => "-".repeat(width)).join("  "), ...drawn.slice(1)].join(
    "\n",
  );
}

/** Writes a number with three digits that count. */
export function cell(value: string | number): string {
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return "-";
  const digits = value === 0 ? 0 : 2 - Math.floor(Math.log10(Math.abs(value)));
  return value.toLocaleString("en", { maximumFractionDigits: Math.min(3, Math.max(0, digits)) });
}

/** Finds the middle one of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Measures each case once in a round, round by round, and gives what was measured for each. */
export async function interleaved<Case, Measured>(
  cases: readonly Case[],
  rounds: number,
  measure: (one: Case) => Measured | Promise<Measured>,
): Promise<Measured[][]> {
  const measured = cases.map((): Measured[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, one] of cases.entries()) measured[i]!.push(await measure(one));
  }
  return measured;
}

/** Finds the median of how many times more each of some numbers is than its counterpart in the same round. */
export function ratio(values: readonly number[], base: readonly number[]): number {
  return median(values.map((value, i) => value / base[i]!));
}
