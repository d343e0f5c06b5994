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
  await drive({ port: server.port, requests: 2_000, connections, first: 0, faults: [], share: 1 });
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
  let mostFull = 0;
  let mostResident = 0;
  for (;;) {
    const { connections: left, full, rss } = await server.glance();
    mostFull = Math.max(mostFull, full);
    mostResident = Math.max(mostResident, rss);
    if (mostFull === connections && left === 0) break;
    if (performance.now() - begun > (2 * seconds + 30) * 1_000) break;
    await after(20);
  }
  const lasted = (performance.now() - begun) / 1_000;
  for (const socket of sockets) socket.destroy();
  const end = await server.sample();
  const allowed = 32 * mebibyte + connections * 4 * getDefaultHighWaterMark(false);
  return [
    { name: "connections full at a time", value: mostFull, least: connections },
    {
      name: "resident set grown, MiB",
      value: (mostResident - base.rss) / mebibyte,
      most: allowed / mebibyte,
    },
    {
      name: "seconds until all were cut",
      value: lasted,
      least: seconds,
      most: 2 * seconds + 5,
    },
    {
      name: "bodies closed",
      value: end.closed - base.closed,
      least: connections,
      most: connections,
    },
    { name: "bodies closed again", value: end.closedAgain, most: 0 },
  ];
}

await byHand(import.meta.url, slowReaders, { connections: 200, seconds: 60 });
