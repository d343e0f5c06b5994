import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { deferred } from "./serving.ts";

const main = fileURLToPath(import.meta.resolve("../../../packages/cli/dist/main.js"));
const modules = fileURLToPath(import.meta.resolve("../../../node_modules"));

/** What hangs is a fault, and is to end as one: in milliseconds. */
const limit = 60_000;

/** Is a folder with the files of a test; packages are found from it by their names. */
export interface Folder extends Disposable {
  readonly path: string;
  write(name: string, text: string): void;
}

/** Makes a folder, outside this repository and its package.json. */
export function folderOf(files: Readonly<Record<string, string>>): Folder {
  const path = mkdtempSync(join(tmpdir(), "wsgi-"));
  symlinkSync(modules, join(path, "node_modules"), "junction");
  const write = (name: string, text: string): void => writeFileSync(join(path, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  return {
    path,
    write,
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
}

/** Is what a command that has ended leaves. */
export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `wsgi` in a folder to its end. */
export function wsgi(
  folder: Folder,
  args: readonly string[],
  { input = "", encoding = "utf8" }: { input?: string; encoding?: BufferEncoding } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd: folder.path, encoding, timeout: limit };
    const child = execFile(process.execPath, [main, ...args], options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
    child.stdin!.end(input);
  });
}

/** Is a command that goes on. */
export interface Command extends AsyncDisposable {
  /** Waits for the next line on standard output that begins like this. */
  line(start: string): Promise<string>;
  /** Waits for the next line on standard error that has this in it. */
  errorLine(part: string): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** Reads no more of its standard output. */
  closeOutput(): void;
  /** Reads no more of its standard error. */
  closeErrors(): void;
  /** Is its exit code, once it has ended; null if a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** Starts `wsgi serve` on a free port. */
export function startServing(folder: Folder, ...args: readonly string[]): Command {
  return start(folder, "serve", "--port", "0", ...args);
}

/** Starts `wsgi` in a folder. */
export function start(folder: Folder, ...args: readonly string[]): Command {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder.path, timeout: limit });
  const ended = once(child, "close").then(([code]) => code as number | null);
  const output = createInterface(child.stdout)[Symbol.asyncIterator]();
  const errors = createInterface(child.stderr)[Symbol.asyncIterator]();
  return {
    line: (begin) => find(output, (line) => line.startsWith(begin)),
    errorLine: (part) => find(errors, (line) => line.includes(part)),
    signal: (name) => void child.kill(name),
    closeOutput: () => void child.stdout.destroy(),
    closeErrors: () => void child.stderr.destroy(),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function find(
  lines: AsyncIterator<string>,
  fits: (line: string) => boolean,
): Promise<string> {
  const passed: string[] = [];
  for (;;) {
    const step = await lines.next();
    if (step.done === true) throw new Error(`It printed only ${JSON.stringify(passed)}`);
    if (fits(step.value)) return step.value;
    passed.push(step.value);
  }
}

/** Waits for the line that tells where it serves, and takes the URL from it. */
export async function urlOf(command: Command): Promise<string> {
  return (await command.line("Serving ")).split(" on ")[1]!;
}

/** Is a place that keeps who comes there waiting. */
export interface Gate extends AsyncDisposable {
  readonly url: string;
  /** Somebody has come. */
  readonly reached: Promise<void>;
  /** Whoever came has gone, or was let through. */
  readonly left: Promise<void>;
  /** Lets everybody through, now and from now on. */
  open(): void;
}

/** Makes a gate, which an application waits at with `await fetch(url)`. */
export async function makeGate(): Promise<Gate> {
  const reached = deferred();
  const left = deferred();
  const opened = deferred();
  const server = createServer((_req, res) => {
    res.on("close", left.resolve);
    reached.resolve();
    void opened.promise.then(() => res.end("open"));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reached: reached.promise,
    left: left.promise,
    open: opened.resolve,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => void server.close(closed));
    },
  };
}
