import { emptyInput, quietly, type Environ } from "@wsgi/core";
import { Exchange, type Call, type Settings } from "./exchange.ts";
import { KeptBody, keepInput } from "./kept-input.ts";
import type { RecordedEvent, Recording } from "./recording.ts";
import type { RecorderListener, RecorderOptions } from "./recorder-options.ts";
import { Secrets } from "./secrets.ts";

/** Is the request of a recording as it came, secrets and all. It is not given out. */
export interface Origin {
  readonly environ: Readonly<Partial<Environ>>;
  readonly body: KeptBody;
}

/** Says that a request is a replay, and learns which recording is made of it. */
export class Replay {
  readonly of: number;
  recording: number | undefined;

  constructor(of: number) {
    this.of = of;
  }
}

/** Is what leads from an environ to its recording: the last call, a replay to come, or null if there is to be none. */
export type Mark = Call | Replay | null;

/** Is what a recorder and its probes share. */
export class Journal {
  readonly recordings: Recording[] = [];
  readonly origins: Map<number, Origin> = new Map();
  readonly listeners: Set<RecorderListener> = new Set();
  /** The paths of the pages that show the recordings; what is asked for there is not recorded. */
  readonly pages: Set<string> = new Set();
  /** Are told when the recordings are gone. */
  readonly clearings: Set<() => void> = new Set();
  readonly #options: Required<RecorderOptions>;
  readonly #settings: Settings;
  // One for each recorder, so that one can stand within another. It goes along when environ is copied.
  readonly #key = Symbol("wsgi.inspector");
  #begun = 0;

  constructor(options: Required<RecorderOptions>) {
    this.#options = options;
    const { events, chunkText, now } = options;
    this.#settings = { events, chunkText, now, tell: (...news) => this.#tell(...news) };
  }

  markOf(environ: object): Mark | undefined {
    return (environ as { [key: symbol]: Mark | undefined })[this.#key];
  }

  mark(environ: object, mark: Mark): void {
    (environ as { [key: symbol]: Mark })[this.#key] = mark;
  }

  /** Begins to record a request; undefined if it is none of those that are recorded. */
  begin(environ: Environ, isDetached: boolean): Exchange | undefined {
    const { keep, only, secrets } = this.#options;
    if (this.#isForPage(environ) || !only(environ)) {
      this.mark(environ, null);
      return undefined;
    }
    const replay = this.markOf(environ);
    const id = ++this.#begun;
    const replayOf = replay instanceof Replay ? replay.of : null;
    if (replay instanceof Replay) replay.recording = id;
    const about = { id, replayOf, isDetached };
    const exchange = new Exchange(this.#settings, new Secrets(secrets), about, environ);
    const body = new KeptBody(environ);
    this.origins.set(id, { environ: dataOf(environ), body });
    const input: unknown = environ["wsgi.input"];
    // One that gives nothing stays, because bridges know it.
    if (input !== emptyInput && typeof input === "object" && input !== null) {
      environ["wsgi.input"] = keepInput(environ["wsgi.input"], body);
    }
    this.recordings.push(exchange.recording);
    if (this.recordings.length > keep) this.origins.delete(this.recordings.shift()!.id);
    return exchange;
  }

  /** Tells whether a request is for a page, wherever that is mounted. */
  #isForPage({ SCRIPT_NAME, PATH_INFO }: Environ): boolean {
    const path = `${SCRIPT_NAME}${PATH_INFO}/`;
    for (const page of this.pages) if (path.includes(`${page}/`)) return true;
    return false;
  }

  /** Forgets all recordings. */
  clear(): void {
    this.recordings.length = 0;
    this.origins.clear();
    for (const tell of this.clearings) tell();
  }

  /** Tells whether a recording has enough events. */
  isFull(id: number | undefined): boolean {
    const recording = this.recordings.find((one) => one.id === id);
    return recording === undefined || recording.events.length >= this.#options.events;
  }

  #tell(recording: Recording, event: RecordedEvent): void {
    // Whatever becomes of those who listen, the request goes on.
    for (const listener of this.listeners) void quietly(() => listener(recording, event));
  }
}

/** Copies what a server has put into environ, and leaves out what belongs to this one request. */
function dataOf(environ: Environ): Partial<Environ> {
  const isData = ([key, value]: [string, unknown]): boolean =>
    (key.startsWith("wsgi.") && key !== "wsgi.input") ||
    /^(?:string|number|boolean)$/.test(typeof value);
  return Object.fromEntries(Object.entries(environ).filter(isData)) as Partial<Environ>;
}
