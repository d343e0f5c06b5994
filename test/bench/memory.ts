import { once } from "node:events";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { byHand, median, type Outcome, type Size } from "./benchmark.ts";
import { startServer, type Usage } from "./server-process.ts";

const peers = ["bare", "wsgi", "fastify", "koa", "express", "hono", "h3"];
const slowWays = [
  ["streams/bare", "file", "node:http, pipeline of a file"],
  ["streams/wsgi", "file watch 5", "WSGI, a file through 5 layers"],
  ["streams/wsgi", "memory", "WSGI, an async generator"],
] as const;

/** How many answers a server gives before its memory is looked at again. */
const someAnswers = 1_000;

/** How many clients read nothing of a long body, and for how long, in milliseconds. */
const slowReaders = 50;
const patience = 2_000;

/** Measures the memory of servers: at the start, for waiting connections, and for clients that do not read. */
export async function memory({ rounds, connections }: Size): Promise<Outcome> {
  const rows: (string | number)[][] = [];
  const figures: Record<string, number> = {};
  for (const peer of peers) {
    const starts: Usage[] = [];
    const laters: Usage[] = [];
    for (let i = 0; i < rounds; i++) {
      await using server = await startServer(`hello/${peer}`, "0");
      starts.push(await server.usage());
      await answer(server.port, someAnswers);
      laters.push(await server.usage());
    }
    const start = median(starts.map(({ rss }) => rss)) / 1024;
    const own = median(starts.map((usage) => usage.own)) / 1024;
    const later = median(laters.map(({ rss }) => rss)) / 1024;
    const idle = await idleConnections(`hello/${peer}`, connections);
    if (peer === "wsgi") {
      figures["memory.start"] = start - (rows[0]![1] as number);
      figures["memory.own"] = own - (rows[0]![2] as number);
      figures["memory.later"] = later - (rows[0]![3] as number);
      figures["memory.idle"] = idle;
    }
    rows.push([peer, start, own, later, idle, ""]);
  }
  const peaks: number[] = [];
  for (const [server, variant, title] of slowWays) {
    const peak = (await slowPeak(server, variant)) / 1024;
    if (server === "streams/wsgi") peaks.push(peak);
    rows.push([title, "", "", "", "", peak]);
  }
  figures["memory.slow"] = Math.max(...peaks);
  return {
    title: "Memory",
    columns: [
      "server",
      "start, MiB",
      "its own, MiB",
      `after ${someAnswers} answers, MiB`,
      "idle connection, KiB",
      `${slowReaders} slow readers, MiB`,
    ],
    rows,
    caveats: [
      "Start: the resident set when the server listens. All of node's program that was used until then is in it, which processes share; the compiler for what runs often adds 4 MiB to it as soon as it has run, be that before or after the start.",
      "Its own: what of that belongs to the process alone, where the system tells.",
      `After ${someAnswers} answers: the resident set again. Every server has used most of node's program by then.`,
      `Idle connection: the growth with ${connections} connections that had one answer each, after garbage was collected.`,
      `Slow readers: the most within ${patience / 1_000} s while ${slowReaders} clients ask for 1 GiB each and read nothing.`,
    ],
    figures,
  };
}

/** Has a server answer requests, one after another on one connection. */
async function answer(port: number, times: number): Promise<void> {
  const socket = net.connect(port, "127.0.0.1");
  for (let i = 0; i < times; i++) {
    socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await once(socket, "data");
  }
  socket.destroy();
}

async function idleConnections(name: string, count: number): Promise<number> {
  await using server = await startServer(name, "0");
  const sockets: net.Socket[] = [];
  // What is only made at first use is no part of a connection.
  for (let i = 0; i < 100; i++) sockets.push(await answered(server.port));
  const before = await server.usage("collect");
  for (let i = 0; i < count; i++) sockets.push(await answered(server.port));
  const loaded = await server.usage("collect");
  const open = sockets.slice(100).filter(({ destroyed }) => !destroyed).length;
  for (const socket of sockets) socket.destroy();
  if (open < count)
    throw new Error(`Cannot measure ${name}: ${count - open} connections have ended`);
  return (loaded.rss - before.rss) / count;
}

/** Opens a connection, has one request answered on it, and leaves it open. */
async function answered(port: number): Promise<net.Socket> {
  const socket = net.connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.on("end", () => socket.destroy());
  socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  await once(socket, "data");
  return socket;
}

async function slowPeak(name: string, variant: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "wsgi-bench-"));
  const file = join(folder, "zeros");
  writeFileSync(file, "");
  truncateSync(file, 2 ** 30);
  const query = new URLSearchParams({ bytes: String(2 ** 30), block: "65536", file });
  await using server = await startServer(name, variant);
  const sockets = Array.from({ length: slowReaders }, () => {
    const socket = net.connect(server.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write(`GET /?${query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    return socket;
  });
  await after(patience);
  const { peak } = await server.usage();
  for (const socket of sockets) socket.destroy();
  rmSync(folder, { recursive: true });
  return peak;
}

await byHand(import.meta.url, memory);
