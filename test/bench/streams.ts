import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { byHand, interleaved, median, ratio, type Outcome, type Size } from "./benchmark.ts";
import { loadCore, pinning } from "./cores.ts";
import { withServers, type ServerProcess } from "./server-process.ts";

/** Is one way to send or to take a stream. */
interface Way {
  readonly title: string;
  readonly server: readonly [name: string, variant: string];
  readonly block?: number;
}

const ways = {
  file64: { title: "file, pipeline, 64 KiB", server: ["streams/bare", "file"], block: 65_536 },
  file256: { title: "file, pipeline, 256 KiB", server: ["streams/bare", "file"], block: 262_144 },
  file: { title: "file, WSGI, 5 layers", server: ["streams/wsgi", "file watch 5"] },
  mapped: { title: "file, WSGI, 5 layers that see it", server: ["streams/wsgi", "file map 5"] },
  memory64: { title: "64 KiB chunks, pipeline", server: ["streams/bare", "memory"], block: 65_536 },
  wsgi64: { title: "64 KiB chunks, WSGI", server: ["streams/wsgi", "memory"], block: 65_536 },
  layers64: {
    title: "64 KiB chunks, WSGI, 5 layers",
    server: ["streams/wsgi", "memory map 5"],
    block: 65_536,
  },
  memory4: { title: "4 KiB chunks, pipeline", server: ["streams/bare", "memory"], block: 4_096 },
  wsgi4: { title: "4 KiB chunks, WSGI", server: ["streams/wsgi", "memory"], block: 4_096 },
  layers4: {
    title: "4 KiB chunks, WSGI, 5 layers",
    server: ["streams/wsgi", "memory map 5"],
    block: 4_096,
  },
  taken: { title: "upload, pipeline", server: ["streams/bare", "upload"] },
  upload: { title: "upload, WSGI", server: ["streams/wsgi", "upload"] },
} as const satisfies Record<string, Way>;

/** Measures long bodies in both directions. */
export async function streams({ rounds, bytes }: Size): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "wsgi-bench-"));
  const file = join(folder, "zeros");
  writeFileSync(file, "");
  truncateSync(file, bytes);
  const list: readonly Way[] = Object.values(ways);
  try {
    return await withServers(
      list.map(({ server }) => server),
      async (servers) => {
        const cases = list.map((way, i) => ({ way, server: servers[i]! }));
        for (const { way, server } of cases) await transfer(server, way, bytes / 8, file);
        const measured = await interleaved(cases, rounds, ({ way, server }) =>
          transfer(server, way, bytes, file),
        );
        const peaks: number[] = [];
        for (const server of servers) peaks.push((await server.usage()).peak / 1024);
        return outcome(measured, peaks, bytes);
      },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Is what it took to bring a stream over. */
interface Transfer {
  readonly rate: number;
  readonly cpu: number;
}

function outcome(
  measured: readonly (readonly Transfer[])[],
  peaks: readonly number[],
  bytes: number,
): Outcome {
  const keys = Object.keys(ways) as (keyof typeof ways)[];
  const cpus = (key: keyof typeof ways): number[] =>
    measured[keys.indexOf(key)]!.map(({ cpu }) => cpu);
  const ours = keys.flatMap((key, i) =>
    ways[key].server[0] === "streams/wsgi" ? [peaks[i]!] : [],
  );
  return {
    title: `Streams of ${bytes / 2 ** 20} MiB over HTTP/1.1`,
    columns: ["stream", "MiB/s", "CPU s/GiB", "peak MiB"],
    rows: keys.map((key, i) => [
      ways[key].title,
      median(measured[i]!.map(({ rate }) => rate)),
      median(cpus(key)),
      peaks[i]!,
    ]),
    caveats: [
      `${pinning} The client is a program in node that throws away what it reads.`,
      "The file has no blocks on the disk: what is read comes from the system's memory.",
      "The layers of a file wait for its end, as an access log does, or see each chunk; the others see each chunk.",
      "The source of the other chunks is an async generator that has them ready.",
    ],
    figures: {
      "streams.file64": ratio(cpus("file64"), cpus("file")),
      "streams.file256": ratio(cpus("file256"), cpus("file")),
      "streams.layers64": 100 * (ratio(cpus("layers64"), cpus("wsgi64")) - 1),
      "streams.layers4": 100 * (ratio(cpus("layers4"), cpus("wsgi4")) - 1),
      "streams.pipeline4": ratio(cpus("memory4"), cpus("wsgi4")),
      "streams.peak": Math.max(...ours),
    },
  };
}

/** Brings a stream over a connection of its own. */
async function transfer(
  server: ServerProcess,
  { title, block = 0, server: [, variant] }: Way,
  bytes: number,
  file: string,
): Promise<Transfer> {
  const client = fileURLToPath(new URL("stream-client.js", import.meta.url));
  const query = new URLSearchParams({ bytes: String(bytes), block: String(block), file });
  const isUpload = variant === "upload";
  const args = [client, String(server.port), `/?${query}`, ...(isUpload ? [String(bytes)] : [])];
  const [command, ...rest] = [...loadCore, process.execPath, ...args] as [string, ...string[]];
  const before = await server.usage();
  const output = execFileSync(command, rest, { encoding: "utf8" });
  const after = await server.usage();
  const { beginning, received, time } = JSON.parse(output) as Record<string, string & number>;
  if (beginning !== "HTTP/1.1 200" || (!isUpload && received! < bytes)) {
    throw new Error(`Cannot measure ${title}: the client got ${output}`);
  }
  const cpu = ((after.cpu - before.cpu) / 1e6) * (2 ** 30 / bytes);
  return { rate: bytes / 2 ** 20 / time!, cpu };
}

await byHand(import.meta.url, streams);
