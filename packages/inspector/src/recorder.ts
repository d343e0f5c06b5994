import { show, type Application } from "@wsgi/core";
import { Journal } from "./journal.ts";
import type { Recording } from "./recording.ts";
import { checkOptions, type RecorderListener, type RecorderOptions } from "./recorder-options.ts";
import { replayOrigin } from "./replay.ts";

let journalIn: (recorder: Recorder) => Journal | undefined;

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
    journalIn = (recorder) =>
      isObject(recorder) && #journal in recorder ? recorder.#journal : undefined;
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
    this.#journal.clear();
  }

  /**
   * Calls an application again with the request of a recording, reads its body and closes it. A body that
   * does not end is read until the recording has enough events.
   *
   * @param id - the recording's number
   * @param app - the application, inspected with this recorder
   * @param gone - ends it when it comes true, as for a client that leaves
   * @returns the number of the new recording, which tells all, errors too
   * @throws Error if the request cannot be made again, because its body was too long or not read to its end
   */
  replay(
    id: number,
    app: Application,
    gone: Promise<void> = new Promise(() => {}),
  ): Promise<number> {
    return replayOrigin(this.#journal, id, app, gone);
  }
}

/**
 * Gives probes what they write to.
 *
 * @throws TypeError for what is no recorder
 */
export function journalOf(recorder: Recorder, act: string): Journal {
  const journal = journalIn(recorder);
  if (journal !== undefined) return journal;
  throw new TypeError(`Cannot ${act}: the recorder is ${show(recorder)}; wanted a Recorder`);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
