import { checkRecording } from "./check-recording.ts";
import {
  addEnviron,
  compareHeaders,
  environAt,
  noDifference,
  type EnvironDifference,
  type HeaderDifference,
  type KnownEnviron,
} from "./differences.ts";
import { flowOf, heldBy, type Flow } from "./flow.ts";
import type {
  CallEvent,
  ErrorRecord,
  RecordedEvent,
  Recording,
  StartEvent,
  ThrewEvent,
} from "./recording.ts";
import { ownTime, timesOf, totalTime, type Times } from "./times.ts";

/** Is what can be told of a recording: its calls, in the order in which they were made. */
export interface Analysis {
  /** The calls; each is at the place that its id says, and the first is the outermost. */
  readonly calls: readonly CallAnalysis[];
  /** The status that went to the server; null if there is none yet. */
  readonly status: string | null;
}

/** Is what one layer, or the innermost application, did in one call. */
export interface CallAnalysis {
  readonly id: number;
  /** The call from within which it came; null for the outermost. */
  readonly parent: number | null;
  /** The calls that it made. */
  readonly children: readonly number[];
  /** How many calls are around it. */
  readonly depth: number;
  readonly name: string;
  /** When it is called, `"GET /users/:id"`; `""` if always. */
  readonly label: string;
  readonly isLayer: boolean;
  /** How long it took with all that is inside, in milliseconds. */
  readonly total: number;
  /** How long it took by itself, waiting included where nothing inside was waiting. */
  readonly own: number;
  /** What it did to environ before it called what is inside. */
  readonly environ: EnvironDifference;
  /** The status that it gave last; null if it gave none. */
  readonly status: string | null;
  /** The status that came from inside; null if none came, so that this one has begun the response itself. */
  readonly statusInside: string | null;
  /** What it did to the header fields; if it has begun the response itself, all are added. */
  readonly headers: HeaderDifference;
  /** What came from inside. */
  readonly taken: Flow;
  /** What it gave to the one outside. */
  readonly given: Flow;
  /** The most bytes that it held at a time: those that had come from inside, and had not been given on. */
  readonly held: number;
  /** Whether it took several chunks before it gave one. */
  readonly buffers: boolean;
  /** Whether it could have called what is inside, and answered by itself. */
  readonly shortCircuits: boolean;
  /** What it threw first; null if it threw nothing of its own. */
  readonly threw: ErrorRecord | null;
  /** What came from inside and got through. */
  readonly passedOn: readonly ErrorRecord[];
  /** What came from inside and went no further. */
  readonly caught: readonly ErrorRecord[];
  /** Whether it made the one outside wait, and whether that began with it. */
  readonly promise: "none" | "passed on" | "introduced";
  /** How often its body was closed. */
  readonly closes: number;
  /** Whether its body has a `close()` that was not called by the end of the request. */
  readonly isLeaked: boolean;
}

/**
 * Tells what each layer did to a recorded request: its own time, the differences that it made on the way in
 * and on the way out, what it held back, threw, caught, or left open.
 *
 * @param recording - the recording; of one that is under way, what is known so far
 * @returns the calls of the layers
 * @throws TypeError for what is no recording
 * @example
 * ```ts
 * import { analyse, inspect, Recorder } from "@wsgi/inspector";
 * import { call, respond } from "@wsgi/testing";
 *
 * const recorder = new Recorder();
 * await call(inspect(respond(["Hello"]), recorder), "GET /");
 * const [hello] = analyse(recorder.recordings[0]).calls;
 * hello.given.bytes; // 5
 * ```
 * @see SPEC.md, "Middleware"
 */
export function analyse(recording: Recording): Analysis {
  checkRecording(recording, "analyse");
  const logs = logsOf(recording);
  const environs: KnownEnviron[] = [];
  const times = timesOf(recording);
  for (const { call } of logs) {
    environs.push(environAt(call, call.parent === null ? undefined : environs[call.parent]));
  }
  const calls = logs.map((log) => analyseCall(log, logs, { recording, environs, times }));
  return { calls, status: calls[0]?.status ?? null };
}

/** Is what happened at one call. */
interface Log {
  readonly call: CallEvent;
  readonly depth: number;
  readonly children: number[];
  readonly events: RecordedEvent[];
}

