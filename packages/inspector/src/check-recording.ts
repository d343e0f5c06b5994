import type { Recording } from "./recording.ts";

/**
 * Makes sure that something is a recording: of a recorder that has none yet, the first is undefined.
 *
 * @param recording - anything
 * @param act - what is to be done with it, for the message
 * @throws TypeError if it is none
 */
export function checkRecording(recording: Recording, act: string): void {
  const given: unknown = recording;
  const { events, omitted } = (given ?? {}) as Partial<Recording>;
  if (Array.isArray(events) && Array.isArray(omitted)) return;
  const found = typeof given === "object" && given !== null ? "an object" : String(given);
  throw new TypeError(`Cannot ${act}: the recording is ${found}; wanted one of a recorder's`);
}
