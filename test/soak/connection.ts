import net from "node:net";
import { parseResponses, type ParsedResponse } from "@wsgi/testing/parse-responses";

const nothing: Buffer = Buffer.alloc(0);

/** How long nothing may happen on a connection before it counts as lost, in milliseconds. */
const patience = 30_000;

/** Says that a connection ended before the response did. */
export class CutConnection extends Error {
  override readonly name = "CutConnection";
  /** How many bytes of the response had come. */
  readonly received: number;

  constructor(received: number, cause: Error | undefined) {
    const { code = "the end" } = (cause ?? {}) as NodeJS.ErrnoException;
    super(`The connection was cut after ${received} bytes: ${code}`);
    this.received = received;
  }
}

/** Is a client's connection, which carries one request at a time and reads the answers strictly. */
export class Connection {
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** How many requests were answered on it. */
  answered = 0;
  readonly #socket: net.Socket;
  #data: Buffer = nothing;
  #arrived: () => void = () => {};
  #error: Error | undefined;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setTimeout(patience, () => void socket.destroy(new Error("nothing happened any more")));
    socket.on("data", (data) => {
      this.#data = this.#data.byteLength === 0 ? data : Buffer.concat([this.#data, data]);
      this.#arrived();
    });
    socket.on("error", (error) => void (this.#error = error));
    this.ended = new Promise((resolve) => {
      socket.on("close", () => {
        resolve();
        this.#arrived();
      });
    });
  }

  /** Connects; rejects if nobody listens. */
  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.removeListener("error", reject);
        resolve(new Connection(socket));
      });
    });
  }

  /** Whether another request can be sent. */
  get isOpen(): boolean {
    return this.#socket.writable && this.#data.byteLength === 0;
  }

  /** Sends bytes; resolves when they have left. */
  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => void this.#socket.write(bytes, () => resolve()));
  }

  /**
   * Waits for the response to what was sent.
   *
   * @throws CutConnection if the connection ends before, SyntaxError if what comes is none
   */
  async response(method: string): Promise<ParsedResponse> {
    for (;;) {
      const [response] = parseResponses(this.#data, { methods: [method], closed: false });
      if (response?.complete === true) {
        this.#data = nothing;
        this.answered += 1;
        return response;
      }
      if (this.#socket.destroyed) throw new CutConnection(this.#data.byteLength, this.#error);
      await this.#change();
    }
  }

  /** Waits until so many bytes have come, or the connection has ended. */
  async received(length: number): Promise<void> {
    while (this.#data.byteLength < length && !this.#socket.destroyed) await this.#change();
  }

  /** Leaves; so that the server gets an error if `abruptly`. */
  leave(abruptly = false): void {
    if (abruptly) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => void (this.#arrived = resolve));
  }
}
