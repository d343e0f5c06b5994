import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import {
  checkApplication,
  createErrors,
  nodeHandlerKey,
  quietly,
  show,
  type Application,
  type Environ,
} from "@wsgi/core";
import { connectionOf } from "./connection.ts";
import { answerDirectly, type NodeHandler } from "./direct.ts";
import { createEnviron } from "./environ.ts";
import { hasFastPath, tellKeepAlive } from "./fast-path.ts";
import type { Incoming } from "./incoming.ts";
import { RequestBody } from "./input.ts";
import { readLimits, type RequestLimits } from "./limits.ts";
import { refuse } from "./refuse.ts";
import { bearErrors } from "./report.ts";
import { checkHeadSize, RefusedRequest, tooLarge } from "./request.ts";
import { Exchange, type ExchangeOwner } from "./respond.ts";
import type { EnvironDefaults, ServerEnviron } from "./server-environ.ts";
import { Offer, upgradeKey } from "./upgrade.ts";

/** Says what an application gets besides its requests. */
export interface ListenerOptions {
  /**
   * More keys for every environ, or a function that makes them of node's request; they win over the
   * server's own. Default: none.
   */
  environ?: Readonly<Record<string, unknown>> | ((req: IncomingMessage) => object);
  /** Where `wsgi.errors` and the reports of errors go. Default: standard error. */
  errors?: { write(text: string): unknown };
  /** How much of a request is taken. Default: `defaultLimits`. */
  limits?: Partial<RequestLimits>;
  /**
   * Whether a response that is there as a whole may be sent in one write, past node's own code for it, where a
   * test at the start shows the same bytes. With `false` node:http writes each response. Default: true.
   */
  fastPath?: boolean;
}

/** Is the server's own key: it leads from an environ, or a copy of one, to its exchange. */
const exchangeKey = Symbol("wsgi.exchange");

/** Answers node's requests with an application. */
export class Listener implements ExchangeOwner {
  closing = false;
  readonly hasFastPath: boolean;
  /** Whether requests without a body need no events of one; frameworks may wait for them. */
  readonly endsEmpty: boolean;
  readonly #app: Application<ServerEnviron>;
  readonly #defaults: EnvironDefaults;
  readonly #limits: RequestLimits;
  readonly #keepAliveTimeout: number;
  readonly #more: ListenerOptions["environ"];
  /** What hosts itself here, and so can have the requests as node has them. */
  readonly #handler: NodeHandler | undefined;

