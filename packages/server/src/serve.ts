import { once } from "node:events";
import http from "node:http";
import type https from "node:https";
import net from "node:net";
import { show, type Application } from "@wsgi/core";
import { explain, readAddress, urlHost, type Address, type AddressOptions } from "./address.ts";
import { Connections } from "./connections.ts";
import { drain, readDrainOptions, type Drained, type DrainOptions } from "./drain.ts";
import { describeError } from "./report.ts";
import { RefusedRequest } from "./request.ts";
import type { ServerEnviron } from "./server-environ.ts";
import { Incoming } from "./incoming.ts";
import { readLimits, type Limits } from "./limits.ts";
import { Listener, type ListenerOptions } from "./listener.ts";
import { Outgoing } from "./outgoing.ts";
import { refuseConnect, refuseMalformed } from "./refuse-raw.ts";
import { removeStaleSocket } from "./stale-socket.ts";
import { Upgradable } from "./upgrade.ts";

/** Says where and how to serve. */
export interface ServeOptions extends AddressOptions, ListenerOptions {
  /** Key and certificate, as node:https takes them; with it the server speaks HTTPS. */
  tls?: https.ServerOptions;
  /** How much the server takes from its clients, and for how long it waits. Default: `defaultLimits`. */
  limits?: Partial<Limits>;
  /**
   * Whether applications may take over connections whose clients ask for another protocol, such as
   * WebSocket, by `wsgix.upgrade`. Default: false.
   */
  upgrade?: boolean;
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
  /**
   * Does so without losing a request, as far as time allows: applications learn that it is drained,
   * connections in use end with their next response, and what takes too long is cut off.
   *
   * @param options - how long it takes for what; those of the first call hold
   * @returns what became of the requests
   * @throws RangeError if an option is not what it should be
   */
  drain(options?: DrainOptions): Promise<Drained>;
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
  #drained: Promise<Drained> | undefined;

  constructor(app: Application<ServerEnviron>, options: ServeOptions) {
    this.#address = readAddress(options);
    const limits = readLimits(options.limits);
    const { upgrade = false } = options;
    if (typeof upgrade !== "boolean") {
      throw new TypeError(`Cannot serve: upgrade is ${show(upgrade)}; wanted true or false`);
    }
    this.#listener = new Listener(app, options, limits.keepAliveTimeout);
    this.#scheme = options.tls === undefined ? "http" : "https";
    this.httpServer = createHttpServer(options.tls, limits, {
      IncomingMessage: upgrade ? Upgradable : Incoming,
      // Known from Node 24 on: no events for a body that is not there.
      optimizeEmptyRequests: this.#listener.endsEmpty,
    });
    this.#connections = new Connections(this.httpServer, options.tls !== undefined, limits);
    this.httpServer.on("request", (req, res) => this.#listener.handle(req, res, false));
    this.httpServer.on("checkContinue", (req, res) => this.#listener.handle(req, res, true));
    this.httpServer.on("checkExpectation", (req, res) => {
      const reason = new RefusedRequest(417, "nothing but 100-continue can be expected");
      this.#listener.refuse(req, res, reason);
    });
    if (upgrade) {
      this.httpServer.on("upgrade", (req, socket, head) => {
        this.#listener.offer(req, socket as net.Socket, head);
      });
    }
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
    const closed = (this.#closed ??= this.#close(250));
    this.#connections.endIdle();
    return closed;
  }

  drain(options: DrainOptions = {}): Promise<Drained> {
    const times = readDrainOptions(options);
    return (this.#drained ??= drain(
      {
        connections: this.#connections,
        tell: () => this.#listener.tellDraining(),
        stop: (idleTime) => (this.#closed ??= this.#close(idleTime)),
      },
      times,
    ));
  }

  async #close(idleTime: number): Promise<void> {
    this.#listener.closing = true;
    this.#connections.endWithResponses();
    // What is about to listen has to before it can be closed; what cannot listen says so to its caller.
    await this.#listening?.catch(() => {});
    const closed = new Promise<unknown>((resolve) => {
      // http.Server#close also cuts connections whose request, or response, is on its way.
      net.Server.prototype.close.call(this.httpServer, resolve);
    });
    await Promise.all([closed, this.#connections.end(idleTime)]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function createHttpServer(
  tls: https.ServerOptions | undefined,
  limits: Limits,
  requests: { IncomingMessage: typeof Incoming; optimizeEmptyRequests: boolean },
): http.Server | https.Server {
  const { headerBytes, headersTimeout, requestTimeout } = limits;
  const options = {
    // Node refuses a head that has as many.
    maxHeaderSize: Math.min(headerBytes + 1, Number.MAX_SAFE_INTEGER),
    headersTimeout,
    requestTimeout,
    // Connections looks after those that are kept: node sets a timer twice for each request.
    keepAliveTimeout: 0,
    connectionsCheckingInterval: Math.min(headersTimeout, 5_000),
    // Said here, because a flag of node's can make it otherwise.
    insecureHTTPParser: false,
    // Node would answer by itself where Host is missing, and go on to the next request.
    requireHostHeader: false,
    ServerResponse: Outgoing,
    ...requests,
  };
  if (tls !== undefined && (typeof tls !== "object" || tls === null)) {
    throw new TypeError(`Cannot serve: tls is ${show(tls)}; wanted { key, cert }`);
  }
  const server =
    tls === undefined
      ? http.createServer(options)
      : // Loaded when it is wanted: without it a server starts with less memory.
        process
          .getBuiltinModule("node:https")
          .createServer({ handshakeTimeout: headersTimeout, ...tls, ...options });
  // All fields, so that the listener can count them: node drops those beyond a count of its own.
  server.maxHeadersCount = 0;
  return server;
}
