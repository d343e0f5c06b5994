import type { Header } from "@wsgi/core";

/**
 * Is what happened to one request on its way through an inspected application: plain data, which JSON
 * carries as it is. Times are milliseconds since it began.
 *
 * @see SPEC.md, whose words it uses
 */
export interface Recording {
  /** Its number, which no other recording of the same recorder has. */
  readonly id: number;
  /** When it began, in milliseconds since 1970. */
  readonly begun: number;
  readonly method: string;
  /** The target as the client sent it, without what is secret in it. */
  readonly target: string;
  /** The recording that this one is a replay of; null if it is none. */
  readonly replayOf: number | null;
  /**
   * Whether it began inside, because a layer further out had made an environ of its own, which leads back
   * to no recording.
   */
  readonly isDetached: boolean;
  /** When it was over: the body closed, or the call failed. Null while it is under way. */
  readonly ended: number | null;
  /** What happened, in its order. */
  readonly events: readonly RecordedEvent[];
  /** What happened after there were enough events, in numbers: an entry for each call. */
  readonly omitted: readonly Omitted[];
}

/** Is what is not among the events of a call, because there were enough. */
export interface Omitted {
  readonly call: number;
  /** How many chunks were yielded or written. */
  chunks: number;
  /** How many bytes they had. */
  bytes: number;
  /** How long they took, in milliseconds. */
  time: number;
  /** How many calls were made from within. */
  calls: number;
}

/** Says when something happened, and at which call: an application's, with all that is inside of it. */
export interface Moment {
  readonly at: number;
  /** The call's number, by which its first event goes. */
  readonly call: number;
}

/** Is anything that crosses the place between a server and an application, in either direction. */
export type RecordedEvent = Entering | Leaving;

/** Is the beginning of something; control goes in, or for `start` and `write` out, until it has come back. */
export type Entering = CallEvent | StartEvent | WriteEvent | NextEvent | StopEvent | CloseEvent;

/** Is the end of something that has begun. */
export type Leaving =
  | ReturnedEvent
  | SettledEvent
  | StartedEvent
  | WroteEvent
  | ChunkEvent
  | DoneEvent
  | StoppedEvent
  | ClosedEvent
  | ThrewEvent;

/** Says that an application is called: a layer, with all that is inside, or the innermost. */
export interface CallEvent extends Moment {
  readonly kind: "call";
  /** The call from within which it came; null for the outermost. */
  readonly parent: number | null;
  /** The name of the layer or application. */
  readonly name: string;
  /** When it is called, if it is a part of a mount or a router, `"GET /users/:id"`; else `""`. */
  readonly label: string;
  /** Whether it stands around others. */
  readonly isLayer: boolean;
  readonly environ: EnvironChange;
}

/** Is what has become of environ since the call around; for the outermost call, all of it. */
export interface EnvironChange {
  readonly added: Readonly<Record<string, Json>>;
  readonly changed: Readonly<Record<string, Json>>;
  readonly removed: readonly string[];
}

/** Says that the application has returned. */
export interface ReturnedEvent extends Moment {
  readonly kind: "returned";
  readonly body: BodyRecord | PromiseRecord;
}

/** Says that the promise which it returned has come true. */
export interface SettledEvent extends Moment {
  readonly kind: "settled";
  readonly body: BodyRecord;
}

/** Is a promise of a body. */
export interface PromiseRecord {
  readonly kind: "promise";
}

/** Is a body: an array is there as a whole, and others are read chunk by chunk. */
export type BodyRecord = ArrayRecord | IterableRecord | OddRecord;

/** Is a body that is an array. */
export interface ArrayRecord extends ChunkRecord {
  readonly kind: "array";
  /** The sizes of its chunks in bytes, of no more than the first hundred. */
  readonly sizes: readonly number[];
  /** How many chunks there are. */
  readonly chunks: number;
  readonly isClosable: boolean;
}

/** Is a body that is read step by step. */
export interface IterableRecord {
  readonly kind: "iterable" | "async iterable";
  /** Whether it has a `close()`. */
  readonly isClosable: boolean;
}

/** Is what is no body. */
export interface OddRecord {
  readonly kind: "no body";
  /** What it is instead, `"a string"`. */
  readonly type: string;
}

/** Is a chunk, or several in a row. */
export interface ChunkRecord {
  /** How many bytes. */
  readonly size: number;
  /** How the text begins; null for what is no text. */
  readonly text: string | null;
}

/** Says that the application calls `startResponse`. */
export interface StartEvent extends Moment {
  readonly kind: "start";
  readonly status: string;
  readonly headers: readonly Header[];
  /** What was given as `excInfo`. */
  readonly error: ErrorRecord | null;
}

/** Says that `startResponse` has returned. */
export interface StartedEvent extends Moment {
  readonly kind: "started";
}

/** Says that the application calls `write`. */
export interface WriteEvent extends Moment, ChunkRecord {
  readonly kind: "write";
}

/** Says that `write` has returned. */
export interface WroteEvent extends Moment {
  readonly kind: "wrote";
  /** Whether it returned a promise, because the buffers are full. */
  readonly isFull: boolean;
}

/** Says that the body is asked for its next chunk. */
export interface NextEvent extends Moment {
  readonly kind: "next";
}

/** Says that the body has given a chunk. */
export interface ChunkEvent extends Moment, ChunkRecord {
  readonly kind: "chunk";
}

/** Says that the body has no more. */
export interface DoneEvent extends Moment {
  readonly kind: "done";
}

/** Says that the body is told to stop, by `return()`. */
export interface StopEvent extends Moment {
  readonly kind: "stop";
}

/** Says that it has. */
export interface StoppedEvent extends Moment {
  readonly kind: "stopped";
}

/** Says that `close()` of the body is called. */
export interface CloseEvent extends Moment {
  readonly kind: "close";
}

/** Says that it has returned, and its promise, if there was one, has come true. */
export interface ClosedEvent extends Moment {
  readonly kind: "closed";
}

/** Says that something which had begun has ended with an error. */
export interface ThrewEvent extends Moment {
  readonly kind: "threw";
  /** What had begun. */
  readonly during: Entering["kind"];
  readonly error: ErrorRecord;
}

/** Is a value that was thrown. */
export interface ErrorRecord {
  /** The same for the same value, wherever in this recording it comes up again. */
  readonly id: number;
  readonly name: string;
  readonly message: string;
  /** Where it came from; null where it is not known, and from the second time on. */
  readonly stack: string | null;
}

/** Is a value that JSON can carry. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };
