import { show } from "@wsgi/core";
import type { Connections } from "./connections.ts";
import { longestTimeout } from "./limits.ts";

/** Says how long a server that is drained waits, and for what; all in milliseconds. */
export interface DrainOptions {
  /** How long connections are still taken, so that a balancer finds out. Default: 0. */
  delay?: number;
  /** How long the requests that are under way may take after that. Default: 30,000. */
  timeout?: number;
  /** How long they may take after that, when their signals have aborted. Default: 1,000. */
  abortTime?: number;
  /** How long a connection is silent before it counts as unused. Default: 500. */
  idleTime?: number;
}

/** Is what became of a server that was drained. */
export interface Drained {
  /** How many requests were cut off, because they took too long. */
  readonly lost: number;
}

/** Is what is drained. */
interface Drainable {
  readonly connections: Connections;
  /** Lets applications know. */
  tell(): void;
  /** Takes no more connections, and ends those that there are as they fall silent. */
  stop(idleTime: number): Promise<void>;
}

/** Takes a server out of service: at once when nothing is under way, and in the end in any case. */
export async function drain(server: Drainable, options: Required<DrainOptions>): Promise<Drained> {
  const { delay, timeout, abortTime, idleTime } = options;
  server.tell();
  if (delay > 0) await later(delay);
  const stopped = server.stop(idleTime).then(() => true);
  if (await Promise.race([stopped, later(timeout)])) return { lost: 0 };
  server.connections.abort(new Error("The request has taken too long for a server that stops"));
  if (await Promise.race([stopped, later(abortTime)])) return { lost: 0 };
  return { lost: server.connections.destroy() };
}

/** @returns false, after a while; the process need not wait for it */
function later(time: number): Promise<false> {
  return new Promise((resolve) => void setTimeout(resolve, time, false).unref());
}

/** @throws RangeError for an option that is no time in milliseconds */
export function readDrainOptions(options: DrainOptions): Required<DrainOptions> {
  const { delay = 0, timeout = 30_000, abortTime = 1_000, idleTime = 500 } = options;
  return checkTimes({ delay, timeout, abortTime, idleTime });
}

/** @throws RangeError for a value that is no time in milliseconds */
export function checkTimes<Times extends Readonly<Record<string, number>>>(times: Times): Times {
  for (const [name, time] of Object.entries(times)) {
    if (typeof time === "number" && time >= 0 && time <= longestTimeout) continue;
    throw new RangeError(
      `Cannot drain: ${name} is ${show(time)}; wanted milliseconds from 0 to ${longestTimeout}`,
    );
  }
  return times;
}
