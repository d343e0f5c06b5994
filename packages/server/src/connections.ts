import type { Server } from "node:http";
import type { Socket } from "node:net";
import { connectionOf, type Connection, type Look } from "./connection.ts";
import type { Limits } from "./limits.ts";
import { refuseRaw } from "./refuse-raw.ts";

/** Keeps the open connections of one server: no more than it may have, and none on which nothing moves. */
export class Connections {
  readonly #sockets = new Set<Socket>();
  /** The connections that are not encrypted yet; node makes new sockets of them when they are. */
  readonly #handshakes = new Map<string, Socket>();
  readonly #server: Server;
  readonly #encrypted: boolean;
  readonly #limits: Limits;
  #watch: NodeJS.Timeout | undefined;
  /** Is called when a connection has gone. */
  #gone: () => void = () => {};

  /**
   * @param server - the server
   * @param encrypted - whether it speaks TLS
   * @param limits - how many connections it may have, and how long they may keep it waiting
   */
  constructor(server: Server, encrypted: boolean, limits: Limits) {
    this.#server = server;
    this.#encrypted = encrypted;
    this.#limits = limits;
    // Only a keepAliveTimeout that somebody has given node comes to this; without a listener, node would cut
    // off what is cleaned up.
    server.on("timeout", endKept);
    if (encrypted) {
      server.on("connection", this.#addHandshake);
      server.on("secureConnection", this.#add);
      // Node makes a client error of it, which cannot be answered, and leaves the connection open then.
      server.on("tlsClientError", (_error, socket) => socket.destroy());
    } else {
      server.on("connection", this.#add);
    }
  }

  /** Ends the connections that wait for their next request. */
  endIdle(): void {
    for (const socket of this.#sockets) if (connectionOf(socket).isIdle) socket.destroy();
  }

  /** Lets the responses be the last that node sends by itself; an exchange finds out when it sends its head. */
  endWithResponses(): void {
    for (const socket of this.#sockets) {
      const { response } = connectionOf(socket);
      if (response !== undefined) response.shouldKeepAlive = false;
    }
  }

  /**
   * Ends each connection when it has been silent for a while.
   *
   * @param idleTime - how long, in milliseconds
   * @returns a promise of the time when there is none left, and no request
   */
  end(idleTime: number): Promise<void> {
    const before = new Map<Socket, Look>();
    // After what has arrived was read, and so in a turn of its own.
    const look = (): void => void setImmediate(() => this.#endSilent(before, idleTime));
    const timer = setInterval(look, idleTime / 2);
    return new Promise((resolve) => {
      this.#gone = () => {
        if (this.#sockets.size + this.#handshakes.size > 0) return;
        clearInterval(timer);
        resolve();
      };
      this.#gone();
    });
  }

  /** Aborts the signals of the requests that are under way. */
  abort(reason: Error): void {
    for (const socket of this.#sockets) connectionOf(socket).exchange?.abort?.abort(reason);
  }

  /** Cuts all connections; tells how many requests have not been answered to the end. */
  destroy(): number {
    let lost = 0;
    for (const socket of [...this.#sockets, ...this.#handshakes.values()]) {
      if (connectionOf(socket).exchange !== undefined || socket.writableLength > 0) lost += 1;
      this.#forget(socket);
      socket.destroy();
    }
    return lost;
  }

  readonly #add = (socket: Socket): void => {
    this.#handshakes.delete(peerOf(socket));
    if (!this.#encrypted && !this.#hasPlace()) refuseRaw(socket, 503);
    this.#sockets.add(socket);
    this.#watch ??= this.#startWatch();
    socket.on("close", () => {
      const connection = connectionOf(socket);
      // What the application cleans up may take longer than the connection lasts.
      if (connection.exchange === undefined) this.#forget(socket);
      else connection.end(() => this.#forget(socket));
    });
  };

  readonly #addHandshake = (socket: Socket): void => {
    if (!this.#hasPlace()) {
      socket.destroy();
      return;
    }
    const peer = peerOf(socket);
    this.#handshakes.set(peer, socket);
    socket.once("close", () => {
      this.#handshakes.delete(peer);
      this.#gone();
    });
  };

  /** Tells whether one more connection may stay, which may cost an idle one its place. */
  #hasPlace(): boolean {
    if (this.#sockets.size + this.#handshakes.size < this.#limits.connections) return true;
    for (const socket of this.#sockets) {
      if (!connectionOf(socket).isIdle) continue;
      this.#sockets.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size === 0) {
      clearInterval(this.#watch);
      this.#watch = undefined;
    }
    this.#gone();
  }

  #startWatch(): NodeJS.Timeout {
    const { writeTimeout, keepAliveTimeout } = this.#limits;
    // After what has arrived was read, and so in a turn of its own.
    const look = (): void => void setImmediate(this.#endUnmoved);
    return setInterval(look, Math.min(writeTimeout / 4, keepAliveTimeout / 8)).unref();
  }

  /** Ends connections whose clients do not take what they are sent, or are kept and ask for nothing. */
  readonly #endUnmoved = (): void => {
    const now = performance.now();
    for (const socket of this.#sockets) {
      const connection = connectionOf(socket);
      const isSending = socket.writableLength > 0;
      // A response that was sent meanwhile shows, too.
      const moved = bytesTaken(socket);
      const last = connection.look;
      if (!isSending && !connection.isKept) connection.look = undefined;
      else if (last === undefined || last.moved !== moved) connection.look = { moved, since: now };
      else if (now - last.since >= this.#patience(connection, isSending)) socket.destroy();
    }
  };

  /** How long a connection is waited for, in milliseconds. */
  #patience(connection: Connection, isSending: boolean): number {
    const { writeTimeout, keepAliveTimeout, headersTimeout } = this.#limits;
    if (isSending) return writeTimeout;
    const { keepAliveTimeout: given } = this.#server;
    // Somewhat longer than the client is told: what it asks for at the last moment is to arrive.
    if (given === 0 && connection.isIdle) return (9 / 8) * keepAliveTimeout;
    // A head that has begun in time has time, and 408 if that is too short. Empty lines are part of none.
    return (given || keepAliveTimeout) + 2 * headersTimeout;
  }

  /** Ends connections on which no request is under way and nothing has moved for a while. */
  #endSilent(before: Map<Socket, Look>, idleTime: number): void {
    const now = performance.now();
    for (const socket of [...this.#sockets, ...this.#handshakes.values()]) {
      const moved = socket.bytesRead + socket.bytesWritten;
      if (connectionOf(socket).isBusy || socket.writableLength > 0) continue;
      const last = before.get(socket);
      if (last?.moved !== moved) before.set(socket, { moved, since: now });
      else if (now - last.since >= idleTime) socket.destroy();
    }
  }
}

function endKept(socket: Socket): void {
  if (connectionOf(socket).isKept) socket.destroy();
}

/** Is what a socket does not tell: node keeps it to itself, and goes by it in the timers of sockets. */
interface Internals {
  readonly _handle?: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null;
}

/** Counts what has left for the client, be it a part of one long chunk. */
function bytesTaken(socket: Socket): number {
  const { bytesWritten, writeQueueSize } = (socket as Internals)._handle ?? {};
  // Without them, what was handed over has to do.
  if (bytesWritten === undefined || writeQueueSize === undefined) return socket.bytesWritten;
  return bytesWritten - writeQueueSize;
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
