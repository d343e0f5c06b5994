import { fork } from "node:child_process";
import type { Socket } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import type { Answer } from "./connections.ts";
import type { ServeSettings } from "./serving.ts";

/** Is told what becomes of a run, as long as it is not stopped. */
export interface RunEvents {
  /** The application is loaded; `answer` hands a connection to it. */
  ready(label: string, answer: Answer): void;
  /** The process has ended; what it last wrote is still on its way. */
  lost(): void;
  /** The process ended before it took this connection; a run that was stopped tells so too. */
  refused(socket: Socket): void;
  /** The process has ended; `output` is what it last wrote to standard error. */
  failed(reason: string, output: string): void;
}

/** Is one run of the application, in a process of its own. */
export interface Run {
  /** Lets the requests that are under way end, and then the process. */
  stop(): Promise<void>;
}

/** Is what the process of a run tells the one above: it is loaded, or has taken a connection. */
export type RunMessage =
  | { readonly wsgi: "loaded"; readonly label: string }
  | { readonly wsgi: "taken" };

/** The command of `main.ts` that such a process carries out. */
export const runCommand = "reload-child";

/** The environment variable that has its settings. */
export const settingsVariable = "WSGI_RELOAD_SETTINGS";

/** How long a process that is to stop may take, in milliseconds. */
const patience = 5_000;

/** How much of the end of standard error is kept, in characters. */
const outputLimit = 16_384;

/** Starts a process for the application. */
export function startRun(settings: ServeSettings, events: RunEvents): Run {
  const main = fileURLToPath(new URL("./main.js", import.meta.url));
  const child = fork(main, [runCommand], {
    // Not as an argument, which everybody on this machine can see: they have the token of the inspector.
    env: { ...process.env, [settingsVariable]: JSON.stringify(settings) },
    stdio: ["inherit", "inherit", "pipe", "ipc"],
  });
  let stopped = false;
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);

  // A connection stays open here too until it has arrived, because the process may end before.
  const sent: Socket[] = [];
  const answer: Answer = (socket) => {
    sent.push(socket);
    child.send("connection", socket, { keepOpen: true }, () => {});
  };
  child.on("message", (message) => {
    // The application and its loader may send messages too.
    const told = message as RunMessage | null;
    if (told?.wsgi === "loaded" && !stopped) events.ready(told.label, answer);
    if (told?.wsgi === "taken") sent.shift()?.destroy();
  });
  let output = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    process.stderr.write(text);
    output = (output + text).slice(-outputLimit);
  });

  const ended = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
  child.once("exit", () => {
    process.removeListener("exit", kill);
    if (!stopped) events.lost();
    sent.splice(0).forEach(events.refused);
  });
  child.once("close", (code, signal) => {
    const reason = `${settings.target} ended with ${signal ?? `exit code ${code}`}`;
    if (!stopped) events.failed(reason, stripVTControlCharacters(output));
  });

  return {
    stop() {
      stopped = true;
      if (child.connected) child.send("stop", () => {});
      const timer = setTimeout(kill, patience);
      return ended.then(() => clearTimeout(timer));
    },
  };
}
