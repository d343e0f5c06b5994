import { drive } from "./drive.ts";
import { answers, byHand, mebibyte, type Figure } from "./figures.ts";
import { startServer } from "./server-process.ts";
import type { Sample } from "./server.ts";

/** Says how much to do. */
export interface LeakSizes extends Record<string, number> {
  /** How many requests before the first sample. */
  warmup: number;
  /** How many requests up to the second sample. */
  requests: number;
  connections: number;
  /** The most that the resident set may grow, in percent: it takes a while to settle. */
  resident: number;
}

const faults = ["throw", "reject", "break", "short", "closing", "abort", "malformed", "slow"];

/** Measures what a server keeps of the requests that it has answered, one in twenty with a fault. */
export async function leak(sizes: LeakSizes): Promise<Figure[]> {
  const { warmup, requests, connections, resident } = sizes;
  await using server = await startServer();
  const oneIn = 20 * faults.length;
  const plan = { port: server.port, connections, faults, oneIn };
  await drive({ ...plan, first: 0, requests: warmup });
  const before = await server.sample();
  const tally = await drive({ ...plan, first: warmup, requests: requests - warmup });
  const after = await server.sample();
  return [...growth(before, after, resident), ...answers(tally)];
}

/**
 * Says how much more there may be when the same has been done again.
 *
 * @param resident - the most that the resident set may grow, in percent
 */
export function growth(before: Sample, after: Sample, resident: number): Figure[] {
  return [
    { name: "heap grown, MiB", value: (after.heapUsed - before.heapUsed) / mebibyte, most: 1 },
    { name: "external grown, MiB", value: (after.external - before.external) / mebibyte, most: 1 },
    { name: "resident set grown, %", value: (after.rss / before.rss - 1) * 100, most: resident },
    { name: "resources grown", value: after.resources - before.resources, least: -2, most: 2 },
    { name: "open files grown", value: after.files - before.files, least: -2, most: 2 },
    { name: "listeners of a socket grown", value: after.listeners - before.listeners, most: 0 },
    { name: "environs kept", value: after.environs, most: 0 },
    { name: "bodies not closed", value: after.returned - after.closed, most: 0 },
    { name: "bodies closed again", value: after.closedAgain, most: 0 },
  ];
}

await byHand(import.meta.url, leak, {
  warmup: 50_000,
  requests: 200_000,
  connections: 32,
  resident: 10,
});
