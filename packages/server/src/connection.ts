import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Exchange } from "./respond.ts";

/** How many requests that a client sends ahead may wait before no more are read. */
const waitingLimit = 16;

const connectionKey: unique symbol = Symbol("wsgi.connection");

/**
 * Is what a connection's requests have in common: the addresses, and their order. One request at a
 * time is with the application; those that the client sent ahead wait here.
 */
export class Connection {
  readonly remoteAddr: string;
  readonly remotePort: string;
  readonly serverName: string;
  readonly serverPort: string;
  readonly encrypted: boolean;
  /** The exchange that is under way. */
  exchange: Exchange | undefined;
  readonly #socket: Socket;
  #current: IncomingMessage | undefined;
  #waiting: { readonly req: IncomingMessage; run(): void }[] = [];
  #ended = false;
  #afterLast: (() => void) | undefined;
  /** What had arrived when the last response was done; -1 before the first. */
  #readWhenDone = -1;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.encrypted = (socket as Partial<TLSSocket>).encrypted === true;
    this.remoteAddr = plainAddress(socket.remoteAddress) ?? "";
    this.remotePort = String(socket.remotePort ?? "");
    // A Unix socket has neither; the contract wants both, and these give the URL http://localhost/.
    this.serverName = plainAddress(socket.localAddress) ?? "localhost";
    this.serverPort = String(socket.localPort ?? (this.encrypted ? 443 : 80));
  }

  /** The request that is with the application. */
  get current(): IncomingMessage | undefined {
    return this.#current;
  }

  /** Whether nothing has arrived since the last response, and that has left. */
  get isIdle(): boolean {
    const { bytesRead, writableLength } = this.#socket;
    return this.#current === undefined && writableLength === 0 && bytesRead === this.#readWhenDone;
  }

  /** Runs a request when those before it are done; whoever runs must call `done` or `end` once. */
  enter(req: IncomingMessage, run: () => void): void {
    if (this.#ended) return;
    if (this.#current === undefined) {
      this.#current = req;
      run();
    } else {
      this.#waiting.push({ req, run });
      // In the next tick, because node reads on when it has parsed what it has.
      if (this.#waiting.length === waitingLimit) process.nextTick(this.#pauseOrResume);
    }
  }

  readonly #pauseOrResume = (): void => {
    if (this.#waiting.length >= waitingLimit) this.#socket.pause();
    else this.#socket.resume();
  };

  /** Lets the next request in. */
  done(): void {
    this.#readWhenDone = this.#socket.bytesRead;
    this.exchange = undefined;
    const next = this.#waiting.shift();
    this.#current = next?.req;
    if (this.#waiting.length === waitingLimit - 1) this.#pauseOrResume();
    // From the event loop, so that a client's long run of requests neither nests nor blocks.
    if (next !== undefined) setImmediate(next.run);
    else this.#afterLast?.();
  }

  /**
   * Lets nothing more in, because the present response is the last.
   *
   * @param then - what to do when that is done
   */
  end(then?: () => void): void {
    this.#ended = true;
    this.#waiting = [];
    this.#afterLast = then;
  }
}

/** Finds what belongs to a socket, or makes it. */
export function connectionOf(socket: Socket & { [connectionKey]?: Connection }): Connection {
  return (socket[connectionKey] ??= new Connection(socket));
}

/** Writes an IPv4 address that came in through an IPv6 socket as what it is. */
function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith("::ffff:") === true ? address.slice(7) : address;
}
