import { byHand, ratio, type Outcome, type Size } from "./benchmark.ts";
import { pinning } from "./cores.ts";
import { program } from "./headers.ts";
import { loader, loadInTurn } from "./load.ts";
import { startServer, withServers, type ServerProcess } from "./server-process.ts";

const peers = ["wsgi", "bare", "fastify", "h3", "koa", "hono", "express"];

/** The 64 paths that are asked for, of 200 routes. */
const paths = Array.from({ length: 64 }, (_, i) => {
  const thing = `/api/thing${(i * 7) % 50}`;
  return [thing, `${thing}/${i}`, `${thing}/${i}/parts`, `${thing}/${i}/parts/p${i}`][i % 4]!;
});

/** Measures a stack of layers as programs have it, beside the same work in other frameworks. */
export async function stack(size: Size): Promise<Outcome> {
  const requests = paths.map((path) => ({ path, headers: program }));
  const names = peers.map((peer) => [`stack/${peer}`] as const);
  const loads = await withServers(names, async (servers) => {
    await compare(servers);
    return loadInTurn(servers, requests, size);
  });
  const ours = loads[0]!;
  const figures = loads.map(
    ({ cpus }, i) => [`stack.${peers[i]}`, ratio(cpus, ours.cpus)] as const,
  );
  return {
    title:
      "A realistic stack over HTTP/1.1: access log, errors, request id, cookies, a longer body, 200 routes",
    columns: ["server", "requests/s", "CPU µs/request", "peak MiB", "WSGI is, by CPU", "by rate"],
    rows: loads.map(({ cpus, rates, rate, cpu, peak }, i) => [
      peers[i]!,
      rate,
      cpu,
      peak / 1024,
      ratio(cpus, ours.cpus),
      ratio(ours.rates, rates),
    ]),
    caveats: [
      `${pinning} ${loader}`,
      "All seven give the same answers, which is checked first. The log is kept in memory and thrown away.",
      "hono has to make a second Response to change a body: without that layer it is several times faster.",
      "Handlers only make a line of text. One query of a database takes longer than any of this.",
    ],
    figures: { ...Object.fromEntries(figures.slice(1)), "stack.promises": await promises() },
  };
}

/** Counts the promises that a request makes in the server. */
async function promises(): Promise<number> {
  await using server = await startServer("stack/wsgi");
  await answerOf(server, "/api/thing1/1");
  await server.usage("count");
  await answerOf(server, "/api/thing1/1");
  return (await server.usage()).promises;
}

/** Makes sure that all servers do the same. */
async function compare(servers: readonly ServerProcess[]): Promise<void> {
  for (const path of paths) {
    const answers = await Promise.all(servers.map((server) => answerOf(server, path)));
    for (const [i, answer] of answers.entries()) {
      if (answer === answers[0]) continue;
      throw new Error(`Cannot compare ${servers[i]!.name}: ${answer} is not ${answers[0]}`);
    }
  }
}

async function answerOf({ port }: ServerProcess, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: program });
  const [cookie = ""] = response.headers.getSetCookie();
  return JSON.stringify({
    status: response.status,
    type: response.headers.get("Content-Type")?.toLowerCase().replaceAll(" ", ""),
    cookie: cookie.toLowerCase().split(/; */).toSorted(),
    hasId: /^[\da-f-]{36}$/.test(response.headers.get("X-Request-Id") ?? ""),
    text: await response.text(),
  });
}

await byHand(import.meta.url, stack);
