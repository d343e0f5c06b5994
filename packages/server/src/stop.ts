import { constants } from "node:os";
import process from "node:process";
import { checkTimes, readDrainOptions, type DrainOptions } from "./drain.ts";
import { describeError } from "./report.ts";
import type { WsgiServer } from "./serve.ts";

/** Says how a process ends its server. */
export interface StopOptions extends DrainOptions {
  /**
   * How long the requests that are under way may take after an error that nobody caught, in
   * milliseconds; `false` leaves such errors to node, which ends at once. Default: 10,000.
   */
  errorTimeout?: number | false;
}

/**
 * Serves until the process is told to end, and then drains the server.
 *
 * SIGTERM and SIGINT drain it. A second one, and SIGQUIT, end the process at once, with 128 and the
 * signal's number. An error that nobody caught is reported and drains it too: what such an error leaves
 * behind is nothing to go on with.
 *
 * @param server - the server
 * @param options - how long what may take
 * @param told - settles when the process is to end; that is after a signal, if it is not given
 * @returns what the process is to exit with: 0, or 1 if requests were lost or there was such an error
 * @throws RangeError if an option is not what it should be
 * @example
 * ```ts
 * import { serve, untilStopped } from "@wsgi/server";
 *
 * const server = await serve((environ, startResponse) => {
 *   startResponse("200 OK", []);
 *   return ["Hello, world!"];
 * }, { port: 0 });
 * const told = fetch(server.url); // leave it out to wait for a signal
 * const code = await untilStopped(server, { timeout: 5_000 }, told); // 0, and then process.exit(code)
 * ```
 * @see gunicorn's signals, which are these
 */
export async function untilStopped(
  server: WsgiServer,
  { errorTimeout = 10_000, ...options }: StopOptions = {},
  told: Promise<unknown> = untilSignal(),
): Promise<number> {
  const times = readDrainOptions(options);
  const afterError = errorTimeout === false ? 0 : errorTimeout;
  checkTimes({ errorTimeout: afterError });
  let failed = false;
  let fail = (): void => {};
  const failure = new Promise<void>((resolve) => void (fail = resolve));
  const takeError = (error: unknown): void => {
    failed = true;
    process.stderr.write(
      `Ending because of an error that nobody caught: ${describeError(error)}\n`,
    );
    fail();
  };
  if (errorTimeout !== false) process.on("uncaughtException", takeError);
  await Promise.race([told, failure]);
  const { lost } = await server.drain(failed ? { ...times, delay: 0, timeout: afterError } : times);
  process.removeListener("uncaughtException", takeError);
  if (lost > 0) process.stderr.write(`Requests that took too long and were cut off: ${lost}\n`);
  return failed || lost > 0 ? 1 : 0;
}

/**
 * Waits for SIGTERM or SIGINT. A second one then ends the process, and so does SIGQUIT at any time: with
 * 128 and the signal's number, as a shell has it.
 *
 * @returns a promise of the signal's name
 * @example
 * ```ts
 * import { untilSignal } from "@wsgi/server";
 *
 * untilSignal().then((signal) => console.log(`Ending because of ${signal}`));
 * ```
 * @see signal(7)
 */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let told = false;
    const tell = (signal: NodeJS.Signals): void => {
      if (told || signal === "SIGQUIT") process.exit(128 + constants.signals[signal]);
      told = true;
      resolve(signal);
    };
    process.on("SIGTERM", tell);
    process.on("SIGINT", tell);
    process.on("SIGQUIT", tell);
  });
}
