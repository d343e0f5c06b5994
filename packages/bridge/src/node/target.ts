import { decodePath, requestUri, type Environ } from "@wsgi/core";

/** Is where a request goes, as Express has it: escaped as in a URL. */
export interface HostedTarget {
  /** The path inside the application, and the query. */
  readonly url: string;
  /** The path that led to the application. */
  readonly baseUrl: string;
  /** Both together. */
  readonly originalUrl: string;
}

/**
 * Tells where a request goes: letter by letter as the client sent it, unless a layer has rewritten the path
 * or the query, which are then escaped anew.
 */
export function targetOf(environ: Environ): HostedTarget {
  const { SCRIPT_NAME, PATH_INFO, QUERY_STRING } = environ;
  if (PATH_INFO === "*") return { url: "*", baseUrl: SCRIPT_NAME, originalUrl: "*" };
  const raw = rawPath(environ.REQUEST_URI);
  const end = raw === undefined ? -1 : splitPath(raw, SCRIPT_NAME);
  const isSent = end !== -1 && decodePath(raw!.slice(end)) === PATH_INFO;
  const baseUrl = isSent ? raw!.slice(0, end) : escapePath(environ, SCRIPT_NAME);
  const path = isSent ? raw!.slice(end) : escapePath(environ, PATH_INFO);
  const query = QUERY_STRING === "" ? "" : `?${QUERY_STRING}`;
  return {
    url: (path === "" ? "/" : path) + query,
    baseUrl,
    originalUrl: (baseUrl + path || "/") + query,
  };
}

/** RFC 9112 section 3.2: origin-form, or absolute-form with its scheme and authority. */
const targetForm = /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*)?(\/[^?]*|(?=\?|$))/;

/** Takes the path out of a request target, as it stands there; undefined if the target has none. */
export function rawPath(target: string): string | undefined {
  const path = targetForm.exec(target)?.[1];
  return path === "" ? "/" : path;
}

/** Finds where a path ends that is SCRIPT_NAME when it is decoded; -1 if it does nowhere. */
function splitPath(raw: string, script: string): number {
  let end = 0;
  let length = 0;
  // Segment by segment, so that each is decoded once.
  while (length < script.length && end < raw.length) {
    const slash = raw.indexOf("/", end + 1);
    const next = slash === -1 ? raw.length : slash;
    length += decodePath(raw.slice(end, next)).length;
    end = next;
  }
  return length === script.length && decodePath(raw.slice(0, end)) === script ? end : -1;
}

/** Escapes a path that was decoded. */
function escapePath(environ: Environ, path: string): string {
  if (path === "") return "";
  const origin = "http://host";
  const all = { ...environ, "wsgi.url_scheme": "http", HTTP_HOST: "host" } as const;
  return requestUri({ ...all, SCRIPT_NAME: "", PATH_INFO: path }, false).slice(origin.length);
}
