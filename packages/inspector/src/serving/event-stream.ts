import type { RecordedEvent, Recording } from "../recording.ts";
import { summariseRecording } from "../recording-summary.ts";
import type { Recorder } from "../recorder.ts";

/** How many events may wait for a slow reader; beyond that it is told how things stand instead. */
const mostWaiting = 256;

/** How often a stream gives a sign of life, in milliseconds. */
const heartbeat = 15_000;

type Step = IteratorResult<string, undefined>;

/** Is a body that tells what is recorded while it happens, as server-sent events, until it is closed. */
export class EventStream implements AsyncIterator<string, undefined> {
  readonly #recorder: Recorder;
  readonly #onClose: () => void;
  readonly #unsubscribe: () => void;
  readonly #timer: NodeJS.Timeout;
  /** What writes each message, not before it is sent. */
  #waiting: (() => string)[];
  #reader: ((step: Step) => void) | undefined;
  #isOver = false;

  /**
   * @param recorder - the recorder
   * @param onClose - is told when nothing is sent any more
   */
  constructor(recorder: Recorder, onClose: () => void) {
    this.#recorder = recorder;
    this.#onClose = onClose;
    this.#waiting = [() => `retry: 1000\n\n${this.#hello()}`];
    this.#unsubscribe = recorder.subscribe((recording, event) => {
      const index = recording.events.length - 1;
      this.#push(() => this.#recorded(recording, event, index));
    });
    this.#timer = setInterval(() => this.#push(() => ":\n\n"), heartbeat);
  }

  /** Tells that the recordings are gone. */
  tellCleared(): void {
    this.#push(() => message("cleared", {}));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    return new Promise((resolve) => {
      this.#reader = resolve;
      this.#feed();
    });
  }

  /** Ends it, and lets go of the recorder. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unsubscribe();
    clearInterval(this.#timer);
    this.#waiting = [];
    this.#feed();
    this.#onClose();
  }

  #push(write: () => string): void {
    if (this.#waiting.length < mostWaiting) this.#waiting.push(write);
    else this.#waiting = [() => this.#hello()];
    // Not at once: with its last event, a request has not ended yet.
    if (this.#waiting.length === 1) queueMicrotask(() => this.#feed());
  }

  /** Gives the reader, if there is one, all that waits. */
  #feed(): void {
    const reader = this.#reader;
    if (reader === undefined || (this.#waiting.length === 0 && !this.#isOver)) return;
    this.#reader = undefined;
    if (this.#isOver) return reader({ done: true, value: undefined });
    const value = this.#waiting.map((write) => write()).join("");
    this.#waiting = [];
    reader({ done: false, value });
  }

  #hello(): string {
    return message("hello", this.#recorder.recordings.map(summariseRecording));
  }

  #recorded(recording: Recording, event: RecordedEvent, index: number): string {
    // If none is kept, this one is not, either.
    const oldest = this.#recorder.recordings[0]?.id ?? recording.id + 1;
    return message("recorded", {
      recording: summariseRecording(recording),
      event,
      index,
      oldest,
    });
  }
}

/** Writes a message; JSON is a single line, whatever is in it. */
function message(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
