import { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { connectionOf } from "./connection.ts";
import type { Incoming } from "./incoming.ts";

/** Is a response that its connection lets go of when it has left: a connection that waits keeps little. */
export class Outgoing extends ServerResponse<Incoming> {
  override detachSocket(socket: Socket): void {
    super.detachSocket(socket);
    connectionOf(socket).release(this);
    // A handler has taken the connection: it is under way until that ends.
    if (!this.writableEnded) socket.once("close", () => this.emit("close"));
  }
}
