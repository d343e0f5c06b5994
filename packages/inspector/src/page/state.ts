import type { RecordingSummary as Summary } from "../recording-summary.ts";
import type { RecordedEvent, Recording } from "../recording.ts";

/** Is all that the page knows. */
export interface State {
  /** The recordings that the recorder has, the newest last. */
  readonly summaries: readonly Summary[];
  /** Those that have been shown, with their events. */
  readonly recordings: ReadonlyMap<number, Recording>;
  /** Those of which there is more than is known. */
  readonly stale: ReadonlySet<number>;
  /** The one to show; null for always the newest. */
  readonly chosen: number | null;
  /** The one to compare it with. */
  readonly other: number | null;
  readonly isLive: boolean;
  /** What went wrong last. */
  readonly message: string | null;
}

/** Is something that has happened, at the server or at the page. */
export type Action =
  | { readonly type: "hello"; readonly summaries: readonly Summary[] }
  | {
      readonly type: "recorded";
      readonly summary: Summary;
      readonly event: RecordedEvent;
      /** The event's place in its recording. */
      readonly index: number;
      /** The oldest recording that is kept. */
      readonly oldest: number;
    }
  | { readonly type: "cleared" }
  | { readonly type: "disconnected" }
  | { readonly type: "loaded"; readonly recording: Recording }
  | { readonly type: "gone"; readonly id: number; readonly message: string }
  | { readonly type: "choose"; readonly id: number | null }
  | { readonly type: "compare"; readonly id: number | null }
  | { readonly type: "tell"; readonly message: string | null };

/** Is what the page knows before it has heard anything. */
export const unknown: State = {
  summaries: [],
  recordings: new Map(),
  stale: new Set(),
  chosen: null,
  other: null,
  isLive: false,
  message: null,
};

/** Tells which recording is shown; undefined if there is none. */
export function shown({ summaries, chosen }: State): Summary | undefined {
  return chosen === null ? summaries.at(-1) : summaries.find(({ id }) => id === chosen);
}

/** Adds to what is known what has happened. */
export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "hello":
      return keepOnly({ ...state, isLive: true }, action.summaries, true);
    case "recorded":
      return record(state, action);
    case "cleared":
      return keepOnly(state, [], false);
    case "disconnected":
      return { ...state, isLive: false };
    case "loaded":
      return load(state, action.recording);
    case "gone":
      return {
        ...keepOnly(
          state,
          state.summaries.filter(({ id }) => id !== action.id),
          false,
        ),
        message: action.message,
      };
    case "choose":
      return { ...state, chosen: action.id };
    case "compare":
      return { ...state, other: action.id };
    case "tell":
      return { ...state, message: action.message };
  }
}

/** Forgets recordings that are not among those; after a time without news, there may be more of each. */
function keepOnly(state: State, summaries: readonly Summary[], isNews: boolean): State {
  const ids = new Set(summaries.map(({ id }) => id));
  const known = [...state.recordings].filter(([id]) => ids.has(id));
  return {
    ...state,
    summaries,
    recordings: new Map(known),
    stale: new Set(isNews ? known.map(([id]) => id) : [...state.stale].filter((id) => ids.has(id))),
    chosen: state.chosen !== null && ids.has(state.chosen) ? state.chosen : null,
    other: state.other !== null && ids.has(state.other) ? state.other : null,
  };
}

function record(state: State, action: Action & { type: "recorded" }): State {
  const { summary, event, index, oldest } = action;
  const place = state.summaries.findIndex(({ id }) => id === summary.id);
  const summaries =
    place === -1 ? [...state.summaries, summary] : state.summaries.with(place, summary);
  const kept = summaries.filter(({ id }) => id >= oldest);
  const live = { ...state, summaries, isLive: true };
  const next = kept.length === summaries.length ? live : keepOnly(live, kept, false);
  const known = next.recordings.get(summary.id);
  if (known === undefined || known.ended !== null || index < known.events.length) return next;
  // What is counted only, is told at the end.
  if (index > known.events.length || summary.ended !== null) return withStale(next, summary.id);
  return withRecording(next, { ...known, events: [...known.events, event] });
}

function load(state: State, recording: Recording): State {
  if (!state.summaries.some(({ id }) => id === recording.id)) return state;
  const stale = new Set(state.stale);
  stale.delete(recording.id);
  const known = state.recordings.get(recording.id);
  const isNewer = recording.events.length >= (known?.events.length ?? 0);
  return isNewer ? { ...withRecording(state, recording), stale } : { ...state, stale };
}

function withStale(state: State, id: number): State {
  return { ...state, stale: new Set([...state.stale, id]) };
}

function withRecording(state: State, recording: Recording): State {
  return { ...state, recordings: new Map([...state.recordings, [recording.id, recording]]) };
}
