// Runs every benchmark, one after another, and prints the goals: `npm run bench -- [--quick] [--runs 3]`.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { results, type Outcome } from "./benchmark.ts";
import { goals, goalTable } from "./goals.ts";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, runs: { type: "string", default: "1" } },
});
const runs = Number(values.runs);
if (!Number.isSafeInteger(runs) || runs < 1) {
  throw new RangeError(`Cannot run the benchmarks: --runs is ${values.runs}; wanted 1 or more`);
}

installPeers();
const begun = performance.now();
const measured: Record<string, number>[] = [];
for (let run = 1; run <= runs; run++) {
  if (runs > 1) console.log(`\nRun ${run} of ${runs}`);
  measured.push(runAll());
}
console.log(`\nGoals, on Node ${process.versions.node}\n\n${goalTable(measured)}\n`);
console.log(`It took ${Math.round((performance.now() - begun) / 1_000)} s.`);

/** Runs every benchmark that a goal is about, and gives the figures of those that came to their end. */
function runAll(): Record<string, number> {
  const names = new Set(goals.map(({ figure }) => figure.slice(0, figure.indexOf("."))));
  const figures: Record<string, number> = {};
  for (const name of names) {
    const path = fileURLToPath(new URL(`${name}.js`, import.meta.url));
    const result = `${results}${name}.json`;
    rmSync(result, { force: true });
    const { status } = spawnSync(
      process.execPath,
      ["--expose-gc", path, ...(values.quick ? ["--quick"] : [])],
      {
        stdio: "inherit",
      },
    );
    if (status === 0)
      Object.assign(figures, (JSON.parse(readFileSync(result, "utf8")) as Outcome).figures);
    else process.exitCode = 1;
  }
  return figures;
}

/** Installs what the benchmarks compare with, unless that has been done since the list has changed. */
function installPeers(): void {
  const folder = fileURLToPath(new URL("../../bench/", import.meta.url));
  const installed = `${folder}node_modules/.package-lock.json`;
  const listed = `${folder}package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(listed).mtimeMs) return;
  const options = { cwd: folder, stdio: "inherit", shell: process.platform === "win32" } as const;
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], options);
  if (status !== 0) throw new Error("Cannot install what the benchmarks compare with");
}
