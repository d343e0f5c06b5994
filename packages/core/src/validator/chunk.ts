import { byteLength, checkChunk } from "../chunk.ts";
import { getHeader } from "../headers.ts";
import type { Exchange } from "./exchange.ts";

/** Checks a chunk that was written or yielded, and counts its bytes. */
export function takeChunk(value: unknown, exchange: Exchange): void {
  const chunk = exchange.check(() => checkChunk(value));
  if (exchange.place.strict && typeof chunk === "string") {
    const message = "Cannot send a chunk: it is a string; wanted a Uint8Array, to be strict";
    exchange.blame("application", "body-chunk", message);
  }
  if (chunk.length === 0) return;
  exchange.check(() => exchange.head.demand());
  adviseBody(exchange);
  exchange.bytes += byteLength(chunk);
  const { contentLength } = exchange.head;
  if (exchange.isBodyless || contentLength === -1 || exchange.bytes <= contentLength) return;
  const found = `the body is longer than ${contentLength} bytes`;
  const wanted = "wanted no more than its Content-Length says";
  blameLength("length-exceeded", `Cannot send the whole body: ${found}; ${wanted}`, exchange);
}

/** Checks a body that has come to its end. */
export function endBody(exchange: Exchange): void {
  exchange.check(() => exchange.head.demand());
  const { contentLength } = exchange.head;
  if (exchange.isBodyless || exchange.bytes >= contentLength) return;
  const found = `the body has ${exchange.bytes} bytes`;
  const wanted = `wanted ${contentLength}, as its Content-Length says`;
  blameLength("length-short", `Cannot end the response: ${found}; ${wanted}`, exchange);
}

/** Blames a layer for a length that was right when it was given it. */
function blameLength(clause: string, message: string, exchange: Exchange): never {
  const { contentLength } = exchange.head;
  const wasRight = exchange.inner.some((inner) => inner.head.contentLength === contentLength);
  return exchange.blame("application", wasRight ? "layer-length" : clause, message);
}

/** Warns of what is odd about a body that has bytes. */
function adviseBody(exchange: Exchange): void {
  const { code, headers } = exchange.head;
  if (exchange.environ.REQUEST_METHOD === "HEAD") {
    const message = "the answer to HEAD has a body; wanted none, which servers drop";
    exchange.warn("application", "length-head", message);
  } else if (exchange.isBodyless) {
    const message = `a ${code} has a body; wanted none, which servers drop`;
    exchange.warn("application", "length-bodyless", message);
  } else if (getHeader(headers, "Content-Type") === undefined) {
    const message = "a body has no Content-Type; wanted one that says how it is read";
    exchange.warn("application", "body-format", message);
  }
}
