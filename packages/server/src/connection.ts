import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ConnectionBase } from "./server-environ.ts";
import type { RefusedRequest } from "./request.ts";

const connectionKey: unique symbol = Symbol("wsgi.connection");

/** Is what a connection, and who ends it, do with the exchange that is under way. */
interface CurrentExchange {
  /** Aborts the signal, once somebody has asked for it. */
  readonly abort: AbortController | undefined;
  /** Fails reading the request, because nothing more of it can be read. */
  failRequest(reason: RefusedRequest): void;
}

/** Is what had come of a connection when it was looked at, and since when. */
export interface Look {
  readonly moved: number;
  readonly since: number;
}

/** Is a request, or what stands in the place of one that cannot be read, and what answers it. */
export interface Turn {
  readonly req: IncomingMessage | undefined;
  run(): void;
}

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
  exchange: CurrentExchange | undefined;
  /** What the environs of its requests have in common. */
  base: ConnectionBase | undefined;
  /** The response that was begun last, unless it has left. */
  response: ServerResponse | undefined;
  /** What had come of it when it was last looked at, and since when; undefined if it owes nothing. */
  look: Look | undefined;
  readonly #socket: Socket;
  #current: Turn | undefined;
  #waiting: Turn[] | undefined;
  /** The turn that came in last, whether it is over or not, unless all of its request has arrived. */
  #arriving: Turn | undefined;
  #ended = false;
  #afterLast: (() => void) | undefined;
  #waitingLimit = Infinity;
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

  /** Whether a request is with the application. */
  get isBusy(): boolean {
    return this.#current !== undefined;
  }

  /** Whether it is kept for a next request. */
  get isKept(): boolean {
    return this.#current === undefined && this.#readWhenDone !== -1;
  }

  /** Whether nothing has arrived since the last response, and that has left. */
  get isIdle(): boolean {
    const { bytesRead, writableLength } = this.#socket;
    return this.#current === undefined && writableLength === 0 && bytesRead === this.#readWhenDone;
  }

  /**
   * Runs a request when those before it are done; whoever runs must call `done` or `end` once.
   *
   * @param waitingLimit - how many requests may wait before no more are read
   */
  enter(turn: Turn, waitingLimit: number): void {
    this.#waitingLimit = waitingLimit;
    this.#arriving = turn;
    this.#enter(turn);
  }

  #enter(turn: Turn): void {
    if (this.#ended) return;
    if (this.#current === undefined) {
      this.#current = turn;
      turn.run();
    } else {
      const waiting = (this.#waiting ??= []);
      waiting.push(turn);
      // In the next tick, because node reads on when it has parsed what it has.
      if (waiting.length === this.#waitingLimit) process.nextTick(() => this.#pauseOrResume());
    }
  }

  #pauseOrResume(): void {
    const waiting = this.#waiting?.length ?? 0;
    if (waiting >= this.#waitingLimit) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Lets the next request in. */
  done(): void {
    this.#readWhenDone = this.#socket.bytesRead;
    this.exchange = undefined;
    const next = this.#waiting?.shift();
    this.#current = next;
    if (this.#waiting?.length === this.#waitingLimit - 1) this.#pauseOrResume();
    // From the event loop, so that a client's long run of requests neither nests nor blocks.
    if (next !== undefined) setImmediate(() => next.run());
    else this.#afterLast?.();
  }

  /** Lets go of a response that has left, and of its request, unless more of that is to arrive. */
  release(response: ServerResponse): void {
    if (this.response === response) this.response = undefined;
    if (this.#arriving?.req?.complete === true) this.#arriving = undefined;
  }

  /**
   * Lets nothing more in, because the present response is the last.
   *
   * @param then - what to do when that is done
   */
  end(then?: () => void): void {
    this.#ended = true;
    this.#waiting = undefined;
    this.#afterLast ??= then;
  }

  /**
   * Deals with bytes that cannot be read, or did not come in time. Whoever has sent them gets an answer
   * in its turn, unless it has one.
   *
   * @param reason - what is wrong, for who reads the body
   * @param refuse - answers in the place of the application
   */
  break(reason: RefusedRequest, refuse: () => void): void {
    if (this.#ended) return;
    const arriving = this.#arriving;
    // Nothing that still comes has a meaning, nor does it show that the client takes what it is sent.
    this.#socket.pause();
    if (arriving === undefined || arriving.req?.complete === true) {
      this.refuseNext(refuse);
    } else if (arriving === this.#current && this.exchange !== undefined) {
      this.exchange.failRequest(reason);
    } else if (arriving === this.#current || this.#waiting?.includes(arriving) === true) {
      // It is not with the application yet.
      arriving.run = refuse;
    } else {
      this.whenSent(() => this.#socket.destroySoon());
    }
  }

  /**
   * Deals with bytes behind a request that the parser takes for the last: they get an answer in their turn,
   * unless the response before ends the connection.
   *
   * @param refuse - gives that answer
   */
  refuseNext(refuse: () => void): void {
    const isRefused = this.#arriving !== undefined && this.#arriving.req === undefined;
    if (this.#ended || isRefused) return;
    this.#arriving = { req: undefined, run: refuse };
    this.#enter(this.#arriving);
  }

  /** Does something when all responses have left node, which holds each back until it is its turn. */
  whenSent(act: () => void): void {
    const { response } = this;
    if (response === undefined) act();
    // Node has not heard of it yet, and may have to end the connection when it does.
    else if (response.writableFinished) setImmediate(act);
    else response.once("finish", act);
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
