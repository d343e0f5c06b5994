import { setTimeout as after } from "node:timers/promises";
import { ServeCommand } from "./command.ts";
import { drive } from "./drive.ts";
import { answers, byHand, type Figure } from "./figures.ts";

/** Says how much to do. */
export interface RestartSizes extends Record<string, number> {
  /** How many requests at least; there are more as long as the server is signalled. */
  requests: number;
  connections: number;
  workers: number;
  /** How many times the workers are replaced: SIGHUP. */
  reloads: number;
  /** How many times the server is ended and started again: SIGTERM. */
  restarts: number;
  /** How many times a worker is killed: SIGKILL. */
  kills: number;
  /** How long the server is left alone between two signals, in seconds. */
  seconds: number;
}

const faults = ["throw", "break", "abort", "malformed", "slow"];

/** Signals a server under load, a quarter of it with faults, and compares every answer. */
export async function restarts(sizes: RestartSizes): Promise<Figure[]> {
  const { requests, connections, workers } = sizes;
  await using command = await ServeCommand.start(workers);
  let isSignalled = true;
  const plan = { port: command.port, requests, connections, first: 0, faults, oneIn: 20 };
  const [tally, { codes, recoveries }] = await Promise.all([
    drive({ ...plan, goesOn: () => isSignalled }),
    signal(command, sizes).finally(() => void (isSignalled = false)),
  ]);
  const unclean = codes.filter((code) => code !== 0);
  const inFlight = sizes.kills * Math.ceil(connections / workers);
  return [
    ...answers(tally, inFlight, sizes.restarts > 0),
    { name: "restarts that did not end with 0", value: unclean.length, most: 0 },
    {
      name: "seconds until another worker was started",
      value: Math.max(0, ...recoveries),
      most: 1,
    },
  ];
}

/** Sends the signals, one after another; tells what came of them. */
async function signal(
  command: ServeCommand,
  { reloads, restarts, kills, seconds }: RestartSizes,
): Promise<{ codes: (number | null)[]; recoveries: number[] }> {
  const times = async <T>(count: number, send: () => Promise<T>): Promise<T[]> => {
    const results: T[] = [];
    while (results.length < count) {
      await after(seconds * 1_000);
      results.push(await send());
    }
    return results;
  };
  await times(reloads, () => command.reload());
  const codes = await times(restarts, () => command.restart());
  const recoveries = await times(kills, () => command.killOne());
  await after(seconds * 1_000);
  return { codes, recoveries };
}

await byHand(import.meta.url, restarts, {
  requests: 140_000,
  connections: 100,
  workers: 2,
  reloads: 20,
  restarts: 20,
  kills: 0,
  seconds: 3,
});
