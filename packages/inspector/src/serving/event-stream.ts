import type { RecordedEvent, Recording } from "../recording.ts";
import { summariseRecording } from "../recording-summary.ts";
import type { Recorder } from "../recorder.ts";

/** How many events may wait for a slow reader; beyond that it is told how things stand instead. */
const mostWaiting = 256;

/** How often a silent stream gives a sign of life, in milliseconds. */
const heartbeat = 15_000;

/** Is a body that tells what is recorded while it happens, as server-sent events, until it is closed. */
export class EventStream implements AsyncIterator<string, undefined> {
  readonly #recorder: Recorder;
  readonly #unsubscribe: () => void;
  readonly #timer: NodeJS.Timeout;
  /** What makes the text of each event, not before it is sent. */
  #waiting: (() => string)[];
  #reader: ((step: IteratorResult<string, undefined>) => void) | undefined;
  #isOver = false;
  readonly #onClose: () => void;

  /**
   * @param recorder - the recorder
   * @param onClose - is called when it is closed
   */
  constructor(recorder: Recorder, onClose: () => void) {
    this.#recorder = recorder;
    this.#onClose = onClose;
    this.#waiting = [() => `retry: 1000\n\n${this.#hello()}`];
    this.#unsubscribe = recorder.subscribe((recording, event) => {
      const index = recording.events.length - 1;
      this.#push(() => recorded(recording, event, index));
    });
    this.#timer = setInterval(() => this.#push(() => ":\n\n"), heartbeat).unref();
  }

  /** Tells that the recordings are gone. */
  tellCleared(): void {
    this.#push(() => message("cleared", {}));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<string, undefined>> {
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

  #push(news: () => string): void {
    if (this.#isOver) return;
    if (this.#waiting.length < mostWaiting) this.#waiting.push(news);
    else this.#waiting = [() => this.#hello()];
    this.#feed();
  }

  /** Gives the reader all that waits. */
  #feed(): void {
    const reader = this.#reader;
    if (reader === undefined || (this.#waiting.length === 0 && !this.#isOver)) return;
    this.#reader = undefined;
    if (this.#isOver) return reader({ done: true, value: undefined });
    const value = this.#waiting.map((news) => news()).join("");
    this.#waiting = [];
    reader({ done: false, value });
  }

  #hello(): string {
    return message("hello", this.#recorder.recordings.map(summariseRecording));
  }
}

function recorded(recording: Recording, event: RecordedEvent, index: number): string {
  return message("recorded", { recording: summariseRecording(recording), event, index });
}

/** Writes an event; JSON has no line ends but `\n` in strings, escaped. */
function message(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
