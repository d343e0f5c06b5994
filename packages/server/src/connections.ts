import type { Server } from "node:http";
import type { Socket } from "node:net";
import { connectionOf } from "./connection.ts";

/** Keeps the open connections of one server, and ends those on which nothing is under way. */
export class Connections {
  readonly #sockets = new Set<Socket>();
  /** The connections that are not encrypted yet; node makes new sockets of them when they are. */
  readonly #handshakes = new Map<string, Socket>();
  /** Is called when a connection has gone. */
  #gone: () => void = () => {};

  /** @param encrypted - whether the server speaks TLS */
  constructor(server: Server, encrypted: boolean) {
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

  /** Cuts all connections; tells how many requests were under way. */
  destroy(): number {
    const sockets = [...this.#sockets, ...this.#handshakes.values()];
    const lost = sockets.filter((socket) => connectionOf(socket).exchange !== undefined).length;
    for (const socket of sockets) {
      this.#forget(socket);
      socket.destroy();
    }
    return lost;
  }

  readonly #add = (socket: Socket): void => {
    this.#handshakes.delete(peerOf(socket));
    this.#sockets.add(socket);
    socket.once("close", () => {
      const connection = connectionOf(socket);
      // What the application cleans up may take longer than the connection lasts.
      if (connection.exchange === undefined) this.#forget(socket);
      else connection.end(() => this.#forget(socket));
    });
  };

  readonly #addHandshake = (socket: Socket): void => {
    const peer = peerOf(socket);
    this.#handshakes.set(peer, socket);
    socket.once("close", () => {
      this.#handshakes.delete(peer);
      this.#gone();
    });
  };

  #forget(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#gone();
  }

  /** Ends connections on which no request is under way and nothing has moved for a while. */
  #endSilent(before: Map<Socket, Look>, idleTime: number): void {
    const now = performance.now();
    for (const socket of [...this.#sockets, ...this.#handshakes.values()]) {
      const moved = socket.bytesRead + socket.bytesWritten;
      if (connectionOf(socket).current !== undefined || socket.writableLength > 0) continue;
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

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
