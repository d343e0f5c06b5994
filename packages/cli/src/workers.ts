import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { untilSignal } from "@wsgi/server";
import { takeConnections } from "./connections.ts";
import { Crew, type CrewSettings } from "./crew.ts";
import { readTarget } from "./load.ts";
import { listen } from "./serving.ts";

/**
 * Serves an application from several processes. The connections come in here and are dealt out, so that
 * the port stays open, and no connection is lost, while processes come and go.
 *
 * @returns what the process is to exit with
 * @throws CommandError if the address cannot be listened on, or the application cannot be loaded
 */
export async function serveWithWorkers(settings: CrewSettings): Promise<number> {
  readTarget(settings.target);
  const server = await listen(() => [], settings);
  const crew = new Crew(settings);
  takeConnections(server.httpServer, crew.pass);
  process.once("exit", () => crew.kill());
  const signal = untilSignal().then(() => 0);

  const started = crew.start().then((label) => {
    const workers = settings.workers === 1 ? "1 worker" : `${settings.workers} workers`;
    console.log(`Serving ${label} with ${workers} on ${server.url}`);
  });
  process.on(
    "SIGHUP",
    () =>
      void started.then(
        () => crew.reload(),
        () => {},
      ),
  );
  await Promise.race([signal, started]);
  const code = await Promise.race([signal, crew.hopeless.then(() => 1)]);
  if (code === 0) {
    crew.warn();
    await sleep(settings.stop.delay ?? 0);
  }
  await server.close();
  return Math.max(code, await crew.stop());
}
