import { WsgiError } from "./errors.ts";
import { typeName } from "./show.ts";
import type { Chunk } from "./types.ts";

/**
 * Tells whether a value may be yielded by a body.
 *
 * @param value - anything
 * @returns true for a string and for a Uint8Array (a Buffer is one)
 * @example
 * ```ts
 * import { isChunk } from "@wsgi/core";
 *
 * isChunk(new Uint8Array(2)); // true
 * isChunk(42); // false
 * ```
 * @see SPEC.md [body-chunk]
 */
export function isChunk(value: unknown): value is Chunk {
  return typeof value === "string" || value instanceof Uint8Array;
}

/**
 * Makes sure that what a body yielded is a chunk.
 *
 * @param chunk - what it yielded, settled
 * @returns the same
 * @throws WsgiError [body-chunk] if it is neither a string nor a Uint8Array, or if its bytes were
 *   transferred to somebody else
 * @example
 * ```ts
 * import { checkChunk } from "@wsgi/core";
 *
 * checkChunk("Hello"); // "Hello"
 * ```
 * @see SPEC.md [body-chunk]
 */
export function checkChunk(chunk: unknown): Chunk {
  if (!isChunk(chunk)) {
    throw new WsgiError(
      "application",
      "body-chunk",
      `Cannot send a chunk: it is ${typeName(chunk)}; wanted a string or a Uint8Array`,
    );
  }
  if (chunk.length === 0 && chunk !== "") checkBuffer((chunk as Uint8Array).buffer);
  return chunk;
}

/** Makes sure that bytes are still there: those of a buffer that was transferred look empty. */
function checkBuffer(buffer: ArrayBufferLike): void {
  try {
    // Of a buffer that is detached no view can be made; `detached` says so from Node 22 on only.
    void new Uint8Array(buffer, 0, 0);
  } catch {
    throw new WsgiError(
      "application",
      "body-chunk",
      "Cannot send a chunk: its buffer was transferred; wanted bytes that stay until they are sent",
    );
  }
}

const encoder = new TextEncoder();

/**
 * Turns a chunk into its bytes.
 *
 * @param chunk - text, which is encoded as UTF-8, or bytes, which are returned as they are
 * @returns the bytes
 * @example
 * ```ts
 * import { toBytes } from "@wsgi/core";
 *
 * toBytes("世").length; // 3
 * ```
 * @see SPEC.md [body-chunk]
 */
export function toBytes(chunk: Chunk): Uint8Array {
  return typeof chunk === "string" ? encoder.encode(chunk) : chunk;
}

/**
 * Counts the bytes of a chunk without encoding it.
 *
 * @param chunk - text or bytes
 * @returns the number of bytes that a server sends for it
 * @example
 * ```ts
 * import { byteLength } from "@wsgi/core";
 *
 * byteLength("世界"); // 6
 * ```
 * @see SPEC.md [body-chunk]
 */
export function byteLength(chunk: Chunk): number {
  if (typeof chunk !== "string") return chunk.byteLength;
  let bytes = chunk.length;
  for (let i = 0; i < chunk.length; i++) {
    const unit = chunk.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A surrogate pair is four bytes: two for each of its halves. A lone half becomes U+FFFD, three.
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = chunk.charCodeAt(i + 1);
      if (next >= 0xdc00 && next < 0xe000) i++;
    }
  }
  return bytes;
}

/**
 * Puts chunks together to one.
 *
 * @param chunks - byte pieces
 * @returns their bytes; the piece itself if there is only one
 * @example
 * ```ts
 * import { joinBytes, toBytes } from "@wsgi/core";
 *
 * joinBytes([toBytes("Hello, "), toBytes("world!")]).length; // 13
 * ```
 * @see SPEC.md [body-chunk]
 */
export function joinBytes(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  let length = 0;
  for (const chunk of chunks) length += chunk.byteLength;
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}
