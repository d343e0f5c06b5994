import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Is the command that pins what follows to the core for servers; empty where that cannot be. */
export const serverCore: readonly string[] = pinnedTo(0);

/** Is the same for what makes the load. */
export const loadCore: readonly string[] = pinnedTo(1);

/** Says in a sentence where things run. */
export const pinning: string =
  serverCore.length === 0
    ? "Nothing is pinned to a core here: the server and the load disturb each other."
    : `The server is pinned to core ${serverCore.at(-1)}, the load to core ${loadCore.at(-1)}.`;

function pinnedTo(index: number): string[] {
  const cores = allowedCores();
  const isThere = spawnSync("taskset", ["--version"]).status === 0;
  return isThere && cores.length > 1 ? ["taskset", "-c", String(cores[index])] : [];
}

/** Lists the cores that this process may use, as Linux has them: "0-3,8". */
function allowedCores(): number[] {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    const ranges = /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1]?.split(",") ?? [];
    return ranges.flatMap((range) => {
      const [first, last = first] = range.split("-").map(Number) as [number, number?];
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
  } catch {
    return [];
  }
}
