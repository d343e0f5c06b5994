import { EventEmitter } from "node:events";
import { inspect } from "node:util";
import { describeError as describe } from "@wsgi/core";

/** Writes an error for the operator, with its properties. */
export function describeError(error: unknown): string {
  return describe(error, inspect);
}

const ignore = (): void => {};

/** Keeps a stream that fails, a pipe that nobody reads any more, from ending the process. */
export function bearErrors(stream: unknown): void {
  if (stream instanceof EventEmitter && !stream.listeners("error").includes(ignore)) {
    stream.on("error", ignore);
  }
}
