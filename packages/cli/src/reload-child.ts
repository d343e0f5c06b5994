import type { Socket } from "node:net";
import process from "node:process";
import { makeServer } from "@wsgi/server";
import { answerOnceOn, type Answer } from "./connections.ts";
import { settingsVariable, type RunMessage } from "./reload-run.ts";
import { loadServed, type ServeSettings } from "./serving.ts";

/**
 * Is one run of `wsgi serve --reload`, in its own process: answers the connections that come from the
 * process above, until that one says stop. Should that one vanish, this one ends too.
 */
export function run(): Promise<number> {
  process.on("disconnect", () => process.exit());
  // A terminal sends its signals to both processes; what is to happen is decided above.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  const settings = JSON.parse(process.env[settingsVariable] ?? "") as ServeSettings;
  delete process.env[settingsVariable];
  let answer: Answer;
  const stopped = untilStopped((socket) => answer(socket));
  const served = loadServed(settings).then(({ app, label, page }) => {
    // An open page would keep this process, and show what an older one does.
    process.on("message", (message) => {
      if (message === "stop") page?.close();
    });
    const { host, port, upgrade } = settings;
    answer = answerOnceOn(makeServer(host, port, app, { upgrade }).httpServer);
    tell({ wsgi: "loaded", label });
    return stopped;
  });
  return Promise.race([stopped, served]);
}

function tell(message: RunMessage): void {
  process.send?.(message);
}

/** Waits for the word to stop, and then for the connections that are open. */
function untilStopped(answer: Answer): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    let open = 0;
    const stopIfDone = (): void => {
      if (stopping && open === 0) resolve(0);
    };
    process.on("message", (message, socket?: Socket) => {
      if (message === "stop") stopping = true;
      if (message === "connection") tell({ wsgi: "taken" });
      // A connection that was closed on its way here comes without its socket.
      if (socket !== undefined) {
        open += 1;
        socket.once("close", () => {
          open -= 1;
          stopIfDone();
        });
        answer(socket);
      }
      stopIfDone();
    });
  });
}
