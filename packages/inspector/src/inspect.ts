import {
  checkApplication,
  interleave,
  show,
  stack,
  type AnyMiddleware,
  type Application,
  type Boundary,
  type Stack,
} from "@wsgi/core";
import { probe } from "./probe.ts";
import { journalOf, type Recorder } from "./recorder.ts";

/** Says what an inspected application does besides being recorded. */
export interface InspectOptions {
  /**
   * Whether responses get a `Server-Timing` field with each layer's own time until then, for the tools of a
   * browser. It tells clients the names of the layers. Default: false.
   */
  serverTiming?: boolean;
}

/**
 * Records what every layer of an application does to a request: puts a probe between every two layers,
 * before the first and behind the last, also of the mounts, routers and stacks within. A probe changes
 * nothing: arrays stay the same, what is synchronous or lazy stays so, and errors are the same errors.
 *
 * @param composed - a stack, or an application made with one
 * @param recorder - keeps the recordings
 * @param options - what else it does
 * @returns a stack from a stack, an application from an application
 * @throws TypeError for what is no application or no recorder, and if an option is not of its type
 * @example
 * ```ts
 * import { stack } from "@wsgi/core";
 * import { analyse, inspect, Recorder } from "@wsgi/inspector";
 * import { call, respond } from "@wsgi/testing";
 *
 * const signed = (app) => (environ, startResponse) =>
 *   app(environ, (status, headers, excInfo) =>
 *     startResponse(status, [...headers, ["X-Signed", "yes"]], excInfo));
 *
 * const recorder = new Recorder();
 * const app = inspect(stack(signed)(respond(["Hello"])), recorder);
 * await call(app, "GET /");
 * const [outermost] = analyse(recorder.recordings[0]).calls;
 * outermost.headers.added; // [["X-Signed", "yes"]]
 * ```
 * @see SPEC.md [layer-compose], [layer-describe]
 */
export function inspect<Adds, Needs>(
  composed: Stack<Adds, Needs>,
  recorder: Recorder,
  options?: InspectOptions,
): Stack<Adds, Needs>;
export function inspect(
  composed: Application,
  recorder: Recorder,
  options?: InspectOptions,
): Application;
export function inspect(
  composed: Stack | Application,
  recorder: Recorder,
  options: InspectOptions = {},
): Stack | Application {
  checkApplication(composed, "inspect");
  const journal = journalOf(recorder, "inspect");
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot inspect: the options are ${show(options)}; wanted an object`);
  }
  const { serverTiming = false } = options;
  if (typeof serverTiming !== "boolean") {
    throw new TypeError(
      `Cannot inspect: serverTiming is ${show(serverTiming)}; wanted true or false`,
    );
  }
  const open = (app: Application): Application => {
    const outsides = new Set<Boundary | undefined>();
    return interleave(app, (boundary) => {
      outsides.add(boundary.outside);
      return probe({ boundary, isLayer: () => outsides.has(boundary), serverTiming }, journal);
    });
  };
  if (!isStack(composed)) return open(composed);
  // Not between its layers only: the application that it is given may have layers of its own.
  const inspected: AnyMiddleware = function inspect(app: Application): Application {
    return open(composed(app));
  };
  return stack(inspected);
}

function isStack(composed: Stack | Application): composed is Stack {
  return Array.isArray((composed as Partial<Stack>).layers);
}
