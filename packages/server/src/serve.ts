import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import type { Duplex } from "node:stream";
import { show, statusLine, type Application } from "@wsgi/core";
import { connectionOf } from "./connection.ts";
import { Connections } from "./connections.ts";
import { describeError } from "./report.ts";
import { allowedMethods, RefusedRequest } from "./request.ts";
import type { ServerEnviron } from "./environ.ts";
import { Listener, type ListenerOptions } from "./listener.ts";
import { removeStaleSocket } from "./stale-socket.ts";

/** Says where and how to serve. */
export interface ServeOptions extends ListenerOptions {
  /** The name or address to listen on. Default: `"127.0.0.1"`, which only this machine reaches. */
  host?: string;
  /** The port, 0 to 65,535; 0 takes a free one. Default: 8000. */
  port?: number;
  /**
   * The path of a Unix socket to listen on, in place of host and port. One that a server has left there
   * is replaced, if nobody answers on it.
   */
  path?: string;
  /** Key and certificate, as node:https takes them; with it the server speaks HTTPS. */
  tls?: https.ServerOptions;
}

/** Is a server for one application. */
export interface WsgiServer extends AsyncDisposable {
  /** The address to open, `"http://127.0.0.1:8000"`; `"unix:/run/app.sock"` for a Unix socket. */
  readonly url: string;
  /** The node server beneath, for what is not offered here. */
  readonly httpServer: http.Server | https.Server;
  /** Listens, unless it does already, and goes on until the server is closed. */
  serveForever(): Promise<void>;
  /** Takes no more connections, lets the requests that are under way end, and then is done. */
  close(): Promise<void>;
}

/**
 * Serves an application, from now until it is closed.
 *
 * @param app - the application
 * @param options - where and how
 * @returns the server, once it listens
 * @throws TypeError or RangeError if an option is not what it should be; Error if the address cannot be
 *   listened on
 * @example
 * ```ts
 * import { serve } from "@wsgi/server";
 *
 * const server = await serve((environ, startResponse) => {
 *   startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *   return ["Hello, world!"];
 * }, { port: 0 });
 * await (await fetch(server.url)).text(); // "Hello, world!"
 * await server.close();
 * ```
 * @see SPEC.md, "HTTP"
 */
export async function serve(
  app: Application<ServerEnviron>,
  options: ServeOptions = {},
): Promise<WsgiServer> {
  const server = new Server(app, options);
  await server.listen();
  return server;
}

/**
 * Makes a server that does not listen yet.
 *
 * @param host - the name or address to listen on
 * @param port - the port, 0 to 65,535; 0 takes a free one
 * @param app - the application
 * @param options - how to serve
 * @returns the server; `serveForever()` starts it
 * @throws TypeError or RangeError if an option is not what it should be
 * @example
 * ```ts
 * import { makeServer } from "@wsgi/server";
 *
 * const server = makeServer("127.0.0.1", 0, (environ, startResponse) => {
 *   startResponse("200 OK", []);
 *   return ["Hello, world!"];
 * });
 * const end = server.serveForever();
 * await server.close();
 * await end;
 * ```
 * @see wsgiref.simple_server.make_server
 */
export function makeServer(
  host: string,
  port: number,
  app: Application<ServerEnviron>,
  options: Omit<ServeOptions, "host" | "port" | "path"> = {},
): WsgiServer {
  return new Server(app, { ...options, host, port });
}

