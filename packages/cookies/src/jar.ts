import { parseCookie } from "cookie";
import type { Environ, Header, HeaderList } from "@wsgi/core";
import { createCookie, serializeCookie, type CookieAttributes } from "./set-cookie.ts";
import type { Signer } from "./sign.ts";

/**
 * Holds the cookies that came with a request, and takes those that its response is to set. Setting does
 * not change what is read. Iteration gives the names and values that came.
 *
 * Nothing is lost in silence: setting throws a TypeError for what cannot be sent and for what browsers
 * would drop (`__Host-`, `__Secure-`, SameSite=None and Partitioned have demands), a RangeError beyond
 * 4096 bytes, and an Error when the response has started.
 *
 * @see RFC 6265; draft-ietf-httpbis-rfc6265bis
 */
export interface CookieJar extends Iterable<readonly [name: string, value: string]> {
  /** Finds the value of a cookie, the first of its name, percent-decoded if that is possible. */
  get(name: string): string | undefined;
  /** Tells whether a cookie came. */
  has(name: string): boolean;
  /** Finds the value that `setSigned` was given; undefined if it is forged, or its end has come. */
  getSigned(name: string): string | undefined;
  /** Sets a cookie, in place of one set before that a browser would take for the same. */
  set(name: string, value: string, attributes?: CookieAttributes): void;
  /** Sets a cookie that clients can read, but neither change, nor rename, nor use after its end. */
  setSigned(name: string, value: string, attributes?: CookieAttributes): void;
  /** Ends a cookie; browsers find it by its name, the domain and the path that it was set with. */
  delete(name: string, attributes?: CookieAttributes): void;
}

/** Is the jar of one request. */
export class Jar implements CookieJar {
  readonly #field: string;
  readonly #https: boolean;
  readonly #defaults: CookieAttributes;
  readonly #signer: Signer;
  #set: readonly { place: string; header: Header; keep: boolean }[] = [];
  /** By name, without a prototype. */
  #received: Readonly<Record<string, string | undefined>> | undefined;
  #started = false;

  constructor(environ: Environ, defaults: CookieAttributes, signer: Signer) {
    this.#field = environ.HTTP_COOKIE ?? "";
    this.#https = environ["wsgi.url_scheme"] === "https";
    this.#defaults = defaults;
    this.#signer = signer;
  }

  get(name: string): string | undefined {
    return this.#read()[name];
  }

  has(name: string): boolean {
    return this.#read()[name] !== undefined;
  }

  getSigned(name: string): string | undefined {
    return this.#signer.unsign(name, this.get(name) ?? "");
  }

  [Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    // The type allows for decoders that give undefined; the default one never does.
    return Object.entries(this.#read() as Record<string, string>)[Symbol.iterator]();
  }

  set(name: string, value: string, attributes?: CookieAttributes): void {
    this.#store(name, value, attributes, false);
  }

  setSigned(name: string, value: string, attributes?: CookieAttributes): void {
    this.#store(name, value, attributes, true);
  }

  delete(name: string, attributes?: CookieAttributes): void {
    this.set(name, "", { ...attributes, maxAge: 0, expires: new Date(0) });
  }

  /**
   * Ends the setting of cookies and gives their header fields.
   *
   * @param failed - whether the response reports an error, and so sets only the cookies to keep
   * @returns the fields, in the order in which the cookies were set
   */
  start(failed: boolean): HeaderList {
    this.#started = true;
    return this.#set.filter(({ keep }) => keep || !failed).map(({ header }) => header);
  }

  #read(): Readonly<Record<string, string | undefined>> {
    return (this.#received ??= parseCookie(this.#field));
  }

  #store(name: string, value: string, given: CookieAttributes | undefined, signed: boolean): void {
    const act = (): string => `set the cookie ${JSON.stringify(name)}`;
    if (this.#started) {
      throw new Error(`Cannot ${act()}: the response has started; set it before startResponse`);
    }
    if (typeof value !== "string") {
      throw new TypeError(`Cannot ${act()}: the value is of type ${typeof value}; wanted a string`);
    }
    const attributes = given === undefined ? this.#defaults : { ...this.#defaults, ...given };
    const text = signed ? this.#signer.sign(name, value, endOf(attributes)) : value;
    const cookie = createCookie(name, text, attributes, this.#https);
    const header: Header = ["Set-Cookie", serializeCookie(act, cookie)];
    const { domain, path, partitioned = false, keep = false } = cookie;
    const place = `${name};${domain ?? ""};${path};${partitioned}`;
    const others = this.#set.filter((cookie) => cookie.place !== place);
    this.#set = [...others, { place, header, keep }];
  }
}

/** Gives the end of a cookie in seconds since 1970, if it has one. */
function endOf({ maxAge, expires }: CookieAttributes): number | undefined {
  if (maxAge !== undefined) return Math.floor(Date.now() / 1000) + maxAge;
  return expires && Math.floor(Number(expires) / 1000);
}
