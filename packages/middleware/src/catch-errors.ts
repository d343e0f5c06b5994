import {
  checkBody,
  checkHeaders,
  ClientDisconnected,
  isLocal,
  signalKey,
  statusLine,
  when,
  type Body,
  quietly,
  type Environ,
  type ErrorStream,
  type HeaderList,
  type MaybePromise,
  type Middleware,
  type StartResponse,
  show,
} from "@wsgi/core";
import { developmentPage, errorText, hideParameters } from "./catch-errors/development-page.ts";
import {
  errorPage,
  isErrorStatus,
  problemOf,
  type Page,
  type Problem,
} from "./catch-errors/error-page.ts";
import { attempt, guardBody } from "./catch-errors/guard-body.ts";

/**
 * Is the key by which whoever serves an application says that this is for its developers: `wsgi serve
 * --development` sets it to true.
 */
export const developmentKey = "wsgix.development";

/** Is what a server may tell `catchErrors`. */
export interface DevelopmentEnviron {
  /** Whether clients on this machine are shown the development page. */
  [developmentKey]?: boolean;
}

/** Says what `catchErrors` shows, and to whom. */
export interface CatchErrorsOptions {
  /**
   * Who is shown the development page instead of the bare status: `true` for clients on this machine
   * (a loopback address, a loopback Host, no proxy between), a function for those it returns true for,
   * `false` for nobody. The page tells the source and the request. Default: nobody, unless whoever serves
   * the application has set `wsgix.development`, and then clients on this machine.
   */
  development?: boolean | ((environ: Environ) => boolean);
  /**
   * Is told of every error that is a fault: those answered with 5xx, and those that come too late to be
   * answered. What it throws itself is noted on `wsgi.errors`. Default: writes the stack to `wsgi.errors`,
   * but leaves to the server those that go on to it.
   */
  report?: (error: unknown, environ: Environ) => void | PromiseLike<void>;
}

/**
 * Catches what an application throws, whenever it throws it, and answers with a page that says no more
 * than the status: as HTML, problem+json or text, whichever the client likes best. An error with a
 * status and `expose`, as `httpError` makes it, is that answer.
 *
 * To its application it is a server that survives; to its server it is an application that throws only
 * when the head of the response has left: then the connection has to be cut, because a page appended to
 * half a response would pass for the rest of it. An error in `close()` is reported and goes no further.
 *
 * @param options - what is shown, and where errors are reported
 * @returns the middleware
 * @throws TypeError if an option is not of its type
 * @example
 * ```ts
 * import { catchErrors } from "@wsgi/middleware/catch-errors";
 * import { call } from "@wsgi/testing";
 *
 * const broken = () => { throw new Error("The password is swordfish"); };
 * const response = await call(catchErrors()(broken), "GET /");
 * response.text(); // "500 Internal Server Error\n"
 * ```
 * @see SPEC.md [error-page], [start-replace], [error-cut]; RFC 9457; Rack::ShowExceptions
 */
export function catchErrors(options: CatchErrorsOptions = {}): Middleware {
  const settings = checkOptions(options);
  return function catchErrors(app) {
    return function catchErrors(environ, startResponse) {
      // Asked before the application can change environ, as a layer for proxies does.
      const isDeveloper = settings.isDeveloper(environ) === true;
      const errors = environ["wsgi.errors"];
      const exchange = {
        app,
        environ,
        startResponse,
        errors,
        isDeveloper,
        report: settings.report,
      };
      return attempt(
        () => when(app(environ, startResponse), (body) => guard(checkBody(body), exchange)),
        (error) => answer(error, exchange),
      );
    };
  };
}

/** Is one request and how to answer it. */
interface Exchange {
  readonly app: object;
  readonly environ: Environ;
  readonly startResponse: StartResponse;
  /** Where faults go: the server's own, whatever the application makes of its environ. */
  readonly errors: ErrorStream;
  readonly isDeveloper: boolean;
  readonly report: Report | undefined;
}

type Report = (error: unknown, environ: Environ) => void | PromiseLike<void>;

interface Settings {
  isDeveloper(environ: Environ): boolean;
  readonly report: Report | undefined;
}

function checkOptions(options: CatchErrorsOptions): Settings {
  const { development = isDevelopment, report } = options;
  if (typeof development !== "boolean" && typeof development !== "function") {
    throw new TypeError(
      `Cannot catch errors: development is ${show(development)}; wanted a boolean or a function (environ) => boolean`,
    );
  }
  if (report !== undefined && typeof report !== "function") {
    throw new TypeError(
      `Cannot catch errors: report is ${show(report)}; wanted a function (error, environ) => void`,
    );
  }
  const isDeveloper = development === true ? isLocal : development || (() => false);
  return { isDeveloper, report };
}

function isDevelopment(environ: Environ): boolean {
  return environ[developmentKey] === true && isLocal(environ);
}

