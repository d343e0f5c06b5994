import { subtract, unite, type Interval } from "../intervals.ts";
import type { CallEvent, RecordedEvent, Recording } from "../recording.ts";
import { timesOf } from "../times.ts";
import { bytes, time } from "./format.ts";

/** Is where something is on the line, in percent of its length. */
export interface Bar {
  readonly left: number;
  readonly width: number;
}

/** Is a moment on a lane. */
export interface Mark {
  readonly left: number;
  /** What happened: a chunk that was taken from inside or given to the outside, or something else. */
  readonly kind: "taken" | "given" | "start" | "close" | "error";
  readonly text: string;
}

/** Is the line of one call. */
export interface Lane {
  readonly call: CallEvent;
  readonly depth: number;
  /** When control was in it, or further inside. */
  readonly inside: readonly Bar[];
  /** When it was in this call itself. */
  readonly own: readonly Bar[];
  readonly marks: readonly Mark[];
}

/** Is a recording to scale. */
export interface TimeLine {
  readonly lanes: readonly Lane[];
  readonly ticks: readonly { readonly left: number; readonly text: string }[];
}

/** Lays out when control was where, and when what crossed. */
export function timeLine(recording: Recording): TimeLine {
  const { events } = recording;
  const calls = events.filter((event): event is CallEvent => event.kind === "call");
  const length = Math.max(events.at(-1)?.at ?? 0, 0.001);
  const times = timesOf(recording);
  const place = (at: number): number => (100 * at) / length;
  const tick = (at: number): TimeLine["ticks"][number] => {
    const left = place(at);
    // At the end there is no room for a number.
    return { left, text: left > 80 ? "" : label(at) };
  };
  const bars = (intervals: readonly Interval[]): Bar[] =>
    intervals.map(([from, to]) => ({ left: place(from), width: place(to - from) }));
  const depths: number[] = [];
  const lanes = calls.map((call): Lane => {
    const depth = call.parent === null ? 0 : depths[call.parent]! + 1;
    depths[call.call] = depth;
    const within = calls.filter(({ parent }) => parent === call.call).map((child) => child.call);
    const { inside } = times[call.call]!;
    const own = subtract(inside, unite(within.flatMap((id) => times[id]!.inside)));
    const marks = events.flatMap((event): Mark[] => {
      const kind = kindOf(event, call.call, within);
      return kind === undefined ? [] : [{ left: place(event.at), kind, text: textOf(event, kind) }];
    });
    return { call, depth, inside: bars(inside), own: bars(own), marks };
  });
  return { lanes, ticks: ticksOf(length).map(tick) };
}

function kindOf(
  event: RecordedEvent,
  call: number,
  within: readonly number[],
): Mark["kind"] | undefined {
  if (isChunk(event)) {
    if (event.call === call) return "given";
    return within.includes(event.call) ? "taken" : undefined;
  }
  if (event.call !== call) return undefined;
  if (event.kind === "start" || event.kind === "close") return event.kind;
  return event.kind === "threw" ? "error" : undefined;
}

function isChunk(event: RecordedEvent): boolean {
  return sizeOf(event) > 0;
}

function sizeOf(event: RecordedEvent): number {
  if (event.kind === "chunk" || event.kind === "write") return event.size;
  const isBody = event.kind === "returned" || event.kind === "settled";
  return isBody && event.body.kind === "array" ? event.body.size : 0;
}

function textOf(event: RecordedEvent, kind: Mark["kind"]): string {
  const words = {
    taken: `took ${bytes(sizeOf(event))}`,
    given: `gave ${bytes(sizeOf(event))}`,
    start: "called startResponse",
    close: "was closed",
    error: "threw",
  };
  return `${words[kind]} at ${time(event.at)}`;
}

/** Chooses round times, about five of them. */
export function ticksOf(length: number): number[] {
  const rough = length / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough)!;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, i) => i * step);
}

function label(at: number): string {
  return at === 0 ? "0" : at >= 1_000 ? `${at / 1_000} s` : `${Number(at.toPrecision(3))} ms`;
}
