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
import { connectionOf, type Connection } from "./connection.ts";
import { answerDirectly, type NodeHandler } from "./direct.ts";
import { createEnviron, type EnvironDefaults, type ServerEnviron } from "./environ.ts";
import type { Incoming } from "./incoming.ts";
import { RequestBody } from "./input.ts";
import { readLimits, type RequestLimits } from "./limits.ts";
import { refuse } from "./refuse.ts";
import { bearErrors } from "./report.ts";
import { checkHeadSize, RefusedRequest, tooLarge } from "./request.ts";
import { Exchange, type ExchangeOwner } from "./respond.ts";
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
}

/** Is the server's own key: it leads from an environ, or a copy of one, to its exchange. */
const exchangeKey = Symbol("wsgi.exchange");

/** Answers node's requests with an application. */
export class Listener implements ExchangeOwner {
  closing = false;
  readonly #app: Application<ServerEnviron>;
  readonly #defaults: EnvironDefaults;
  readonly #limits: RequestLimits;
  readonly #more: ListenerOptions["environ"];
  /** What hosts itself here, and so can have the requests as node has them. */
  readonly #handler: NodeHandler | undefined;

  constructor(app: Application<ServerEnviron>, options: ListenerOptions) {
    checkApplication(app, "serve");
    this.#app = app;
    this.#limits = readLimits(options.limits);
    const { environ, errors = process.stderr } = options;
    const isKeys = typeof environ === "object" && environ !== null;
    if (environ !== undefined && !isKeys && typeof environ !== "function") {
      throw new TypeError(`Cannot serve: environ is ${show(environ)}; wanted an object of keys`);
    }
    if (typeof errors?.write !== "function") {
      throw new TypeError("Cannot serve: errors has no write method; wanted { write(text) }");
    }
    bearErrors(errors);
    const write = (text: string): void => {
      // Where reports go is the one place that has nowhere to report to.
      void quietly(() => errors.write(text));
    };
    this.#more = environ;
    // Whoever gives keys wants them to be heeded.
    if (environ === undefined) this.#handler = handlerOf(app);
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
    const connection = connectionOf(req.socket);
    connection.enter(req, this.#limits.waitingRequests, () => {
      connection.response = res;
      // A client that has left in the meantime is nobody to call the application for.
      if (req.socket.destroyed) connection.done();
      else this.#answer(req, res, connection, awaitsContinue);
    });
  }

  /** Answers a request for another protocol, whose connection node has let go of, when it is its turn. */
  offer(req: IncomingMessage, socket: Socket, head: Buffer): void {
    (req as Partial<Incoming>).isOpen = true;
    const connection = connectionOf(socket);
    const offer = new Offer(req, socket, head, connection);
    connection.enter(req, Infinity, () => {
      connection.whenSent(() => {
        connection.response = offer.res;
        offer.begin();
        if (socket.destroyed) connection.done();
        else this.#answer(req, offer.res, connection, false, offer);
      });
    });
  }

  /** Refuses a request when those before it are done. */
  refuse(req: IncomingMessage, res: ServerResponse, reason: RefusedRequest): void {
    const connection = connectionOf(req.socket);
    connection.enter(req, this.#limits.waitingRequests, () => {
      connection.response = res;
      refuse(res, reason);
      connection.end();
    });
  }

  #answer(
    req: IncomingMessage,
    res: ServerResponse,
    connection: Connection,
    awaitsContinue: boolean,
    offer?: Offer,
  ): void {
    let environ: ServerEnviron & { [exchangeKey]?: Exchange };
    let request: RequestBody | undefined;
    try {
      checkHeadSize(req, this.#limits);
      environ = createEnviron(req, connection, this.#defaults);
      request = this.#bodyOf(req, environ, awaitsContinue ? () => sendContinue(res) : undefined);
    } catch (error) {
      refuse(
        res,
        error instanceof RefusedRequest ? error : new RefusedRequest(400, "it is malformed"),
      );
      connection.end();
      return;
    }
    const isLast = endsItself(environ, awaitsContinue && request === undefined);
    if (this.#handler !== undefined && offer === undefined) {
      if (awaitsContinue) res.writeContinue();
      const direct = { req, res, request, connection, isLast, owner: this, limits: this.#limits };
      answerDirectly(this.#handler, direct);
      return;
    }
    const exchange = new Exchange(req, res, request, offer ?? connection, this, isLast);
    environ[exchangeKey] = exchange;
    connection.exchange = exchange;
    if (offer !== undefined) environ[upgradeKey] = () => offer.take();
    if (this.#more !== undefined) {
      try {
        Object.assign(environ, typeof this.#more === "function" ? this.#more(req) : this.#more);
      } catch (error) {
        exchange.fail(error);
        return;
      }
    }
    exchange.run(this.#app, environ);
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
