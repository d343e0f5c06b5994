import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import { decodePath, show, type Application } from "@wsgi/core";
import { nodeListener, type ListenerOptions, type ServerEnviron } from "@wsgi/server";
import { asHttp1, isHttp2, type NodeRequest, type NodeResponse } from "./http2.ts";
import { setFields } from "./set-fields.ts";
import { rawPath } from "../target.ts";

/** Says what a mounted application gets besides its requests. */
export type ToNodeOptions = ListenerOptions;

/**
 * Makes a handler for node's requests of an application: for `express().use("/api", toNode(app))`, for
 * Connect, and for a server of node:http or node:http2.
 *
 * SCRIPT_NAME is the path that the router around has taken off. Header fields that were set on the
 * response before stay, unless the application gives them too; cookies are added up. The response is
 * written with `writeHead`, `write` and `end`, so that what others have put in their place works. The handler
 * always answers, errors with 500, and calls no `next`. Parsers of bodies belong behind it: what they have
 * read is not there any more, but `environ: (req) => ({ "my.body": req.body })` hands it on.
 *
 * @param app - the application
 * @param options - as for `nodeListener`
 * @returns the handler
 * @throws TypeError if the application is no function or an option is not what it should be
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { toNode } from "@wsgi/bridge/node";
 *
 * const server = createServer(toNode((environ, startResponse) => {
 *   startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *   return [`Hello from ${environ.SCRIPT_NAME}`];
 * }));
 * ```
 * @see SPEC.md [environ-split]
 */
export function toNode(
  app: Application<ServerEnviron>,
  options: ToNodeOptions = {},
): (req: NodeRequest, res: NodeResponse) => void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot mount: the options are ${show(options)}; wanted an object`);
  }
  const { environ } = options;
  if (environ !== undefined && typeof environ !== "function" && typeof environ !== "object") {
    throw new TypeError(`Cannot mount: environ is ${show(environ)}; wanted keys or a function`);
  }
  const listener = nodeListener(app, {
    ...options,
    environ: (req) => ({
      ...placeOf(req),
      ...(isHttp2(req) && { SERVER_PROTOCOL: "HTTP/2.0" }),
      ...(typeof environ === "function" ? environ(req) : environ),
    }),
  });
  return function toNode(req, res) {
    if (isHttp2(req)) asHttp1(req, res as Http2ServerResponse);
    takeFields(res as ServerResponse);
    listener(req as IncomingMessage, res as ServerResponse);
  };
}

/** Is a request with what routers leave on it. */
interface RoutedRequest extends IncomingMessage {
  readonly originalUrl?: string;
}

/** Tells SCRIPT_NAME from PATH_INFO where a router has taken the former off. */
function placeOf({ url = "", originalUrl = url }: RoutedRequest): object {
  const rest = rawPath(url);
  const whole = rawPath(originalUrl);
  if (originalUrl === url || rest === undefined || whole === undefined) return {};
  const place = { REQUEST_URI: originalUrl };
  if (whole.endsWith(rest)) {
    return { ...place, SCRIPT_NAME: decodePath(whole.slice(0, -rest.length)) };
  }
  // "/api" is the root of what is mounted there, and routers make a slash of it.
  if (rest === "/") return { ...place, SCRIPT_NAME: decodePath(whole), PATH_INFO: "" };
  // Somebody has rewritten the path, so that nothing led here.
  return place;
}

/** Makes a response take the fields that it is given for its head one by one. */
function takeFields(res: ServerResponse): void {
  const { writeHead } = res;
  // Called by who answers here, always with a list or an object of fields.
  res.writeHead = (code: number, ...rest: unknown[]): ServerResponse => {
    const reason = rest.filter((part) => typeof part === "string");
    const given = rest[reason.length] ?? [];
    const fields = Array.isArray(given) ? (given as string[]) : Object.entries(given).flat();
    setFields(res, fields);
    return Reflect.apply(writeHead, res, [code, ...reason]) as ServerResponse;
  };
}
