import { stringifySetCookie } from "cookie";

/** Says how a browser keeps a cookie, and when it sends it back. */
export interface CookieAttributes {
  /** The lifetime in whole seconds; goes before `expires`. Default: until the browser is closed. */
  maxAge?: number;
  /** The moment at which it ends. Default: when the browser is closed. */
  expires?: Date;
  /** The domain that gets it, with its subdomains. Default: only the host that sets it. */
  domain?: string;
  /** The path below which it is sent. Default: `"/"`. */
  path?: string;
  /** Whether it is hidden from the scripts of a page. Default: true. */
  httpOnly?: boolean;
  /** Whether it is sent over https only. Default: whether `wsgi.url_scheme` is `"https"`. */
  secure?: boolean;
  /** Whether requests from other sites carry it; false leaves it to the browser. Default: `"lax"`. */
  sameSite?: "strict" | "lax" | "none" | false;
  /** Whether it is kept apart for each site that embeds this one. Default: false. */
  partitioned?: boolean;
  /** Which cookies stay longest when the browser has too many. Default: left to the browser. */
  priority?: "low" | "medium" | "high";
  /** Whether a response with `excInfo`, which reports an error, sets it too. Default: false. */
  keep?: boolean;
}

/** Is a cookie to be set, complete. */
export type Cookie = CookieAttributes & { name: string; value: string };

/**
 * Makes a cookie, and fills in the attributes that are not given or undefined.
 *
 * @param name - its name
 * @param value - its value
 * @param attributes - the given attributes
 * @param https - whether the request came over https
 * @returns the cookie
 */
export function createCookie(
  name: string,
  value: string,
  attributes: CookieAttributes,
  https: boolean,
): Cookie {
  const { path = "/", httpOnly = true, secure = https, sameSite = "lax", ...rest } = attributes;
  return { path, httpOnly, secure, sameSite, ...rest, name, value };
}

/** RFC 6265 section 6.1: what a browser has to keep of a cookie, its attributes included. */
const maxBytes = 4096;

/**
 * Writes the value of a Set-Cookie field, unless browsers would drop the cookie without a word.
 *
 * @param act - says what it is for, to begin the message of an error
 * @param cookie - the cookie
 * @returns the field's value, all ASCII
 * @throws TypeError if it breaks a rule; RangeError if it is too long
 */
export function serializeCookie(act: () => string, cookie: Cookie): string {
  const field = stringify(act, cookie);
  checkYear(act, cookie.expires);
  checkDemands(act, cookie);
  if (field.length > maxBytes) {
    throw new RangeError(
      `Cannot ${act()}: it takes ${field.length} bytes with its attributes; wanted at most ${maxBytes}`,
    );
  }
  return field;
}

function stringify(act: () => string, cookie: Cookie): string {
  try {
    return stringifySetCookie(cookie);
  } catch (cause) {
    const found = (cause as Error).message;
    throw new TypeError(`Cannot ${act()}: ${found}; wanted what RFC 6265 allows`, { cause });
  }
}

/** RFC 6265 section 5.1.1: an end in any other year is ignored, and so the cookie stays. */
function checkYear(act: () => string, expires: Date | undefined): void {
  const year = expires?.getUTCFullYear() ?? 1970;
  if (year < 1601 || year > 9999) {
    throw new TypeError(
      `Cannot ${act()}: it expires in the year ${year}; wanted one from 1601 to 9999`,
    );
  }
}

/**
 * Checks what a browser will check.
 *
 * RFC 6265bis sections 4.1.3 (prefixes, which browsers compare in any case) and 4.1.2.7 (SameSite=None);
 * CHIPS for Partitioned.
 */
function checkDemands(act: () => string, cookie: Cookie): void {
  const claim = claimOf(cookie);
  if (claim !== undefined && !cookie.secure) {
    throw new TypeError(`Cannot ${act()}: ${claim} without Secure; wanted secure: true`);
  }
  const isHost = /^__Host-/i.test(cookie.name);
  if (isHost && (cookie.path !== "/" || cookie.domain)) {
    throw new TypeError(
      `Cannot ${act()}: __Host- with a domain or another path; wanted path: "/" and no domain`,
    );
  }
}

/** Names what makes a cookie one for https only, if anything does. */
function claimOf({ name, sameSite, partitioned }: Cookie): string | undefined {
  const [prefix] = /^__(?:Host|Secure)-/i.exec(name) ?? [];
  if (prefix !== undefined) return prefix;
  // The type allows for "none" alone; the attribute is written in any case.
  if (String(sameSite).toLowerCase() === "none") return "SameSite=None";
  return partitioned ? "Partitioned" : undefined;
}
