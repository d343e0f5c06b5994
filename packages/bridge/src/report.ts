/** Control characters, but for newline and tab: a terminal may obey them. */
const controls = /[^\P{Cc}\n\t]/gu;

/** Writes an error for the operator. What an application throws may throw when it is looked at. */
export function describeError(error: unknown): string {
  try {
    return describe(error).replace(controls, escapeControl);
  } catch {
    return "an error that cannot be shown";
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { stack = "", cause } = error;
  // Some engines leave name and message out of the stack.
  const text = stack.includes(error.message) ? stack : `${String(error)}\n${stack}`;
  return cause === undefined ? text : `${text}\n[cause]: ${describe(cause)}`;
}

function escapeControl(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** Tells whether an error says only that the client has left. */
export function saysGone(error: unknown): boolean {
  try {
    const { name } = error as { name?: unknown };
    return name === "ClientDisconnected" || name === "AbortError";
  } catch {
    return false;
  }
}
