// Runs everything in its long form, one after another.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const runs: readonly string[][] = [
  ["leak.js"],
  ["aborts.js"],
  ["slow-readers.js"],
  ["restarts.js"],
  ["restarts.js", "--reloads", "0", "--restarts", "0", "--kills", "1"],
  ["latency.js"],
];

for (const [file, ...sizes] of runs) {
  const path = fileURLToPath(new URL(file!, import.meta.url));
  const { status } = spawnSync(process.execPath, [path, ...sizes], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
