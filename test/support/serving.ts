import net from "node:net";
import type { Application } from "@wsgi/core";
import { serve, type ServeOptions, type WsgiServer } from "@wsgi/server";

/** Is a server on a free port that keeps what is written to its `wsgi.errors`. */
export interface ServingServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly server: WsgiServer;
  /** Everything that was reported so far. */
  readonly reports: string;
}

/** Serves an application for the length of a test. */
export async function serving(
  app: Application,
  options: ServeOptions = {},
): Promise<ServingServer> {
  let reports = "";
  const errors = { write: (text: string) => void (reports += text) };
  const server = await serve(app, { port: 0, errors, ...options });
  return {
    url: server.url,
    port: Number(new URL(server.url).port),
    server,
    get reports() {
      return reports;
    },
    async [Symbol.asyncDispose]() {
      server.httpServer.closeAllConnections();
      await server.close();
    },
  };
}

/** Is a client that sends the bytes it is told to, and shows the bytes it gets, one character each. */
export class RawClient implements Disposable {
  readonly socket: net.Socket;
  readonly closed: Promise<string>;
  received = "";
  #arrived: () => void = () => {};

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on("data", (data) => {
      this.received += data.toString("latin1");
      this.#arrived();
    });
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#arrived();
        resolve(this.received);
      });
    });
  }

  static async connect(address: { port: number } | { path: string }): Promise<RawClient> {
    const socket = net.connect({ host: "127.0.0.1", ...address } as net.NetConnectOpts);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawClient(socket);
  }

  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** Waits until the text has arrived, and returns everything up to its end. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.received.indexOf(text);
      if (at !== -1) return this.received.slice(0, at + text.length);
      if (this.socket.destroyed)
        throw new Error(`Closed before ${JSON.stringify(text)}: ${this.received}`);
      await new Promise<void>((resolve) => void (this.#arrived = resolve));
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** Sends one raw request and returns everything that comes back until the server closes. */
export async function exchange(
  address: { port: number } | { path: string },
  request: string,
): Promise<string> {
  using client = await RawClient.connect(address);
  return await client.send(request).closed;
}

/** Serves an application for one raw request. */
export async function answer(
  app: Application,
  request: string,
): Promise<{ response: string; reports: string }> {
  await using server = await serving(app);
  const response = await exchange(server, request);
  return { response, reports: server.reports };
}

/** Is the rest of a request head that ends its connection. */
export const lastHeaders = "Host: localhost\r\nConnection: close\r\n\r\n";

/** Is a GET request for / that ends its connection. */
export const get = `GET / HTTP/1.1\r\n${lastHeaders}`;

/** Takes the body off a raw response. */
export function bodyOf(response: string): string {
  return response.slice(response.indexOf("\r\n\r\n") + 4);
}

/** Lets the event loop go round, once or more often. */
export async function turn(times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** Is a promise with the functions that settle it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => void (resolve = settle));
  return { promise, resolve };
}
