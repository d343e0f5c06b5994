import net from "node:net";
import { parseResponses, type ParsedResponse } from "@wsgi/testing/parse-responses";

/** Is a connection whose bytes are sent as they are, and whose responses are read strictly. */
export class StrictClient implements Disposable {
  readonly socket: net.Socket;
  /** Whether no more will come. */
  closed = false;
  #received: Uint8Array[] = [];
  #arrived: () => void = () => {};

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on("data", (data) => {
      this.#received.push(data);
      this.#arrived();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      this.#arrived();
    });
  }

  /** Connects to a port of this machine. */
  static connect({ port }: { port: number }): Promise<StrictClient> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: "127.0.0.1", port, noDelay: true });
      socket.once("connect", () => resolve(new StrictClient(socket)));
      socket.once("error", reject);
    });
  }

  /** Sends bytes; of text, one for each character. */
  send(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** Everything that came since the last call of `clear`. */
  get bytes(): Uint8Array {
    if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received)];
    return this.#received[0] ?? new Uint8Array();
  }

  clear(): void {
    this.#received = [];
  }

  /** Takes what has come apart. */
  parse(methods: readonly string[]): ParsedResponse[] {
    return parseResponses(this.bytes, { methods, closed: this.closed });
  }

  /** Waits until something comes, or the connection is closed. */
  moved(): Promise<void> {
    return new Promise((resolve) => void (this.#arrived = resolve));
  }

  /** Waits for a whole response to each request, or the end of the connection. */
  async responses(...methods: string[]): Promise<ParsedResponse[]> {
    for (;;) {
      const responses = this.parse(methods);
      const isLast = responses.at(-1)?.keepsOpen === false;
      const whole = responses.filter(({ complete }) => complete).length;
      if (this.closed || whole === methods.length || (isLast && responses.at(-1)!.complete)) {
        return responses;
      }
      await this.moved();
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
