import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { servedFile } from "./application.ts";

const main = fileURLToPath(import.meta.resolve("../../../packages/cli/dist/main.js"));

/** How long workers may take to be replaced, in milliseconds. */
const patience = 60_000;

/** Is `wsgi serve` with several workers. */
export class ServeCommand implements AsyncDisposable {
  readonly port: number;
  readonly #workers: number;
  #child: ChildProcess;

  private constructor(port: number, workers: number) {
    this.port = port;
    this.#workers = workers;
    this.#child = this.#spawn();
  }

  static async start(workers: number): Promise<ServeCommand> {
    const command = new ServeCommand(await findPort(), workers);
    await command.#serving();
    return command;
  }

  /** Has the workers replaced; waits until the last one of the old has ended. */
  async reload(): Promise<void> {
    const old = this.#pids();
    this.#child.kill("SIGHUP");
    await this.#until(
      (pids) => pids.length === old.length && !old.some((pid) => pids.includes(pid)),
    );
  }

  /** Ends the server and starts another one on its port; returns its exit code. */
  async restart(): Promise<number | null> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const [code] = (await ended) as [number | null];
    this.#child = this.#spawn();
    await this.#serving();
    return code;
  }

  /** Kills a worker; returns how long it took until there was another, in seconds. */
  async killOne(): Promise<number> {
    const old = this.#pids();
    const begun = performance.now();
    process.kill(old[0]!, "SIGKILL");
    await this.#until((pids) => pids.length === old.length && !pids.includes(old[0]!));
    return (performance.now() - begun) / 1_000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever has ended already does not tell it again.
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await ended;
  }

  #spawn(): ChildProcess {
    const workers = ["--workers", String(this.#workers)];
    const args = [main, "serve", `${servedFile}:app`, "--port", String(this.port), "--log", "off"];
    // Its errors are those that the application was asked to make.
    return spawn(process.execPath, [...args, ...workers], { stdio: ["ignore", "pipe", "ignore"] });
  }

  async #serving(): Promise<void> {
    for await (const line of createInterface(this.#child.stdout!)) {
      if (!line.startsWith("Serving ")) continue;
      this.#child.stdout!.resume();
      return;
    }
    throw new Error("The server has ended");
  }

  /** Lists the processes of the workers, as Linux has them. */
  #pids(): number[] {
    const { pid } = this.#child;
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text.trim().split(" ").map(Number);
  }

  async #until(fits: (pids: number[]) => boolean): Promise<void> {
    for (const end = performance.now() + patience; !fits(this.#pids()); await after(10)) {
      if (performance.now() > end) throw new Error(`The workers are still ${this.#pids().join()}`);
    }
  }
}

/**
 * Finds a free port, but none that the system gives to clients: one that connects while nobody listens
 * could be connected to itself, and then the port is taken.
 */
async function findPort(): Promise<number> {
  for (let port = 20_000 + (process.pid % 10_000); ; port++) {
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await Promise.race([
      once(server, "listening").then(() => true),
      once(server, "error").then(() => false),
    ]);
    server.close();
    if (isFree) return port;
  }
}
