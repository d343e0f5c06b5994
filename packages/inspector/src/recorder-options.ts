import { show, type Environ } from "@wsgi/core";
import type { RecordedEvent, Recording } from "./recording.ts";

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

/**
 * Makes sure that the options are what they should be, and fills in what is not said.
 *
 * @throws TypeError or RangeError for an option that is none
 */
export function checkOptions(options: RecorderOptions): Required<RecorderOptions> {
  if (typeof options !== "object" || options === null) {
    refuse(`the options are ${show(options)}`, "an object");
  }
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
