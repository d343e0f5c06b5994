import { byHand, ratio, type Outcome, type Size } from "./benchmark.ts";
import { pinning } from "./cores.ts";
import { program } from "./headers.ts";
import { loader, loadInTurn, type Loads } from "./load.ts";
import { withServers, type ServerProcess } from "./server-process.ts";

/** The forms in which a framework is measured, and the figure of each; the first is what others are compared with. */
const forms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  express: { own: "", outermost: "express", stack: "expressStack", mount: "expressMount" },
  koa: { own: "", outermost: "koa", stack: "koaStack", mount: "koaMount" },
  hono: {
    own: "",
    outermost: "hono",
    "outermost, fetch": "honoFetch",
    stack: "honoStack",
    "stack, fetch": "honoFetchStack",
    mount: "honoMount",
  },
};

/** Measures applications of other frameworks on this server, beside the same on their own. */
export async function bridges(size: Size): Promise<Outcome> {
  const rows: (string | number)[][] = [];
  const figures: Record<string, number> = {};
  for (const [framework, variants] of Object.entries(forms)) {
    const loads = await measure(framework, Object.keys(variants), size);
    const own = loads[0]!;
    for (const [i, [variant, figure]] of Object.entries(variants).entries()) {
      const { cpus, rates, rate, cpu } = loads[i]!;
      const byCpu = ratio(own.cpus, cpus);
      if (figure !== "") figures[`bridges.${figure}`] = byCpu;
      rows.push([`${framework}, ${variant}`, rate, cpu, byCpu, ratio(rates, own.rates)]);
    }
  }
  return {
    title: "Bridges over HTTP/1.1: an application of another framework, hosted here",
    columns: ["server", "requests/s", "CPU µs/request", "by CPU", "by rate"],
    rows,
    caveats: [
      `${pinning} ${loader}`,
      "Own: the application on its own server, createServer(app) or @hono/node-server, without layers. The others are compared with it.",
      "Outermost: on this server, nothing around it. Stack: under an access log, catchErrors and append, which own does not have.",
      "hono is hosted by fromNode around @hono/node-server's listener, or by fromFetch, where Node makes whole Requests and Responses.",
      "Mount: an application of ours in the framework, on its own server, by toNode, toKoa or toFetch.",
    ],
    figures,
  };
}

function measure(framework: string, variants: readonly string[], size: Size): Promise<Loads[]> {
  const names = variants.map((variant) => [`bridges/${framework}`, variant] as const);
  return withServers(names, async (servers) => {
    await check(servers);
    return loadInTurn(servers, [{ path: "/", headers: program }], size);
  });
}

/** Makes sure that each says the same, and that those under the layers say a little more. */
async function check(servers: readonly ServerProcess[]): Promise<void> {
  for (const { name, port } of servers) {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: program });
    const text = await response.text();
    const end = name.includes(" stack") ? "\nServed under a stack\n" : "";
    if (text === `Hello, world!${end}`) continue;
    throw new Error(`Cannot measure ${name}: it answers ${response.status} ${text}`);
  }
}

await byHand(import.meta.url, bridges);
