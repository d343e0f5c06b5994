import type { Recording } from "./recording.ts";

/** Is what a list tells of a recording: plain data. */
export interface RecordingSummary extends Pick<
  Recording,
  "id" | "method" | "target" | "begun" | "ended" | "replayOf"
> {
  /** The status that went to the server last; null if there is none yet. */
  readonly status: string | null;
  /** Whether an error reached the server. */
  readonly failed: boolean;
}

/** Sums a recording up. */
export function summariseRecording(recording: Recording): RecordingSummary {
  const { id, method, target, begun, ended, replayOf, events } = recording;
  const outermost = events[0]?.call;
  const start = events.findLast((event) => event.kind === "start" && event.call === outermost);
  const failed = events.some(
    (event) =>
      event.kind === "threw" &&
      event.call === outermost &&
      // What startResponse and write throw comes from the server.
      event.during !== "start" &&
      event.during !== "write",
  );
  const status = start?.kind === "start" ? start.status : null;
  return { id, method, target, status, begun, ended, replayOf, failed };
}
