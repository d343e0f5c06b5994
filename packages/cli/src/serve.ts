import { availableParallelism } from "node:os";
import { untilSignal, untilStopped } from "@wsgi/server";
import { nameArguments, readArguments, UsageError } from "./command.ts";
import { announceInspector, readInspect } from "./inspecting.ts";
import { listen, loadServed, logFormats, type ServeSettings } from "./serving.ts";

export const usage = `Usage: wsgi serve FILE[:NAME] [options]

Serves the application NAME of FILE. Without NAME, it is "app" or else the
default export. FILE may be TypeScript. Ctrl-C lets the requests that are under
way end; a second Ctrl-C does not.

      --host HOST     name or address to listen on; default 127.0.0.1
      --port PORT     port to listen on, 0 for a free one; default 8000
      --log FORMAT    dev, common, combined, json or off; default dev; with
                      --inspect also tree, which draws what each layer did
      --development   show errors in the browser, to clients on this machine
      --validate      hold the application and its layers to the contract
      --inspect       record what each layer does, and show it to clients on
                      this machine at /_inspector; at PATH with --inspect=PATH
      --upgrade       let the application take connections over, for WebSocket
      --reload        start afresh when a source file in FILE's folder is saved
      --workers N     serve from N processes, or as many as suit with "auto";
                      SIGHUP replaces them with newer code
  -h, --help          print this

Times, in seconds:

      --drain-delay T       take connections for so long when it is to end;
                            default 0
      --graceful-timeout T  then cut off what is under way after so long;
                            default 30
      --worker-timeout T    with workers: replace one that is stuck for so long;
                            default 30
      --restart-delay T     with workers: wait before one is replaced that ended
                            soon, and twice as long the next time; default 0.1
`;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArguments(args.map(completeInspect), {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8000" },
    log: { type: "string", default: "dev" },
    development: { type: "boolean", default: false },
    validate: { type: "boolean", default: false },
    inspect: { type: "string" },
    upgrade: { type: "boolean", default: false },
    reload: { type: "boolean", default: false },
    workers: { type: "string" },
    "drain-delay": { type: "string", default: "0" },
    "graceful-timeout": { type: "string", default: "30" },
    "worker-timeout": { type: "string", default: "30" },
    "restart-delay": { type: "string", default: "0.1" },
  });
  const [target] = nameArguments(positionals, "FILE");
  const { host, development, validate, upgrade } = values;
  const settings: ServeSettings = {
    target,
    host,
    port: readPort(values.port),
    log: readLog(values.log),
    development,
    validate,
    upgrade,
    ...(values.inspect === undefined ? {} : { inspect: await readInspect(values.inspect, host) }),
    stop: {
      delay: readTime("drain delay", values["drain-delay"]),
      timeout: readTime("graceful timeout", values["graceful-timeout"]),
      // Whoever develops wants to see the error, and not what is done in spite of it.
      ...(development ? { errorTimeout: false } : {}),
    },
  };
  if (settings.log === "tree" && settings.inspect === undefined) {
    throw new UsageError(
      'Cannot serve: the log is "tree", which shows what the inspector records; wanted --inspect with it',
    );
  }
  const workerTimeout = readTime("worker timeout", values["worker-timeout"], 0.1);
  const restartDelay = readTime("restart delay", values["restart-delay"]);
  if (values.workers !== undefined) {
    const workers = readWorkers(values.workers);
    if (values.reload) {
      throw new UsageError(
        "Cannot serve: both workers and reload are given; wanted one, and SIGHUP reloads workers",
      );
    }
    if (settings.inspect !== undefined) {
      throw new UsageError(
        "Cannot serve: both workers and inspect are given; wanted one, because the inspector sees a single process",
      );
    }
    const beatTime = Math.min(1_000, workerTimeout / 4);
    const { serveWithWorkers } = await import("./workers.ts");
    return serveWithWorkers({ ...settings, workers, workerTimeout, beatTime, restartDelay });
  }
  if (values.reload) {
    const { serveReloading } = await import("./reload.ts");
    await serveReloading(settings);
    return 0;
  }
  const { app, label, page } = await loadServed(settings);
  const server = await listen(app, settings);
  const told = untilSignal().then(() => page?.close());
  const stopped = untilStopped(server, settings.stop, told);
  announceInspector(settings.inspect, server.url);
  console.log(`Serving ${label} on ${server.url}`);
  return stopped;
}

/** Lets `--inspect` stand without the value that the parser wants. */
function completeInspect(arg: string): string {
  return arg === "--inspect" ? "--inspect=" : arg;
}

function readWorkers(text: string): number {
  if (text === "auto") return availableParallelism();
  const workers = Number(text);
  if (/^\d+$/.test(text) && workers >= 1 && workers <= 1_024) return workers;
  throw new UsageError(
    `Cannot serve: the workers are ${JSON.stringify(text)}; wanted a whole number from 1 to 1024, or auto`,
  );
}

/** @returns the time in milliseconds */
function readTime(name: string, text: string, least = 0): number {
  const seconds = Number(text);
  if (/^\d+(?:\.\d+)?$/.test(text) && seconds >= least && seconds <= 86_400) return seconds * 1_000;
  throw new UsageError(
    `Cannot serve: the ${name} is ${JSON.stringify(text)}; wanted seconds from ${least} to 86400`,
  );
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UsageError(
    `Cannot serve: the port is ${JSON.stringify(text)}; wanted a whole number from 0 to 65535`,
  );
}

function readLog(text: string): ServeSettings["log"] {
  const format = logFormats.find((name) => name === text);
  if (format !== undefined) return format;
  throw new UsageError(
    `Cannot serve: the log is ${JSON.stringify(text)}; wanted ${logFormats.join(", ")}`,
  );
}
