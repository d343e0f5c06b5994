import assert from "node:assert/strict";
import net from "node:net";
import tls from "node:tls";
import { parseResponses, type ParsedResponse } from "../parse-responses.ts";
import type { Deadline } from "../deadline.ts";

/** Is a client that sends the bytes it is told to, and takes none that are not right. */
export class Client {
  readonly #socket: net.Socket;
  readonly #deadline: Deadline;
  readonly #received: Uint8Array[] = [];
  readonly #methods: string[] = [];
  #read = 0;
  #closed = false;
  #arrived: () => void = () => {};

  private constructor(socket: net.Socket, deadline: Deadline) {
    this.#socket = socket;
    this.#deadline = deadline;
    socket.on("data", (data) => {
      this.#received.push(data);
      this.#arrived();
    });
    // A connection that is reset is closed, too.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#closed = true;
      this.#arrived();
    });
  }

  /** Connects to `"http://host:port"`, `"https://host:port"` or `"unix:/path"`. */
  static async connect(url: string, deadline: Deadline): Promise<Client> {
    const socket = open(url);
    const connected = new Promise<void>((resolve, reject) => {
      socket.once(socket instanceof tls.TLSSocket ? "secureConnect" : "connect", resolve);
      socket.once("error", reject);
    });
    const client = new Client(socket, deadline);
    await deadline.wait(connected, `a connection to ${url}`);
    return client;
  }

  /** The client's own address, as the server sees it; undefined on a Unix socket. */
  get address(): string | undefined {
    return this.#socket.localAddress;
  }

  /** How many bytes have arrived. */
  get bytesReceived(): number {
    return this.#received.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Sends text, one octet a character, or bytes. The requests that begin in it are noted. */
  send(bytes: string | Uint8Array): this {
    const text = typeof bytes === "string" ? bytes : "";
    this.#methods.push(...(text.match(/[A-Z]+(?= \S+ HTTP\/)/g) ?? []));
    this.#socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** Ends the sending half of the connection. */
  end(): void {
    this.#socket.end();
  }

  /** Closes the connection without a word. */
  leave(): void {
    this.#socket.destroy();
  }

  /** Takes nothing more from the network. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Waits for the next response to be complete. */
  async response(): Promise<ParsedResponse> {
    const number = this.#read++;
    const isHere = (all: readonly ParsedResponse[]): boolean => all[number]?.complete === true;
    return (await this.#until(isHere, `response ${number + 1} to be complete`))[number]!;
  }

  /** Waits until the response that is on its way, complete or not, is as wanted. */
  async part(
    isWanted: (response: ParsedResponse) => boolean,
    wanted: string,
  ): Promise<ParsedResponse> {
    const number = this.#read;
    const isHere = (all: readonly ParsedResponse[]): boolean =>
      all[number] !== undefined && isWanted(all[number]);
    return (await this.#until(isHere, wanted))[number]!;
  }

  /** Waits for 100 Continue. */
  async goAhead(): Promise<void> {
    while (!/^HTTP\/1\.1 100 [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n$/.test(this.#text())) {
      assert.ok(!this.#closed, "the connection was closed before 100 Continue");
      await this.#more("100 Continue");
    }
  }

  /** Waits until the server has closed the connection, and gives every response that came over it. */
  async finish(): Promise<readonly ParsedResponse[]> {
    while (!this.#closed) await this.#more("the server to close the connection");
    return this.#parse();
  }

  async #until(
    isHere: (responses: readonly ParsedResponse[]) => boolean,
    wanted: string,
  ): Promise<readonly ParsedResponse[]> {
    for (;;) {
      const responses = this.#parse();
      if (isHere(responses)) return responses;
      assert.ok(!this.#closed, `the connection was closed; wanted ${wanted}`);
      await this.#more(wanted);
    }
  }

  async #more(wanted: string): Promise<void> {
    const arrived = new Promise<void>((resolve) => void (this.#arrived = resolve));
    await this.#deadline.wait(arrived, wanted);
  }

  #parse(): ParsedResponse[] {
    const methods = this.#methods.length === 0 ? ["GET"] : this.#methods;
    return parseResponses(Buffer.concat(this.#received), { methods, closed: this.#closed });
  }

  #text(): string {
    return Buffer.concat(this.#received).toString("latin1");
  }
}

function open(url: string): net.Socket {
  if (url.startsWith("unix:")) return net.connect({ path: url.slice("unix:".length) });
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  if (protocol === "http:") return net.connect({ host, port: Number(port || 80) });
  // Whose certificate it is, is none of the contract's business.
  return tls.connect({ host, port: Number(port || 443), rejectUnauthorized: false });
}
