import { checkRecording } from "./check-recording.ts";
import { compareHeaders } from "./differences.ts";
import type {
  BodyRecord,
  CallEvent,
  EnvironChange,
  ErrorRecord,
  PromiseRecord,
  RecordedEvent,
  Recording,
  StartEvent,
  ThrewEvent,
} from "./recording.ts";

/** Is one step of an exchange, in words. */
export interface Step {
  /** The place of its event in the recording. */
  readonly event: number;
  readonly at: number;
  /** The call at whose boundary it happened. */
  readonly call: number;
  /** What happened, in a sentence. */
  readonly text: string;
  /** The id of the clause in SPEC.md that it shows. */
  readonly clause: string;
}

/**
 * Tells a recorded request event by event: a sentence for each, and the clause of the contract that it shows.
 *
 * @param recording - the recording
 * @returns the steps, one for each event
 * @throws TypeError for what is no recording
 * @example
 * ```ts
 * import { inspect, Recorder, steps } from "@wsgi/inspector";
 * import { call, respond } from "@wsgi/testing";
 *
 * const recorder = new Recorder();
 * await call(inspect(respond(["Hello"]), recorder), "GET /");
 * steps(recorder.recordings[0]).map(({ clause }) => clause);
 * // ["call-once", "start-lazy", "start-write", "body-iterable"]
 * ```
 * @see SPEC.md
 */
export function steps(recording: Recording): Step[] {
  checkRecording(recording, "tell the steps");
  const scene = new Scene(recording);
  return recording.events.map((event, i) => {
    const [text, clause] = scene.tell(event);
    // The names of layers stay as they are.
    const sentence = text.replace(/^the server/, "The server");
    return { event: i, at: event.at, call: event.call, text: sentence, clause };
  });
}

type Told = readonly [text: string, clause: string];

