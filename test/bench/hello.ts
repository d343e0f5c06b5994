import { byHand, interleaved, median, ratio, type Outcome, type Size } from "./benchmark.ts";
import { pinning } from "./cores.ts";
import { runCase } from "./case-process.ts";
import { browser, headText, proxied, small } from "./headers.ts";
import { loader, loadInTurn, type Loads } from "./load.ts";
import { withServers } from "./server-process.ts";

const requests = { 2: small, 15: browser, 20: proxied };

/** Measures the smallest answer over HTTP, beside node:http with nothing above it. */
export async function hello(size: Size): Promise<Outcome> {
  const rows: (string | number)[][] = [];
  const figures: Record<string, number> = {};
  await withServers([["hello/bare"], ["hello/wsgi"], ["hello/plain"]], async (servers) => {
    for (const [count, headers] of Object.entries(requests)) {
      const [bare, wsgi, plain] = await loadInTurn(servers, [{ path: "/", headers }], size);
      const row = (title: string, { cpu, cpus, rate, rates }: Loads): number => {
        const faster = ratio(bare!.cpus, cpus);
        const byRate = ratio(rates, bare!.rates);
        rows.push([`${title}, ${count} header fields`, rate, cpu, faster, byRate]);
        return faster;
      };
      row("node:http", bare!);
      figures[`hello.${count}`] = row("WSGI", wsgi!);
      figures[`hello.${count}plain`] = row("WSGI without the fast path", plain!);
    }
  });
  for (const [count, headers] of Object.entries(requests)) {
    const servers = ["bare", "wsgi", "plain"];
    const [bare, wsgi, plain] = await interleaved(servers, size.rounds, (server) =>
      runCase<number>("request", [server, headText("/", headers), size.seconds / 2]),
    );
    const row = (title: string, times: number[]): number => {
      const faster = ratio(bare!, times);
      rows.push([`${title}, ${count} header fields, no network`, "", median(times), faster, ""]);
      return faster;
    };
    row("node:http", bare!);
    figures[`hello.${count}js`] = row("WSGI", wsgi!);
    row("WSGI without the fast path", plain!);
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
      "Without the fast path node:http writes each response, as it does where somebody has changed it.",
      "An application that does anything at all makes these differences small.",
    ],
    figures,
  };
}

await byHand(import.meta.url, hello);
