import type { Server } from "node:http";
import type { Socket } from "node:net";
import { connectionOf } from "./connection.ts";
import type { Limits } from "./limits.ts";
import { refuseRaw } from "./refuse-raw.ts";

/** Keeps the open connections of one server: no more than it may have, and none on which nothing moves. */
export class Connections {
  readonly #sockets = new Set<Socket>();
  /** The connections that are not encrypted yet; node makes new sockets of them when they are. */
  readonly #handshakes = new Map<string, Socket>();
  readonly #encrypted: boolean;
  readonly #most: number;
  /** Is called when a connection has gone. */
  #gone: () => void = () => {};

  /**
   * @param server - the server
   * @param encrypted - whether it speaks TLS
   * @param limits - how many connections it may have
   */
  constructor(server: Server, encrypted: boolean, limits: Limits) {
    this.#encrypted = encrypted;
    this.#most = limits.connections;
    server.on("timeout", endUnmoved);
    if (encrypted) {
      server.on("connection", this.#addHandshake);
      server.on("secureConnection", this.#add);
    } else {
      server.on("connection", this.#add);
    }
  }

  /** Ends the connections that wait for their next request. */
  endIdle(): void {
    for (const socket of this.#sockets) if (connectionOf(socket).isIdle) socket.destroy();
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
    socket.once("close", () => {
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
    if (this.#sockets.size + this.#handshakes.size < this.#most) return true;
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
    this.#gone();
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

/** Is what had gone through a connection when it was looked at, and since when. */
interface Look {
  readonly moved: number;
  readonly since: number;
}

/**
 * Ends a connection on which nothing has moved for as long as its limits allow, unless it waits for the
 * application: one that is kept for a next request, and one whose client does not take what it is sent.
 */
function endUnmoved(socket: Socket): void {
  if (connectionOf(socket).isKept || socket.writableLength > 0) socket.destroy();
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
