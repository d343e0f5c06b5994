import { once } from "node:events";
import net from "node:net";
import { getDefaultHighWaterMark } from "node:stream";
import { setTimeout as after } from "node:timers/promises";
import { drive } from "./drive.ts";
import { exchangeOf } from "./exchanges.ts";
import { byHand, mebibyte, type Figure } from "./figures.ts";
import { startServer } from "./server-process.ts";

/** Says how much to do. */
export interface SlowReaderSizes extends Record<string, number> {
  connections: number;
  /** How long the server waits for a client that takes nothing, in seconds. */
  seconds: number;
}

/** Measures what it costs a server to send bodies without an end to clients that read nothing. */
export async function slowReaders({ connections, seconds }: SlowReaderSizes): Promise<Figure[]> {
  await using server = await startServer({ limits: { writeTimeout: seconds * 1_000 } });
  // What is idle has been at work before.
  await drive({ port: server.port, requests: 2_000, connections, first: 0, faults: [], oneIn: 1 });
  const base = await server.sample();
  const sockets = await Promise.all(
    Array.from({ length: connections }, async (_, number) => {
      const socket = net.connect(server.port, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      socket.write(exchangeOf("endless", number).bytes);
      return socket;
    }),
  );
  const begun = performance.now();
  const end = begun + (2 * seconds + 30) * 1_000;
  let mostFull = 0;
  let mostResident = 0;
  let mostWaiting = 0;
  let left = connections;
  while ((mostFull < connections || left > 0) && performance.now() < end) {
    const glance = await server.glance();
    left = glance.connections;
    mostFull = Math.max(mostFull, glance.full);
    mostResident = Math.max(mostResident, glance.rss);
    mostWaiting = Math.max(mostWaiting, glance.waiting);
    await after(20);
  }
  const lasted = (performance.now() - begun) / 1_000;
  for (const socket of sockets) socket.destroy();
  const last = await server.sample();
  const each = 4 * getDefaultHighWaterMark(false);
  const allowed = 32 * mebibyte + connections * each;
  return [
    { name: "connections full at a time", value: mostFull, least: connections },
    {
      name: "resident set grown, MiB",
      value: (mostResident - base.rss) / mebibyte,
      most: allowed / mebibyte,
    },
    { name: "bytes waiting for a client", value: mostWaiting, least: 1, most: each },
    { name: "connections not cut off", value: left, most: 0 },
    { name: "seconds until all were cut off", value: lasted },
    {
      name: "bodies closed",
      value: last.closed - base.closed,
      least: connections,
      most: connections,
    },
    { name: "bodies closed again", value: last.closedAgain, most: 0 },
  ];
}

await byHand(import.meta.url, slowReaders, { connections: 200, seconds: 60 });
