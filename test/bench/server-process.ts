import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { serverCore } from "./cores.ts";

/** Is what a server tells of itself. */
export interface Usage {
  /** The time that all of its threads have used, in the program and in the system, in microseconds. */
  readonly cpu: number;
  /** Its resident set in KiB, now. */
  readonly rss: number;
  /** What of it belongs to this process alone, in KiB: not node's program, which processes share. */
  readonly own: number;
  /** The largest that its resident set has been, in KiB. */
  readonly peak: number;
  /** The promises that were made in it since it was asked to count them. */
  readonly promises: number;
}

/** Is a server in a process of its own, on a core of its own where that can be. */
export interface ServerProcess extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /**
   * Asks the server what it has used; "collect" has it collect garbage first, and "count" has it count
   * promises from then on.
   */
  usage(how?: "collect" | "count"): Promise<Usage>;
}

/** Is the folder of the servers, which are plain JavaScript and not built. */
export const servers: string = fileURLToPath(new URL("../../bench/servers/", import.meta.url));

/**
 * Starts a server.
 *
 * @param name - its module in the folder of servers, "hello/koa"
 * @param variant - what it is to do, if it can do several things
 */
export async function startServer(name: string, variant = ""): Promise<ServerProcess> {
  const args = ["--expose-gc", `${servers}serve.js`, name, variant];
  const [command, ...rest] = [...serverCore, process.execPath, ...args] as [string, ...string[]];
  const child = spawn(command, rest, {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  const ended = once(child, "exit");
  const answer = async <T>(): Promise<T> => {
    const died = ended.then(([code, signal]: unknown[]): never => {
      throw new Error(`The server ${name} has ended with ${String(signal ?? code)}`);
    });
    return ((await Promise.race([once(child, "message"), died])) as [T])[0];
  };
  return {
    name: variant === "" ? name : `${name} ${variant}`,
    port: await answer<number>(),
    usage(how) {
      child.send(how ?? "now");
      return answer<Usage>();
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Starts several servers, does something with them, and ends them. */
export async function withServers<Result>(
  names: readonly (readonly [name: string, variant?: string])[],
  act: (started: readonly ServerProcess[]) => Promise<Result>,
): Promise<Result> {
  const started: ServerProcess[] = [];
  try {
    for (const [name, variant] of names) started.push(await startServer(name, variant));
    return await act(started);
  } finally {
    for (const server of started) await server[Symbol.asyncDispose]();
  }
}
