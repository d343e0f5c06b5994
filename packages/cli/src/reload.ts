import { dirname, relative, resolve, sep } from "node:path";
import { watch, type FSWatcher } from "chokidar";
import type { Application } from "@wsgi/core";
import { untilSignal } from "@wsgi/server";
import { answerOnceOn, Gate, takeConnections } from "./connections.ts";
import { announceInspector } from "./inspecting.ts";
import { readTarget } from "./load.ts";
import { startRun, type Run } from "./reload-run.ts";
import { listen, type ServeSettings } from "./serving.ts";

/** How long a change waits for the next, in milliseconds: editors save in several steps. */
const settleTime = 50;

/**
 * Serves an application from a process of its own, and from a new one when a source file changes. The
 * connections come in here, and wait while no process can answer them.
 *
 * @throws CommandError if there is no such file, or the address cannot be listened on
 */
export async function serveReloading(settings: ServeSettings): Promise<void> {
  const folder = resolve(dirname(readTarget(settings.target).file));
  let failure = "";
  const server = await listen(
    textPage(() => failure),
    settings,
  );
  const showFailure = answerOnceOn(server.httpServer);
  const gate = new Gate();
  takeConnections(server.httpServer, gate.pass);
  const watcher = await watchSources(folder);

  let announced = false;
  const announce = (label: string): void => {
    announceInspector(settings.inspect, server.url);
    console.log(announced ? `Reloaded ${label}` : `Serving ${label} on ${server.url}`);
    announced = true;
  };
  const start = (): Run =>
    startRun(settings, {
      ready(label, answer) {
        announce(label);
        gate.open(answer);
      },
      lost: () => gate.shut(),
      refused: gate.pass,
      failed(reason, output) {
        console.error(`${reason}; waiting for a change`);
        if (!announced) announce(settings.target);
        failure = `${reason}\n\n${output}`;
        gate.open(showFailure);
      },
    });
  let run = start();
  const restart = (): void => {
    void run.stop();
    run = start();
  };
  let settling: NodeJS.Timeout | undefined;
  watcher.on("all", (event) => {
    if (event.endsWith("Dir")) return;
    gate.shut();
    clearTimeout(settling);
    settling = setTimeout(restart, settleTime);
  });

  await untilSignal();
  clearTimeout(settling);
  await Promise.all([watcher.close(), server.close(), run.stop()]);
}

function textPage(text: () => string): Application {
  return function textPage(_environ, startResponse) {
    startResponse("500 Internal Server Error", [
      ["Content-Type", "text/plain; charset=utf-8"],
      ["Cache-Control", "no-store"],
    ]);
    return [text()];
  };
}

const sourceFile = /\.[cm]?[jt]s$/;

/** Watches what the application may be made of. Its data is not: a file that it writes is no reason. */
async function watchSources(folder: string): Promise<FSWatcher> {
  const watcher = watch(folder, {
    ignoreInitial: true,
    ignored(path, stats) {
      if (stats?.isFile() === true && !sourceFile.test(path)) return true;
      const names = relative(folder, path).split(sep);
      return names.some((name) => name === "node_modules" || name.startsWith("."));
    },
  });
  watcher.on("error", (error) => console.error(`Cannot watch ${folder}: ${String(error)}`));
  await new Promise<void>((ready) => void watcher.once("ready", ready));
  return watcher;
}