function logsOf({ events }: Recording): Log[] {
  const logs: Log[] = [];
  for (const event of events) {
    if (event.kind === "call") {
      const parent = event.parent === null ? undefined : logs[event.parent];
      parent?.children.push(event.call);
      logs.push({ call: event, depth: (parent?.depth ?? -1) + 1, children: [], events: [] });
    }
    logs[event.call]?.events.push(event);
  }
  return logs;
}

interface Known {
  readonly recording: Recording;
  readonly environs: readonly KnownEnviron[];
  readonly times: readonly Times[];
}

function analyseCall(log: Log, logs: readonly Log[], known: Known): CallAnalysis {
  const { call, depth, children, events } = log;
  const { recording, environs, times } = known;
  const inside = children.map((id) => logs[id]!);
  const own = lastStart([call.call], recording.events);
  // Of several, as a cascade asks them, the one that was answered with.
  const inner = lastStart(
    children,
    recording.events.slice(0, own && recording.events.indexOf(own)),
  );
  const hasReturned = events.some(({ kind }) => kind === "returned" || kind === "settled");
  return {
    id: call.call,
    parent: call.parent,
    children,
    depth,
    name: call.name,
    label: call.label,
    isLayer: call.isLayer,
    total: totalTime(call.call, times),
    own: ownTime(call.call, children, times),
    environ: inside.reduce<EnvironDifference>(
      (so, child) => addEnviron(so, child.call, environs[call.call]!),
      noDifference,
    ),
    status: own?.status ?? null,
    statusInside: inner?.status ?? null,
    headers: compareHeaders(inner?.headers ?? [], own?.headers ?? inner?.headers ?? []),
    taken: flowOf(children, recording),
    given: flowOf([call.call], recording),
    ...heldBy(call.call, children, recording),
    shortCircuits: call.isLayer && children.length === 0 && hasReturned,
    ...errorsOf(events, inside),
    promise: promiseOf(events, inside),
    closes: events.filter(({ kind }) => kind === "close").length,
    isLeaked: recording.ended !== null && isOpen(events),
  };
}

function lastStart(
  calls: readonly number[],
  events: readonly RecordedEvent[],
): StartEvent | undefined {
  return events.findLast(
    (event): event is StartEvent => event.kind === "start" && calls.includes(event.call),
  );
}

function errorsOf(
  events: readonly RecordedEvent[],
  inside: readonly Log[],
): Pick<CallAnalysis, "threw" | "passedOn" | "caught"> {
  const thrown = errorsIn(events);
  const came = inside.flatMap((child) => errorsIn(child.events));
  const isAmong = (errors: readonly ErrorRecord[], { id }: ErrorRecord): boolean =>
    errors.some((error) => error.id === id);
  return {
    threw: thrown.find((error) => !isAmong(came, error)) ?? null,
    passedOn: came.filter((error) => isAmong(thrown, error)),
    caught: came.filter((error) => !isAmong(thrown, error)),
  };
}

/** Lists what was thrown inward; what `startResponse` throws comes from outside. */
function errorsIn(events: readonly RecordedEvent[]): ErrorRecord[] {
  const threw = events.filter(
    (event): event is ThrewEvent =>
      event.kind === "threw" && event.during !== "start" && event.during !== "write",
  );
  return [...new Map(threw.map(({ error }) => [error.id, error])).values()];
}

function promiseOf(
  events: readonly RecordedEvent[],
  inside: readonly Log[],
): CallAnalysis["promise"] {
  if (!makesWait(events)) return "none";
  return inside.some((child) => makesWait(child.events)) ? "passed on" : "introduced";
}

function makesWait(events: readonly RecordedEvent[]): boolean {
  return events.some(
    (event) =>
      (event.kind === "returned" || event.kind === "settled") &&
      (event.body.kind === "promise" || event.body.kind === "async iterable"),
  );
}

function isOpen(events: readonly RecordedEvent[]): boolean {
  const isClosable = events.some(
    (event) =>
      (event.kind === "returned" || event.kind === "settled") &&
      "isClosable" in event.body &&
      event.body.isClosable,
  );
  return isClosable && !events.some(({ kind }) => kind === "close");
}
