import { fork, type ChildProcess } from "node:child_process";
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
}

/** Is what a worker leaves. */
export interface Ended {
  readonly code: number | null;
  /** Its exit code or signal, in words. */
  readonly how: string;
  /** The connections that it did not take. */
  readonly left: readonly Socket[];
}

/** Is a process that answers the connections it is given, seen from above. */
export interface Worker {
  readonly pid: number | undefined;
  /** Is the label of the application when that is loaded; fails if the process ends before. */
  readonly loaded: Promise<string>;
  readonly ended: Promise<Ended>;
  readonly answer: Answer;
  /** Lets applications know that they will be stopped. */
  warn(): void;
  /** Lets the requests that are under way end, and then the process. */
  stop(): void;
  kill(): void;
}

/** The command of `main.ts` that such a process carries out. */
export const workerCommand = "worker";

/** How long a worker may at least be stuck while it loads the application, in milliseconds. */
const loadTime = 60_000;

/** Starts a worker, and kills it when it does not move any more. */
export function startWorker(settings: WorkerSettings, events: WorkerEvents): Worker {
  const main = fileURLToPath(new URL("./main.js", import.meta.url));
  const child = fork(main, [workerCommand, JSON.stringify(settings)]);
  // A connection stays open here too until it has arrived, because the process may end before.
  const left: Socket[] = [];
  const ended = untilEnded(child, left);
  const loaded = new Promise<string>((resolve, reject) => {
    onTold(child, (told) => {
      if (told?.wsgi === "loaded") resolve(told.label);
      if (told?.wsgi === "failing") events.failing();
      if (told?.wsgi !== "taken") return;
      left.shift()?.destroy();
      events.free();
    });
    void ended.then(({ how }) => {
      reject(new CommandError(`A worker ended with ${how} while it started`));
    });
  });
  killStuck(child, settings);
  const send = (message: string): void => {
    if (child.connected) child.send(message, () => {});
  };
  return {
    pid: child.pid,
    loaded,
    ended,
    answer(socket) {
      left.push(socket);
      child.send("connection", socket, { keepOpen: true }, () => {});
    },
    warn: () => send("warn"),
    stop: () => send("stop"),
    kill: () => void child.kill("SIGKILL"),
  };
}

function onTold(child: ChildProcess, listen: (told: WorkerMessage | null) => void): void {
  // The application and its loader may send messages too.
  child.on("message", (message) => listen(message as WorkerMessage | null));
}

/** Waits for the end of a process, and of what it has told. */
function untilEnded(child: ChildProcess, left: readonly Socket[]): Promise<Ended> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      const end = (): void => resolve({ code, how: signal ?? `exit code ${code}`, left });
      // What it last told may still be on its way.
      if (child.connected) child.once("disconnect", end);
      else end();
    });
    child.on("error", ({ message }) => {
      // A process that could not be started does not exit.
      if (child.pid === undefined) resolve({ code: null, how: message, left });
    });
  });
}

/** Kills a process that shows no sign of life any more. */
function killStuck(child: ChildProcess, { beatTime, workerTimeout }: WorkerSettings): void {
  // Counted, and not timed: if this process was suspended, the worker is not to blame.
  let silent = 0;
  let limit = Math.max(workerTimeout, loadTime);
  onTold(child, (told) => {
    silent = 0;
    if (told?.wsgi === "loaded") limit = workerTimeout;
  });
  const watch = setInterval(() => {
    silent += 1;
    if (silent * beatTime <= limit) return;
    console.error(`Worker ${child.pid} has been stuck for ${limit / 1_000} s`);
    clearInterval(watch);
    child.kill("SIGKILL");
  }, beatTime);
  child.once("exit", () => clearInterval(watch));
}
