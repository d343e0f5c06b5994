import type { IncomingMessage, ServerResponse } from "node:http";
import { isThenable, saysGone } from "@wsgi/core";
import type { RequestLimits } from "./limits.ts";
import { describeError } from "./report.ts";
import { tooLarge } from "./request.ts";
import type { Exchange, ExchangeOwner } from "./respond.ts";

/** Answers requests of node's own, without an environ. */
export type NodeHandler = (req: IncomingMessage, res: ServerResponse) => unknown;

/**
 * Has a request answered by what an application hosts, with node's own objects in the place of environ and
 * `startResponse`. What is a server's to see to stays so: order, limits and the end of the connection.
 *
 * @see SPEC.md [ext-node-handler]
 */
export function answerDirectly(
  handler: NodeHandler,
  exchange: Exchange,
  owner: ExchangeOwner,
  limits: RequestLimits,
): void {
  const { req, res, request, connection, isLast } = exchange;
  connection.exchange = {
    abort: undefined,
    failRequest: (reason) => void req.destroy(reason),
  };
  if (isLast || owner.closing) res.shouldKeepAlive = false;
  if (request !== undefined) limitBody(req, limits);
  res.once("prefinish", () => {
    if (!res.shouldKeepAlive) connection.end();
    // Before node, when the response has left, throws away what was not read, however much it is.
    request?.release(res);
  });
  res.once("close", () => connection.done());
  const fail = (error: unknown): void => {
    const isGone = req.socket.destroyed && saysGone(error);
    if (!isGone) owner.report(`${req.method} ${req.url}: ${describeError(error)}\n`);
    answerFailure(res);
  };
  // Writing to a response that has ended is such an error, which nobody may listen for.
  res.on("error", fail);
  try {
    const result = handler(req, res);
    if (isThenable(result)) Promise.resolve(result).then(undefined, fail);
  } catch (error) {
    fail(error);
  }
}

/** Cuts off a client whose body turns out to be larger than is taken. */
function limitBody(req: IncomingMessage, limits: RequestLimits): void {
  const { push } = req;
  let received = 0;
  // An own property, because frameworks replace the prototype.
  req.push = (chunk: Uint8Array | null, encoding): boolean => {
    received += chunk?.byteLength ?? 0;
    if (received <= limits.body) return push.call(req, chunk, encoding);
    req.destroy(tooLarge(limits));
    return false;
  };
}

/** Ends a response that failed: with a plain 500 that tells nothing, or else so that it shows. */
function answerFailure(res: ServerResponse): void {
  if (res.writableEnded) return;
  try {
    if (!res.headersSent) {
      sendFailure(res);
      return;
    }
  } catch {
    // What the handler has put in the place of a method may fail here as it did before.
  }
  res.destroy();
}

function sendFailure(res: ServerResponse): void {
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  const text = "Internal Server Error";
  res.writeHead(500, text, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": text.length,
  });
  res.end(text);
}
