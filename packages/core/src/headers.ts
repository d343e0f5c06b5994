import { WsgiError } from "./errors.ts";
import { show } from "./show.ts";
import type { Header, HeaderList } from "./types.ts";

const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailers",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Tells whether a header field concerns one connection only, and so belongs to the server.
 *
 * @param name - the field's name, in any case
 * @returns true for the eight names of wsgiref, and for Proxy-Connection
 * @example
 * ```ts
 * import { isHopByHop } from "@wsgi/core";
 *
 * isHopByHop("Transfer-Encoding"); // true
 * ```
 * @see RFC 2616, section 13.5.1; wsgiref.util.is_hop_by_hop
 */
export function isHopByHop(name: string): boolean {
  return hopByHop.has(name.toLowerCase());
}

/** RFC 9110 section 5.6.2: token = 1*tchar */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What a value may not hold: control characters (with TAB, as PEP 3333 says) and non-Latin-1 text. */
const forbiddenInValue = /[^\x20-\x7e\x80-\xff]/;
/** RFC 9110 section 8.6: Content-Length = 1*DIGIT; 15 digits stay exact in a number. */
const digits = /^[0-9]{1,15}$/;

// Applications use a handful of names; the bound is for those that build them from input.
const goodNames = new Set<string>();
const goodNamesLimit = 512;

function refuse(clause: string, found: string, wanted: string): never {
  throw new WsgiError("application", clause, `Cannot start the response: ${found}; ${wanted}`);
}

function checkName(name: string): void {
  if (typeof name !== "string" || !token.test(name)) {
    refuse("header-name", `a header name is ${show(name)}`, "wanted an HTTP token");
  }
  if (isHopByHop(name)) {
    refuse(
      "header-hop-by-hop",
      `the header ${name} concerns the connection`,
      "leave it to the server",
    );
  }
  if (name.toLowerCase() === "status") {
    refuse("header-name", "a header is named Status", "give the status as the first argument");
  }
  if (goodNames.size < goodNamesLimit) goodNames.add(name);
}

/**
 * Checks a header list as a server must before it stores it.
 *
 * @param headers - the list that `startResponse` was given
 * @returns the declared Content-Length in bytes, or -1 if there is none
 * @throws WsgiError [headers-list], [header-name], [header-value], [header-hop-by-hop] or [header-length]
 * @example
 * ```ts
 * import { checkHeaders } from "@wsgi/core";
 *
 * checkHeaders([["Content-Type", "text/plain"], ["Content-Length", "5"]]); // 5
 * ```
 * @see SPEC.md, "Status and headers"
 */
export function checkHeaders(headers: HeaderList): number {
  if (!Array.isArray(headers)) {
    refuse(
      "headers-list",
      "the headers are no array",
      'wanted a list of pairs, [["Content-Type", "text/plain"]]',
    );
  }
  let length = -1;
  for (let i = 0; i < headers.length; i++) {
    const header: unknown = headers[i];
    if (!Array.isArray(header) || header.length !== 2) {
      refuse(
        "headers-list",
        `headers[${i}] is no pair`,
        'wanted [name, value], ["Content-Type", "text/plain"]',
      );
    }
    const [name, value] = header as [name: string, value: unknown];
    if (!goodNames.has(name)) checkName(name);
    if (typeof value !== "string" || forbiddenInValue.test(value)) {
      refuse(
        "header-value",
        `the value of ${name} is ${show(value)}`,
        "wanted a string of Latin-1 characters without control characters",
      );
    }
    if (name.length === 14 && name.toLowerCase() === "content-length") {
      if (length !== -1)
        refuse("header-length", "Content-Length is given twice", "give it once or not at all");
      if (!digits.test(value)) {
        refuse(
          "header-length",
          `Content-Length is ${show(value)}`,
          "wanted a number of bytes in decimal digits",
        );
      }
      length = Number(value);
    }
  }
  return length;
}

/**
 * Finds the first value of a header field.
 *
 * @param headers - the list
 * @param name - the field's name, in any case
 * @returns its value, or undefined if the list has none
 * @example
 * ```ts
 * import { getHeader } from "@wsgi/core";
 *
 * getHeader([["Content-Type", "text/plain"]], "content-type"); // "text/plain"
 * ```
 * @see RFC 9110, section 5.1
 */
