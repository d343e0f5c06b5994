import { analyse } from "./analyse.ts";
import type { Recording } from "./recording.ts";

/** More metrics than this would only fill the head. */
const most = 50;

/**
 * Writes the layers' own times as the value of a `Server-Timing` field, which the tools of browsers draw.
 *
 * @param recording - the recording; of one that is under way, what is known so far
 * @returns the field's value, outermost layer first
 * @throws TypeError for what is no recording
 * @example
 * ```ts
 * import { inspect, Recorder, serverTiming } from "@wsgi/inspector";
 * import { call, respond } from "@wsgi/testing";
 *
 * const recorder = new Recorder();
 * await call(inspect(respond(["Hello"]), recorder), "GET /");
 * serverTiming(recorder.recordings[0]); // "respond;dur=0.1"
 * ```
 * @see W3C Server Timing, section 3.1
 */
export function serverTiming(recording: Recording): string {
  return analyse(recording)
    .calls.slice(0, most)
    .map(({ name, label, own }) => {
      const metric = name.replace(/[^!#$%&'*+\-.^_`|~0-9A-Za-z]/g, "_");
      // For people, where it is not the name alone.
      const text = label === "" ? name : `${label} ${name}`;
      return `${metric};dur=${own}${text === metric ? "" : `;desc=${quoted(text)}`}`;
    })
    .join(", ");
}

/** RFC 9110, section 5.6.4, without what is not ASCII. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`;
}
