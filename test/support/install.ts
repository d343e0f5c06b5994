import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as wait } from "node:timers/promises";
import { root } from "./repository.ts";

/** How old the lock of a process can be that still installs, in milliseconds. */
const lockAge = 300_000;

/**
 * Installs what a folder's package-lock.json lists, unless that has been done. The first process that needs
 * it does so for all, and the others wait.
 *
 * @param name - the folder in test/
 * @returns what finds modules as a file in that folder would
 */
export async function installed(name: string): Promise<NodeJS.Require> {
  const folder = `${root}test/${name}/`;
  const lock = `${root}test/dist/${name}.lock`;
  while (!isInstalled(folder)) {
    if (takeLock(lock)) install(folder, lock);
    else await wait(200);
  }
  return createRequire(`${folder}package.json`);
}

/** Whether that has been done since the list has changed. */
function isInstalled(folder: string): boolean {
  const installed = `${folder}node_modules/.package-lock.json`;
  const listed = `${folder}package-lock.json`;
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(listed).mtimeMs;
}

/** Makes the folder that only one process can make; takes over from one that has been stopped. */
function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (made !== undefined && Date.now() - made > lockAge) rmSync(lock, { recursive: true });
    return false;
  }
}

function install(folder: string, lock: string): void {
  try {
    // Once more, because another process may have been done just before the lock was taken.
    if (isInstalled(folder)) return;
    // Scripts of packages fetch what is not in them, or move it; what is in them is enough.
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    const options = { cwd: folder, stdio: "pipe", shell: process.platform === "win32" } as const;
    execFileSync("npm", args, options);
  } finally {
    rmSync(lock, { recursive: true });
  }
}
