import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";

const folder = fileURLToPath(new URL("../../bridges/", import.meta.url));
const lock = fileURLToPath(new URL("../bridges.lock", import.meta.url));
/** How old the lock of a process can be that still installs, in milliseconds. */
const lockAge = 300_000;

const require = createRequire(`${folder}package.json`);

/**
 * Imports one of the packages that the bridge is tested with, which only the package.json of this folder
 * has. The first test that needs one installs them all, and other processes wait until that is done.
 */
export async function peer<Module>(name: string): Promise<Module> {
  while (!isInstalled()) {
    if (takeLock()) install();
    else await wait(200);
  }
  return (await import(pathToFileURL(require.resolve(name)).href)) as Module;
}

/** Whether that has been done since the list has changed. */
function isInstalled(): boolean {
  const installed = `${folder}node_modules/.package-lock.json`;
  const listed = `${folder}package-lock.json`;
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(listed).mtimeMs;
}

/** Makes the folder that only one process can make; takes over from one that has been stopped. */
function takeLock(): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (made !== undefined && Date.now() - made > lockAge) rmSync(lock, { recursive: true });
    return false;
  }
}

function install(): void {
  try {
    // Once more, because another process may have been done just before the lock was taken.
    if (isInstalled()) return;
    const options = { cwd: folder, stdio: "pipe", shell: process.platform === "win32" } as const;
    execFileSync("npm", ["ci", "--no-audit", "--no-fund"], options);
  } finally {
    rmSync(lock, { recursive: true });
  }
}
