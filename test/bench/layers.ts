import { byHand, median, type Outcome, type Size } from "./benchmark.ts";
import { pinning } from "./cores.ts";
import { small } from "./headers.ts";
import { loader, loadInTurn } from "./load.ts";
import { withServers } from "./server-process.ts";

const peers = ["wsgi", "fastify", "koa", "h3", "hono", "express"];

/** Measures what fifty layers add to a request over HTTP. */
export async function layers(size: Size): Promise<Outcome> {
  const rows: (string | number)[][] = [];
  const figures: Record<string, number> = {};
  for (const peer of peers) {
    const variants = [
      [`hello/${peer}`, "0"],
      [`hello/${peer}`, "50"],
    ] as const;
    await withServers(variants, async (servers) => {
      const [none, fifty] = await loadInTurn(servers, [{ path: "/", headers: small }], size);
      const added = median(fifty!.cpus.map((cpu, i) => cpu - none!.cpus[i]!));
      figures[`layers.${peer}`] = added;
      rows.push([peer, none!.cpu, fifty!.cpu, added]);
    });
  }
  return {
    title: "Fifty layers over HTTP/1.1",
    columns: ["server", "CPU µs/request, none", "with 50 layers", "added"],
    rows,
    caveats: [
      `${pinning} ${loader}`,
      "The layers of WSGI set a key and wrap startResponse; those of the others only pass on.",
    ],
    figures,
  };
}

await byHand(import.meta.url, layers);