/** Puts a body under guard; an array without `close()` cannot fail. */
function guard(body: Body, exchange: Exchange): Body {
  if (body.close === undefined && Array.isArray(body)) return body;
  return guardBody(body, {
    mayWait: exchange.isDeveloper,
    answer: (error) => answer(error, exchange),
    passOn: (error) => passOn(error, exchange),
    tell: (error) => tell(error, exchange),
  });
}

/** Starts the response anew, for the error; throws it if it is too late for that. */
function answer(error: unknown, exchange: Exchange): MaybePromise<Body> {
  if (isClientGone(error, exchange.environ)) throw error;
  const problem = problemOf(error);
  return when(pageFor(error, problem, exchange), ({ status, headers, text }) => {
    try {
      exchange.startResponse(status, headers, toError(error));
    } catch (late) {
      passOn(error, exchange);
      throw late;
    }
    if (problem.code >= 500) tell(error, exchange);
    return [text];
  });
}

function pageFor(error: unknown, problem: Problem, exchange: Exchange): MaybePromise<Page> {
  const { app, environ, isDeveloper } = exchange;
  return isDeveloper && problem.code >= 500
    ? developmentPage({ error, problem, environ, app })
    : errorPage(problem, environ.HTTP_ACCEPT);
}

function toError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown;
  } catch {
    // It throws when it is looked at, and is not to be handed on.
    return new Error("The application threw what cannot be looked at");
  }
  return new Error(`The application threw ${errorText(thrown)}, which is no Error`, {
    cause: thrown,
  });
}

/** Reports an error that goes on to the server, which writes it to `wsgi.errors` itself. */
function passOn(error: unknown, exchange: Exchange): void {
  if (exchange.report !== undefined) tell(error, exchange);
}

/** Reports an error, come what may. */
function tell(error: unknown, exchange: Exchange): void {
  const { environ, errors, report } = exchange;
  if (isClientGone(error, environ)) return;
  if (report === undefined) {
    logError(error, exchange);
    return;
  }
  void attempt(
    () => report(error, environ),
    (fault) => {
      void quietly(() => errors.write(`Cannot report an error: ${errorText(fault)}\n`));
      logError(error, exchange);
    },
  );
}

function logError(error: unknown, { environ, errors }: Exchange): void {
  const { REQUEST_METHOD, REQUEST_URI } = environ;
  const request = `${REQUEST_METHOD} ${hideParameters(String(REQUEST_URI))}`;
  void quietly(() => errors.write(`${request}: ${errorText(error)}\n`));
}

/** An AbortError is a fault like any other, unless the leaving client caused it. */
function isClientGone(error: unknown, environ: Environ): boolean {
  try {
    if (error instanceof ClientDisconnected) return true;
    if (!(error instanceof Error) || error.name !== "AbortError") return false;
    const signal = environ[signalKey];
    return typeof signal === "function" && (signal(environ) as AbortSignal).aborted;
  } catch {
    // What is thrown may throw itself when it is looked at.
    return false;
  }
}

/** Says what an `httpError` has besides its status and message. */
export interface HttpErrorOptions {
  /** Header fields for the answer: `Allow`, `Retry-After`, `WWW-Authenticate` … Default: none. */
  headers?: HeaderList;
  /** Whether the client may read the message. Default: true below 500. */
  expose?: boolean;
  /** The error that led to this one. Default: none. */
  cause?: unknown;
}

/** Is an error that says how a request is to be answered. */
export interface HttpError extends Error {
  /** The status code, 400 to 599. */
  readonly status: number;
  /** Whether the client may read the message. */
  readonly expose: boolean;
  /** Header fields for the answer. */
  readonly headers: HeaderList;
}

/**
 * Makes an error that `catchErrors` turns into the answer with this status. Below 500 it is not reported.
 *
 * @param status - the status code, 400 to 599
 * @param message - what went wrong; clients may read it below 500. Default: the reason phrase
 * @param options - headers, and whether the message is shown
 * @returns the error, to be thrown
 * @throws RangeError if the status is not that of an error; WsgiError if the headers cannot be sent
 * @example
 * ```ts
 * import { catchErrors, httpError } from "@wsgi/middleware/catch-errors";
 * import { call } from "@wsgi/testing";
 *
 * const closed = () => { throw httpError(403, "The gate is closed after six"); };
 * const response = await call(catchErrors()(closed), "GET /gate");
 * response.status; // "403 Forbidden"
 * ```
 * @see RFC 9110, section 15; http-errors
 */
export function httpError(
  status: number,
  message?: string,
  options: HttpErrorOptions = {},
): HttpError {
  if (!isErrorStatus(status)) {
    throw new RangeError(
      `Cannot make an error: the status is ${show(status)}; wanted a code from 400 to 599`,
    );
  }
  const { headers = [], expose = status < 500, ...rest } = options;
  checkHeaders(headers);
  const error = new Error(message ?? statusLine(status).slice(4), rest);
  error.name = "HttpError";
  Error.captureStackTrace(error, httpError);
  return Object.assign(error, { status, expose, headers });
}
