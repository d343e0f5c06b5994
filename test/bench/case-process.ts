import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { serverCore } from "./cores.ts";

const cases = fileURLToPath(new URL("../../bench/cases/", import.meta.url));

/**
 * Runs a case in a process of its own, on the core for servers, and gives what it sends.
 *
 * @param name - its module in the folder of cases
 * @param args - what to tell it
 * @param flags - how to start node; default: as programs do
 */
export async function runCase<Sent>(
  name: string,
  args: readonly (string | number)[] = [],
  flags: readonly string[] = [],
): Promise<Sent> {
  const path = `${cases}${name}.js`;
  const all = [...serverCore, process.execPath, "--expose-gc", ...flags, path, ...args.map(String)];
  const child = spawn(all[0]!, all.slice(1), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  const ended = once(child, "exit").then(([code, signal]: unknown[]): never => {
    throw new Error(`The case ${name} ${args.join(" ")} has ended with ${String(signal ?? code)}`);
  });
  const [sent] = (await Promise.race([once(child, "message"), ended])) as [Sent];
  await ended.catch(() => {});
  return sent;
}
