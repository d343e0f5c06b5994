import { stack, type Application, type Environ, type Middleware } from "@wsgi/core";
import type { StartResponse, WsgiError } from "@wsgi/core";
import { validator, type ValidatorOptions } from "@wsgi/core/validator";
import { call, environFor, respond } from "@wsgi/testing";

/** Is what validators have said: `"application status-form"` for each broken clause, and each warning. */
export interface Verdict {
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

/** Makes validators that keep what they say. */
export function makeJudge(): Verdict & { validator(options?: ValidatorOptions): Middleware } {
  const faults: string[] = [];
  const warnings: string[] = [];
  const report = ({ side, clause }: WsgiError): void => void faults.push(`${side} ${clause}`);
  return {
    faults,
    warnings,
    validator: (options) =>
      validator({
        report,
        warn: ({ side, clause }) => void warnings.push(`${side} ${clause}`),
        ...options,
      }),
  };
}

/** Tells what a validator says of an application that is called by a server without fault. */
export async function judge(
  app: unknown,
  request: Environ | string = "GET /",
  options?: ValidatorOptions,
): Promise<Verdict> {
  const verdict = makeJudge();
  const environ = typeof request === "string" ? environFor(request) : request;
  await call(verdict.validator(options)(app as Application), environ).catch(() => {});
  return verdict;
}

/** Tells what a validator says of an environ, with these keys in it. */
export function judgeEnviron(keys: Readonly<Record<string, unknown>>): Promise<Verdict> {
  return judge(respond(["Hello"]), environFor("GET /", { environ: keys }));
}

/** Tells what a validator says of a server, to which the application's promise is no surprise. */
export async function judgeServer(
  server: (app: Application, environ: Environ) => unknown,
  app: Application = respond(() => ["Hello"]),
): Promise<Verdict> {
  const verdict = makeJudge();
  try {
    await server(verdict.validator()(app), environFor("GET /"));
  } catch {
    // It was told.
  }
  return verdict;
}

/** Tells what two validators say of the layer between them. */
export async function judgeLayer(
  layer: Middleware,
  app: Application,
  request: Environ | string = "GET /",
): Promise<Verdict> {
  const verdict = makeJudge();
  const outer = verdict.validator({ inner: "layer" });
  const inner = verdict.validator({ outer: "layer" });
  const environ = typeof request === "string" ? environFor(request) : request;
  await call(stack(outer, layer, inner)(app), environ).catch(() => {});
  return verdict;
}

/** Takes a response and does nothing with it. */
export const ignore: StartResponse = () => () => {};
