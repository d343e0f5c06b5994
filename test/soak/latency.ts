import { drive } from "./drive.ts";
import { answers, byHand, type Figure } from "./figures.ts";
import { startServer } from "./server-process.ts";

/** Says how much to do. */
export interface LatencySizes extends Record<string, number> {
  /** How many requests without faults, and how many with. */
  requests: number;
  connections: number;
}

const faults = ["throw", "break", "abort", "malformed", "slow"];

/** Measures how long sound requests take alone, and while a quarter of all requests has a fault. */
export async function latency({ requests, connections }: LatencySizes): Promise<Figure[]> {
  await using server = await startServer();
  const plan = { port: server.port, requests, connections, faults, oneIn: 20 };
  await drive({ ...plan, first: 0, faults: [] });
  const alone = await drive({ ...plan, first: requests, faults: [] });
  const among = await drive({ ...plan, first: 2 * requests });
  const before = percentile(alone.times, 0.99);
  const after = percentile(among.times, 0.99);
  return [
    { name: "99th percentile alone, ms", value: before },
    { name: "99th percentile among faults, ms", value: after },
    { name: "ratio", value: after / before, most: 3 },
    ...answers(among),
  ];
}

function percentile(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)]!;
}

await byHand(import.meta.url, latency, { requests: 50_000, connections: 100 });
