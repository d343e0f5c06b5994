import type { Server, ServerResponse } from "node:http";
import { createServer, type Socket } from "node:net";

/** Does something with a connection that nobody has read from yet. */
export type Answer = (socket: Socket) => void;

/** Takes the connections of a server that listens, in its place, for somebody else to answer. */
export function takeConnections(httpServer: Server, pass: Answer): void {
  // Of two servers that share a port, the one that listened last is given the connections.
  const server = createServer({ pauseOnConnect: true, noDelay: true }, pass).listen(httpServer);
  // A connection that cannot be accepted, for want of descriptors, is no reason to end.
  server.on("error", ({ message }) => console.error(`Cannot take a connection: ${message}`));
}

/** Lets an HTTP server answer connections that another server accepted. */
export function answerOn(httpServer: Server): Answer {
  // node:http begins to watch its time limits when a server begins to listen, which this one never does.
  httpServer.emit("listening");
  return (socket) => {
    httpServer.emit("connection", socket);
    socket.resume();
  };
}

/** Does the same with one request on each, because the next may be for newer code. */
export function answerOnceOn(httpServer: Server): Answer {
  const closeAfter = (_req: unknown, res: ServerResponse): void => {
    res.shouldKeepAlive = false;
  };
  httpServer.prependListener("request", closeAfter);
  httpServer.prependListener("checkContinue", closeAfter);
  return answerOn(httpServer);
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

/** Deals connections out in turn, the next to who has been free for longest, and keeps the others. */
export class Dealer {
  readonly #free = new Set<Answer>();
  readonly #waiting: Socket[] = [];

  /** Takes a connection. */
  readonly pass: Answer = (socket) => {
    this.#waiting.push(socket);
    this.#deal();
  };

  /** Lets somebody have one more connection. */
  add(answer: Answer): void {
    this.#free.add(answer);
    this.#deal();
  }

  /** Lets somebody have no more. */
  remove(answer: Answer): void {
    this.#free.delete(answer);
  }

  /** Deals out all that waits, whether or not they are free. */
  dealAll(answers: readonly Answer[]): void {
    if (answers.length === 0) return;
    this.#waiting.splice(0).forEach((socket, i) => answers[i % answers.length]!(socket));
  }

  #deal(): void {
    for (const answer of this.#free) {
      const socket = this.#waiting.shift();
      if (socket === undefined) return;
      this.#free.delete(answer);
      answer(socket);
    }
  }
}
