import type { Socket } from "node:net";
import process from "node:process";
import { drainingKey, makeServer, untilStopped } from "@wsgi/server";
import { answerOn } from "./connections.ts";
import { loadServed } from "./serving.ts";
import type { WorkerMessage, WorkerSettings } from "./worker.ts";

/**
 * Is one worker of `wsgi serve --workers`: answers the connections that come from the process above,
 * until that one says stop, or vanishes.
 */
export async function run([argument = ""]: readonly string[]): Promise<number> {
  const settings = JSON.parse(argument) as WorkerSettings;
  // A terminal sends its signals to all processes; what is to happen is decided above.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
  setInterval(() => tell({ wsgi: "beat" }), settings.beatTime);
  const told = new Promise<void>((resolve) => {
    process.once("disconnect", resolve);
    process.on("message", (message) => {
      if (message === "stop") resolve();
    });
  });
  const loaded = await Promise.race([loadServed(settings), told]);
  if (loaded === undefined) return 0;

  // While a worker is replaced by another there are two, even if one is all that is wanted.
  const environ: Record<string, unknown> = { "wsgi.multiprocess": true };
  const { host, port, upgrade } = settings;
  const server = makeServer(host, port, loaded.app, { environ, upgrade });
  const answer = answerOn(server.httpServer);
  const take = (message: unknown, socket?: Socket): void => {
    if (message === "warn") environ[drainingKey] = true;
    if (message !== "connection") return;
    // A connection that was closed on its way here comes without its socket.
    if (socket !== undefined) answer(socket);
    tell({ wsgi: "taken" });
  };
  process.on("message", take);
  process.once("uncaughtExceptionMonitor", () => tell({ wsgi: "failing" }));
  tell({ wsgi: "loaded", label: loaded.label });
  const code = await untilStopped(server, { ...settings.stop, delay: 0 }, told);
  process.removeListener("message", take);
  return code;
}

function tell(message: WorkerMessage): void {
  if (process.connected) process.send!(message, undefined, {}, () => {});
}
