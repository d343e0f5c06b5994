import type { HeaderList, StartResponse, Write } from "@wsgi/core";
import type { Call } from "./exchange.ts";
import { serverTiming } from "./server-timing.ts";

/** Stands before `startResponse`, and before each `write` that it returns. */
export function watchStart(
  startResponse: StartResponse,
  call: Call,
  withTiming: boolean,
): StartResponse {
  return function start(...args) {
    const { exchange } = call;
    const [status, headers, excInfo] = args;
    const isLogged = !exchange.isFull;
    if (isLogged) {
      const at = exchange.now();
      const text = exchange.readText(status);
      const error = excInfo === undefined ? null : exchange.readError(excInfo);
      const fields = exchange.readHeaders(headers);
      call.log({ kind: "start", status: text, headers: fields, error }, at);
    }
    // What is no list is for the server to refuse.
    if (withTiming && call.parent === undefined && Array.isArray(headers)) {
      args[1] = addTiming(headers, call);
    }
    let write: Write;
    try {
      write = startResponse(...args);
    } catch (error) {
      call.threw("start", error);
      throw error;
    }
    if (isLogged) call.log({ kind: "started" });
    // What is no function is for the application to stumble over.
    return typeof write === "function" ? watchWrite(write, call) : write;
  };
}

function addTiming(headers: HeaderList, call: Call): HeaderList {
  const { exchange } = call;
  const at = exchange.now();
  const timing = serverTiming(exchange.recording);
  exchange.skip(at);
  return [...headers, ["Server-Timing", timing]];
}

function watchWrite(write: Write, call: Call): Write {
  return function watchedWrite(...args) {
    const { exchange } = call;
    const isLogged = !exchange.isFull;
    const at = exchange.now();
    const record = exchange.readChunk(args[0]);
    if (isLogged) call.log({ kind: "write", ...record }, at);
    let taken: ReturnType<Write>;
    try {
      taken = write(...args);
    } catch (error) {
      call.threw("write", error);
      throw error;
    }
    exchange.forgetChunk();
    // The very promise, because a copy that nobody waits for would end the process if it is rejected.
    if (isLogged) call.log({ kind: "wrote", isFull: taken !== undefined });
    else call.omit(record.size, at);
    return taken;
  };
}
