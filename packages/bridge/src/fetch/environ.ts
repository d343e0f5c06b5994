import { emptyInput, environKey, signalKey, type Environ, type InputStream } from "@wsgi/core";
import { pathInside, type Host } from "../options.ts";

export { signalKey } from "@wsgi/core";

/** Is what every request that comes as a Request has besides the contract's own keys. */
export interface FetchEnviron extends Environ {
  /** Makes the signal that aborts when the client leaves before the response has ended. */
  [signalKey]: (environ: Environ) => AbortSignal;
}

/** RFC 3986, appendix B, for a URL that a Request has; some hosts give the target alone. */
const urlForm = /^(?:(https?):\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?/i;
/** RFC 3986 section 3.2: host [ ":" port ]; the brackets of an IPv6 address are left out. */
const hostForm = /^(?:[^@]*@)?(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/;

const version: readonly [1, 0] = [1, 0];

/**
 * Makes the environ of a request.
 *
 * @returns the environ; undefined if the path is not inside the mount
 */
export function createEnviron(
  request: Request,
  host: Host,
  input: InputStream | undefined,
  signal: () => AbortSignal,
): FetchEnviron | undefined {
  const [, scheme = "http", authority = "", path = "", query] = urlForm.exec(request.url)!;
  const [, address, name, port] = hostForm.exec(authority) ?? [];
  const pathInfo = pathInside(host.scriptName, path || "/");
  if (pathInfo === undefined) return undefined;
  const encrypted = scheme.toLowerCase() === "https";
  const environ: FetchEnviron = {
    REQUEST_METHOD: request.method,
    SCRIPT_NAME: host.scriptName,
    PATH_INFO: pathInfo,
    QUERY_STRING: query ?? "",
    SERVER_NAME: address || name || "localhost",
    SERVER_PORT: port ?? (encrypted ? "443" : "80"),
    // A Request does not tell which version the client used.
    SERVER_PROTOCOL: "HTTP/1.1",
    REQUEST_URI: targetOf(path, query),
    REMOTE_ADDR: "",
    "wsgi.version": version,
    "wsgi.url_scheme": encrypted ? "https" : "http",
    "wsgi.input": input ?? emptyInput,
    "wsgi.errors": host.errors,
    "wsgi.multithread": false,
    // Hosts of this kind start as many processes as they like, and do not tell.
    "wsgi.multiprocess": true,
    "wsgi.run_once": false,
    "wsgi.input_terminated": true,
    [signalKey]: signal,
  };
  for (const [field, value] of request.headers) {
    // A name with "_" could pass for one with "-".
    if (!field.includes("_")) environ[environKey(field)] = value;
  }
  if (encrypted) environ.HTTPS = "on";
  return environ;
}

/** Tells what the client asked for, as far as the host has left it as it was. */
export function targetOfUrl(url: string): string {
  const [, , , path = "", query] = urlForm.exec(url)!;
  return targetOf(path, query);
}

function targetOf(path: string, query: string | undefined): string {
  return query === undefined ? path || "/" : `${path || "/"}?${query}`;
}
