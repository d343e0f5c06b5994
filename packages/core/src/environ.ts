import { emptyInput } from "./input.ts";
import { guessScheme } from "./url.ts";
import type { Environ, ErrorStream } from "./types.ts";

/**
 * Is the key of the function that makes the signal which aborts when the client leaves. Servers offer it
 * where they can tell.
 *
 * @see SPEC.md [client-signal]
 */
export const signalKey = "wsgix.signal";

/**
 * Makes a `wsgi.errors` from a function that takes text.
 *
 * @param write - where the text goes; it is called in order and must not throw
 * @returns the stream
 * @example
 * ```ts
 * import { createErrors } from "@wsgi/core";
 *
 * const errors = createErrors((text) => console.error(text));
 * errors.write("Something odd happened\n");
 * ```
 * @see SPEC.md, "wsgi.errors"
 */
export function createErrors(write: (text: string) => void): ErrorStream {
  return {
    write: (text) => write(text),
    writelines: (texts) => {
      for (const text of texts) write(text);
    },
    flush: () => {},
  };
}

/**
 * Names the environ key of a request's header field.
 *
 * @param name - the field's name, in any case
 * @returns `"HTTP_ACCEPT_LANGUAGE"` for Accept-Language, and the bare name for the two that have one
 * @example
 * ```ts
 * import { environKey } from "@wsgi/core";
 *
 * environKey("Accept-Language"); // "HTTP_ACCEPT_LANGUAGE"
 * environKey("Content-Type"); // "CONTENT_TYPE"
 * ```
 * @see SPEC.md [environ-header], [environ-content]
 */
export function environKey(name: string): string {
  const key = name.toUpperCase().replaceAll("-", "_");
  return key === "CONTENT_TYPE" || key === "CONTENT_LENGTH" ? key : `HTTP_${key}`;
}

/**
 * Fills in what a request needs and `environ` lacks, with made-up values: for tests, not for servers.
 * Keys that are there stay as they are.
 *
 * @param environ - what is there already; it is changed. Default: nothing
 * @returns the same object, complete: GET / from 127.0.0.1 over HTTP/1.0, without a body
 * @example
 * ```ts
 * import { setupTestingDefaults } from "@wsgi/core";
 *
 * setupTestingDefaults({ REQUEST_METHOD: "POST" }).PATH_INFO; // "/"
 * ```
 * @see wsgiref.util.setup_testing_defaults
 */
export function setupTestingDefaults(environ: Partial<Environ> = {}): Environ {
  const setDefault = <K extends keyof Environ>(key: K, value: Environ[K]): void => {
    if (!(key in environ)) (environ as Environ)[key] = value;
  };
  setDefault("SERVER_NAME", "127.0.0.1");
  setDefault("SERVER_PROTOCOL", "HTTP/1.0");
  setDefault("HTTP_HOST", environ.SERVER_NAME);
  setDefault("REQUEST_METHOD", "GET");
  setDefault("PATH_INFO", "SCRIPT_NAME" in environ ? "" : "/");
  setDefault("SCRIPT_NAME", "");
  setDefault("QUERY_STRING", "");
  setDefault("REQUEST_URI", `${environ.SCRIPT_NAME}${environ.PATH_INFO}`);
  setDefault("REMOTE_ADDR", "127.0.0.1");
  setDefault("wsgi.version", [1, 0]);
  setDefault("wsgi.url_scheme", guessScheme(environ));
  setDefault("wsgi.input", emptyInput);
  setDefault(
    "wsgi.errors",
    createErrors(() => {}),
  );
  setDefault("wsgi.multithread", false);
  setDefault("wsgi.multiprocess", false);
  setDefault("wsgi.run_once", false);
  setDefault("wsgi.input_terminated", true);
  setDefault("SERVER_PORT", environ["wsgi.url_scheme"] === "https" ? "443" : "80");
  return environ as Environ;
}
