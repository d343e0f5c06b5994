import { fork } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { CommandError } from "./command.ts";
import type { Answer } from "./connections.ts";
import type { ServeSettings } from "./serving.ts";

/** Is what a worker is started with. */
export interface WorkerSettings extends ServeSettings {
  /** How often a worker shows that it is alive, in milliseconds. */
  readonly beatTime: number;
  /** How long it may fail to do so before it is killed, in milliseconds. */
  readonly workerTimeout: number;
}

/** Is what a worker tells the process above, and "beat" when there is nothing else to tell. */
export type WorkerMessage =
  | { readonly wsgi: "loaded"; readonly label: string }
  | { readonly wsgi: "taken" | "failing" | "beat" };

/** Is told what becomes of a worker while it serves. */
export interface WorkerEvents {
  /** It has taken the last connection, and can take another. */
  free(): void;
  /** It takes no more connections, because of an error that nobody caught. */
  failing(): void;
  /** The process ended before it took this connection. */
  refused(socket: Socket): void;
}

/** Is a process that answers the connections it is given, seen from above. */
export interface Worker {
  readonly pid: number | undefined;
  /** When it was started, on the clock of `performance.now()`. */
  readonly began: number;
  /** Is the label of the application when that is loaded; fails if the process ends before. */
  readonly loaded: Promise<string>;
  readonly ended: Promise<{ readonly code: number | null; readonly how: string }>;
  readonly answer: Answer;
  /** Lets applications know that they will be stopped. */
  warn(): void;
  /** Lets the requests that are under way end, and then the process. */
  stop(): void;
  kill(): void;
}

/** The command of `main.ts` that such a process carries out. */
export const workerCommand = "worker";

/** Starts a worker, and kills it when it does not move any more. */
export function startWorker(settings: WorkerSettings, events: WorkerEvents): Worker {
  const main = fileURLToPath(new URL("./main.js", import.meta.url));
  const child = fork(main, [workerCommand, JSON.stringify(settings)]);
  const kill = (): void => void child.kill("SIGKILL");

  // Counted, and not timed: if this process was suspended, the worker is not to blame.
  let silent = 0;
  const watch = setInterval(() => {
    silent += 1;
    if (silent * settings.beatTime <= settings.workerTimeout) return;
    console.error(`Worker ${child.pid} has been stuck for ${settings.workerTimeout / 1_000} s`);
    clearInterval(watch);
    kill();
  }, settings.beatTime);

  // A connection stays open here too until it has arrived, because the process may end before.
  const sent: Socket[] = [];
  const answer: Answer = (socket) => {
    sent.push(socket);
    child.send("connection", socket, { keepOpen: true }, () => {});
  };
  const ended: Worker["ended"] = new Promise((resolve) => {
    const end = (code: number | null, how: string): void => {
      clearInterval(watch);
      resolve({ code, how });
      sent.forEach(events.refused);
    };
    child.once("exit", (code, signal) => {
      const endNow = (): void => end(code, signal ?? `exit code ${code}`);
      // What it last told may still be on its way.
      if (child.connected) child.once("disconnect", endNow);
      else endNow();
    });
    child.on("error", ({ message }) => {
      // A process that could not be started does not exit.
      if (child.pid === undefined) end(null, message);
    });
  });
  const loaded = new Promise<string>((resolve, reject) => {
    child.on("message", (message) => {
      silent = 0;
      // The application and its loader may send messages too.
      const told = message as WorkerMessage | null;
      if (told?.wsgi === "loaded") resolve(told.label);
      if (told?.wsgi === "failing") events.failing();
      if (told?.wsgi !== "taken") return;
      sent.shift()?.destroy();
      events.free();
    });
    void ended.then(({ how }) =>
      reject(new CommandError(`A worker ended with ${how} while it started`)),
    );
  });
  const send = (message: string): void => {
    if (child.connected) child.send(message, () => {});
  };
  return {
    pid: child.pid,
    began: performance.now(),
    loaded,
    ended,
    answer,
    warn: () => send("warn"),
    stop: () => send("stop"),
    kill,
  };
}
