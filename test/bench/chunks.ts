import { byHand, ratio, type Outcome, type Size } from "./benchmark.ts";
import { pinning } from "./cores.ts";
import { small } from "./headers.ts";
import { loader, loadInTurn } from "./load.ts";
import { withServers } from "./server-process.ts";

const variants = [
  ["chunks/bare", "write"],
  ["chunks/bare", "join"],
  ["chunks/wsgi", "array"],
  ["chunks/wsgi", "asyncGenerator"],
  ["chunks/wsgi", "generator"],
] as const;

const names = [
  "node:http, res.write each",
  "node:http, joined by hand",
  "WSGI, an array",
  "WSGI, an async generator",
  "WSGI, a generator",
];

/** Measures a body of a hundred chunks of 16 bytes. */
export async function chunks(size: Size): Promise<Outcome> {
  const request = { path: "/", headers: small };
  const loads = await withServers(variants, (servers) => loadInTurn(servers, [request], size));
  const each = loads[0]!;
  const times = loads.map(({ cpus }) => ratio(each.cpus, cpus));
  return {
    title: "A hundred tiny chunks over HTTP/1.1",
    columns: ["body", "requests/s", "CPU µs/request", "times the first"],
    rows: loads.map(({ rate, cpu }, i) => [names[i]!, rate, cpu, times[i]!]),
    caveats: [
      `${pinning} ${loader}`,
      "A generator is slowest on purpose: it may compute for long between two chunks, and so each leaves at once.",
    ],
    figures: { "chunks.array": times[2]!, "chunks.async": times[3]! },
  };
}

await byHand(import.meta.url, chunks);
