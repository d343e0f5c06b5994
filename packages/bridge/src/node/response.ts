import { ServerResponse, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { HandlerSocket } from "./socket.ts";

/** Is what a response was told about chunking, by node or by who has set the header field. */
const isChunked = Symbol("isChunked");

interface HostedResponse extends ServerResponse {
  [isChunked]?: boolean;
}

// Own properties, because frameworks replace the prototype; and the same functions for all responses,
// because an engine goes slowly about objects that have accessors of their own.
const overrides: PropertyDescriptorMap & ThisType<HostedResponse> = {
  // Chunks are for the connection beneath; a head that says so may have a Trailer field.
  chunkedEncoding: {
    configurable: true,
    get() {
      return this[isChunked] === true && !this.headersSent;
    },
    set(value: boolean) {
      this[isChunked] = value;
    },
  },
  // Node's server resets its own in a way that it keeps to itself.
  writableNeedDrain: {
    configurable: true,
    get() {
      return !this.destroyed && !this.writableEnded && this.req.socket.writableNeedDrain;
    },
  },
};

/** Makes the response of a request: one of node's own, which writes to the socket without chunking. */
export function createResponse(req: IncomingMessage, socket: HandlerSocket): ServerResponse {
  const res = Object.defineProperties(new ServerResponse(req), overrides);
  // Both are for the server beneath to add.
  res.sendDate = false;
  res.removeHeader("Connection");
  socket.on("drain", () => {
    if (!res.writableEnded) res.emit("drain");
  });
  res.assignSocket(socket as unknown as Socket);
  return res;
}
