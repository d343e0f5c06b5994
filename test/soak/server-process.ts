import { fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import type { ServeOptions } from "@wsgi/server";
import type { Glance, Sample } from "./server.ts";

/** Is a server in a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  /** Waits until nothing is under way, collects garbage, and measures. */
  sample(): Promise<Sample>;
  /** Measures at once. */
  glance(): Promise<Glance>;
}

/** Starts a server. */
export async function startServer(options: ServeOptions = {}): Promise<ServerProcess> {
  const child = fork(new URL("server.js", import.meta.url), [JSON.stringify(options)], {
    execArgv: ["--expose-gc", "--enable-source-maps"],
    // So that glibc gives back what was freed, and the resident set is what is in use.
    env: { ...process.env, MALLOC_MMAP_THRESHOLD_: "131072" },
  });
  const ended = once(child, "exit");
  const told = async <T>(what?: string): Promise<T> => {
    const message = once(child, "message") as Promise<[T]>;
    if (what !== undefined) child.send(what);
    return (await Promise.race([message, ended.then(died)]))[0];
  };
  return {
    port: await told<number>(),
    sample: () => told("sample"),
    glance: () => told("glance"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function died([code, signal]: unknown[]): never {
  throw new Error(`The server has ended with ${String(signal ?? code)}`);
}
