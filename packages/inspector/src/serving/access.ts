import { createHash, timingSafeEqual } from "node:crypto";
import { isLocal, type Environ, type Header } from "@wsgi/core";

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

  /** Tells whether the client is a browser on this machine that asked it by a name that stands for it. */
  isLocal(environ: Environ): boolean {
    return isLocal(environ, this.#hosts);
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
