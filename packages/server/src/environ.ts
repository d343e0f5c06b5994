import cluster from "node:cluster";
import type { IncomingMessage } from "node:http";
import {
  decodePath,
  emptyInput,
  environKey,
  FileWrapper,
  signalKey,
  type Environ,
  type FileHandleLike,
  type FileLike,
} from "@wsgi/core";
import type { Connection } from "./connection.ts";
import { HeaderShapes } from "./header-shapes.ts";
import { checkHost, checkTransferEncoding, readTarget, RefusedRequest } from "./request.ts";
import { drainingKey, type EnvironDefaults, type ServerEnviron } from "./server-environ.ts";

const version: readonly [1, 0] = [1, 0];

/**
 * Makes the environ of a request, for the time being without its body.
 *
 * @throws RefusedRequest if the request must not reach the application
 */
export function createEnviron(
  req: IncomingMessage,
  connection: Connection,
  defaults: EnvironDefaults,
): ServerEnviron {
  const { authority, path, query } = readTarget(req);
  const base = baseOf(connection, defaults);
  base.REQUEST_METHOD = req.method!;
  base.PATH_INFO = decodePath(path);
  base.QUERY_STRING = query;
  base.SERVER_PROTOCOL = req.httpVersion === "1.1" ? "HTTP/1.1" : "HTTP/1.0";
  base.REQUEST_URI = req.url!;
  const environ = shapes.add(base, req.rawHeaders) as ServerEnviron;
  if (connection.encrypted) environ.HTTPS = "on";
  if (defaults.draining) environ[drainingKey] = true;
  if (environ.HTTP_HOST !== undefined) checkHost(environ.HTTP_HOST);
  else if (req.httpVersion === "1.1") throw new RefusedRequest(400, "Host is missing");
  if (environ.HTTP_TRANSFER_ENCODING !== undefined) {
    checkTransferEncoding(environ.HTTP_TRANSFER_ENCODING, req.httpVersion);
  }
  if (authority !== undefined) {
    checkHost(authority);
    environ.HTTP_HOST = authority;
  }
  return environ;
}

/** Finds what the environs of a connection have in common, or makes it. It is copied for each request. */
function baseOf(connection: Connection, defaults: EnvironDefaults): ServerEnviron {
  if (connection.base?.defaults !== defaults) {
    const environ: ServerEnviron = {
      REQUEST_METHOD: "",
      SCRIPT_NAME: "",
      PATH_INFO: "",
      QUERY_STRING: "",
      SERVER_NAME: connection.serverName,
      SERVER_PORT: connection.serverPort,
      SERVER_PROTOCOL: "",
      REQUEST_URI: "",
      REMOTE_ADDR: connection.remoteAddr,
      REMOTE_PORT: connection.remotePort,
      "wsgi.version": version,
      "wsgi.url_scheme": connection.encrypted ? "https" : "http",
      "wsgi.input": emptyInput,
      "wsgi.errors": defaults.errors,
      "wsgi.multithread": false,
      "wsgi.multiprocess": cluster.isWorker,
      "wsgi.run_once": false,
      "wsgi.input_terminated": true,
      "wsgi.file_wrapper": wrapFile,
      [signalKey]: defaults.signal,
    };
    connection.base = { defaults, environ };
  }
  return connection.base!.environ;
}

function wrapFile(file: FileLike | FileHandleLike, blockSize?: number): FileWrapper {
  return new FileWrapper(file, blockSize);
}

/** Fields that mean one thing only, so that a second one is an attempt at something. */
const singular: ReadonlySet<string> = new Set([
  "CONTENT_LENGTH",
  "CONTENT_TYPE",
  "HTTP_AUTHORIZATION",
  "HTTP_HOST",
]);

function addHeaders(base: Environ, rawHeaders: readonly string[]): Environ {
  const environ = { ...base };
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const key = knownKey(rawHeaders[i]!);
    if (key === "") continue;
    const value = rawHeaders[i + 1]!;
    const before = environ[key];
    if (before === undefined) environ[key] = value;
    else if (singular.has(key)) throw new RefusedRequest(400, `${rawHeaders[i]} is given twice`);
    else environ[key] = `${before as string}${key === "HTTP_COOKIE" ? "; " : ", "}${value}`;
  }
  return environ;
}

// Clients use a hundred names or so; the bound is for those that make them up.
const keys = new Map<string, string>();
const keysLimit = 1_024;

/** Names the key of a header field; "" for a name with "_", which could pass for one with "-". */
function knownKey(name: string): string {
  let key = keys.get(name);
  if (key === undefined) {
    key = name.includes("_") ? "" : environKey(name);
    if (keys.size < keysLimit) keys.set(name, key);
  }
  return key;
}

const shapes = new HeaderShapes(knownKey, addHeaders);