/** Is who is there, and what is going on. */
class Scene {
  readonly #recording: Recording;
  readonly #calls: CallEvent[] = [];
  /** The calls of startResponse and write that have not come back, the innermost layer's first. */
  readonly #outward: RecordedEvent[] = [];
  /** The errors that somebody has thrown. */
  readonly #known = new Set<number>();
  #isSent = false;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  tell(event: RecordedEvent): Told {
    if (event.kind === "call") return this.#tellCall(event);
    const name = this.#name(event.call);
    const outside = this.#outside(event.call);
    const isOutermost = this.#calls[event.call]!.parent === null;
    switch (event.kind) {
      case "returned":
        return this.#tellBody(event.call, `${name} returns`, event.body);
      case "settled":
        return this.#tellBody(event.call, `The promise comes true: ${name} gives`, event.body);
      case "start":
        return this.#tellStart(event);
      case "started":
        this.#outward.pop();
        return [
          `${outside} has stored status and headers, and returns the function write to ${name}.`,
          "start-write",
        ];
      case "write": {
        const passes = this.#passesOn(event, "write");
        this.#outward.push(event);
        const text = `${name} ${passes ? "passes on what was written" : "writes"}: ${bytes(event.size)}.`;
        if (isOutermost && this.#send()) {
          return [`${text} Even without a byte, it sends the head.`, "write-flush"];
        }
        return [text, passes ? "layer-written" : "write-as-yielded"];
      }
      case "wrote":
        this.#outward.pop();
        return event.isFull
          ? [`The buffers are full: ${outside} returns a promise to wait for.`, "write-full"]
          : [`${outside} has taken it.`, "write-as-yielded"];
      case "next":
        return [
          `${outside} asks ${name} for the next chunk.`,
          isOutermost ? "body-pace" : "layer-block",
        ];
      case "chunk":
        return this.#tellChunk(`${name} yields ${bytes(event.size)}.`, event.size, isOutermost);
      case "done":
        return [`${name} has no more chunks.`, "body-once"];
      case "stop":
        return [
          `${outside} wants no more chunks, and ends the iteration of ${name}.`,
          "close-return",
        ];
      case "stopped":
        return [`The iteration of ${name} has ended.`, "close-return"];
      case "close":
        return isOutermost
          ? [`The request ends: the server closes the body of ${name}.`, "close-once"]
          : [`${outside} hands the closing on, to the body of ${name}.`, "close-forward"];
      case "closed":
        return [`The body of ${name} is closed.`, "close-waited"];
      case "threw":
        return this.#tellError(event);
    }
  }

  #tellCall(event: CallEvent): Told {
    this.#calls[event.call] = event;
    const name = this.#name(event.call);
    const { environ } = event;
    if (event.parent === null) {
      const { method, target } = this.#recording;
      const keys = count(Object.keys(environ.added).length, "key");
      return [
        `The server calls ${name} with ${method} ${target}: ${keys} of environ.`,
        "call-once",
      ];
    }
    const label = event.label === "" ? "" : ` (${event.label})`;
    const text = `${this.#outside(event.call)} calls ${name}${label}`;
    const changes = environChanges(environ);
    if (changes === "") return [`${text} with the same environ.`, "call-arguments"];
    const isRequest = [...Object.keys(environ.changed), ...environ.removed].some(
      (key) => !key.includes("."),
    );
    return [`${text}; of environ it has ${changes}.`, isRequest ? "layer-environ" : "layer-keys"];
  }

  #tellBody(call: number, begin: string, body: BodyRecord | PromiseRecord): Told {
    switch (body.kind) {
      case "promise":
        return [`${begin} a promise: whoever is outside has to wait.`, "body-settled"];
      case "no body":
        return [`${begin} ${body.type}, which is no body.`, "body-iterable"];
      case "array": {
        if (this.#calls[call]!.parent === null && body.size > 0) this.#send();
        const chunks = count(body.chunks, "chunk");
        return [`${begin} an array of ${chunks} with ${bytes(body.size)}.`, "body-iterable"];
      }
      default:
        return [
          `${begin} an ${body.kind}, of which nothing is read yet.`,
          this.#calls[call]!.isLayer ? "layer-lazy" : "body-iterable",
        ];
    }
  }

  #tellStart(event: StartEvent): Told {
    const name = this.#name(event.call);
    const inner = this.#passesOn(event, "start");
    this.#outward.push(event);
    if (inner !== undefined) {
      const changes = startChanges(inner as StartEvent, event);
      return [`${name} passes it on to ${this.#outside(event.call)}${changes}.`, "layer-start"];
    }
    const fields = count(event.headers.length, "header field");
    const text = `${name} calls startResponse: ${event.status}, ${fields}`;
    if (event.error !== null) {
      this.#known.add(event.error.id);
      const why = `because of ${short(event.error)}, which takes the place of what was not sent yet`;
      return [`${text}, ${why}.`, "start-replace"];
    }
    return [`${text}. Nothing is sent yet.`, "start-lazy"];
  }

  #tellChunk(text: string, size: number, isOutermost: boolean): Told {
    if (size === 0) return [`${text} That starts nothing.`, "body-empty"];
    if (!isOutermost) return [text, "layer-block"];
    return this.#send()
      ? [`${text} The head leaves with it.`, "start-lazy"]
      : [`${text} It is sent before the next is asked for.`, "body-prompt"];
  }

  #tellError({ call, during, error }: ThrewEvent): Told {
    const isOutward = during === "start" || during === "write";
    if (isOutward) this.#outward.pop();
    const isNew = !this.#known.has(error.id);
    this.#known.add(error.id);
    const name = this.#name(call);
    const outside = this.#outside(call);
    if (isOutward) {
      const [what, clause] =
        during === "start"
          ? ["startResponse", isNew ? "start-check" : "start-sent"]
          : ["write", "write-in-time"];
      return [`For ${name}, ${what} of ${outside} throws ${short(error)}.`, clause];
    }
    if (during === "close") {
      return [`Closing the body of ${name} fails with ${short(error)}.`, "close-failed"];
    }
    const text = isNew ? `${name} throws ${short(error)}` : `${name} lets ${error.name} through`;
    return this.#calls[call]!.parent === null
      ? [`${text}: it reaches the server.`, "error-contained"]
      : [`${text}, to ${outside}.`, "error-page"];
  }

  /** Finds what a layer passes on: the same, of a call that it made, which has not come back yet. */
  #passesOn(event: RecordedEvent, kind: "start" | "write"): RecordedEvent | undefined {
    const last = this.#outward.at(-1);
    if (last?.kind !== kind) return undefined;
    return this.#calls[last.call]!.parent === event.call ? last : undefined;
  }

  /** Notes that the head is sent; tells whether it was not before. */
  #send(): boolean {
    const isFirst = !this.#isSent;
    this.#isSent = true;
    return isFirst;
  }

  #name(call: number): string {
    return this.#calls[call]!.name;
  }

  #outside(call: number): string {
    const { parent } = this.#calls[call]!;
    return parent === null ? "the server" : this.#name(parent);
  }
}

function environChanges({ added, changed, removed }: EnvironChange): string {
  const parts = [
    ["added", Object.keys(added)],
    ["changed", Object.keys(changed)],
    ["removed", removed],
  ] as const;
  return parts
    .filter(([, keys]) => keys.length > 0)
    .map(([verb, keys]) => `${verb} ${keys.join(", ")}`)
    .join(", and ");
}

function startChanges(inner: StartEvent, outer: StartEvent): string {
  const { added, changed, removed } = compareHeaders(inner.headers, outer.headers);
  const names = (fields: readonly (readonly [string, string])[]): string =>
    fields.map(([name]) => name).join(", ");
  const parts = [
    inner.status === outer.status ? "" : `with the status ${outer.status}`,
    added.length === 0 ? "" : `with ${names(added)} added`,
    changed.length === 0 ? "" : `with another ${changed.map(({ name }) => name).join(", ")}`,
    removed.length === 0 ? "" : `without ${names(removed)}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? " as it is" : `, ${parts.join(", and ")}`;
}

function short({ name, message }: ErrorRecord): string {
  return `${name}: ${message.split("\n", 1)[0]}`;
}

function bytes(size: number): string {
  return count(size, "byte");
}

function count(number: number, thing: string): string {
  return `${number === 0 ? "no" : number} ${thing}${number === 1 ? "" : "s"}`;
}
