import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import process from "node:process";
import { inspect } from "node:util";
import {
  checkBody,
  getHeader,
  isBodyless,
  isChunk,
  mapBody,
  onClose,
  quietly,
  statusCode,
  when,
  type Body,
  type BodyMap,
  type Chunk,
  type Middleware,
  type StartResponse,
  show,
} from "@wsgi/core";
import { formats, keepOnLine, type AccessLogEntry } from "./access-log/format.ts";

export type { AccessLogEntry };

/** Is the form of a line: one of the usual ones, or a function that makes it, without its `"\n"`. */
export type AccessLogFormat =
  | "common"
  | "combined"
  | "dev"
  | "json"
  | ((entry: AccessLogEntry) => string);

/** Is what takes the lines: a stream of node, or anything like it. */
export interface AccessLogDestination {
  /** Takes a line, which ends in `"\n"`. */
  write(line: string): unknown;
  /** Whether it is a terminal. */
  readonly isTTY?: boolean;
}

/** Says what the lines look like and where they go. */
export interface AccessLogOptions {
  /**
   * The form of a line. What a function returns is kept on one line: control characters are escaped.
   * Default: `"dev"` if the destination is a terminal, else `"combined"`.
   */
  format?: AccessLogFormat;
  /** Where the lines go. Default: standard output. */
  destination?: AccessLogDestination;
  /** Whether `"dev"` colours the status. Default: at a terminal, unless NO_COLOR is set. */
  colour?: boolean;
  /** Tells which entries get no line. Default: none. */
  skip?: (entry: AccessLogEntry) => boolean;
  /** Counts the milliseconds since some moment, for durations. Default: `performance.now`. */
  now?: () => number;
  /** Tells the time of day, for timestamps. Default: the system's clock. */
  date?: () => Date;
}

/**
 * Writes a line for each request when its response has ended: in Apache's common or combined format
 * (in UTC), in a short form for a terminal, or in JSON. A line stays one line, and keeps its fields,
 * whatever the request holds: all but printable ASCII is escaped.
 *
 * To its application it is a server that counts what it sends; to its server it hands everything on.
 * It belongs outside the layers that answer errors, to see their answers. An error in writing the line
 * goes to `wsgi.errors`.
 *
 * @param options - the form of the lines and where they go
 * @returns the middleware
 * @throws TypeError if an option is not of its type; for a request, nothing of its own
 * @example
 * ```ts
 * import { accessLog } from "@wsgi/middleware/access-log";
 * import { call, respond } from "@wsgi/testing";
 *
 * const destination = { write: (line) => console.log(line.trimEnd()) };
 * const app = accessLog({ format: "dev", destination, now: () => 0 })(respond(["Hello, Ann!"]));
 * await call(app, "GET /Ann"); // logs "GET /Ann 200 11 B 0.0 ms"
 * ```
 * @see SPEC.md [close-once]; Apache's mod_log_config; Rack::CommonLogger
 */
export function accessLog(options: AccessLogOptions = {}): Middleware {
  const { now = () => performance.now(), date = () => new Date() } = options;
  const writeLine = lineWriter(options);
  return function accessLog(app) {
    return function accessLog(environ, startResponse) {
      const { REQUEST_METHOD: method, REQUEST_URI: target, SERVER_PROTOCOL: protocol } = environ;
      const time = date();
      const begun = now();
      const sent: Sent = { code: 0, limit: Infinity, bytes: 0, flushed: false, ended: false };
      const end = (): void => {
        const duration = now() - begun;
        const { status, bytes, cut } = outcome(method, sent);
        writeLine({ environ, time, method, target, protocol, status, bytes, cut, duration });
      };
      const fail = (error: unknown): never => {
        noteFailure(sent);
        end();
        throw error;
      };
      const start: StartResponse = (status, headers, excInfo) => {
        const write = startResponse(status, headers, excInfo);
        sent.code = statusCode(status);
        sent.limit = Number(getHeader(headers, "Content-Length") ?? Infinity);
        return (chunk) => {
          // Before it is written, because a server throws at the part of it that is too long.
          count(chunk, sent);
          const taken = write(chunk);
          sent.flushed = true;
          return taken;
        };
      };
      const watch = (body: Body): Body => {
        if (!Array.isArray(body)) return onClose(mapBody(body, counter(sent)), end);
        return onClose(body, () => {
          for (const chunk of body) count(chunk, sent);
          sent.ended = true;
          end();
        });
      };
      try {
        return when(when(app(environ, start), checkBody), watch, fail);
      } catch (error) {
        return fail(error);
      }
    };
  };
}

