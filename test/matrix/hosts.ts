import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { executable, missing, type RuntimeName } from "../runtimes/runtimes.ts";
import { certificate } from "../support/certificate.ts";
import { installed } from "../support/install.ts";
import { read, root } from "../support/repository.ts";
import { http1Client, http2Client, type Client } from "./client.ts";

const gateway = fileURLToPath(new URL("lambda-gateway.js", import.meta.url));
/** Lets the system find a port, and tells it on the fourth descriptor. */
const workerdPort = ["--socket-addr=http=127.0.0.1:0", "--control-fd=3"];

/** Is what can serve the applications, as its guide says. */
export interface Host {
  /** The name of its column. */
  readonly name: string;
  /** The name of its guide in packages/bridge/hosts. */
  readonly guide: string;
  /** The path under which its guide mounts the application. */
  readonly mount: string;
  /** What it runs on, if that comes from a registry. */
  readonly runtime?: RuntimeName;
  /** Makes a client that speaks its protocol. */
  client(): Client;
  /** What is said behind the command of the guide. */
  readonly more?: readonly string[];
  /** The command, where the guide has none because others start it. */
  readonly command?: string;
}

/** Makes a column for one of the ways to Lambda, which starts handlers without a command. */
function lambda(name: string, args: string): Host {
  const command = `node ${gateway} ${args}`;
  return { name, guide: "lambda", mount: "", client: http1Client, command };
}

/** Is every column. */
export const hosts: readonly Host[] = [
  { name: "Node", guide: "node", mount: "", client: http1Client },
  { name: "newest Node", guide: "node", mount: "", client: http1Client, runtime: "node" },
  { name: "HTTP/2", guide: "http2", mount: "", client: http2Client },
  { name: "Express", guide: "express", mount: "/app", client: http1Client },
  { name: "Koa", guide: "koa", mount: "", client: http1Client },
  { name: "Fastify", guide: "fastify", mount: "/app", client: http1Client },
  { name: "Hono", guide: "hono", mount: "/app", client: http1Client },
  { name: "Bun", guide: "bun", mount: "", client: http1Client, runtime: "bun" },
  { name: "Deno", guide: "deno", mount: "", client: http1Client, runtime: "deno" },
  {
    name: "workerd",
    guide: "workerd",
    mount: "",
    client: http1Client,
    runtime: "workerd",
    more: workerdPort,
  },
  lambda("Lambda", "function-url lambda.js"),
  lambda("Lambda, streaming", "stream stream.js"),
  lambda("Lambda, balancer", "balancer lambda.js"),
];

/** Is a host that serves, in a process of its own. */
export interface RunningHost extends AsyncDisposable {
  /** Where the applications are, without a slash at the end. */
  readonly url: string;
  /** Sends requests to the applications. */
  readonly client: Client;
  /** Asks what has become of them. */
  readonly asking: Client;
  /** What it has printed on standard error. */
  readonly errors: string;
}

/** How long a host may take to start, in milliseconds. */
const patience = 30_000;

/** Says why a host cannot be had here; undefined if it can. */
export function missingHost({ runtime }: Host): string | undefined {
  return runtime === undefined ? undefined : missing(runtime);
}

/** Follows the guide of a host: makes the files that it shows, and runs its commands. */
export async function startHost(host: Host): Promise<RunningHost> {
  await installed("frameworks");
  const guide = read(`packages/bridge/hosts/${host.guide}.md`);
  const folder = `${root}test/frameworks/dist/${host.name.replace(/\W/g, "-")}/`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string): void => writeFileSync(folder + name, text);
  write("app.js", 'export { app } from "../../applications/all.js";\n');
  write("key.pem", certificate.key);
  write("cert.pem", certificate.cert);
  for (const [name, text] of filesOf(guide)) write(name, text);
  const lines = host.command === undefined ? commandsOf(guide) : [host.command];
  const last = lines.pop();
  if (last === undefined) throw new Error(`Cannot start ${host.name}: its guide has no command`);
  for (const line of lines) {
    const [file, args] = await programOf(host, line);
    execFileSync(file, args, { cwd: folder, stdio: "pipe" });
  }
  const [file, args] = await programOf(host, last);
  const child = spawn(file, [...args, ...(host.more ?? [])], {
    cwd: folder,
    env: { ...process.env, PORT: "0", NODE_ENV: "production" },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  return await started(host, child);
}

async function started(host: Host, child: ChildProcess): Promise<RunningHost> {
  let errors = "";
  child.stderr!.on("data", (data) => void (errors += String(data)));
  const ended = once(child, "close");
  const kill = (): void => void child.kill("SIGKILL");
  // Also if this process ends by an error.
  process.once("exit", kill);
  const timer = setTimeout(kill, patience);
  const said = await Promise.race([
    firstMatch(child.stdout!, /https?:\/\/[\w.[\]:]+:\d+/),
    firstMatch(child.stdio[3] as Readable, /"port":(\d+)/),
    ended.then(() => undefined),
  ]);
  clearTimeout(timer);
  if (said === undefined) throw new Error(`Cannot start ${host.name}: ${errors}`);
  const url = said[1] === undefined ? said[0] : `http://127.0.0.1:${said[1]}`;
  const client = host.client();
  const asking = host.client();
  return {
    url: url + host.mount,
    client,
    asking,
    get errors() {
      return errors;
    },
    async [Symbol.asyncDispose]() {
      client.close();
      asking.close();
      process.off("exit", kill);
      kill();
      await ended;
    },
  };
}

/** Waits for a line that fits, and reads on. */
async function firstMatch(stream: Readable, wanted: RegExp): Promise<RegExpExecArray> {
  return await new Promise((resolve) => {
    createInterface(stream).on("line", (line) => {
      const match = wanted.exec(line);
      if (match !== null) resolve(match);
    });
  });
}

/** Finds the files that a guide shows: each begins with a comment that names it. */
function filesOf(guide: string): Map<string, string> {
  const fences = guide.matchAll(/^```\w+\n(?:\/\/|#) ([\w-]+\.\w+)\n([^]*?)^```$/gm);
  return new Map([...fences].map(([, name, text]) => [name!, text!]));
}

/** Finds the commands that a guide shows, without those that install something. */
function commandsOf(guide: string): string[] {
  const fences = [...guide.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, text]) => text!);
  const lines = fences.join("").replaceAll("\\\n", " ").trim().split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("npm install"));
}

async function programOf(
  host: Host,
  line: string,
): Promise<[file: string, args: readonly string[]]> {
  const words = line.replace(/^npx /, "").matchAll(/'([^']*)'|\S+/g);
  const [name, ...args] = [...words].map(([text, quoted]) => quoted ?? text);
  const isOurs = name === "node" && host.runtime !== "node";
  return [isOurs ? process.execPath : await executable(name!), args];
}
