import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

/** Is the folder of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Is what these tests read of a package.json. */
export interface Manifest {
  name: string;
  version: string;
  description?: string;
  license?: string;
  private?: boolean;
  type?: string;
  engines?: { node?: string };
  keywords?: string[];
  publishConfig?: { access?: string };
  sideEffects?: boolean;
  bin?: Record<string, string>;
  exports: Record<string, { types?: string; default: string }>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** Is a text file of the repository. */
export interface Source {
  /** Its path from the root, `"packages/core/src/body.ts"`. */
  path: string;
  text: string;
}

/** Is one of the packages. */
export interface Package {
  /** Its path from the root, `"packages/core"`. */
  folder: string;
  manifest: Manifest;
  /** The files in its `src`. */
  sources: readonly Source[];
}

/** Reads a file of the repository. */
export function read(path: string): string {
  return readFileSync(root + path, "utf8");
}

/** Is every package that is there. */
export const packages: readonly Package[] = readdirSync(`${root}packages`)
  .map((name) => `packages/${name}`)
  .filter((folder) => existsSync(`${root}${folder}/package.json`))
  .map((folder) => ({
    folder,
    manifest: { exports: {}, ...JSON.parse(read(`${folder}/package.json`)) } as Manifest,
    sources: readdirSync(`${root}${folder}/src`, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => `${folder}/src/${name}`)
      .map((path) => ({ path, text: read(path) })),
  }));

/** Finds the sources of what a package exports. */
export function entries({ folder, manifest }: Package): string[] {
  return Object.values(manifest.exports).map((target) =>
    target.default.replace(/^\.\/dist\/(.*)\.js$/, `${folder}/src/$1.ts`),
  );
}

/** Tells the number of the line at a place in a text. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** Fails with every fault on a line of its own. */
export function assertNone(faults: readonly string[]): void {
  if (faults.length > 0) assert.fail(`${faults.length} found:\n${faults.join("\n")}`);
}

const limit = 20_000;
const unsettled = ": it waits for what cannot happen any more";

/**
 * Runs a module in a thread of its own, where nothing else is loaded yet, and keeps what it prints to
 * itself. Says how it failed; undefined if it came to its end and left nothing open.
 */
export function runAlone(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const worker = new Worker(root + path, { stdout: true, stderr: true });
    // What nobody reads would keep the thread from ending.
    worker.stdout.resume();
    worker.stderr.resume();
    let fault: string | undefined;
    const timer = setTimeout(() => {
      fault = `is not over after ${limit} ms: is something left open?`;
      void worker.terminate();
    }, limit);
    worker.on("error", (error: unknown) => {
      fault = `throws ${error instanceof Error ? error.stack : String(error)}`;
    });
    worker.on("exit", (code) => {
      clearTimeout(timer);
      if (code !== 0) fault ??= `ends with the exit code ${code}${code === 13 ? unsettled : ""}`;
      resolve(fault);
    });
  });
}
