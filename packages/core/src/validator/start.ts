import { isThenable } from "../body.ts";
import { ResponseHead } from "../head.ts";
import { show } from "../show.ts";
import type { Chunk, HeaderList, StartResponse, Write } from "../types.ts";
import { takeChunk } from "./chunk.ts";
import type { Exchange } from "./exchange.ts";
import { adviseHead } from "./headers.ts";
import { watchHeaders } from "./headers-watch.ts";
import { checkErrorPassedOn, checkWriteOrigin } from "./layer.ts";

/** Stands before `startResponse`, and before each `write` that it returns. */
export function watchStart(
  startResponse: StartResponse,
  exchange: Exchange,
  share: () => void,
): StartResponse {
  return function start(...args: readonly unknown[]): Write {
    share();
    checkCount(args, exchange);
    const [status, headers, excInfo] = args as Parameters<StartResponse>;
    checkErrorPassedOn(excInfo, exchange);
    adviseError(args, exchange);
    const head = nextHead(status, headers, excInfo, exchange);
    adviseHead(head, exchange);
    const list = watchHeaders(headers);
    exchange.lists.push(list);
    const given = [status, list.handed, ...args.slice(2)] as Parameters<StartResponse>;
    const write = passOn(() => startResponse(...given), excInfo, exchange);
    checkWrite(write, exchange);
    exchange.head = head;
    return watchWrite(write, exchange, share);
  };
}

function checkCount({ length }: readonly unknown[], exchange: Exchange): void {
  if (length === 2 || length === 3) return;
  exchange.blame(
    "application",
    "start-arguments",
    `Cannot start the response: startResponse got ${length} arguments; wanted two, or three with an error`,
  );
}

function adviseError([, , ...errors]: readonly unknown[], exchange: Exchange): void {
  const [error] = errors;
  if (error === undefined || error instanceof Error) return;
  const found = `startResponse got ${show(error)} as excInfo`;
  exchange.warn("application", "start-error", `${found}; wanted the error that was caught`);
}

/** Checks a head as it would be stored. It counts as a call even where it cannot be. */
function nextHead(
  status: string,
  headers: HeaderList,
  excInfo: unknown,
  exchange: Exchange,
): ResponseHead {
  const head = new ResponseHead();
  head.called = exchange.head.called;
  exchange.head.called = true;
  exchange.check(() => head.start(status, headers, excInfo));
  return head;
}

/** Calls the server, and notes an error that comes back: that one is not to be trapped. */
function passOn(start: () => Write, excInfo: unknown, exchange: Exchange): Write {
  const { outer } = exchange;
  if (excInfo === undefined) return start();
  try {
    if (outer !== undefined) outer.restarting = true;
    return start();
  } catch (error) {
    exchange.trapped = { error };
    throw error;
  } finally {
    if (outer !== undefined) outer.restarting = false;
  }
}

/** Checks that what the server threw for an error has got through the application. */
export function checkUntrapped(exchange: Exchange): void {
  if (exchange.trapped === undefined) return;
  const { error } = exchange.trapped;
  exchange.trapped = undefined;
  exchange.blame(
    "application",
    "start-untrapped",
    "Cannot go on: the error that startResponse threw for excInfo was caught; wanted it to get through",
    error,
  );
}

function checkWrite(write: unknown, exchange: Exchange): void {
  if (typeof write === "function") return;
  exchange.blame(
    "server",
    "start-write",
    `Cannot start the response: startResponse returned ${show(write)}; wanted a function write(chunk)`,
  );
}

function watchWrite(write: Write, exchange: Exchange, share: () => void): Write {
  return function watchedWrite(chunk: Chunk): void | Promise<void> {
    share();
    checkTime(exchange);
    checkWriteOrigin(exchange);
    exchange.written += 1;
    takeChunk(chunk, exchange);
    const taken: unknown = write(chunk);
    if (taken !== undefined && !isThenable(taken)) {
      const wanted = "wanted nothing, or a promise while the buffers are full";
      exchange.warn("server", "write-full", `write returned ${show(taken)}; ${wanted}`);
    }
    return taken as void | Promise<void>;
  };
}

function checkTime(exchange: Exchange): void {
  if (exchange.closed) {
    exchange.blame(
      "application",
      "write-in-time",
      "Cannot write: the request has ended; wanted it before the body was closed",
    );
  }
  if (exchange.stepping) {
    exchange.blame(
      "application",
      "write-outside",
      "Cannot write: the body is being iterated; yield the chunk, or write it before",
    );
  }
}
