import type { Boundary, Environ, HeaderList } from "@wsgi/core";
import { readError } from "./errors.ts";
import type {
  ArrayRecord,
  ChunkRecord,
  EnvironChange,
  ErrorRecord,
  Omitted,
  RecordedEvent,
  Recording,
  ThrewEvent,
} from "./recording.ts";
import type { Secrets } from "./secrets.ts";
import {
  attempt,
  cut,
  shorten,
  summarise,
  summariseArray,
  summariseChunk,
  summariseHeaders,
  textOf,
} from "./summary.ts";

/** Says how much is recorded, and who is told. */
export interface Settings {
  readonly events: number;
  readonly chunkText: number;
  now(): number;
  tell(recording: Recording, event: RecordedEvent): void;
}

/** Is an event that does not know yet when and where it happened. */
export type Happening = RecordedEvent extends infer Each
  ? Each extends RecordedEvent
    ? Omit<Each, "at" | "call">
    : never
  : never;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const longestTarget = 2_000;

/** Is a request under way, and what is recorded of it. */
export class Exchange {
  readonly recording: Mutable<Recording> & { events: RecordedEvent[]; omitted: Omitted[] };
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly #begun: number;
  #spent = 0;
  readonly #errors = new Map<unknown, ErrorRecord>();
  #thrown = 0;
  #calls = 0;
  // What passes through a layer as it is need not be looked at again.
  #headers: { of: HeaderList; record: HeaderList } | undefined;
  #array: { of: object; record: ArrayRecord } | undefined;
  #chunk: { of: unknown; record: ChunkRecord } | undefined;

  constructor(
    settings: Settings,
    secrets: Secrets,
    about: Pick<Recording, "id" | "replayOf" | "isDetached">,
    environ: Environ,
  ) {
    this.settings = settings;
    this.secrets = secrets;
    this.#begun = settings.now();
    // So that what is secret in one place is hidden in all.
    secrets.learn(environ);
    this.recording = {
      ...about,
      begun: Date.now(),
      method: cut(textOf(environ.REQUEST_METHOD), longestTarget),
      target: shorten(textOf(environ.REQUEST_URI ?? environ.PATH_INFO), longestTarget, secrets),
      ended: null,
      events: [],
      omitted: [],
    };
  }

  /** Tells the time since it began, without what recording has taken. */
  now(): number {
    return this.settings.now() - this.#begun - this.#spent;
  }

  /** Whether there are enough events, so that only what ends something is written down. */
  get isFull(): boolean {
    return this.recording.events.length >= this.settings.events;
  }

  /** Writes an event down, and tells of it; the time from then until now is none of the request's. */
  log(event: RecordedEvent): void {
    const { at } = event;
    // What ends something comes to an end, too: a call has at most seven such events, unless it is odd.
    if (this.recording.events.length < 8 * this.settings.events) {
      const rounded = { ...event, at: Math.round(at * 1_000) / 1_000 };
      this.recording.events.push(rounded);
      this.settings.tell(this.recording, rounded);
    }
    this.skip(at);
  }

  /** Takes the time from then until now off. */
  skip(at: number): void {
    this.#spent += this.now() - at;
  }

  nextCall(): number {
    return this.#calls++;
  }

  omittedOf(call: number): Omitted {
    const known = this.recording.omitted.find((one) => one.call === call);
    if (known !== undefined) return known;
    const first = { call, chunks: 0, bytes: 0, time: 0, calls: 0 };
    this.recording.omitted.push(first);
    return first;
  }

