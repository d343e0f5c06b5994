import type { Body, Chunk } from "@wsgi/core";

/** Makes a body with the same chunks and a `close()`, called as often as it is; an array stays one. */
export function closing(body: Iterable<Chunk> | AsyncIterable<Chunk>, close: () => void): Body {
  if (Array.isArray(body)) return Object.assign([...(body as Chunk[])], { close });
  return Symbol.iterator in body
    ? { [Symbol.iterator]: () => body[Symbol.iterator](), close }
    : { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](), close };
}
