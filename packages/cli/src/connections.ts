import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Does something with a connection that nobody has read from yet. */
export type Answer = (socket: Socket) => void;

/**
 * Lets an HTTP server answer connections that another server accepted: one request on each, because
 * the next may be for newer code.
 */
export function answerOn(httpServer: Server): Answer {
  const closeAfter = (_req: unknown, res: ServerResponse): void => {
    res.shouldKeepAlive = false;
  };
  httpServer.prependListener("request", closeAfter);
  httpServer.prependListener("checkContinue", closeAfter);
  return (socket) => {
    httpServer.emit("connection", socket);
    socket.resume();
  };
}

/** Hands connections on, and keeps them while there is nobody to hand them to. */
export class Gate {
  #next: Answer | undefined;
  #waiting: Socket[] = [];

  /** Takes a connection. */
  readonly pass: Answer = (socket) => {
    if (this.#next === undefined) this.#waiting.push(socket);
    else this.#next(socket);
  };

  /** Keeps connections from now on. */
  shut(): void {
    this.#next = undefined;
  }

  /** Hands on what was kept, and what comes from now on. */
  open(next: Answer): void {
    this.#next = next;
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach(next);
  }
}
