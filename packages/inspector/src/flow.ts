import type { RecordedEvent, Recording } from "./recording.ts";

/** Is what flowed out of one call, or of several: chunks that were yielded, returned or written. */
export interface Flow {
  readonly chunks: number;
  readonly bytes: number;
  /** How many of the chunks were written. */
  readonly written: number;
  /** When the first chunk with something in it came; null if none did. */
  readonly first: number | null;
  /** When the last one did. */
  readonly last: number | null;
}

/** Adds up what came out of some calls, also what was only counted. */
export function flowOf(calls: readonly number[], { events, omitted }: Recording): Flow {
  const portions = events.filter(({ call }) => calls.includes(call)).flatMap(portionOf);
  const counted = omitted.filter(({ call }) => calls.includes(call));
  const full = portions.filter(({ bytes }) => bytes > 0);
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
  return {
    chunks: sum([...portions, ...counted].map(({ chunks }) => chunks)),
    bytes: sum([...portions, ...counted].map(({ bytes }) => bytes)),
    written: portions.filter(({ isWritten }) => isWritten).length,
    first: full[0]?.at ?? null,
    last: full.at(-1)?.at ?? null,
  };
}

/**
 * Follows what came into a layer and what it gave on. It holds a chunk of each kind for a moment, while that
 * passes through; one that holds several has waited for them.
 */
export function heldBy(
  call: number,
  children: readonly number[],
  { events }: Recording,
): { held: number; buffers: boolean } {
  let bytes = 0;
  let steps = 0;
  let held = 0;
  let buffers = false;
  for (const event of events) {
    const isIn = children.includes(event.call);
    if (!isIn && event.call !== call) continue;
    for (const portion of portionOf(event)) {
      if (portion.bytes === 0) continue;
      if (isIn) {
        bytes += portion.bytes;
        steps += 1;
        // What is there as a whole was not waited for.
        buffers ||= steps > 1;
      } else {
        bytes = Math.max(0, bytes - portion.bytes);
        steps = 0;
      }
      held = Math.max(held, bytes);
    }
  }
  return { held, buffers };
}

interface Portion {
  readonly at: number;
  readonly chunks: number;
  readonly bytes: number;
  readonly isWritten: boolean;
}

function portionOf(event: RecordedEvent): Portion[] {
  const { at, kind } = event;
  if (kind === "chunk" || kind === "write") {
    return [{ at, chunks: 1, bytes: event.size, isWritten: kind === "write" }];
  }
  if ((kind === "returned" || kind === "settled") && event.body.kind === "array") {
    return [{ at, chunks: event.body.chunks, bytes: event.body.size, isWritten: false }];
  }
  return [];
}