export function getHeader(headers: HeaderList, name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const [found, value] of headers) {
    if (found.length === wanted.length && found.toLowerCase() === wanted) return value;
  }
  return undefined;
}

function parameterText(parameters: Readonly<Record<string, string | null>>): string {
  const texts = Object.entries(parameters).map(([key, parameter]) => {
    const bare = key.replaceAll("_", "-");
    return parameter === null ? `; ${bare}` : `; ${bare}=${quoted(parameter)}`;
  });
  return texts.join("");
}

/** Quotes a parameter value as RFC 9110 section 5.6.4 has it. */
function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

/**
 * Looks at a header list by name, in any case, and changes it without touching the list that it was
 * given: the first change copies it. `list` is what to hand on.
 *
 * @example
 * ```ts
 * import { ResponseHeaders } from "@wsgi/core";
 *
 * const headers = new ResponseHeaders([["Content-Type", "text/plain"]]);
 * headers.set("content-type", "text/html").append("Set-Cookie", "a=1");
 * headers.list; // [["content-type", "text/html"], ["Set-Cookie", "a=1"]]
 * ```
 * @see wsgiref.headers.Headers
 */
export class ResponseHeaders implements Iterable<Header> {
  #list: HeaderList;

  /**
   * @param list - the pairs to look at; never changed
   * @throws TypeError if it is no array
   */
  constructor(list: HeaderList = []) {
    if (!Array.isArray(list)) {
      throw new TypeError(`Cannot view headers: got ${typeof list}; wanted an array of pairs`);
    }
    this.#list = list;
  }

  /** The pairs as they are now: the given list itself if nothing was changed. */
  get list(): HeaderList {
    return this.#list;
  }

  /** The number of pairs. */
  get size(): number {
    return this.#list.length;
  }

  /** Finds the first value of a field. */
  get(name: string): string | undefined {
    return getHeader(this.#list, name);
  }

  /** Finds every value of a field, in order. */
  getAll(name: string): string[] {
    return this.#list.filter((header) => sameName(header, name)).map(([, value]) => value);
  }

  /** Tells whether a field is there. */
  has(name: string): boolean {
    return this.#list.some((header) => sameName(header, name));
  }

  /** Gives a field this one value, in the place of its first one, and drops its others. */
  set(name: string, value: string): this {
    const place = this.#list.findIndex((header) => sameName(header, name));
    if (place === -1) return this.append(name, value);
    this.#list = this.#list.flatMap((header, i): Header[] => {
      if (i === place) return [[name, value]];
      return sameName(header, name) ? [] : [header];
    });
    return this;
  }

  /** Gives a field this value unless it has one, and returns the one that it has then. */
  setDefault(name: string, value: string): string {
    const found = this.get(name);
    if (found === undefined) this.append(name, value);
    return found ?? value;
  }

  /**
   * Adds one more pair at the end, with parameters: `append("Content-Disposition", "attachment",
   * { filename: "a.txt" })`. `_` in a parameter's name stands for `-`; `null` makes it a bare name.
   */
  append(name: string, value: string, parameters?: Readonly<Record<string, string | null>>): this {
    const rest = parameters === undefined ? "" : parameterText(parameters);
    this.#list = [...this.#list, [name, value + rest]];
    return this;
  }

  /** Takes every value of a field away; does nothing if there is none. */
  delete(name: string): this {
    if (this.has(name)) this.#list = this.#list.filter((header) => !sameName(header, name));
    return this;
  }

  /** Lists the names in order, repeated ones repeatedly. */
  keys(): string[] {
    return this.#list.map(([name]) => name);
  }

  /** Lists the values in order. */
  values(): string[] {
    return this.#list.map(([, value]) => value);
  }

  /** Lists the pairs in order, as a copy. */
  items(): Header[] {
    return [...this.#list];
  }

  [Symbol.iterator](): Iterator<Header> {
    return this.#list[Symbol.iterator]();
  }

  /** Writes the fields as they stand in a message, with the empty line that ends them. */
  toString(): string {
    return [...this.#list.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n");
  }

  /** Writes the same in bytes, as Latin-1. */
  toBytes(): Uint8Array {
    return Uint8Array.from(this.toString(), (character) => character.charCodeAt(0));
  }
}

function sameName([found]: Header, name: string): boolean {
  return found.length === name.length && found.toLowerCase() === name.toLowerCase();
}
