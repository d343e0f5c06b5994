import { WsgiError } from "../errors.ts";
import type { Environ } from "../types.ts";
import type { Exchange } from "./exchange.ts";

// What two validators see of the layer between them. To the outer one it is the application, to the inner
// one the server. A layer may call its application often, or not at all, or other applications.

/** Checks that a layer which moves the border between the two keys moves only that. */
export function checkMount(exchange: Exchange): void {
  const before = exchange.outer?.environ;
  const { environ } = exchange;
  // Only one of them: a path that is rewritten, or the prefix under which a proxy has the server.
  if (before === undefined || before.SCRIPT_NAME === environ.SCRIPT_NAME) return;
  if (before.PATH_INFO === environ.PATH_INFO || wholePath(before) === wholePath(environ)) return;
  const found = `SCRIPT_NAME + PATH_INFO was ${JSON.stringify(before.SCRIPT_NAME + before.PATH_INFO)}`;
  const now = JSON.stringify(environ.SCRIPT_NAME + environ.PATH_INFO);
  exchange.blame(
    "server",
    "layer-mount",
    `Cannot call the application: ${found} and is ${now}; wanted it unchanged`,
  );
}

/** Reads the path as shiftPathInfo does, to which empty segments and dots mean nothing. */
function wholePath({ SCRIPT_NAME, PATH_INFO }: Environ): string {
  const path: string[] = [];
  for (const segment of `${SCRIPT_NAME}${PATH_INFO}`.split("/")) {
    if (segment === "..") path.pop();
    else if (segment !== "" && segment !== ".") path.push(segment);
  }
  return path.join("/");
}

/** Warns of a layer that changes the request before the eyes of those around it. */
export function checkEnvironCopied(exchange: Exchange): void {
  if (exchange.outer === undefined) return;
  const { environ: before, handed } = exchange.outer;
  for (const key of Object.keys(before)) {
    if (!key.includes(".") && before[key] !== handed[key]) {
      const message = `${key} was changed in the environ that was given; wanted a copy of it`;
      exchange.warn("server", "layer-environ", message);
    }
  }
}

/** Warns of a layer that returns a promise where nothing inside made one. */
export function checkSynchrony(exchange: Exchange): void {
  const { inner } = exchange;
  const wereDone = inner.every(
    ({ returned, startedInCall, closesLater }) => returned && startedInCall && !closesLater,
  );
  if (inner.length === 0 || !wereDone) return;
  const message = "it returned a promise, and its application none; wanted when() instead of async";
  exchange.warn("application", "layer-sync", message);
}

/** Checks that a layer which passes an error on does not drop it. */
export function checkErrorPassedOn(excInfo: unknown, exchange: Exchange): void {
  if (!exchange.restarting || excInfo !== undefined) return;
  exchange.blame(
    "application",
    "layer-start",
    "Cannot start the response: the error that came as excInfo was not passed on; wanted it as the third argument",
  );
}

/** Checks that a layer writes only what was written. */
export function checkWriteOrigin(exchange: Exchange): void {
  const { inner } = exchange;
  if (inner.length === 0 || inner.some(({ written }) => written > 0)) return;
  exchange.blame(
    "application",
    "layer-write",
    "Cannot write: nothing was written to the layer; wanted what was yielded to be yielded",
  );
}

/** Checks that a layer does not read within the call, but for what tells it the status. */
export function checkLazy(exchange: Exchange): void {
  const { outer, startedInCall, bytes } = exchange;
  if (outer === undefined || outer.returned || (!startedInCall && bytes === 0)) return;
  exchange.blame(
    "server",
    "layer-lazy",
    "Cannot take a step: the layer has not returned its own body yet; wanted that first, and steps when its server asks",
  );
}

/** Notes a chunk that was given to whoever is outside. */
export function noteGiven(exchange: Exchange): void {
  const { outer } = exchange;
  exchange.yielded += 1;
  if (outer?.returned !== true) return;
  exchange.given += 1;
  exchange.outerStep = outer.stepping ? outer.steps : -1;
}

/** Checks that a layer yields a chunk before it asks for the next. */
export function checkBlock(exchange: Exchange): void {
  const { outer } = exchange;
  // What is asynchronous may read ahead while a chunk is on its way; of that the end tells.
  if (outer === undefined || !outer.isSync || !outer.stepping) return;
  if (exchange.outerStep !== outer.steps) return;
  exchange.blame(
    "server",
    "layer-block",
    'Cannot take a step: the layer has not yielded for the chunk before; wanted a chunk for each, "" if there is nothing to say',
  );
}

/** Checks, at its end, that a layer has yielded for each chunk that it was given. */
export function checkAllAnswered(exchange: Exchange): void {
  for (const { given, ended } of exchange.inner) {
    // Whoever stops at a chunk has answered it by stopping.
    if (given <= exchange.yielded + (ended ? 0 : 1)) continue;
    exchange.blame(
      "application",
      "layer-block",
      `Cannot end the body: it yielded ${exchange.yielded} chunks for ${given}; wanted one for each, "" if there is nothing to say`,
    );
  }
}

/** Checks that a layer whose body is closed has closed all that it was given. */
export function checkForwarded(exchange: Exchange, cause?: unknown): void {
  // What a broken clause has brought down is of no concern beside it.
  if (cause instanceof WsgiError || !exchange.inner.some(({ open }) => open)) return;
  exchange.blame(
    "application",
    "close-forward",
    "Cannot end the request: a body that the layer was given is still open; wanted close() to reach it",
    cause,
  );
}
