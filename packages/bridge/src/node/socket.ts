import { Duplex } from "node:stream";
import type { Environ } from "@wsgi/core";

/** Is what was written at once: bytes, or text with its encoding. */
export interface Piece {
  readonly chunk: string | Uint8Array;
  readonly encoding: BufferEncoding;
}

/**
 * Takes what was written to a socket.
 *
 * @param pieces - what was written
 * @param taken - says that more may come
 */
export type Sink = (pieces: readonly Piece[], taken: () => void) => void;

/** How far a handler may write ahead of who reads its response, in bytes. */
const highWaterMark = 65_536;

/**
 * Is the connection that a handler sees: it tells the client's address, and what node writes to it for a
 * response goes to a sink. Nothing can be read from it.
 */
export class HandlerSocket extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number | undefined;
  readonly remoteFamily: "IPv4" | "IPv6" | undefined;
  readonly localAddress: string;
  readonly localPort: number;
  /** Whether the client is connected over TLS; as a TLS socket has it, and an other one has not. */
  declare readonly encrypted?: true;
  readonly #sink: Sink;

  constructor(environ: Environ, sink: Sink) {
    super({ highWaterMark, decodeStrings: false });
    this.#sink = sink;
    const { REMOTE_ADDR, REMOTE_PORT } = environ;
    this.remoteAddress = REMOTE_ADDR;
    this.remotePort = typeof REMOTE_PORT === "string" ? Number(REMOTE_PORT) : undefined;
    this.remoteFamily =
      REMOTE_ADDR === "" ? undefined : REMOTE_ADDR.includes(":") ? "IPv6" : "IPv4";
    this.localAddress = environ.SERVER_NAME;
    this.localPort = Number(environ.SERVER_PORT);
    if (environ["wsgi.url_scheme"] === "https") this.encrypted = true;
  }

  override _read(): void {}

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, taken: () => void): void {
    this.#sink([{ chunk, encoding }], taken);
  }

  override _writev(pieces: Piece[], taken: () => void): void {
    this.#sink(pieces, taken);
  }

  /** Ends the connection once all is written, as node does with a socket. */
  destroySoon(): void {
    this.end(() => this.destroy());
  }

  /** Does nothing: how long a client may take is for the server to say. */
  setTimeout(): this {
    return this;
  }

  /** Does nothing, as the connection beneath is not this one. */
  setNoDelay(): this {
    return this;
  }

  /** Does nothing, as the connection beneath is not this one. */
  setKeepAlive(): this {
    return this;
  }

  /** Does nothing, as there is nothing that a process could wait for. */
  ref(): this {
    return this;
  }

  /** Does nothing, as there is nothing that a process could wait for. */
  unref(): this {
    return this;
  }

  address(): { address: string; port: number } {
    return { address: this.localAddress, port: this.localPort };
  }
}
