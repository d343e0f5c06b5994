import type { Application, Body, Chunk, HeaderList } from "@wsgi/core";

/** Says what `respond` starts its response with. */
export interface ResponseOptions {
  /** The status line. Default: `"200 OK"`. */
  status?: string;
  /** The header fields. Default: a Content-Type of `text/plain`. */
  headers?: HeaderList;
}

const plainText: HeaderList = [["Content-Type", "text/plain"]];

/**
 * Makes an application that answers every request alike.
 *
 * @param body - what it returns, or a function that makes it for each request
 * @param options - status and headers
 * @returns the application
 * @example
 * ```ts
 * import { call, respond } from "@wsgi/testing";
 *
 * const response = await call(respond(["Gone"], { status: "410 Gone" }), "GET /");
 * ```
 * @see SPEC.md, "Application"
 */
export function respond(body: Body | (() => Body), options: ResponseOptions = {}): Application {
  const { status = "200 OK", headers = plainText } = options;
  return function respond(_environ, startResponse) {
    startResponse(status, headers);
    return typeof body === "function" ? body() : body;
  };
}

/** Is a body that counts what is done with it. */
export interface ClosableBody extends Iterable<Chunk> {
  /** How often `close()` ran. */
  timesClosed: number;
  /** How many chunks were taken. */
  taken: number;
  /** Whether its iteration was ended early, by `return()`. */
  returned: boolean;
  close(): void;
}

/**
 * Makes a body that counts how often it is closed, and shows that it is read lazily.
 *
 * @param chunks - what it yields
 * @returns the body
 * @example
 * ```ts
 * import { call, closable, respond } from "@wsgi/testing";
 *
 * const body = closable("Hello");
 * await call(respond(body), "HEAD /");
 * body.timesClosed; // 1
 * ```
 * @see SPEC.md [close-once]
 */
export function closable(...chunks: readonly Chunk[]): ClosableBody {
  return {
    timesClosed: 0,
    taken: 0,
    returned: false,
    [Symbol.iterator]() {
      const next = (): IteratorResult<Chunk, undefined> => {
        const chunk = chunks[this.taken];
        if (chunk === undefined) return { done: true, value: undefined };
        this.taken += 1;
        return { done: false, value: chunk };
      };
      const stop = (): IteratorResult<Chunk, undefined> => {
        this.returned = true;
        return { done: true, value: undefined };
      };
      return { next, return: stop };
    },
    close() {
      this.timesClosed += 1;
    },
  };
}

/**
 * Makes an application that starts its response only when its body is asked for the first chunk, and
 * yields an empty chunk before that.
 *
 * @param chunks - what it yields then
 * @returns the application
 * @example
 * ```ts
 * import { call, late } from "@wsgi/testing";
 *
 * const response = await call(late("Hello"), "GET /"); // status "200 OK", although it came late
 * ```
 * @see SPEC.md [start-lazy]
 */
export function late(...chunks: readonly Chunk[]): Application {
  return function* late(_environ, startResponse) {
    yield "";
    startResponse("200 OK", plainText);
    yield* chunks;
  };
}

/**
 * Makes an asynchronous application: it starts late, and each chunk takes a turn of the event loop.
 *
 * @param chunks - what it yields
 * @returns the application
 * @example
 * ```ts
 * import { call, slow } from "@wsgi/testing";
 *
 * const response = await call(slow("one", "two"), "GET /");
 * ```
 * @see SPEC.md [body-settled]
 */
export function slow(...chunks: readonly Chunk[]): Application {
  return async function slow(_environ, startResponse) {
    await nextTurn();
    startResponse("200 OK", plainText);
    return (async function* () {
      for (const chunk of chunks) {
        await nextTurn();
        yield chunk;
      }
    })();
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/**
 * Makes an application that sends chunks with `write()` and returns the rest.
 *
 * @param written - what it writes
 * @param returned - what it returns; default: an empty body
 * @returns the application
 * @example
 * ```ts
 * import { call, writing } from "@wsgi/testing";
 *
 * const response = await call(writing(["Hello, "], ["world!"]), "GET /");
 * response.text(); // "Hello, world!"
 * ```
 * @see SPEC.md [write-as-yielded]
 */
export function writing(written: readonly Chunk[], returned: Body = []): Application {
  return function writing(_environ, startResponse) {
    const write = startResponse("200 OK", plainText);
    for (const chunk of written) void write(chunk);
    return returned;
  };
}

/** Is a moment at which an application can fail. */
export type Phase = "call" | "start" | "body" | "close";

/**
 * Makes an application that throws: when it is called, after it has started its response, after its
 * first chunk (`"Hello"`), or in `close()`.
 *
 * @param phase - when it throws
 * @param error - what it throws; default: an Error with the phase in its message
 * @returns the application
 * @example
 * ```ts
 * import { call, failing } from "@wsgi/testing";
 *
 * await call(failing("body"), "GET /").catch((error) => error.message); // "Failed in body"
 * ```
 * @see SPEC.md, "Errors"
 */
export function failing(
  phase: Phase,
  error: unknown = new Error(`Failed in ${phase}`),
): Application {
  const fail = (now: Phase): void => {
    if (now === phase) throw error;
  };
  return function failing(_environ, startResponse) {
    fail("call");
    startResponse("200 OK", plainText);
    fail("start");
    return {
      *[Symbol.iterator]() {
        yield "Hello";
        fail("body");
      },
      close: () => fail("close"),
    };
  };
}
