import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import process from "node:process";
import type { Application } from "@wsgi/core";
import { drawTree, inspect, Recorder, type Recording } from "@wsgi/inspector";
import { inspectorPage, type InspectorPage } from "@wsgi/inspector/page";
import { CommandError, UsageError } from "./command.ts";

/** Is what `--inspect` asks for, the same for each process that serves the application. */
export interface InspectSettings {
  readonly path: string;
  readonly token: string;
  /** The names of this machine that its page answers to, besides localhost. */
  readonly hosts: readonly string[];
  /** Whether responses say in Server-Timing what each layer took; not where others could read it. */
  readonly serverTiming: boolean;
}

/**
 * Reads the value of `--inspect`, and makes the token.
 *
 * @throws CommandError if the path is none, or the page would be for nobody
 */
export async function readInspect(path: string, host: string): Promise<InspectSettings> {
  if (!(await isReachableFromHere(host))) {
    throw new CommandError(
      `Cannot serve with the inspector on ${JSON.stringify(host)}: it is for this machine only; wanted a host like 127.0.0.1, or 0.0.0.0`,
    );
  }
  const hosts = isIP(host) === 0 ? [host] : [];
  try {
    const page = inspectorPage(new Recorder(), path === "" ? { hosts } : { path, hosts });
    const serverTiming = host !== "0.0.0.0" && host !== "::";
    return { path: page.path, token: page.token, hosts, serverTiming };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Tells whether a client on this machine comes from a loopback address, as the page wants it. */
async function isReachableFromHere(host: string): Promise<boolean> {
  try {
    const { address } = await lookup(host);
    return /^(?:127\.|0\.0\.0\.0$|::1?$)/.test(address);
  } catch {
    // Then nothing can be served there, and the server says why.
    return true;
  }
}

/** Is an application that is recorded, with the page that shows it. */
export interface Inspected {
  readonly app: Application;
  readonly page: InspectorPage;
}

/**
 * Records what the layers of an application do, and puts the page around it.
 *
 * @param printsTrees - whether each request is drawn in the terminal, too
 */
export function inspectServed(
  app: Application,
  settings: InspectSettings,
  printsTrees: boolean,
): Inspected {
  const { path, token, hosts, serverTiming } = settings;
  const recorder = new Recorder();
  const page = inspectorPage(recorder, { path, token, hosts });
  if (printsTrees) printTrees(recorder);
  // Such an error ends the process, and the page is not to keep it waiting.
  process.once("uncaughtExceptionMonitor", () => page.close());
  return { app: page(inspect(app, recorder, { serverTiming })), page };
}

/** Draws each request in the terminal when it is over. */
function printTrees(recorder: Recorder): void {
  const printed = new WeakSet<Recording>();
  const color = process.stdout.isTTY && process.stdout.hasColors();
  recorder.subscribe((recording) => {
    // A recording has its end only after it has told of its last event.
    queueMicrotask(() => {
      if (recording.ended === null || printed.has(recording)) return;
      printed.add(recording);
      console.log(`${drawTree(recording, { color })}\n`);
    });
  });
}

/** Tells where the page is. */
export function announceInspector(settings: InspectSettings | undefined, url: string): void {
  if (settings === undefined) return;
  const { path, token } = settings;
  console.log(`Inspector on ${inspectorPage(new Recorder(), { path, token }).url(url)}`);
}
