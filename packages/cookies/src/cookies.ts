import type { Middleware } from "@wsgi/core";
import { Jar, type CookieJar } from "./jar.ts";
import { createCookie, serializeCookie, type CookieAttributes } from "./set-cookie.ts";
import { createSigner, type Secret } from "./sign.ts";

/** Says how `cookies` sets and signs cookies. */
export interface CookieOptions {
  /**
   * The secrets that sign cookies, at least 32 bytes each: the first signs, all of them verify. To
   * change the secret, put the new one first and drop the old one later. Default: none, no signing.
   */
  secrets?: readonly Secret[];
  /** The attributes of cookies that are set without them. Default: those of `CookieAttributes`. */
  defaults?: CookieAttributes;
}

/** Is the key of environ under which an application finds its jar of cookies. */
export const cookiesKey = "wsgix.cookies";

/** Is what `cookies` adds to environ. */
export interface CookieEnviron {
  /** The cookies of the request, and those that the response sets. */
  [cookiesKey]: CookieJar;
}

/**
 * Reads the cookies of a request, and adds those that are set to the headers of its response.
 *
 * To its application it is a server whose environ has a jar; to its server it is an application that
 * sends a Set-Cookie field for each cookie in the jar. The Cookie field is parsed when the jar is first
 * read, and without cookies to set the headers are passed on as they are. A response that reports an
 * error, with `excInfo`, sets only the cookies marked `keep`. A second `cookies` further in has a jar of
 * its own, with its own secrets; the response sets the cookies of both.
 *
 * @param options - secrets and default attributes
 * @returns the middleware
 * @throws TypeError or RangeError if an option is of no use
 * @example
 * ```ts
 * import { cookies, cookiesKey } from "@wsgi/cookies";
 *
 * const count = cookies()((environ, startResponse) => {
 *   const jar = environ[cookiesKey];
 *   const visits = Number(jar.get("visits") ?? 0) + 1;
 *   jar.set("visits", String(visits), { maxAge: 3600 });
 *   startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *   return [`Visit ${visits}`];
 * });
 * ```
 * @see RFC 6265; SPEC.md [headers-list]; Ring's wrap-cookies
 */
export function cookies(options: CookieOptions = {}): Middleware<CookieEnviron> {
  const { secrets, defaults = {} } = options;
  const signer = createSigner(secrets);
  checkDefaults(defaults);
  return function cookies(app) {
    return function cookies(environ, startResponse) {
      const jar = new Jar(environ, defaults, signer);
      return app(Object.assign(environ, { [cookiesKey]: jar }), (status, headers, excInfo) => {
        const set = jar.start(excInfo !== undefined);
        return startResponse(status, set.length === 0 ? headers : [...headers, ...set], excInfo);
      });
    };
  };
}

function checkDefaults(defaults: CookieAttributes): void {
  if (typeof defaults !== "object" || defaults === null) {
    throw new TypeError(
      `Cannot use the default attributes: they are of type ${typeof defaults}; wanted an object`,
    );
  }
  serializeCookie(() => "use the default attributes", createCookie("name", "", defaults, true));
}
