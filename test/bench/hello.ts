import { byHand, interleaved, median, ratio, type Outcome, type Size } from "./benchmark.ts";
import { pinning } from "./cores.ts";
import { runCase } from "./case-process.ts";
import { browser, headText, proxied, small } from "./headers.ts";
import { loader, loadInTurn } from "./load.ts";
import { withServers } from "./server-process.ts";

const requests = { 2: small, 15: browser, 20: proxied };

/** Measures the smallest answer over HTTP, beside node:http with nothing above it. */
export async function hello(size: Size): Promise<Outcome> {
  const rows: (string | number)[][] = [];
  const figures: Record<string, number> = {};
  await withServers([["hello/bare"], ["hello/wsgi"]], async (servers) => {
    for (const [count, headers] of Object.entries(requests)) {
      const [bare, wsgi] = await loadInTurn(servers, [{ path: "/", headers }], size);
      const faster = ratio(bare!.cpus, wsgi!.cpus);
      figures[`hello.${count}`] = faster;
      rows.push([`node:http, ${count} header fields`, bare!.rate, bare!.cpu, 1, 1]);
      rows.push([
        `WSGI, ${count} header fields`,
        wsgi!.rate,
        wsgi!.cpu,
        faster,
        ratio(wsgi!.rates, bare!.rates),
      ]);
    }
  });
  for (const [count, headers] of Object.entries(requests)) {
    const [bare, wsgi] = await interleaved(["bare", "wsgi"], size.rounds, (server) =>
      runCase<number>("request", server, headText("/", headers), size.seconds / 2),
    );
    const faster = ratio(bare!, wsgi!);
    rows.push([`node:http, ${count} header fields, no network`, "", median(bare!), 1, ""]);
    rows.push([`WSGI, ${count} header fields, no network`, "", median(wsgi!), faster, ""]);
    figures[`hello.${count}js`] = faster;
  }
  return {
    title: "Hello, world over HTTP/1.1",
    columns: ["server", "requests/s", "CPU µs/request", "by CPU", "by rate"],
    rows,
    caveats: [
      `${pinning} ${loader}`,
      "By CPU: how many times as many requests a second of processor time answers. By rate: the same of real time.",
      "About half of each request is the system's own work with the socket, which no program changes.",
      "No network: the requests come from memory. That leaves the system's work out and moves little from run to run.",
      "An application that does anything at all makes these differences small.",
    ],
    figures,
  };
}

await byHand(import.meta.url, hello);
