import { EventEmitter } from "node:events";
import { inspect } from "node:util";

/** Tells whether an error says only that the client has left. */
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

/** Control characters, but for newline and tab: a terminal may obey them. */
const controls = /[^\P{Cc}\n\t]/gu;

/** Writes an error for the operator. What an application throws may throw when it is looked at. */
export function describeError(error: unknown): string {
  try {
    return inspect(error).replace(controls, escapeControl);
  } catch {
    return "an error that cannot be shown";
  }
}

function escapeControl(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

const ignore = (): void => {};

/** Keeps a stream that fails, a pipe that nobody reads any more, from ending the process. */
export function bearErrors(stream: unknown): void {
  if (stream instanceof EventEmitter && !stream.listeners("error").includes(ignore)) {
    stream.on("error", ignore);
  }
}
