import { drive } from "./drive.ts";
import { byHand, type Figure } from "./figures.ts";
import { growth } from "./leak.ts";
import { startServer } from "./server-process.ts";

/** Says how much to do. */
export interface AbortSizes extends Record<string, number> {
  /** How many aborts before the first sample. */
  warmup: number;
  /** How many aborts after it. */
  aborts: number;
  connections: number;
  /** The most that the resident set may grow, in percent. */
  resident: number;
  /** Chooses the requests and the places. */
  seed: number;
}

/** Measures what a server keeps of clients that leave at any byte of a request or a response. */
export async function aborts(sizes: AbortSizes): Promise<Figure[]> {
  const { warmup, aborts, connections, resident, seed } = sizes;
  await using server = await startServer();
  const plan = { port: server.port, connections, faults: ["abort"], oneIn: 1 };
  await drive({ ...plan, first: seed, requests: warmup });
  const before = await server.sample();
  await drive({ ...plan, first: seed + warmup, requests: aborts });
  const after = await server.sample();
  return [
    { name: "calls of the application", value: after.called },
    { name: "calls that returned a body", value: after.returned, least: 1 },
    ...growth(before, after, resident),
  ];
}

await byHand(import.meta.url, aborts, {
  warmup: 5_000,
  aborts: 20_000,
  connections: 50,
  resident: 10,
  seed: 1,
});
