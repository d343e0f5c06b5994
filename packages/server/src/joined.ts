import { checkChunk, type Chunk } from "@wsgi/core";

/** Is the chunks of an array together. */
export interface Joined {
  /** Their text; undefined if they are not all text, or are not the same when they are joined. */
  readonly text: string | undefined;
  /** How many bytes they have. */
  readonly length: number;
}

/**
 * Checks the chunks of an array, and joins them if they are text.
 *
 * @throws WsgiError [body-chunk]
 */
export function join(chunks: readonly Chunk[]): Joined {
  let text = "";
  let isText = true;
  for (const chunk of chunks) {
    if (typeof checkChunk(chunk) === "string") text += chunk as string;
    else isText = false;
  }
  if (isText) {
    const length = Buffer.byteLength(text);
    if (chunks.length === 1 || length === text.length) return { text, length };
  }
  let length = 0;
  for (const chunk of chunks) length += Buffer.byteLength(chunk);
  // Halves of a surrogate pair in two chunks have become one character, which has fewer bytes.
  return { text: isText && length === Buffer.byteLength(text) ? text : undefined, length };
}

/** Gives bytes as they are, and text as UTF-8. */
export function toBuffer(chunk: Chunk): Uint8Array {
  return typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}

/** The most bytes of a body that are copied, rather than sent from where they are. */
const copyLimit = 16_384;

/**
 * Writes a body with one character for each byte.
 *
 * @returns undefined for one that is too long to be worth it
 */
export function toLatin1(chunks: readonly Chunk[], { text, length }: Joined): string | undefined {
  if (text?.length === length) return text;
  if (length > copyLimit) return undefined;
  const bytes = text === undefined ? Buffer.concat(chunks.map(toBuffer)) : Buffer.from(text);
  return bytes.toString("latin1");
}