/** Is what has been seen of a response. */
interface Sent {
  /** The status code; 0 if the response has not started, or failed before anything had left. */
  code: number;
  /** The declared Content-Length, beyond which a server sends nothing. */
  limit: number;
  /** The bytes written and yielded. */
  bytes: number;
  /** Whether `write()` has sent the head on its way, even without a byte. */
  flushed: boolean;
  /** Whether the body was read to its end. */
  ended: boolean;
}

/** Counts what a stream yields. */
function counter(sent: Sent): BodyMap {
  return {
    chunk(chunk) {
      count(chunk, sent);
      return chunk;
    },
    end() {
      sent.ended = true;
      return undefined;
    },
    failed: () => noteFailure(sent),
  };
}

function count(chunk: Chunk, sent: Sent): void {
  // Buffer counts long text a hundred times faster than core's byteLength, which needs no platform.
  if (isChunk(chunk)) sent.bytes += Buffer.byteLength(chunk);
}

function noteFailure(sent: Sent): void {
  // As long as nothing has left, a server answers with a 500 of its own.
  if (sent.bytes === 0 && !sent.flushed) sent.code = 0;
}

function outcome(
  method: string,
  { code, limit, bytes, ended }: Sent,
): Pick<AccessLogEntry, "status" | "bytes" | "cut"> {
  if (code === 0) return { status: 500, bytes: 0, cut: false };
  const empty = method === "HEAD" || isBodyless(code);
  // A server asks for no more when it has what was declared, and cuts off a body that ends before.
  const cut = !empty && bytes < limit && (!ended || limit !== Infinity);
  return { status: code, bytes: empty ? 0 : Math.min(bytes, limit), cut };
}

/** Makes the function that writes an entry, and never throws. */
function lineWriter(options: AccessLogOptions): (entry: AccessLogEntry) => void {
  checkOptions(options);
  const { destination = process.stdout, skip } = options;
  bearErrors(destination);
  const terminal = destination.isTTY === true;
  const { format = terminal ? "dev" : "combined" } = options;
  const { colour = terminal && !process.env.NO_COLOR } = options;
  const print = typeof format === "function" ? keepOnLine(format) : formats[format];
  return (entry) => {
    const report = (error: unknown): void => {
      const text = (): string => `Cannot write the access log: ${inspect(error)}\n`;
      void quietly(() => entry.environ["wsgi.errors"].write(text()));
    };
    try {
      if (!skip?.(entry)) {
        void when(destination.write(`${print(entry, colour)}\n`), () => {}, report);
      }
    } catch (error) {
      report(error);
    }
  };
}

const ignore = (): void => {};

/** Keeps a stream that fails, a pipe that nobody reads any more, from ending the process. */
function bearErrors(stream: unknown): void {
  if (stream instanceof EventEmitter && !stream.listeners("error").includes(ignore)) {
    stream.on("error", ignore);
  }
}

function checkOptions(options: AccessLogOptions): void {
  const { format, destination } = options;
  if (format !== undefined && typeof format !== "function" && !Object.hasOwn(formats, format)) {
    throw badOption("format", format, '"common", "combined", "dev", "json" or a function');
  }
  if (destination !== undefined && typeof destination?.write !== "function") {
    throw badOption("destination", destination, "an object with write(line)");
  }
  const types = { colour: "boolean", skip: "function", now: "function", date: "function" } as const;
  for (const name of Object.keys(types) as (keyof typeof types)[]) {
    const value = options[name];
    if (value !== undefined && typeof value !== types[name]) {
      throw badOption(name, value, `a ${types[name]}`);
    }
  }
}

function badOption(name: string, value: unknown, wanted: string): TypeError {
  return new TypeError(`Cannot make an access log: ${name} is ${show(value)}; wanted ${wanted}`);
}
