import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { interleaved, median, type Size } from "./benchmark.ts";
import { loadCore } from "./cores.ts";
import { headText } from "./headers.ts";
import type { ServerProcess, Usage } from "./server-process.ts";

/** Is one request that the load is made of. */
export interface LoadRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Is what one server did under load. */
export interface Load {
  /** The requests in a second. */
  readonly rate: number;
  /** The microseconds that the server's process used for a request, in its code and in the system. */
  readonly cpu: number;
}

/** Is what came of a server in all rounds. */
export interface Loads {
  readonly name: string;
  readonly rates: readonly number[];
  readonly cpus: readonly number[];
  readonly rate: number;
  readonly cpu: number;
  readonly peak: number;
}

/** How many connections make requests at the same time. */
const connections = 50;

const hasWrk = spawnSync("wrk", ["--version"]).error === undefined;

/** Says in a sentence what makes the load. */
export const loader: string = hasWrk
  ? `wrk makes the load, on ${connections} connections.`
  : `A small client in node makes the load, on ${connections} connections; with wrk installed, the rates are higher and better.`;

/** Loads servers that are all up, in turn, after a warm-up of each. */
export async function loadInTurn(
  servers: readonly ServerProcess[],
  requests: readonly LoadRequest[],
  { rounds, seconds, warmUp }: Size,
): Promise<Loads[]> {
  for (const server of servers) await load(server, requests, warmUp);
  const measured = await interleaved(servers, rounds, (server) => load(server, requests, seconds));
  const usages: Usage[] = [];
  for (const server of servers) usages.push(await server.usage());
  return servers.map(({ name }, i) => {
    const rates = measured[i]!.map(({ rate }) => rate);
    const cpus = measured[i]!.map(({ cpu }) => cpu);
    return { name, rates, cpus, rate: median(rates), cpu: median(cpus), peak: usages[i]!.peak };
  });
}

/** Loads a server for a while. */
export async function load(
  server: ServerProcess,
  requests: readonly LoadRequest[],
  seconds: number,
): Promise<Load> {
  const before = await server.usage();
  const { answered, time, failed } = await make(server.port, requests, seconds);
  const after = await server.usage();
  if (failed > 0 || answered === 0) {
    throw new Error(`Cannot measure ${server.name}: ${failed} of ${answered} requests failed`);
  }
  return { rate: answered / time, cpu: (after.cpu - before.cpu) / answered };
}

/** Is what a load generator tells, on one line of JSON. */
export interface Made {
  readonly answered: number;
  readonly failed: number;
  /** How long it took, in seconds. */
  readonly time: number;
}

async function make(
  port: number,
  requests: readonly LoadRequest[],
  seconds: number,
): Promise<Made> {
  const folder = mkdtempSync(join(tmpdir(), "wsgi-bench-"));
  try {
    const script = join(folder, hasWrk ? "requests.lua" : "requests.json");
    const texts = requests.map(({ path, headers }) => headText(path, headers, `127.0.0.1:${port}`));
    writeFileSync(script, hasWrk ? luaScript(texts) : JSON.stringify(texts));
    const client = fileURLToPath(new URL("client.js", import.meta.url));
    // wrk takes whole seconds, or the end of it by a signal.
    const command = hasWrk
      ? ["wrk", "-t1", `-c${connections}`, "-d60s", "-s", script, `http://127.0.0.1:${port}`]
      : [process.execPath, client, script, String(port), String(connections)];
    return await run([...loadCore, ...command], seconds);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs a load generator until it is told to end, and reads its last line. */
async function run(command: readonly string[], seconds: number): Promise<Made> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  const timer = setTimeout(() => child.kill("SIGINT"), 1_000 * seconds);
  let output = "";
  for await (const text of child.stdout) output += text;
  clearTimeout(timer);
  const line = output.trim().split("\n").at(-1)!;
  try {
    return JSON.parse(line) as Made;
  } catch {
    throw new Error(`Cannot make the load: ${command.join(" ")} has printed ${output}`);
  }
}

function luaScript(texts: readonly string[]): string {
  const list = texts.map(
    (text) => `  ${JSON.stringify(text).replaceAll("\\r", "\\13").replaceAll("\\n", "\\10")},`,
  );
  return `local texts = {
${list.join("\n")}
}
local at = 0
function request()
  at = at % #texts + 1
  return texts[at]
end
function done(summary)
  local e = summary.errors
  print(string.format('{"answered":%d,"failed":%d,"time":%f}', summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout, summary.duration / 1e6))
end
`;
}
