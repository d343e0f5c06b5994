import { printable } from "./printable.ts";
import type { Recording } from "./recording.ts";
import { steps } from "./steps.ts";

/**
 * Prints a recording event by event, for a terminal: when it happened, what, and the clause that it shows.
 *
 * @param recording - the recording
 * @returns the lines, without a final newline; no character in them can control a terminal
 * @throws TypeError for what is no recording
 * @example
 * ```ts
 * import { drawSteps, inspect, Recorder } from "@wsgi/inspector";
 * import { call, respond } from "@wsgi/testing";
 *
 * const recorder = new Recorder();
 * await call(inspect(respond(["Hello"]), recorder), "GET /");
 * console.log(drawSteps(recorder.recordings[0]));
 * //    0.000  The server calls respond with GET /: 18 keys of environ. [call-once]
 * //    …
 * ```
 * @see SPEC.md
 */
export function drawSteps(recording: Recording): string {
  return steps(recording)
    .map(({ at, text, clause }) => `${at.toFixed(3).padStart(9)}  ${printable(text)} [${clause}]`)
    .join("\n");
}
