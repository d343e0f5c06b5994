import type { Server } from "node:http";
import type { Socket } from "node:net";
import { connectionOf } from "./connection.ts";

/** How long a connection may be silent before a server that closes ends it, in milliseconds. */
const silence = 250;

/** Keeps the open connections of one server, and ends those on which nothing is under way. */
export class Connections {
  readonly #sockets = new Set<Socket>();
  /** The connections that are not encrypted yet; node makes new sockets of them when they are. */
  readonly #handshakes = new Map<string, Socket>();

  /** @param encrypted - whether the server speaks TLS */
  constructor(server: Server, encrypted: boolean) {
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
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  };

  readonly #addHandshake = (socket: Socket): void => {
    const peer = peerOf(socket);
    this.#handshakes.set(peer, socket);
    socket.once("close", () => this.#handshakes.delete(peer));
  };

  /** Ends connections on which no request is under way and nothing has moved since the last look. */
  readonly #endSilent = (before: Map<Socket, number>): void => {
    for (const socket of [...this.#sockets, ...this.#handshakes.values()]) {
      const moved = socket.bytesRead + socket.bytesWritten;
      if (connectionOf(socket).current !== undefined || socket.writableLength > 0) continue;
      if (before.get(socket) === moved) socket.destroy();
      else before.set(socket, moved);
    }
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
