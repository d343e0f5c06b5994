import {
  createErrors,
  decodePath,
  quietly,
  show,
  type Body,
  type ErrorStream,
  type StartResponse,
} from "@wsgi/core";

/** Is what the options of every host have in common. */
export interface HostOptions {
  /** The path under which the application is mounted, `"/api"`: its SCRIPT_NAME. Default: `""`. */
  scriptName?: string;
  /** Where `wsgi.errors` and the reports of errors go. Default: `console.error`. */
  errors?: { write(text: string): unknown };
}

/** Is the same, checked. */
export interface Host {
  readonly scriptName: string;
  readonly errors: ErrorStream;
}

const toConsole = {
  // console.error ends each line itself.
  write: (text: string): void => console.error(text.replace(/\n$/, "")),
};

/** @throws TypeError if an option is not what it should be */
export function readHostOptions(
  { scriptName = "", errors = toConsole }: HostOptions,
  act: string,
): Host {
  if (typeof scriptName !== "string" || !/^(?:\/.*[^/])?$/su.test(scriptName)) {
    throw new TypeError(
      `Cannot ${act}: scriptName is ${show(scriptName)}; wanted "" or a path that begins with / and does not end with it`,
    );
  }
  if (typeof errors?.write !== "function") {
    throw new TypeError(`Cannot ${act}: errors has no write method; wanted { write(text) }`);
  }
  return { scriptName, errors: createErrors((text) => void quietly(() => errors.write(text))) };
}

/** @throws TypeError if `environ` is no function */
export function checkEnviron(environ: unknown, act: string): void {
  if (environ === undefined || typeof environ === "function") return;
  throw new TypeError(
    `Cannot ${act}: environ is ${show(environ)}; wanted a function that gives keys for a request`,
  );
}

/**
 * Makes PATH_INFO of a path as it came.
 *
 * @returns the path inside the mount; undefined if it is outside
 */
export function pathInside(scriptName: string, path: string): string | undefined {
  const decoded = decodePath(path);
  if (scriptName === "") return decoded;
  if (decoded !== scriptName && !decoded.startsWith(`${scriptName}/`)) return undefined;
  return decoded.slice(scriptName.length);
}

/** Answers a request for a path outside the mount. */
export function refuseOutside({ scriptName }: Host, startResponse: StartResponse): Body {
  startResponse("404 Not Found", [["Content-Type", "text/plain; charset=utf-8"]]);
  return [`Not Found: the path is outside ${scriptName}`];
}