  readError(error: unknown): ErrorRecord {
    const known = this.#errors.get(error);
    if (known !== undefined) return { ...known, stack: null };
    const record = readError(error, this.#thrown++, this.secrets);
    if (this.#errors.size < this.settings.events) this.#errors.set(error, record);
    return record;
  }

  readText(text: unknown): string {
    return shorten(textOf(text), longestTarget, this.secrets);
  }

  readHeaders(headers: HeaderList): HeaderList {
    if (this.#headers !== undefined && this.#headers.of === headers) return this.#headers.record;
    const record = attempt(() => summariseHeaders(headers, this.secrets), []);
    this.#headers = { of: headers, record };
    return record;
  }

  readArray(body: readonly unknown[]): ArrayRecord {
    if (this.#array?.of === body) return this.#array.record;
    const record = summariseArray(body, this.settings.chunkText, this.secrets);
    this.#array = { of: body, record };
    return record;
  }

  readChunk(chunk: unknown): ChunkRecord {
    if (this.#chunk !== undefined && this.#chunk.of === chunk) return this.#chunk.record;
    const record = summariseChunk(chunk, this.settings.chunkText, this.secrets);
    this.#chunk = { of: chunk, record };
    return record;
  }

  /** Looks at the next chunk anew, even if it is the same: a buffer may have been filled again. */
  forgetChunk(): void {
    this.#chunk = undefined;
  }

  /** Lets go of what belongs to the request. */
  end(): void {
    this.recording.ended ??= this.recording.events.at(-1)!.at;
    this.#errors.clear();
    this.#headers = this.#array = this.#chunk = undefined;
  }
}

/** Is one call of an application behind a boundary. */
export class Call {
  readonly exchange: Exchange;
  readonly boundary: Boundary;
  readonly parent: Call | undefined;
  readonly id: number;
  /** Whether nothing inside can be running any more. */
  isOver = false;
  readonly #environ: Readonly<Record<string, unknown>>;

  constructor(
    exchange: Exchange,
    boundary: Boundary,
    parent: Call | undefined,
    isLayer: boolean,
    environ: Environ,
    at: number,
  ) {
    this.exchange = exchange;
    this.boundary = boundary;
    this.parent = parent;
    this.id = exchange.nextCall();
    const before = parent === undefined ? {} : parent.#environ;
    const change = changeOf(before, environ, exchange.secrets);
    this.#environ = change === same ? before : { ...environ };
    const called = { parent: parent?.id ?? null, name: boundary.inner, label: boundary.label };
    this.log({ kind: "call", ...called, isLayer, environ: change }, at);
  }

  /** Writes down what happened at this call, now or just before. */
  log(event: Happening, at: number = this.exchange.now()): void {
    this.exchange.log({ at, call: this.id, ...event } as RecordedEvent);
  }

  threw(during: ThrewEvent["during"], error: unknown): void {
    const at = this.exchange.now();
    this.log({ kind: "threw", during, error: this.exchange.readError(error) }, at);
  }

  /** Counts a chunk that is not written down. */
  omit(bytes: number, begun: number): void {
    const omitted = this.exchange.omittedOf(this.id);
    omitted.chunks += 1;
    omitted.bytes += bytes;
    omitted.time += this.exchange.now() - begun;
  }

  /** Notes that the call is over; with the outermost, the request is. */
  end(): void {
    this.isOver = true;
    if (this.parent === undefined) this.exchange.end();
  }
}

const same: EnvironChange = { added: {}, changed: {}, removed: [] };

function changeOf(
  before: Readonly<Record<string, unknown>>,
  environ: Environ,
  secrets: Secrets,
): EnvironChange {
  const now = environ as Readonly<Record<string, unknown>>;
  const keys = Object.keys(now);
  const earlier = Object.keys(before);
  const isSame = (key: string): boolean => before[key] === now[key] && Object.hasOwn(before, key);
  if (keys.length === earlier.length && keys.every(isSame)) return same;
  const told = (names: readonly string[]): EnvironChange["added"] =>
    Object.fromEntries(names.map((key) => [key, summarise(key, now[key], secrets)]));
  return {
    added: told(keys.filter((key) => !Object.hasOwn(before, key))),
    changed: told(keys.filter((key) => Object.hasOwn(before, key) && !isSame(key))),
    removed: earlier.filter((key) => !Object.hasOwn(now, key)),
  };
}
