import type { Application } from "@wsgi/core";
import {
  analyse,
  inspect,
  Recorder,
  type CallAnalysis,
  type RecordedEvent,
  type Recording,
  type RecorderOptions,
} from "@wsgi/inspector";
import { call, environFor, type RequestOptions } from "@wsgi/testing";

/** Is what was recorded of a request. */
export interface Seen {
  readonly recorder: Recorder;
  readonly recording: Recording;
  /** What each call did, the outermost first. */
  readonly calls: readonly CallAnalysis[];
  /** The error that came out of the application, if one did. */
  readonly error: unknown;
}

/** Inspects an application, calls it once as a server does, and gives what was recorded. */
export async function see(
  app: Application,
  request = "GET /",
  { headers, body, ...options }: RecorderOptions & Pick<RequestOptions, "headers" | "body"> = {},
): Promise<Seen> {
  const recorder = new Recorder(options);
  const environ = environFor(request, {
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
  });
  const error = await call(inspect(app, recorder), environ).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const recording = recorder.recordings[0]!;
  return { recorder, recording, calls: analyse(recording).calls, error };
}

/** Lists the kinds of a recording's events, with the names of the calls: `"call hello"`. */
export function kindsOf({ events }: Recording): string[] {
  return events.map(({ kind, call }) => `${kind} ${nameOf(events, call)}`);
}

function nameOf(events: readonly RecordedEvent[], call: number): string {
  const found = events.find((event) => event.kind === "call" && event.call === call);
  return found?.kind === "call" ? found.name : "";
}

/** Finds what one layer did. */
export function callOf({ calls }: Pick<Seen, "calls">, name: string): CallAnalysis {
  return calls.find((one) => one.name === name)!;
}
