/** Control characters, but for newline and tab: a terminal may obey them. */
const controls = /[^\P{Cc}\n\t]/gu;

/**
 * Writes out, for the operator, what an application has thrown, which may be anything and may throw when it
 * is looked at. It never throws.
 *
 * @param error - what was thrown
 * @param write - how to write it out, for a server that knows better. Default: its stack, and its causes'
 * @returns the text, whose control characters are escaped
 * @example
 * ```ts
 * import { describeError } from "@wsgi/core";
 *
 * describeError("\x1b[2J"); // "\\x1b[2J"
 * ```
 * @see SPEC.md, "wsgi.errors"
 */
export function describeError(error: unknown, write: (error: unknown) => string = stacks): string {
  try {
    return write(error).replace(controls, escapeControl);
  } catch {
    return "an error that cannot be shown";
  }
}

function stacks(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { stack = "", cause } = error;
  // Some engines leave name and message out of the stack.
  const text = stack.includes(error.message) ? stack : `${String(error)}\n${stack}`;
  return cause === undefined ? text : `${text}\n[cause]: ${stacks(cause)}`;
}

function escapeControl(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/**
 * Tells whether an error says only that the client has left, which is none of the application's. It never
 * throws.
 *
 * @param error - what was thrown
 * @returns whether it does
 * @example
 * ```ts
 * import { ClientDisconnected, saysGone } from "@wsgi/core";
 *
 * saysGone(new ClientDisconnected()); // true
 * ```
 * @see SPEC.md [client-gone]
 */
export function saysGone(error: unknown): boolean {
  try {
    const { name, code } = error as { name?: unknown; code?: unknown };
    // The last is what newer lines of node give whoever waits for a stream that is closed meanwhile.
    return (
      name === "ClientDisconnected" ||
      name === "AbortError" ||
      code === "ERR_STREAM_PREMATURE_CLOSE"
    );
  } catch {
    return false;
  }
}
