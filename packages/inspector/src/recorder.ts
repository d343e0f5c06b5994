import { show, type Application, type Environ } from "@wsgi/core";
import { Journal } from "./journal.ts";
import type { RecordedEvent, Recording } from "./recording.ts";
import { replayOrigin } from "./replay.ts";

/** Says how much a recorder keeps, and what it hides. */
export interface RecorderOptions {
  /** How many recordings are kept; the oldest goes first. Default: 50. */
  keep?: number;
  /** How many events of a request are kept; what follows is counted. Default: 1,000. */
  events?: number;
  /** How many characters of a chunk are shown; 0 shows none. Default: 80. */
  chunkText?: number;
  /**
   * Names of more fields, environ keys, parameters and properties whose values are hidden, or patterns of
   * names. Default: none but those that say token, password, session and the like.
   */
  secrets?: readonly (string | RegExp)[];
  /** Tells which requests are recorded. What it throws comes out of the application. Default: all. */
  only?: (environ: Environ) => boolean;
  /** Is the clock, in milliseconds. Default: `performance.now`. */
  now?: () => number;
}

/** Is told of each event when it happens. What it throws is dropped. */
export type RecorderListener = (recording: Recording, event: RecordedEvent) => void;

let journalIn: (recorder: Recorder) => Journal;

/**
 * Keeps the recordings of an inspected application's last requests.
 *
 * @example
 * ```ts
 * import { inspect, Recorder } from "@wsgi/inspector";
 * import { call, respond } from "@wsgi/testing";
 *
 * const recorder = new Recorder({ keep: 10 });
 * await call(inspect(respond(["Hello"]), recorder), "GET /");
 * recorder.recordings[0].target; // "/"
 * ```
 * @see express-trace
 */
export class Recorder {
  readonly #journal: Journal;

  static {
    journalIn = (recorder) => recorder.#journal;
  }

  /**
   * @param options - how much it keeps, and what it hides
   * @throws TypeError or RangeError for an option that is none
   */
  constructor(options: RecorderOptions = {}) {
    this.#journal = new Journal(checkOptions(options));
  }

  /** The recordings, the newest last; also those of requests that are under way. */
  get recordings(): readonly Recording[] {
    return this.#journal.recordings.slice();
  }

  /**
   * Finds a recording.
   *
   * @param id - its number
   * @returns the recording, or undefined if it is not kept any more
   */
  find(id: number): Recording | undefined {
    return this.#journal.recordings.find((recording) => recording.id === id);
  }

  /**
   * Tells of events as they happen, so that a request can be followed while it is under way.
   *
   * @param listener - is told; the recording is still being written
   * @returns what ends it
   */
  subscribe(listener: RecorderListener): () => void {
    if (typeof listener !== "function") {
      throw new TypeError(
        `Cannot subscribe: the listener is ${show(listener)}; wanted a function (recording, event) => void`,
      );
    }
    // A function of its own, because the same listener may subscribe twice.
    const own: RecorderListener = (recording, event) => listener(recording, event);
    this.#journal.listeners.add(own);
    return () => void this.#journal.listeners.delete(own);
  }

  /** Forgets all recordings. */
  clear(): void {
    this.#journal.recordings.length = 0;
    this.#journal.origins.clear();
  }

  /**
   * Calls an application again with the request of a recording, reads its body and closes it. A body that
   * does not end is read until the recording has enough events.
   *
   * @param id - the recording's number
   * @param app - the application, inspected with this recorder
   * @returns the number of the new recording, which tells all, errors too
   * @throws Error if the request cannot be made again, because its body was too long or not read to its end
   */
  replay(id: number, app: Application): Promise<number> {
    return replayOrigin(this.#journal, id, app);
  }
}

/** Gives probes what they write to. */
export function journalOf(recorder: Recorder): Journal {
  return journalIn(recorder);
}

function checkOptions(options: RecorderOptions): Required<RecorderOptions> {
  const {
    keep = 50,
    events = 1_000,
    chunkText = 80,
    secrets = [],
    only = () => true,
    now = () => performance.now(),
  } = options;
  checkNumber("keep", keep, 1);
  checkNumber("events", events, 1);
  checkNumber("chunkText", chunkText, 0);
  const isName = (name: unknown): boolean => typeof name === "string" || name instanceof RegExp;
  if (!Array.isArray(secrets) || !secrets.every(isName)) {
    refuse(`secrets is ${show(secrets)}`, 'a list of names or patterns, ["X-Key", /pin/i]');
  }
  if (typeof only !== "function") {
    refuse(`only is ${show(only)}`, "a function (environ) => boolean");
  }
  if (typeof now !== "function") refuse(`now is ${show(now)}`, "a function () => milliseconds");
  return { keep, events, chunkText, secrets: secrets.slice(), only, now };
}

function checkNumber(name: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return;
  throw new RangeError(
    `Cannot make a recorder: ${name} is ${show(value)}; wanted a whole number from ${least} on`,
  );
}

function refuse(found: string, wanted: string): never {
  throw new TypeError(`Cannot make a recorder: ${found}; wanted ${wanted}`);
}