  /**
   * @param app - the application
   * @param options - what it gets besides its requests
   * @param keepAliveTimeout - how long its server keeps connections if node does not see to it, in milliseconds
   */
  constructor(app: Application<ServerEnviron>, options: ListenerOptions, keepAliveTimeout = 0) {
    checkApplication(app, "serve");
    this.#app = app;
    this.#keepAliveTimeout = keepAliveTimeout;
    this.#limits = readLimits(options.limits);
    const { environ, errors = process.stderr, fastPath = true } = options;
    const isKeys = typeof environ === "object" && environ !== null;
    if (environ !== undefined && !isKeys && typeof environ !== "function") {
      throw new TypeError(`Cannot serve: environ is ${show(environ)}; wanted an object of keys`);
    }
    if (typeof errors?.write !== "function") {
      throw new TypeError("Cannot serve: errors has no write method; wanted { write(text) }");
    }
    if (typeof fastPath !== "boolean") {
      throw new TypeError(`Cannot serve: fastPath is ${show(fastPath)}; wanted true or false`);
    }
    this.hasFastPath = fastPath && hasFastPath();
    bearErrors(errors);
    const write = (text: string): void => {
      // Where reports go is the one place that has nowhere to report to.
      void quietly(() => errors.write(text));
    };
    this.#more = environ;
    // Whoever gives keys wants them to be heeded.
    if (environ === undefined) this.#handler = handlerOf(app);
    this.endsEmpty = this.hasFastPath && this.#handler === undefined;
    this.#defaults = {
      errors: createErrors(write),
      signal: signalOf,
      draining: false,
    };
  }

  /** Lets applications know that the server is drained. */
  tellDraining(): void {
    this.#defaults.draining = true;
  }

  report(text: string): void {
    this.#defaults.errors.write(text);
  }

  /**
   * Answers a request when those before it on its connection are done.
   *
   * @param awaitsContinue - whether the client holds its body back until it is told to go on
   */
  handle(req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): void {
    (req as Partial<Incoming>).isOpen = true;
    if (this.#keepAliveTimeout !== 0) tellKeepAlive(res, this.#keepAliveTimeout);
    const connection = connectionOf(req.socket);
    const exchange = new Exchange(req, res, connection, this, awaitsContinue);
    connection.enter(exchange, this.#limits.waitingRequests);
  }

  /** Answers a request for another protocol, whose connection node has let go of, when it is its turn. */
  offer(req: IncomingMessage, socket: Socket, head: Buffer): void {
    (req as Partial<Incoming>).isOpen = true;
    const connection = connectionOf(socket);
    const offer = new Offer(req, socket, head, connection);
    const exchange = new Exchange(req, offer.res, connection, this, false);
    exchange.offer = offer;
    const run = (): void => {
      connection.whenSent(() => {
        offer.begin();
        exchange.run();
      });
    };
    connection.enter({ req, run }, Infinity);
  }

  /** Refuses a request when those before it are done. */
  refuse(req: IncomingMessage, res: ServerResponse, reason: RefusedRequest): void {
    const connection = connectionOf(req.socket);
    const run = (): void => {
      connection.response = res;
      refuse(res, reason);
      connection.end();
    };
    connection.enter({ req, run }, this.#limits.waitingRequests);
  }

  begin(exchange: Exchange): void {
    const { req, res, connection, awaitsContinue, offer } = exchange;
    let environ: ServerEnviron & { [exchangeKey]?: Exchange };
    try {
      checkHeadSize(req, this.#limits);
      environ = createEnviron(req, connection, this.#defaults);
      exchange.request = this.#bodyOf(
        req,
        environ,
        awaitsContinue ? () => sendContinue(res) : undefined,
      );
    } catch (error) {
      refuse(
        res,
        error instanceof RefusedRequest ? error : new RefusedRequest(400, "it is malformed"),
      );
      connection.end();
      return;
    }
    const isEmpty = exchange.request === undefined;
    exchange.isLast = endsItself(environ, awaitsContinue && isEmpty);
    if (this.#handler !== undefined && offer === undefined) {
      if (awaitsContinue) res.writeContinue();
      answerDirectly(this.#handler, exchange, this, this.#limits);
      return;
    }
    if (isEmpty && this.endsEmpty && offer === undefined) (req as Partial<Incoming>).endEmpty?.();
    environ[exchangeKey] = exchange;
    if (offer !== undefined) environ[upgradeKey] = () => offer.take();
    if (this.#more !== undefined) {
      try {
        Object.assign(environ, typeof this.#more === "function" ? this.#more(req) : this.#more);
      } catch (error) {
        exchange.fail(error);
        return;
      }
    }
    exchange.call(this.#app, environ);
  }

  /** Puts the body of a request into its environ, if it has one. */
  #bodyOf(
    req: IncomingMessage,
    environ: ServerEnviron,
    sendContinue: (() => void) | undefined,
  ): RequestBody | undefined {
    const { CONTENT_LENGTH, HTTP_TRANSFER_ENCODING } = environ;
    const length = CONTENT_LENGTH === undefined ? undefined : Number(CONTENT_LENGTH);
    if (HTTP_TRANSFER_ENCODING === undefined && (length === undefined || length === 0)) {
      return undefined;
    }
    if (length !== undefined && length > this.#limits.body) throw tooLarge(this.#limits);
    const body = new RequestBody(req, length, this.#limits, sendContinue);
    environ["wsgi.input"] = body.input;
    return body;
  }
}

/** Finds the handler for node's requests that an application is made of. */
function handlerOf(app: object): NodeHandler | undefined {
  const handler = (app as { readonly [nodeHandlerKey]?: unknown })[nodeHandlerKey];
  return typeof handler === "function" ? (handler as NodeHandler) : undefined;
}

/** RFC 9112 section 9.3: the connection option "close", among others. */
const closeOption = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;

/** Tells whether a request is the last of its connection, as node may not know in time. */
function endsItself(environ: Environ, getsNoContinue: boolean): boolean {
  const { HTTP_CONNECTION, HTTP_UPGRADE } = environ;
  return (
    // Node ends the connection of a client that waits for a 100 and gets none.
    getsNoContinue ||
    // It loses what follows a request for an upgrade that nobody takes, or begins in its middle.
    HTTP_UPGRADE !== undefined ||
    // It does not know a "close" with a tab behind it.
    (HTTP_CONNECTION !== undefined && closeOption.test(HTTP_CONNECTION))
  );
}

function signalOf(environ: Environ): AbortSignal {
  const exchange = (environ as { [exchangeKey]?: Exchange })[exchangeKey];
  if (exchange === undefined) {
    throw new TypeError(
      "Cannot make a signal: the environ is not one of this server's; wanted the request's own, or a copy of it",
    );
  }
  return exchange.signal;
}

/** Tells the client to send its body, unless it has been told something else. */
function sendContinue(res: ServerResponse): void {
  if (!res.headersSent) res.writeContinue();
}

/**
 * Makes a request listener for an `http.Server` that is there already.
 *
 * Such a server answers `Expect: 100-continue` by itself, before the application reads, and ends when
 * its owner ends it; `serve` does both as the contract has it.
 *
 * @param app - the application
 * @param options - keys for environ and the place for errors
 * @returns a listener for the server's `request` event
 * @throws TypeError if the application is no function or an option is not what it should be
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { nodeListener } from "@wsgi/server";
 *
 * const server = createServer(nodeListener((environ, startResponse) => {
 *   startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *   return ["Hello, world!"];
 * }));
 * ```
 * @see SPEC.md, "HTTP"
 */
export function nodeListener(
  app: Application<ServerEnviron>,
  options: ListenerOptions = {},
): (req: IncomingMessage, res: ServerResponse) => void {
  const listener = new Listener(app, options);
  return (req, res) => listener.handle(req, res, false);
}
