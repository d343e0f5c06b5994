import { ServerResponse, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { HandlerSocket } from "./socket.ts";

/** Makes the response of a request: one of node's own, which writes to the socket without chunking. */
export function createResponse(req: IncomingMessage, socket: HandlerSocket): ServerResponse {
  const res = new ServerResponse(req);
  // Both are for the server beneath to add.
  res.sendDate = false;
  res.removeHeader("Connection");
  // An own property, because frameworks replace the prototype.
  res.writeHead = writeHead;
  socket.on("drain", () => {
    Object.defineProperty(res, "writableNeedDrain", needDrain);
    if (!res.writableEnded) res.emit("drain");
  });
  res.assignSocket(socket as unknown as Socket);
  return res;
}

/** Makes the head, after which node would chunk the body; but chunks are for the connection beneath. */
function writeHead(this: ServerResponse, ...head: unknown[]): ServerResponse {
  Reflect.apply(ServerResponse.prototype.writeHead, this, head);
  this.chunkedEncoding = false;
  return this;
}

/** Tells of the socket what node's server, when a socket has drained, resets in a way that it keeps to itself. */
const needDrain: PropertyDescriptor & ThisType<ServerResponse> = {
  configurable: true,
  get() {
    return !this.destroyed && !this.writableEnded && this.req.socket.writableNeedDrain;
  },
};
