import { decodePath, requestUri, type Environ } from "@wsgi/core";

/** Is the path of a request, escaped as in a URL. */
export interface EscapedPath {
  /** The part that led to the application, SCRIPT_NAME. */
  readonly base: string;
  /** The part inside it, PATH_INFO. */
  readonly rest: string;
}

/**
 * Gives the path of a request letter by letter as the client sent it, unless a layer has rewritten it or the
 * mount ends within one of its segments; then it is escaped anew. Who is shown it, and decodes it, comes to
 * the path that the layers around have seen.
 */
export function escapedPath(environ: Environ): EscapedPath {
  const { SCRIPT_NAME, PATH_INFO } = environ;
  if (PATH_INFO === "*") return { base: SCRIPT_NAME, rest: "*" };
  const raw = rawPath(environ.REQUEST_URI);
  const end = raw === undefined ? -1 : splitPath(raw, SCRIPT_NAME);
  if (end !== -1 && decodePath(raw!.slice(end)) === PATH_INFO) {
    return { base: raw!.slice(0, end), rest: raw!.slice(end) };
  }
  return { base: escapePath(environ, SCRIPT_NAME), rest: escapePath(environ, PATH_INFO) };
}

/** RFC 9112 section 3.2: origin-form, or absolute-form with its scheme and authority. */
const targetForm = /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*)?(\/[^?]*|(?=\?|$))/;

/** Takes the path out of a request target, as it stands there; undefined if the target has none. */
export function rawPath(target: string): string | undefined {
  const path = targetForm.exec(target)?.[1];
  return path === "" ? "/" : path;
}

/** Finds where a path ends that is SCRIPT_NAME when it is decoded; -1 if it does nowhere. */
export function splitPath(raw: string, script: string): number {
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
