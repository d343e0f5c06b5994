import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

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
  #busy = false;
  #ended = false;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    this.encrypted = (socket as Partial<TLSSocket>).encrypted === true;
    this.remoteAddr = plainAddress(socket.remoteAddress) ?? "";
    this.remotePort = String(socket.remotePort ?? "");
    // A Unix socket has neither; the contract wants both, and these give the URL http://localhost/.
    this.serverName = plainAddress(socket.localAddress) ?? "localhost";
    this.serverPort = String(socket.localPort ?? (this.encrypted ? 443 : 80));
  }

  /** Whether a request is with the application, or waits for it. */
  get isBusy(): boolean {
    return this.#busy;
  }

  /** Runs a request when those before it are done; whoever runs must call `done` or `end` once. */
  enter(run: () => void): void {
    if (this.#ended) return;
    if (this.#busy) {
      this.#waiting.push(run);
    } else {
      this.#busy = true;
      run();
    }
  }

  /** Lets the next request in. */
  done(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy = false;
    // From the event loop, so that a client's long run of requests neither nests nor blocks.
    else setImmediate(next);
  }

  /** Lets nothing more in, because the present response is the last. */
  end(): void {
    this.#ended = true;
    this.#waiting = [];
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
