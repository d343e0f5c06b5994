import { environAt, type KnownEnviron } from "../differences.ts";
import type { CallEvent, ChunkRecord, RecordedEvent, Recording, StartEvent } from "../recording.ts";

/** Is where something crosses a boundary. */
export interface Crossing {
  readonly call: number;
  readonly way: "in" | "out";
  /** What crosses, in a word or two. */
  readonly what: string;
}

/** Cuts a recording off after an event, as it was then. */
export function upTo(recording: Recording, event: number): Recording {
  if (event >= recording.events.length - 1) return recording;
  return { ...recording, events: recording.events.slice(0, event + 1), omitted: [], ended: null };
}

/** Tells what an event takes over which boundary. */
export function crossingOf(event: RecordedEvent): Crossing {
  const [way, what] = crossings[event.kind];
  const isOutward =
    event.kind === "threw" && (event.during === "start" || event.during === "write");
  return { call: event.call, way: isOutward ? "in" : way, what };
}

const crossings: Readonly<Record<RecordedEvent["kind"], readonly ["in" | "out", string]>> = {
  call: ["in", "environ"],
  returned: ["out", "body"],
  settled: ["out", "body"],
  start: ["out", "startResponse"],
  started: ["in", "write"],
  write: ["out", "write"],
  wrote: ["in", "taken"],
  next: ["in", "next?"],
  chunk: ["out", "chunk"],
  done: ["out", "no more"],
  stop: ["in", "stop"],
  stopped: ["out", "stopped"],
  close: ["in", "close()"],
  closed: ["out", "closed"],
  threw: ["out", "error"],
};

/** Is what is known at some moment. */
export interface Known {
  /** The call at which it is. */
  readonly name: string;
  /** The environ that the call was given. */
  readonly environ: KnownEnviron;
  /** Which of its keys layers further out have added or changed. */
  readonly fresh: ReadonlySet<string>;
  /** The last call of startResponse. */
  readonly start: StartEvent | undefined;
  /** Who made it. */
  readonly by: string;
  /** What the server has been given so far. */
  readonly chunks: readonly ChunkAt[];
  readonly isClosed: boolean;
}

/** Is a chunk, and when it came; or several, as an array. */
export interface ChunkAt extends ChunkRecord {
  readonly at: number;
  /** How many there are. */
  readonly chunks: number;
}

/** Tells what is known at the end of a recording, where its last event happened. */
export function knownIn({ events }: Recording): Known {
  const calls = events.filter((event): event is CallEvent => event.kind === "call");
  const path: CallEvent[] = [];
  let at = calls[events.at(-1)?.call ?? -1];
  for (; at !== undefined; at = calls[at.parent ?? -1]) path.unshift(at);
  let environ: KnownEnviron = new Map();
  const fresh = new Set<string>();
  for (const [i, call] of path.entries()) {
    environ = environAt(call, environ);
    if (i === 0) continue;
    for (const key of Object.keys(call.environ.added)) fresh.add(key);
    for (const key of Object.keys(call.environ.changed)) fresh.add(key);
  }
  const start = events.findLast((event) => event.kind === "start");
  return {
    name: path.at(-1)?.name ?? "",
    environ,
    fresh,
    start,
    by: start === undefined ? "" : calls[start.call]!.name,
    chunks: chunksOf({ events }, 0),
    isClosed: events.some(({ kind, call }) => kind === "closed" && call === 0),
  };
}

/** Lists what came out of a call. */
export function chunksOf({ events }: Pick<Recording, "events">, call: number): ChunkAt[] {
  return events
    .filter((event) => event.call === call)
    .flatMap((event): ChunkAt[] => {
      const { at } = event;
      if (event.kind === "chunk" || event.kind === "write") {
        return [{ at, size: event.size, text: event.text, chunks: 1 }];
      }
      if (event.kind !== "returned" && event.kind !== "settled") return [];
      const { body } = event;
      return body.kind === "array" && body.size > 0
        ? [{ at, size: body.size, text: body.text, chunks: body.chunks }]
        : [];
    });
}
