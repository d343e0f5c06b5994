import { IncomingMessage, type IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { emptyInput, pieces, type Environ, type InputStream } from "@wsgi/core";
import { escapedPath } from "../target.ts";
import type { HandlerSocket } from "./socket.ts";

/** Is a request as handlers have it: with what Express and Connect leave on it under a mount. */
export interface HostedRequest extends IncomingMessage {
  /** The target as the client sent it. */
  originalUrl: string;
  /** The part of its path that led here. */
  baseUrl: string;
}

/** Is what node keeps to itself, and sets when a body is read for the first time. */
interface Internals {
  _readableState: { readingMore: boolean };
  _consuming: boolean;
}

/** Makes the request of an environ: a message of node's own, whose body comes from `wsgi.input`. */
export function createRequest(environ: Environ, socket: HandlerSocket): HostedRequest {
  // Not a socket of node:net, but all that a message and its handlers ask of one.
  const req = new IncomingMessage(socket as unknown as Socket) as HostedRequest;
  const { base, rest } = escapedPath(environ);
  const query = environ.QUERY_STRING === "" ? "" : `?${environ.QUERY_STRING}`;
  req.method = environ.REQUEST_METHOD;
  req.url = (rest || "/") + query;
  req.originalUrl = (base + rest || "/") + query;
  req.baseUrl = base;
  const isOld = environ.SERVER_PROTOCOL === "HTTP/1.0";
  req.httpVersion = isOld ? "1.0" : "1.1";
  req.httpVersionMajor = 1;
  req.httpVersionMinor = isOld ? 0 : 1;
  const hasBody = addFields(req, environ);
  if (hasBody) {
    readFrom(req, environ["wsgi.input"]);
  } else {
    // At once, because to destroy a request that is not complete is to abort it.
    req.complete = true;
    req.push(null);
  }
  return req;
}

/** Gives a request its header fields; tells whether they announce a body. */
function addFields(req: IncomingMessage, environ: Environ): boolean {
  const headers: IncomingHttpHeaders = {};
  const rawHeaders: string[] = [];
  const add = (name: FieldName, value: string): void => {
    headers[name.lower] = value;
    rawHeaders.push(name.raw, value);
  };
  const { CONTENT_LENGTH } = environ;
  const hasLength = CONTENT_LENGTH !== undefined;
  for (const key in environ) {
    const name = fieldName(key);
    const value = environ[key];
    if (name === undefined || typeof value !== "string") continue;
    // A handler that forwards both would let the next server choose, RFC 9112 section 6.3.
    if (hasLength && name.lower === "transfer-encoding") continue;
    add(name, value);
  }
  req.headers = headers;
  req.rawHeaders = rawHeaders;
  if (hasLength) return Number(CONTENT_LENGTH) !== 0;
  if (environ["wsgi.input"] === emptyInput || !environ["wsgi.input_terminated"]) return false;
  // Body parsers look for this field where there is no length, and a host may have no such field.
  if (headers["transfer-encoding"] === undefined && !isBodiless.has(environ.REQUEST_METHOD)) {
    add(fieldName("HTTP_TRANSFER_ENCODING")!, "chunked");
  }
  return true;
}

/** The methods whose requests have no body, unless they say so. */
const isBodiless: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

/** Is the name of a field, as `headers` and as `rawHeaders` has it. */
interface FieldName {
  readonly lower: string;
  readonly raw: string;
}

// Clients use a hundred names or so; the bound is for those that make them up.
const fieldNames = new Map<string, FieldName | undefined>();
const fieldNamesLimit = 1_024;

/** Names the field of an environ key, if it has one. */
function fieldName(key: string): FieldName | undefined {
  let name = fieldNames.get(key);
  if (name === undefined && !fieldNames.has(key)) {
    name = makeFieldName(key);
    if (fieldNames.size < fieldNamesLimit) fieldNames.set(key, name);
  }
  return name;
}

function makeFieldName(key: string): FieldName | undefined {
  const isContent = key === "CONTENT_TYPE" || key === "CONTENT_LENGTH";
  if (!isContent && !key.startsWith("HTTP_")) return undefined;
  const lower = (isContent ? key : key.slice("HTTP_".length)).toLowerCase().replaceAll("_", "-");
  return { lower, raw: lower.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase()) };
}

/** Lets whoever reads a request read its environ's body, as it arrives. */
function readFrom(req: IncomingMessage, input: InputStream): void {
  const body = pieces(input)[Symbol.asyncIterator]();
  const take = (step: IteratorResult<Uint8Array>): void => {
    if (step.done === true) req.complete = true;
    req.push(step.done === true ? null : step.value);
  };
  const fail = (error: Error): void => void req.destroy(error);
  // An own property, because frameworks replace the prototype.
  req._read = function read(this: IncomingMessage & Internals): void {
    if (!this._consuming) {
      // Node's parser says so when the first bytes come; else reading would stop after them.
      this._readableState.readingMore = false;
      this._consuming = true;
    }
    body.next().then(take).catch(fail);
  };
}
