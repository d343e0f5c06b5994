import process from "node:process";
import { interleave, stack, type Application, type Boundary, type Middleware } from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import type { InspectorPage } from "@wsgi/inspector/page";
import { accessLog } from "@wsgi/middleware/access-log";
import {
  catchErrors,
  developmentKey,
  type DevelopmentEnviron,
} from "@wsgi/middleware/catch-errors";
import { serve, type StopOptions, type WsgiServer } from "@wsgi/server";
import { CommandError } from "./command.ts";
import { inspectServed, type InspectSettings } from "./inspecting.ts";
import { loadApplication, type Loaded } from "./load.ts";

/** What `--log` may be. */
export const logFormats = ["dev", "common", "combined", "json", "tree", "off"] as const;

/** Is what `wsgi serve` was asked for. */
export interface ServeSettings {
  /** The application as FILE:NAME. */
  readonly target: string;
  readonly host: string;
  readonly port: number;
  readonly log: (typeof logFormats)[number];
  /** Whether errors are shown in the browser. */
  readonly development: boolean;
  /** Whether the layers are held to the contract. */
  readonly validate: boolean;
  /** Whether applications may take connections over. */
  readonly upgrade: boolean;
  /** Where the inspector's page is, and what opens it; absent if nothing is recorded. */
  readonly inspect?: InspectSettings;
  /** How it ends. */
  readonly stop: StopOptions;
}

/** Is an application in the layers that were asked for. */
export interface Served extends Loaded {
  /** The page that shows what they do, if that was asked for. */
  readonly page?: InspectorPage;
}

/** Loads an application and puts around it the layers that were asked for. */
export async function loadServed(settings: ServeSettings): Promise<Served> {
  const { target, log, development, validate } = settings;
  const { app, label } = await loadApplication(target);
  const layers = stack(
    ...(log === "off" || log === "tree" ? [] : [accessLog({ format: log })]),
    ...(development ? [inDevelopment, catchErrors()] : []),
  );
  const served = layers(app);
  const held = validate ? interleave(served, watchBoundary) : served;
  if (settings.inspect === undefined) return { app: held, label };
  return { ...inspectServed(held, settings.inspect, log === "tree"), label };
}

/** Puts a validator between two layers, which tells of a broken clause whoever may catch the error. */
function watchBoundary(boundary: Boundary): Middleware {
  return validator({
    ...boundary,
    report({ message }, { REQUEST_METHOD, REQUEST_URI }) {
      // What follows "?" may be private, and a broken environ may lack all of it.
      const [target] = String(REQUEST_URI).split("?", 1);
      process.stderr.write(`Contract broken by ${REQUEST_METHOD} ${target}: ${message}\n`);
    },
  });
}

/** Tells the application's own `catchErrors` too, which nearer to the error tells more. */
const inDevelopment: Middleware<DevelopmentEnviron> = (app) =>
  function inDevelopment(environ, startResponse) {
    return app(Object.assign(environ, { [developmentKey]: true }), startResponse);
  };

/** @throws CommandError if the address cannot be listened on */
export async function listen(app: Application, settings: ServeSettings): Promise<WsgiServer> {
  const { host, port, upgrade } = settings;
  try {
    return await serve(app, { host, port, upgrade });
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}