class Server implements WsgiServer {
  readonly httpServer: http.Server | https.Server;
  readonly #listener: Listener;
  readonly #address: Address;
  readonly #scheme: string;
  readonly #connections: Connections;
  #listening: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(app: Application<ServerEnviron>, options: ServeOptions) {
    this.#address = readAddress(options);
    this.#listener = new Listener(app, options);
    this.#scheme = options.tls === undefined ? "http" : "https";
    this.httpServer = createHttpServer(options.tls);
    this.httpServer.maxHeadersCount = 0;
    this.#connections = new Connections(this.httpServer, options.tls !== undefined);
    this.httpServer.on("request", (req, res) => this.#listener.handle(req, res, false));
    this.httpServer.on("checkContinue", (req, res) => this.#listener.handle(req, res, true));
    this.httpServer.on("checkExpectation", (req, res) => {
      const reason = new RefusedRequest(417, "nothing but 100-continue can be expected");
      this.#listener.refuse(req, res, reason);
    });
    this.httpServer.on("connect", refuseConnect);
    this.httpServer.on("clientError", refuseMalformed);
  }

  get url(): string {
    if ("path" in this.#address) return `unix:${this.#address.path}`;
    const bound = this.httpServer.address();
    const port = bound === null || typeof bound === "string" ? this.#address.port : bound.port;
    return `${this.#scheme}://${urlHost(this.#address.host)}:${port}`;
  }

  listen(): Promise<void> {
    return (this.#listening ??= this.#listen());
  }

  async #listen(): Promise<void> {
    const { httpServer } = this;
    try {
      if ("path" in this.#address) await removeStaleSocket(this.#address.path);
      httpServer.listen(this.#address);
      await once(httpServer, "listening");
    } catch (error) {
      const why = explain(error as NodeJS.ErrnoException);
      throw new Error(`Cannot listen on ${this.url}: ${why}`, { cause: error });
    }
    // A connection that cannot be accepted, for want of descriptors, is no reason to end.
    httpServer.on("error", (error) => this.#listener.report(`${describeError(error)}\n`));
  }

  async serveForever(): Promise<void> {
    const ended = new Promise<void>((resolve) => void this.httpServer.once("close", resolve));
    await this.listen();
    await ended;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#listener.closing = true;
    // What is about to listen has to before it can be closed; what cannot listen says so to its caller.
    await this.#listening?.catch(() => {});
    const closed = new Promise<unknown>((resolve) => {
      // http.Server#close also cuts connections whose request, or response, is on its way.
      net.Server.prototype.close.call(this.httpServer, resolve);
    });
    const stopEnding = this.#connections.end();
    await closed;
    stopEnding();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function createHttpServer(tls: https.ServerOptions | undefined): http.Server | https.Server {
  if (tls === undefined) return http.createServer();
  if (typeof tls !== "object" || tls === null) {
    throw new TypeError(`Cannot serve: tls is ${show(tls)}; wanted { key, cert }`);
  }
  return https.createServer(tls);
}

type Address = { host: string; port: number } | { path: string };

function readAddress({ host, port, path }: ServeOptions): Address {
  if (path !== undefined) {
    if (host !== undefined || port !== undefined) {
      throw new TypeError("Cannot serve: both path and host or port are given; wanted one address");
    }
    if (typeof path !== "string" || path === "") {
      throw new TypeError(`Cannot serve: path is ${show(path)}; wanted the path of a Unix socket`);
    }
    return { path };
  }
  const address = { host: host ?? "127.0.0.1", port: port ?? 8000 };
  if (typeof address.host !== "string" || address.host === "") {
    throw new TypeError(`Cannot serve: host is ${show(host)}; wanted a name or an address`);
  }
  if (!Number.isInteger(address.port) || address.port < 0 || address.port > 65_535) {
    throw new RangeError(
      `Cannot serve: port is ${show(port)}; wanted a whole number from 0 to 65535`,
    );
  }
  return address;
}

/** Writes a host for a URL; an address that stands for every interface is not one to open. */
function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

function explain({ code, message }: NodeJS.ErrnoException): string {
  if (code === "EADDRINUSE") return "the address is in use; stop its server or choose another port";
  if (code === "EACCES")
    return "permission was denied; choose a port from 1024 upwards, or another path";
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return "this machine has no such address; wanted one of its own, 127.0.0.1";
  }
  return message;
}

/** Answers CONNECT, which node:http would drop without a word, when what was asked before it is done. */
function refuseConnect(req: http.IncomingMessage, socket: Duplex): void {
  const connection = connectionOf(req.socket);
  socket.on("error", () => {});
  connection.enter(req, () => {
    connection.end();
    socket.end(rawResponse(405, `Allow: ${allowedMethods}\r\n`), () => req.socket.destroySoon());
    socket.resume();
  });
}

const malformed: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/** Answers what node's parser cannot read, but not in the place of an answer that is still to come. */
function refuseMalformed(error: NodeJS.ErrnoException, duplex: Duplex): void {
  const socket = duplex as net.Socket;
  const connection = connectionOf(socket);
  if (connection.current === undefined && socket.writable) {
    connection.end();
    socket.end(rawResponse(malformed[error.code ?? ""] ?? 400, ""), () => socket.destroySoon());
  } else if (connection.current?.complete === true) {
    connection.end(() => socket.destroySoon());
  } else {
    socket.destroy();
  }
}

function rawResponse(code: number, fields: string): string {
  return `HTTP/1.1 ${statusLine(code)}\r\n${fields}Content-Length: 0\r\nConnection: close\r\n\r\n`;
}
