import type { Server } from "node:http";
import type { Socket } from "node:net";
import { connectionOf } from "./connection.ts";
import type { Limits } from "./limits.ts";
import { refuseRaw } from "./refuse.ts";

/** How long a connection may be silent before a server that closes ends it, in milliseconds. */
const silence = 250;

/** Keeps the open connections of one server: no more than it may have, and none on which nothing moves. */
export class Connections {
  readonly #sockets = new Set<Socket>();
  /** The connections that are not encrypted yet; node makes new sockets of them when they are. */
  readonly #handshakes = new Map<string, Socket>();

  readonly #encrypted: boolean;
  readonly #most: number;

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

  /**
   * Ends the idle connections now, and every other when it falls silent.
   *
   * @returns what stops that, when there are none left
   */
  end(): () => void {
    for (const socket of this.#sockets) if (connectionOf(socket).isIdle) socket.destroy();
    const timer = setInterval(this.#endSilent, silence, new Map());
    return () => clearInterval(timer);
  }

  readonly #add = (socket: Socket): void => {
    this.#handshakes.delete(peerOf(socket));
    if (!this.#encrypted && !this.#hasPlace()) refuseRaw(socket, 503);
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  };

  readonly #addHandshake = (socket: Socket): void => {
    if (!this.#hasPlace()) {
      socket.destroy();
      return;
    }
    const peer = peerOf(socket);
    this.#handshakes.set(peer, socket);
    socket.once("close", () => this.#handshakes.delete(peer));
  };

  /** Tells whether one more connection may stay, which may cost an idle one its place. */
  #hasPlace(): boolean {
    if (this.#sockets.size + this.#handshakes.size < this.#most) return true;
    for (const socket of this.#sockets) {
      if (!connectionOf(socket).isIdle) continue;
      socket.destroy();
      this.#sockets.delete(socket);
      return true;
    }
    return false;
  }

  /** Ends connections on which no request is under way and nothing has moved since the last look. */
  readonly #endSilent = (before: Map<Socket, number>): void => {
    for (const socket of [...this.#sockets, ...this.#handshakes.values()]) {
      const moved = socket.bytesRead + socket.bytesWritten;
      if (connectionOf(socket).isBusy || socket.writableLength > 0) continue;
      if (before.get(socket) === moved) socket.destroy();
      else before.set(socket, moved);
    }
  };
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
