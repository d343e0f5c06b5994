import {
  byteLength,
  isChunk,
  nameOf,
  show,
  typeName,
  type Body,
  type Chunk,
  type Header,
  type HeaderList,
} from "@wsgi/core";
import type { ArrayRecord, ChunkRecord, Json } from "./recording.ts";
import type { Secrets } from "./secrets.ts";

/** Values that are longer are cut. */
const longest = 500;
/** Objects that have more members are cut. */
const most = 30;
const deepest = 3;
/** So many members are told of one value, with all that is in it. */
const mostWithin = 100;
/** Of a longer list of header fields, no more are told. */
const mostFields = 200;
/** The sizes of so many chunks of an array are told. */
const mostSizes = 100;

/**
 * Writes a value of environ as JSON: short, without secrets, and without calling anything of its own.
 *
 * @param name - the key that it has, which may say that it is secret
 * @param value - anything
 * @param secrets - what hides secrets
 * @returns the value, or what can be told of it
 */
export function summarise(name: string, value: unknown, secrets: Secrets): Json {
  return attempt(() => streams[name] ?? new Summary(secrets).of(name, value, 0), unreadable);
}

const unreadable = "(a value that cannot be looked at)";

/**
 * Looks at something that may be anything: what that throws is not for the application to meet.
 *
 * @param look - looks
 * @param otherwise - what stands for what cannot be looked at
 * @returns what was seen
 */
export function attempt<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}

/**
 * Writes what should be a text as one, without calling anything of its own.
 *
 * @param value - a text, or whatever else there is
 * @returns the text, or what can be told of the value
 */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : attempt(() => `(${show(value)})`, unreadable);
}

/** What everybody has, and nobody needs to look into. */
const streams: Readonly<Record<string, string>> = {
  "wsgi.input": "(the body of the request)",
  "wsgi.errors": "(a stream for the server's operator)",
};

