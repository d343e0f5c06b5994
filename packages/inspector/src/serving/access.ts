import { createHash, timingSafeEqual } from "node:crypto";
import type { Environ, Header } from "@wsgi/core";

const loopbackAddress = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i;
const loopbackHost = /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

/** What proxies say of a request that they pass on. */
const proxyKeys = [
  "HTTP_FORWARDED",
  "HTTP_VIA",
  "HTTP_X_FORWARDED_FOR",
  "HTTP_X_FORWARDED_HOST",
  "HTTP_X_REAL_IP",
];

/** Decides who may see the page. */
export class Access {
  readonly #token: string;
  readonly #hosts: ReadonlySet<string>;
  readonly #cookie: string;

  /**
   * @param token - what opens the page
   * @param hosts - hosts that stand for this machine besides the usual ones, without ports
   */
  constructor(token: string, hosts: readonly string[]) {
    this.#token = token;
    this.#hosts = new Set(hosts.map((host) => host.toLowerCase()));
    // Cookies are for all ports of a host, so that other servers on it need other names.
    this.#cookie = `wsgi-inspector-${hash(token).toString("hex").slice(0, 12)}`;
  }

  /**
   * Tells whether the client is a browser on this machine that asked this machine by name. The name counts
   * because a page from elsewhere can have its own name resolve to 127.0.0.1, and would read the answer.
   */
  isLocal(environ: Environ): boolean {
    const isForwarded = proxyKeys.some((key) => environ[key] !== undefined);
    if (isForwarded || !loopbackAddress.test(environ.REMOTE_ADDR)) return false;
    const host = (environ.HTTP_HOST ?? "").replace(/:\d+$/, "");
    return loopbackHost.test(host) || this.#hosts.has(host.toLowerCase());
  }

  /** Tells whether the request has the token in its query. */
  hasToken({ QUERY_STRING }: Environ): boolean {
    return this.#isToken(new URLSearchParams(QUERY_STRING).get("token") ?? "");
  }

  /** Tells whether the request has the cookie that was set for the token. */
  hasCookie({ HTTP_COOKIE = "" }: Environ): boolean {
    return HTTP_COOKIE.split(";").some((pair) => {
      const [name = "", value = ""] = pair.trim().split("=", 2);
      return name === this.#cookie && this.#isToken(value);
    });
  }

  /** Sets that cookie. */
  setCookie(environ: Environ, path: string): Header {
    const secure = environ["wsgi.url_scheme"] === "https" ? "; Secure" : "";
    return [
      "Set-Cookie",
      `${this.#cookie}=${this.#token}; Path=${path}; HttpOnly; SameSite=Strict${secure}`,
    ];
  }

  /** Tells whether a request that changes something comes from the page itself. */
  isFromPage(environ: Environ): boolean {
    const { HTTP_ORIGIN, HTTP_HOST, HTTP_X_INSPECTOR } = environ;
    const own = `${environ["wsgi.url_scheme"]}://${HTTP_HOST}`;
    return HTTP_X_INSPECTOR === "1" && (HTTP_ORIGIN ?? own) === own;
  }

  #isToken(given: string): boolean {
    // Hashes are of one length, which the comparison needs.
    return timingSafeEqual(hash(given), hash(this.#token));
  }
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
