import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { executable } from "./runtimes.ts";

const folder = fileURLToPath(new URL("../worker-suite/", import.meta.url));

const config = `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "bundle.js")],
  compatibilityDate = "2026-11-01",
  compatibilityFlags = ["enable_request_signal"],
);
`;

/** Is a worker that is served by workerd, and can connect to itself. */
export interface ServedWorker extends AsyncDisposable {
  readonly port: number;
}

/** Bundles a worker, without node:test, which workerd does not have, and serves it. */
export async function serveWorker(program: string): Promise<ServedWorker> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}config.capnp`, config);
  writeFileSync(`${folder}node-test.js`, "export const describe = () => {}, it = () => {};\n");
  const options = ["--bundle", "--format=esm", "--platform=node", "--log-level=warning"];
  const files = [`--alias:node:test=${folder}node-test.js`, `--outfile=${folder}bundle.js`];
  execFileSync(await executable("esbuild"), [program, ...options, ...files], { stdio: "pipe" });
  const args = ["serve", `${folder}config.capnp`, "--control-fd=3"];
  const child = spawn(await executable("workerd"), args, {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const ended = once(child, "close");
  const [line] = (await once(createInterface(child.stdio[3] as Readable), "line")) as [string];
  return {
    port: (JSON.parse(line) as { port: number }).port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
