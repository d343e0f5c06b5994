import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";

/** How long a client that is still sending may take to read the end of its response, in milliseconds. */
const patience = 1_000;

/**
 * Makes a connection end in two steps, if it ends with its response, as `endSlowly` has it.
 *
 * @param req - what the client may still be sending; once that has arrived, there is no need
 */
export function linger(req: IncomingMessage): void {
  const { socket } = req;
  let isEnding = false;
  // What node calls too, when the last response has been sent.
  socket.destroySoon = () => {
    if (req.complete) {
      Socket.prototype.destroySoon.call(socket);
    } else if (!isEnding) {
      isEnding = true;
      endSlowly(socket);
    }
  };
}

/**
 * Ends a connection in two steps: nothing more is sent, and a while later nothing more is taken. If it ended
 * at once, what the client is still sending would make its system throw away what it has not read yet.
 *
 * @param last - what is still to be sent
 * @see RFC 9112 section 9.6
 */
export function endSlowly(socket: Socket, last = ""): void {
  socket.pause();
  socket.end(last, () => {
    const timer = setTimeout(() => socket.destroy(), patience);
    socket.once("close", () => clearTimeout(timer));
  });
}
