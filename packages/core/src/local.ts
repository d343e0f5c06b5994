import type { Environ } from "./types.ts";

const loopbackAddress = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i;
const loopbackHost = /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;
const noHosts: ReadonlySet<string> = new Set();

/** What proxies say of a request that they pass on. */
const proxyKeys = [
  "HTTP_FORWARDED",
  "HTTP_VIA",
  "HTTP_X_FORWARDED_FOR",
  "HTTP_X_FORWARDED_HOST",
  "HTTP_X_REAL_IP",
];

/**
 * Tells whether the client is a browser on this machine that asked this machine by name, for what is shown
 * to developers only. The name counts because a page from elsewhere can have its own name resolve to
 * 127.0.0.1, and would read the answer.
 *
 * @param environ - the request
 * @param hosts - names that stand for this machine besides the usual ones, in small letters, without ports.
 *   Default: none
 * @returns true for a loopback address and a loopback Host, and no proxy between
 * @example
 * ```ts
 * import { isLocal, setupTestingDefaults } from "@wsgi/core";
 *
 * isLocal(setupTestingDefaults({ HTTP_HOST: "localhost:8000" })); // true
 * isLocal(setupTestingDefaults({ HTTP_HOST: "example.com" })); // false
 * ```
 * @see RFC 6761, section 6.3, on localhost
 */
export function isLocal(environ: Environ, hosts: ReadonlySet<string> = noHosts): boolean {
  const isForwarded = proxyKeys.some((key) => environ[key] !== undefined);
  if (isForwarded || !loopbackAddress.test(environ.REMOTE_ADDR)) return false;
  const host = (environ.HTTP_HOST ?? "").replace(/:\d+$/, "");
  return loopbackHost.test(host) || hosts.has(host.toLowerCase());
}
