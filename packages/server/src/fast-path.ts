import { EventEmitter } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { ResponseHead } from "@wsgi/core";

/** Is what node:http keeps to itself, as far as it is used or looked at here, and nowhere else. */
interface Response extends ServerResponse {
  /** The head as text; node sends it before the first that it sends of a body. */
  _header: string | null;
  readonly _storeHeader: unknown;
  readonly _defaultKeepAlive: boolean;
  readonly _removedConnection: boolean;
  /** What the client is told, in milliseconds; 0 if it is told nothing. */
  _keepAliveTimeout: number;
  readonly _maxRequestsPerSocket: number | null;
  readonly _expect_continue: boolean;
  readonly maxRequestsOnConnectionReached: boolean;
}

/** Methods whose work is done here, or that somebody replaces who wants to see a response. */
const { writeHead, write, end, _storeHeader } = ServerResponse.prototype as Response;

/** What is in node's own code of each, and not in the code of what was put around it. */
const own: readonly (readonly [method: unknown, code: string])[] = [
  [writeHead, "this._storeHeader("],
  [write, "write_("],
  [end, "this._finish("],
  [_storeHeader, "processHeader("],
];

/** Fields by which node does something that is not done here. */
const special = /^(?:date|expect|trailer)$/i;

/**
 * Sends a response that is there as a whole. Node's own way is to check head and fields once more, to write
 * the head as text, and to send it, the body, and the end of the body. Here the text, with the body behind
 * it, is put where node keeps a head, and node sends all of it with the end of a response without a body.
 * That is done only where it gives the same bytes.
 *
 * @param res - the response
 * @param head - the status line, its code, and the declared length of the body, or -1
 * @param fields - the header fields, names and values in turn
 * @param body - the body, one character for each byte
 * @returns whether it was sent; if not, nothing has happened to it
 */
export function sendAtOnce(
  res: ServerResponse,
  { status, code, contentLength }: Pick<ResponseHead, "status" | "code" | "contentLength">,
  fields: readonly string[],
  body: string,
): boolean {
  const response = res as Response;
  if (!isOrdinary(response)) return false;
  let head = `HTTP/1.1 ${status}\r\n`;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    if (name.length < 8 && special.test(name)) return false;
    head += `${name}: ${fields[i + 1]}\r\n`;
  }
  if (contentLength === -1) head += `Content-Length: ${body.length}\r\n`;
  head += `${dateAndConnection()}${keepAlive(response)}\r\n`;
  response.statusCode = code;
  response.statusMessage = status.slice(4);
  response._header = head + body;
  response.end();
  // Whoever looks at it later is not to find, nor to keep, the body.
  response._header = head;
  return true;
}

/** Tells whether node would do with a response what is done here, and nobody else does anything with it. */
function isOrdinary(res: Response): boolean {
  return (
    res._header === null &&
    res.sendDate &&
    res.shouldKeepAlive &&
    res.useChunkedEncodingByDefault &&
    !res.maxRequestsOnConnectionReached &&
    !res._removedConnection &&
    res._defaultKeepAlive &&
    !res._expect_continue &&
    !res.strictContentLength &&
    res.writeHead === writeHead &&
    res.write === write &&
    res.end === end &&
    res._storeHeader === _storeHeader &&
    res.getHeaderNames().length === 0
  );
}

let dated = "";

/** Writes two fields; the date is that of the second, as node has it. */
function dateAndConnection(): string {
  if (dated === "") {
    const now = new Date();
    dated = `Date: ${now.toUTCString()}\r\nConnection: keep-alive\r\n`;
    setTimeout(() => void (dated = ""), 1_000 - now.getMilliseconds()).unref();
  }
  return dated;
}

function keepAlive({ _keepAliveTimeout: timeout, _maxRequestsPerSocket: max }: Response): string {
  if (!timeout) return "";
  const most = max !== null && max > 0 ? `, max=${max}` : "";
  return `Keep-Alive: timeout=${Math.floor(timeout / 1_000)}${most}\r\n`;
}

/** Has node tell the client how long its connection is kept, in milliseconds, where node does not know it. */
export function tellKeepAlive(res: ServerResponse, timeout: number): void {
  if ((res as Response)._keepAliveTimeout === 0) (res as Response)._keepAliveTimeout = timeout;
}

let works: boolean | undefined;

/** Tells whether this node sends the same bytes in both ways, and tells of the end in the same way. */
export function hasFastPath(): boolean {
  return (works ??= isProven());
}

function isProven(): boolean {
  const type = ["Content-Type", "text/plain"];
  const head = { status: "200 Fine", code: 200, contentLength: -1 };
  try {
    if (own.some(([method, code]) => !String(method).includes(code))) return false;
    const plain = rehearse((res) =>
      res.writeHead(200, "Fine", [...type, "Content-Length", "2"]).end("ok"),
    );
    const fast = rehearse((res) => sendAtOnce(res, head, type, "ok"));
    return fast === plain && fast.endsWith("\r\n\r\nok, 1 finish, ended, 200 Fine");
  } catch {
    return false;
  }
}

/** Writes down what becomes of a response. */
function rehearse(answer: (res: ServerResponse) => void): string {
  let written = "";
  const write = (data: string, _encoding: string, done?: () => void): boolean => {
    written += data;
    done?.();
    return true;
  };
  const nothing = (): void => {};
  const socket = { writable: true, writableLength: 0, _writableState: {}, cork: nothing };
  const request = Object.assign(new IncomingMessage(new Socket()), {
    httpVersionMajor: 1,
    httpVersionMinor: 1,
  });
  const res = Object.assign(new ServerResponse(request), { _keepAliveTimeout: 5_000 });
  res.assignSocket(
    Object.assign(new EventEmitter(), socket, { write, uncork: nothing }) as unknown as Socket,
  );
  let finishes = 0;
  res.on("finish", () => void (finishes += 1));
  answer(res);
  const date = /Date: [^\r]*/;
  const state = `${res.writableEnded && res.writableFinished ? "ended" : "open"}, ${res.statusCode} ${res.statusMessage}`;
  return `${written.replace(date, "Date: now")}, ${finishes} finish, ${state}`;
}
