import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium, type Browser } from "playwright-core";

const lock = fileURLToPath(new URL("chromium.lock", import.meta.url));
/** How old the lock of a process can be that still installs, in milliseconds. */
const lockAge = 600_000;

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const isRoot = process.getuid?.() === 0;

/** Starts a browser without a window. On a machine that has none, the first process installs Chromium. */
export async function startChromium(): Promise<Browser> {
  let path = find();
  while (path === undefined) {
    if (takeLock()) install();
    else await wait(200);
    path = find();
  }
  // Its sandbox refuses to be started by root.
  return chromium.launch({ executablePath: path, args: isRoot ? ["--no-sandbox"] : [] });
}

function find(): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
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
    if (find() !== undefined) return;
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const options = { env, stdio: "pipe" } as const;
    const packages = ["chromium", "chromium-driver", "fonts-liberation"];
    execFileSync("apt-get", ["update"], options);
    execFileSync("apt-get", ["install", "-y", "--no-install-recommends", ...packages], options);
  } catch (error) {
    throw new Error(
      "Cannot start a browser: there is no Chromium in PATH, and it could not be installed; wanted what `apt-get install chromium` installs, run as root",
      { cause: error },
    );
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}
