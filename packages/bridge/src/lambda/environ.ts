import { createInput, emptyInput, environKey, type Environ } from "@wsgi/core";
import { pathInside, type Host } from "../options.ts";
import type { LambdaRequest } from "./event.ts";

/** Is the key of the event, as Lambda gave it. */
export const eventKey = "wsgix.lambda_event";

/** Is the key of the context, as Lambda gave it. */
export const contextKey = "wsgix.lambda_context";

/** Is what every request that comes as an event has besides the contract's own keys. */
export interface LambdaEnviron extends Environ {
  /** The event. */
  [eventKey]: unknown;
  /** What Lambda tells of the invocation: the request id, the time that is left. */
  [contextKey]: unknown;
}

const version: readonly [1, 0] = [1, 0];

/**
 * Makes the environ of a request.
 *
 * @returns the environ; undefined if the path is not inside the mount
 */
export function createEnviron(
  request: LambdaRequest,
  host: Host,
  event: unknown,
  context: unknown,
): LambdaEnviron | undefined {
  const pathInfo = pathInside(host.scriptName, request.path || "/");
  if (pathInfo === undefined) return undefined;
  const left = request.body.byteLength === 0 ? [] : [request.body];
  const environ: LambdaEnviron = {
    REQUEST_METHOD: request.method,
    SCRIPT_NAME: host.scriptName,
    PATH_INFO: pathInfo,
    QUERY_STRING: request.query,
    SERVER_NAME: request.serverName ?? "localhost",
    SERVER_PORT: "443",
    SERVER_PROTOCOL: request.protocol,
    REQUEST_URI: targetOf(request),
    REMOTE_ADDR: request.remoteAddr ?? "",
    "wsgi.version": version,
    "wsgi.url_scheme": "https",
    "wsgi.input": left.length === 0 ? emptyInput : createInput(() => left.shift() ?? null),
    "wsgi.errors": host.errors,
    "wsgi.multithread": false,
    "wsgi.multiprocess": true,
    "wsgi.run_once": false,
    "wsgi.input_terminated": true,
    [eventKey]: event,
    [contextKey]: context,
  };
  addHeaders(environ, request);
  const { HTTP_HOST, HTTP_X_FORWARDED_PORT, HTTP_X_FORWARDED_PROTO } = environ;
  if (request.serverName === undefined && HTTP_HOST) {
    environ.SERVER_NAME = HTTP_HOST.replace(/:\d*$/, "") || "localhost";
  }
  // Only Lambda's own front ends can send an event, and they set these fields themselves.
  if (HTTP_X_FORWARDED_PROTO === "http") environ["wsgi.url_scheme"] = "http";
  else environ.HTTPS = "on";
  environ.SERVER_PORT = HTTP_X_FORWARDED_PORT || (environ.HTTPS === "on" ? "443" : "80");
  return environ;
}

/** Tells what the client asked for. */
export function targetOf({ path, query }: LambdaRequest): string {
  return query === "" ? path || "/" : `${path || "/"}?${query}`;
}

function addHeaders(environ: Environ, { fields, body }: LambdaRequest): void {
  for (const [name, value] of fields) {
    // A name with "_" could pass for one with "-".
    if (name.includes("_")) continue;
    const key = environKey(name);
    const before = environ[key];
    const separator = key === "HTTP_COOKIE" ? "; " : ", ";
    environ[key] = before === undefined ? value : `${before as string}${separator}${value}`;
  }
  // A body in base64 has another length in the event than it had on its way, and one may be left out.
  if (body.byteLength > 0 || environ.CONTENT_LENGTH !== undefined) {
    environ.CONTENT_LENGTH = String(body.byteLength);
  }
}
