import type { Environ } from "./types.ts";

/**
 * Decodes a path as every server here does, once: escapes that are UTF-8 become text, and octets that
 * are not UTF-8, and malformed escapes, stay as they came. It never throws.
 *
 * @param path - the path of a request target
 * @returns the text for PATH_INFO
 * @example
 * ```ts
 * import { decodePath } from "@wsgi/core";
 *
 * decodePath("/%E4%B8%96%E7%95%8C"); // "/世界"
 * decodePath("/100%/%FF"); // "/100%/%FF"
 * ```
 * @see SPEC.md [environ-path]
 */
export function decodePath(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replace(/(?:%[0-9A-Fa-f]{2})+/g, decodeEscapes);
  }
}

/** RFC 3629 section 4: the octets of one character beyond ASCII, as escapes. */
const utf8Character =
  /%(?:[0-7]\w|C[2-9A-F]%[89AB]\w|D\w%[89AB]\w|E0%[AB]\w%[89AB]\w|E[1-9A-CEF]%[89AB]\w%[89AB]\w|ED%[89]\w%[89AB]\w|F0%[9AB]\w%[89AB]\w%[89AB]\w|F[1-3]%[89AB]\w%[89AB]\w%[89AB]\w|F4%8\w%[89AB]\w%[89AB]\w)/iy;

function decodeEscapes(escapes: string): string {
  // Not UTF-8 as a whole, so from escape to escape: what is a character there is decoded.
  let decoded = "";
  for (let at = 0; at < escapes.length;) {
    utf8Character.lastIndex = at;
    const character = utf8Character.exec(escapes)?.[0];
    const octets = character ?? escapes.slice(at, at + 3);
    decoded += character === undefined ? octets : decodeURIComponent(character);
    at += octets.length;
  }
  return decoded;
}

/** Escapes what may not stand in a path as it is; `safe` is what may, besides letters and digits. */
function quote(text: string, safe: RegExp): string {
  return text
    .toWellFormed()
    .replace(/[^A-Za-z0-9_.~-]/gu, (character) =>
      safe.test(character) ? character : escapeCharacter(character),
    );
}

function escapeCharacter(character: string): string {
  const escaped = encodeURIComponent(character);
  return escaped === character ? `%${character.charCodeAt(0).toString(16).toUpperCase()}` : escaped;
}

/**
 * Tells the scheme from the `HTTPS` variable, for a gateway that is given nothing else.
 *
 * @param environ - CGI variables
 * @returns `"https"` if HTTPS is `on`, `yes` or `1`, else `"http"`
 * @example
 * ```ts
 * import { guessScheme } from "@wsgi/core";
 *
 * guessScheme({ HTTPS: "on" }); // "https"
 * ```
 * @see wsgiref.util.guess_scheme
 */
export function guessScheme(environ: Readonly<Partial<Environ>>): "http" | "https" {
  return environ.HTTPS === "on" || environ.HTTPS === "yes" || environ.HTTPS === "1"
    ? "https"
    : "http";
}

function origin(environ: Environ): string {
  const scheme = environ["wsgi.url_scheme"];
  const host = environ.HTTP_HOST;
  if (host !== undefined && host !== "") return `${scheme}://${host}`;
  const usual = scheme === "https" ? "443" : "80";
  const port = environ.SERVER_PORT === usual ? "" : `:${environ.SERVER_PORT}`;
  const name = environ.SERVER_NAME.includes(":") ? `[${environ.SERVER_NAME}]` : environ.SERVER_NAME;
  return `${scheme}://${name}${port}`;
}

/**
 * Builds the URL of the application: scheme, host and SCRIPT_NAME.
 *
 * @param environ - the request
 * @returns the URL, with a path that is escaped as UTF-8
 * @example
 * ```ts
 * import { applicationUri, setupTestingDefaults } from "@wsgi/core";
 *
 * applicationUri(setupTestingDefaults({ SCRIPT_NAME: "/wiki" })); // "http://127.0.0.1/wiki"
 * ```
 * @see PEP 3333, "URL Reconstruction"; wsgiref.util.application_uri
 */
export function applicationUri(environ: Environ): string {
  return origin(environ) + (quote(environ.SCRIPT_NAME, /\//) || "/");
}

/**
 * Builds the URL of the request. What the client sent, letter by letter, is in REQUEST_URI.
 *
 * @param environ - the request
 * @param includeQuery - whether to add the query string; default true
 * @returns the URL, with a path that is escaped as UTF-8
 * @example
 * ```ts
 * import { requestUri, setupTestingDefaults } from "@wsgi/core";
 *
 * requestUri(setupTestingDefaults({ PATH_INFO: "/世界" })); // "http://127.0.0.1/%E4%B8%96%E7%95%8C"
 * ```
 * @see PEP 3333, "URL Reconstruction"; wsgiref.util.request_uri
 */
export function requestUri(environ: Environ, includeQuery = true): string {
  const script = quote(environ.SCRIPT_NAME, /\//);
  const path = quote(environ.PATH_INFO, /[/;=,]/);
  const query = includeQuery && environ.QUERY_STRING ? `?${environ.QUERY_STRING}` : "";
  // An application's root without a slash still needs one if nothing else stands before it.
  return (
    origin(environ) + (script === "" && !path.startsWith("/") ? `/${path}` : script + path) + query
  );
}

/**
 * Moves the first segment of PATH_INFO to SCRIPT_NAME, and so steps down into a sub-application.
 *
 * @param environ - the request; it is changed, so hand in a copy if others hold it
 * @returns the segment, or undefined if there is none left (`""` for a path that ends in a slash)
 * @example
 * ```ts
 * import { setupTestingDefaults, shiftPathInfo } from "@wsgi/core";
 *
 * const environ = setupTestingDefaults({ PATH_INFO: "/wiki/Home" });
 * shiftPathInfo(environ); // "wiki"
 * environ.PATH_INFO; // "/Home"
 * ```
 * @see wsgiref.util.shift_path_info
 */
export function shiftPathInfo(
  environ: Pick<Environ, "SCRIPT_NAME" | "PATH_INFO">,
): string | undefined {
  const parts = environ.PATH_INFO.split("/");
  if (parts.length < 2) return undefined;
  // Empty and "." segments do not count, but for the last one: "/x/" is not "/x".
  const segments = parts.filter((part, i) => i === parts.length - 1 || !isSkipped(part));
  const [name = "", ...rest] = segments;
  environ.SCRIPT_NAME = descend(withoutEndSlashes(environ.SCRIPT_NAME), name);
  environ.PATH_INFO = rest.map((segment) => `/${segment}`).join("");
  return name === "." ? undefined : name;
}

/** Not by a RegExp, which would look for the end from each of many slashes that are not there. */
function withoutEndSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end -= 1;
  return path.slice(0, end);
}

function isSkipped(segment: string): boolean {
  return segment === "" || segment === ".";
}

function descend(script: string, name: string): string {
  if (name === ".") return script;
  if (name === "..") return script.slice(0, Math.max(0, script.lastIndexOf("/")));
  return `${script}/${name}`;
}
