import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { serverCore } from "./cores.ts";

const cases = fileURLToPath(new URL("../../bench/cases/", import.meta.url));

/** So large that no garbage is collected while the bytes of a few calls are counted. */
const flags = ["--expose-gc", "--max-semi-space-size=64", "--min-semi-space-size=64"];

/** Runs a case in a process of its own, on the core for servers, and gives what it sends. */
export async function runCase<Sent>(
  name: string,
  ...args: readonly (string | number)[]
): Promise<Sent> {
  const all = [
    ...serverCore,
    process.execPath,
    ...flags,
    `${cases}${name}.js`,
    ...args.map(String),
  ];
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
