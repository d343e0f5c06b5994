import type { ErrorRecord } from "./recording.ts";
import type { Secrets } from "./secrets.ts";
import { shorten } from "./summary.ts";

const longestMessage = 1_000;
const longestStack = 4_000;

/**
 * Writes down a value that was thrown, whatever it is.
 *
 * @param error - the value
 * @param id - its number in the recording
 * @param secrets - what hides secrets
 * @returns what can be told of it
 */
export function readError(error: unknown, id: number, secrets: Secrets): ErrorRecord {
  const text = (value: unknown, length: number): string => shorten(String(value), length, secrets);
  try {
    if (!(error instanceof Error)) {
      return { id, name: `A ${typeof error}`, message: text(error, longestMessage), stack: null };
    }
    const { name, message, stack } = error;
    return {
      id,
      name: text(name, longestMessage),
      message: text(message, longestMessage),
      stack: stack === undefined ? null : text(stack, longestStack),
    };
  } catch {
    return { id, name: "An error", message: "(it cannot be looked at)", stack: null };
  }
}
