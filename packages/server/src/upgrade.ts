import { ServerResponse, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { ClientDisconnected, WsgiError, type Environ } from "@wsgi/core";
import type { Connection } from "./connection.ts";
import { Incoming } from "./incoming.ts";

/** Is the key of the function that takes a connection over, for another protocol. */
export const upgradeKey = "wsgix.upgrade";

/** Is a connection that was taken over, as node's `upgrade` event hands it out. */
export interface Upgrade {
  /** The request, with the fields that the new protocol looks at. */
  readonly req: IncomingMessage;
  /** The connection, which belongs to whoever has taken it: to read, to write, and to end. */
  readonly socket: Socket;
  /** What the client has sent already of the new protocol; often nothing. */
  readonly head: Buffer;
}

/** Is what a request has whose client asks for another protocol, where the server takes such requests. */
export interface UpgradeEnviron extends Environ {
  /**
   * Takes the connection over. The response of the application is then not sent, although the layers
   * around it see it.
   */
  [upgradeKey]?: (environ: Environ) => Upgrade;
}

/**
 * Is a request that may ask for another protocol. If it has a body it cannot: the protocol would begin
 * behind that, and node stops reading where the body begins. Such a request is served like any other.
 *
 * @see RFC 9110, section 7.8: a server may ignore Upgrade
 */
export class Upgradable extends Incoming {
  /** Whether node has found that the request asks for it. */
  asksForUpgrade: unknown;
}

// An accessor in the place of what node sets, and looks at when it has all fields.
Object.defineProperty(Upgradable.prototype, "upgrade", {
  get(this: Upgradable): boolean {
    if (this.asksForUpgrade !== true) return false;
    return this.method === "CONNECT" || (this.httpVersion === "1.1" && !hasBody(this.rawHeaders));
  },
  set(this: Upgradable, value: unknown) {
    this.asksForUpgrade = value;
  },
});

function hasBody(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some(
    (name, i) => i % 2 === 0 && /^(?:content-length|transfer-encoding)$/i.test(name),
  );
}

/**
 * Is a request for another protocol, on a connection that node has let go of. Until the response begins, the
 * application can take the connection; then the response goes nowhere. Else it is sent, and is the last.
 */
export class Offer {
  readonly res: ServerResponse;
  readonly #req: IncomingMessage;
  readonly #socket: Socket;
  readonly #head: Buffer;
  readonly #connection: Connection;
  #isOpen = true;
  #isTaken = false;

  constructor(req: IncomingMessage, socket: Socket, head: Buffer, connection: Connection) {
    this.#req = req;
    this.#socket = socket;
    this.#head = head;
    this.#connection = connection;
    this.res = new ServerResponse(req);
    this.res.shouldKeepAlive = false;
    // What node has done for the responses that are still on their way.
    socket.on("error", ignore);
    socket.on("drain", this.#drain);
    socket.on("end", this.#end);
  }

  /** Connects the response, when those before it have left. */
  begin(): void {
    const { res } = this;
    const socket = this.#socket;
    if (socket.destroyed) return;
    const { writeHead } = res;
    res.writeHead = (...args: unknown[]): ServerResponse => {
      this.#isOpen = false;
      // What still comes has no meaning, but that the client leaves is seen by reading only.
      socket.resume();
      return Reflect.apply(writeHead, res, args) as ServerResponse;
    };
    res.once("finish", () => socket.destroySoon());
    res.assignSocket(socket);
  }

  /** Hands the connection over. */
  take(): Upgrade {
    if (!this.#isOpen) {
      const message = `Cannot upgrade: ${this.#isTaken ? taken : begun}`;
      throw new WsgiError("application", "ext-upgrade", message);
    }
    const socket = this.#socket;
    if (socket.destroyed) throw new ClientDisconnected();
    this.#isOpen = false;
    this.#isTaken = true;
    socket.removeListener("drain", this.#drain);
    socket.removeListener("end", this.#end);
    this.res.detachSocket(socket);
    mute(this.res);
    // Who iterates a body, or waits for it, is to hear of the end.
    socket.once("close", () => this.res.emit("close"));
    return { req: this.#req, socket, head: this.#head };
  }

  /** Cuts a connection that was taken: whoever was to have it has failed. */
  fail(): void {
    if (this.#isTaken) this.#socket.destroy();
  }

  /** Lets go of the connection: at once, or when the other protocol has ended. */
  done(): void {
    const socket = this.#socket;
    if (!this.#isTaken || socket.destroyed) this.#connection.done();
    else socket.once("close", () => this.#connection.done());
  }

  readonly #drain = (): void => void this.#connection.response?.emit("drain");
  readonly #end = (): void => void this.#socket.end();
}

const taken = "the connection was taken before; wanted one call";
const begun = "the response has begun; wanted the call before its first byte";

function ignore(): void {}

/** Makes a response of what is answered to nobody. */
function mute(res: ServerResponse): void {
  const nothing = (): ServerResponse => res;
  Object.assign(res, { writeHead: nothing, write: () => true, end: nothing, destroy: nothing });
}
