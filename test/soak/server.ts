// A server in a process of its own, which measures itself when it is told to. Its argument is JSON: the
// options of serve().
import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import process from "node:process";
import { setTimeout as after } from "node:timers/promises";
import type { Application } from "@wsgi/core";
import { serve, type ServeOptions, type ServerEnviron } from "@wsgi/server";
import { app, counts } from "./application.ts";

/** Is what is measured while no connection is open. */
export interface Sample {
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
  /** How many timers, sockets and other resources keep the event loop busy. */
  readonly resources: number;
  readonly files: number;
  /** The most listeners that a socket had when a request came on it, since the last sample. */
  readonly listeners: number;
  /** How many environs are still in memory, of those that were watched since the last sample. */
  readonly environs: number;
  readonly called: number;
  readonly returned: number;
  readonly closed: number;
  readonly closedAgain: number;
}

/** Is what is measured while clients are connected. */
export interface Glance {
  readonly rss: number;
  readonly connections: number;
  /** How many connections have more to send than the client takes. */
  readonly full: number;
  /** The most bytes that wait to be sent on one of them. */
  readonly waiting: number;
  readonly closed: number;
}

/** How many environs are watched at a time. */
const watched = 1_000;

/** How long what is under way may take to end, in milliseconds. */
const patience = 10_000;

const sockets = new Set<Socket>();
let environs: WeakRef<ServerEnviron>[] = [];
let listeners = 0;

const watching: Application<ServerEnviron> = (environ, startResponse) => {
  if (environs.length < watched) environs.push(new WeakRef(environ));
  return app(environ, startResponse);
};

const options = JSON.parse(process.argv[2] ?? "{}") as ServeOptions;
const server = await serve(watching, { port: 0, errors: { write: () => {} }, ...options });
server.httpServer.on("connection", (socket: Socket) => {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
});
server.httpServer.on("request", ({ socket }) => {
  const count = socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0);
  listeners = Math.max(listeners, count);
});

const asked = { sample, glance };
process.on("message", async (what: keyof typeof asked) => process.send!(await asked[what]()));
process.on("disconnect", () => process.exit());
process.send!(Number(new URL(server.url).port));

async function sample(): Promise<Sample> {
  const end = performance.now() + patience;
  while (sockets.size > 0 || counts.returned > counts.closed) {
    if (performance.now() > end) break;
    await after(10);
  }
  for (let i = 0; i < 3; i++) {
    gc!();
    await after(10);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  const alive = environs.filter((ref) => ref.deref() !== undefined).length;
  const taken: Sample = {
    heapUsed,
    // What it says of external memory has the array buffers in it.
    external,
    rss,
    resources: process.getActiveResourcesInfo().length,
    files: process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0,
    listeners,
    environs: alive,
    ...counts,
  };
  environs = [];
  listeners = 0;
  return taken;
}

function glance(): Glance {
  const full = [...sockets].filter((socket) => socket.writableNeedDrain).length;
  return {
    rss: process.memoryUsage.rss(),
    connections: sockets.size,
    full,
    waiting: Math.max(0, ...[...sockets].map((socket) => socket.writableLength)),
    closed: counts.closed,
  };
}