/** Is a summary of one value, which grows with what is in that only so far. */
class Summary {
  readonly #secrets: Secrets;
  #left = mostWithin;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  of(name: string, value: unknown, depth: number): Json {
    if (typeof value === "string") {
      return shorten(value, longest, this.#secrets, (text) => this.#secrets.variable(name, text));
    }
    if (this.#secrets.isSecret(name)) return "(hidden)";
    if (typeof value === "boolean" || value === null) return value;
    if (typeof value === "number" && Number.isFinite(value)) return value === 0 ? 0 : value;
    if (typeof value === "function") return `(the function ${nameOf(value)})`;
    if (typeof value !== "object") return `(${String(value)})`;
    if (Array.isArray(value) && depth < deepest) {
      return this.#membersOf(value).map(([, member]) => this.of(name, member, depth + 1));
    }
    if (!isPlainObject(value) || depth === deepest) return `(${typeName(value)})`;
    // Not by assignment, which a member named __proto__ would not survive.
    return Object.fromEntries(
      this.#membersOf(value)
        .filter(([, member]) => member !== undefined)
        .map(([key, member]) => [
          shorten(key, longest, this.#secrets),
          this.of(key, member, depth + 1),
        ]),
    );
  }

  /** Lists the members of an object, but for those that would have to be computed. */
  #membersOf(object: object): [key: string, value: unknown][] {
    const keys = Object.keys(object).slice(0, Math.min(most, this.#left));
    this.#left -= keys.length;
    return keys.map((key) => {
      const { value, get } = Object.getOwnPropertyDescriptor(object, key)!;
      return [key, get === undefined ? value : get];
    });
  }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // A prototype with nothing in it stands for none: engines know such objects better.
  return prototype === null || prototype === Object.prototype || isEmpty(prototype as object);
}

function isEmpty(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Reflect.ownKeys(prototype).length === 0;
}

/**
 * Writes down the header fields of a response.
 *
 * @param headers - the list; what is none has no fields
 * @param secrets - what hides secrets
 * @returns the same fields, without what is secret, and cut
 */
export function summariseHeaders(headers: HeaderList, secrets: Secrets): HeaderList {
  if (!Array.isArray(headers)) return [];
  const fields = (headers as HeaderList).slice(0, mostFields).filter(Array.isArray);
  const told = fields.map(([name, value]): Header => {
    const field = cut(textOf(name), longest);
    return [field, shorten(textOf(value), longest, secrets, (text) => secrets.field(field, text))];
  });
  const more = headers.length - mostFields;
  return more > 0 ? [...told, ["…", `${more} more fields`]] : told;
}

/**
 * Cuts a text that is too long, between two characters.
 *
 * @param text - the text
 * @param length - how long it may be
 * @returns the text, or its beginning with "…"
 */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length).replace(/[\ud800-\udbff]$/, "")}…`;
}

/**
 * Hides what is secret in a text, and cuts it. What is far behind the cut is not looked at.
 *
 * @param text - the text
 * @param length - how long it may be
 * @param secrets - what hides secrets
 * @param hide - hides them
 * @returns the text, or its beginning with "…"
 */
export function shorten(
  text: string,
  length: number,
  secrets: Secrets,
  hide = (seen: string): string => secrets.text(seen),
): string {
  // A secret may begin before the cut and end after it.
  const window = length + secrets.reach;
  return ending(cut(hide(text.slice(0, window)), length), text.length <= window);
}

/** Lets it be seen that a text goes on. */
function ending(text: string, isWhole: boolean): string {
  return isWhole || text.endsWith("…") ? text : `${text}…`;
}

/**
 * Tells the size of a chunk and how it begins.
 *
 * @param chunk - the chunk; what is none has no size
 * @param length - how many characters of it are shown
 * @param secrets - what hides secrets
 * @returns both
 */
export function summariseChunk(chunk: unknown, length: number, secrets: Secrets): ChunkRecord {
  const look = (): ChunkRecord =>
    isChunk(chunk)
      ? { size: byteLength(chunk), text: beginning(chunk, length, secrets) }
      : { size: 0, text: `(${typeName(chunk)})` };
  return attempt(look, { size: 0, text: unreadable });
}

/** What text does not have: control characters but for white space, and bytes that are no UTF-8. */
// oxlint-disable-next-line no-control-regex -- they are what it is about
const noText = /[\0-\x08\x0e-\x1f\x7f\ufffd]/;

function beginning(chunk: Chunk, length: number, secrets: Secrets): string | null {
  if (length === 0) return null;
  const window = length + secrets.reach;
  const isWhole = chunk.length <= window;
  const text =
    typeof chunk === "string"
      ? chunk.slice(0, window)
      : new TextDecoder().decode(chunk.subarray(0, window));
  // The last character may have been cut in the middle.
  const known = isWhole ? text : text.replace(/\ufffd{1,3}$/, "");
  return noText.test(known) ? null : ending(cut(secrets.text(known), length), isWhole);
}

/**
 * Tells what an array has in it.
 *
 * @param body - the array
 * @param length - how many characters of it are shown
 * @param secrets - what hides secrets
 * @returns its sizes and how it begins
 */
export function summariseArray(
  body: readonly unknown[],
  length: number,
  secrets: Secrets,
): ArrayRecord {
  const sizeOf = (chunk: unknown): number => (isChunk(chunk) ? byteLength(chunk) : 0);
  const sizes = body.map((chunk) => attempt(() => sizeOf(chunk), 0));
  return {
    kind: "array",
    chunks: body.length,
    size: sizes.reduce((all, size) => all + size, 0),
    sizes: sizes.slice(0, mostSizes),
    text: summariseChunk(body.length === 0 ? "" : body[0], length, secrets).text,
    isClosable: isClosable(body as object as Body),
  };
}

/**
 * Tells whether a body has something to be closed with.
 *
 * @param body - the body
 * @returns true if it has `close()` or a disposer, but for the one that newer engines give all iterators
 */
export function isClosable(body: Body): boolean {
  if (typeof body.close === "function") return true;
  return !("next" in body) && (Symbol.asyncDispose in body || Symbol.dispose in body);
}
