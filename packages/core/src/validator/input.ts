import { isThenable } from "../body.ts";
import { readPieceKey, type PieceStream } from "../input.ts";
import { show } from "../show.ts";
import type { InputStream, MaybePromise } from "../types.ts";
import type { Exchange } from "./exchange.ts";
import { InputRecord } from "./input-record.ts";

type Bytes = MaybePromise<Uint8Array>;

/** Stands before `wsgi.input`: offers what the contract has of it, and checks its use and its answers. */
export function watchInput(input: InputStream, exchange: Exchange): InputStream {
  const record = new InputRecord(exchange);
  const begin = (method: string, args: readonly unknown[]): void => {
    checkSize(method, args, exchange);
    record.begin();
  };
  const watched = {
    read(...args: readonly unknown[]): Bytes {
      begin("read", args);
      adviseSize(args, exchange);
      const [size] = args as [number?];
      return settle(
        () => input.read(...(args as [number?])),
        record,
        (bytes) => record.takeBlock(bytes, size),
      );
    },
    readline(...args: readonly unknown[]): Bytes {
      begin("readline", args);
      const [size] = args as [number?];
      return settle(
        () => input.readline(...(args as [number?])),
        record,
        (bytes) => record.takeLine(bytes, size),
      );
    },
    readlines(...args: readonly unknown[]): MaybePromise<Uint8Array[]> {
      begin("readlines", args);
      return settle(
        () => input.readlines(...(args as [number?])),
        record,
        (lines) => record.takeLines(lines),
      );
    },
    [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
      const lines = input[Symbol.asyncIterator]();
      const settlers = settlersFor<IteratorResult<Uint8Array>>(record, (step) =>
        record.takeStep(step),
      );
      return {
        async next() {
          record.begin();
          return lines.next().then(...settlers);
        },
      };
    },
    ...(readPieceKey in input && {
      [readPieceKey](): Bytes {
        record.begin();
        const stream = input as PieceStream;
        return settle(
          () => stream[readPieceKey](),
          record,
          (piece) => record.takePiece(piece),
        );
      },
    }),
    close() {
      const message = "Cannot close wsgi.input: it is the server's; wanted it left open";
      exchange.blame("application", "input-members", message);
    },
  };
  // A promise where the input has made one.
  return watched as InputStream;
}

function checkSize(method: string, args: readonly unknown[], exchange: Exchange): void {
  const refuse = (clause: string, found: string, wanted: string): never =>
    exchange.blame("application", clause, `Cannot ${method}: ${found}; wanted ${wanted}`);
  if (args.length > 1) refuse("input-methods", `got ${args.length} arguments`, "at most one");
  const [size] = args;
  if (size !== undefined && !(Number.isSafeInteger(size) && (size as number) >= 0)) {
    refuse("input-size", `the size is ${show(size)}`, "a whole number of bytes, or none");
  }
}

function adviseSize([size]: readonly unknown[], exchange: Exchange): void {
  if (!exchange.place.strict || size !== undefined) return;
  exchange.warn("application", "input-size", "read got no size; wanted one, to be strict");
}

/** Reads, and has the record check what comes of it. */
function settle<T>(
  read: () => MaybePromise<T>,
  record: InputRecord,
  take: (value: T) => void,
): MaybePromise<T> {
  const [taken, failed] = settlersFor(record, take);
  let value: MaybePromise<T>;
  try {
    value = read();
  } catch (error) {
    return failed(error);
  }
  if (!isThenable(value)) return taken(value);
  record.checkPrompt();
  const settled = value.then(taken, failed);
  // A read that nobody waits for, or ever will, does not end the process by failing.
  settled.then(undefined, () => {});
  return settled;
}

/** Makes what is to be done when a read has come to its end, well or not. */
function settlersFor<T>(
  record: InputRecord,
  take: (value: T) => void,
): [taken: (value: T) => T, failed: (error: unknown) => never] {
  const taken = (value: T): T => {
    record.end();
    take(value);
    return value;
  };
  const failed = (error: unknown): never => {
    record.end();
    throw error;
  };
  return [taken, failed];
}
