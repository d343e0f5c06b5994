import { Readable } from "node:stream";
import { describe } from "node:test";
import type { Body, HeaderList } from "@wsgi/core";
import { timeout } from "@wsgi/middleware/timeout";
import type { ServerEnviron } from "@wsgi/server";
import { turn } from "../support/serving.ts";
import {
  fault,
  is500,
  isCut,
  isServed,
  isServedAndTold,
  isServedAndToldOrThrown,
  isServers500,
  type FaultyApplication,
  type Outcomes,
} from "./faults.ts";

const text: HeaderList = [["Content-Type", "text/plain"]];
const oops = new Error("oops");

/** Starts a response and returns what a function makes of `closing`. */
function started(
  body: (...args: [Parameters<FaultyApplication>[2]]) => unknown,
  headers: HeaderList = text,
): FaultyApplication {
  return (_environ, startResponse, closing) => {
    startResponse("200 OK", headers);
    return body(closing);
  };
}

function declaring(length: number): HeaderList {
  return [["Content-Length", String(length)]];
}

describe("an application that fails in the middle of its body", () => {
  fault(
    "F3 · throws as a generator",
    isCut('200 "Hello"', "Error: oops"),
    started((closing) =>
      closing(function* () {
        yield "Hello";
        throw oops;
      }),
    ),
  );

  fault(
    "F3 · throws as a generator that started late",
    isCut('200 "Hello"', "Error: oops"),
    (_environ, startResponse, closing) =>
      closing(function* () {
        startResponse("200 OK", text);
        yield "Hello";
        throw oops;
      }),
  );

  fault(
    "F3 · rejects as an async generator",
    isCut('200 "Hello"', "Error: oops"),
    started((closing) =>
      closing(async function* () {
        yield "Hello";
        await turn();
        throw oops;
      }),
    ),
  );

  fault(
    "F3 · throws where a step is asked for",
    isCut('200 "Hello"', "Error: oops"),
    started((closing) => {
      let steps = 0;
      const next = (): IteratorResult<string> => {
        if (++steps === 2) throw oops;
        return { done: false, value: "Hello" };
      };
      return closing({ [Symbol.asyncIterator]: () => ({ next }) });
    }),
  );

  fault("F3 · throws after write()", isCut('200 "Hello"', "Error: oops"), (_environ, start) => {
    void start("200 OK", text)("Hello");
    throw oops;
  });

  fault(
    "F3 · throws after it has flushed the head",
    isCut('200 ""', "Error: oops"),
    (_environ, start) => {
      void start("200 OK", text)("");
      throw oops;
    },
  );

  fault("F3 · rejects after write()", isCut('200 "Hello"', "Error: oops"), async (_env, start) => {
    await start("200 OK", text)("Hello");
    throw oops;
  });

  fault(
    "F3 · throws in the body behind what was written",
    isCut('200 "Hello, "', "Error: oops"),
    (_environ, startResponse, closing) => {
      void startResponse("200 OK", text)("Hello, ");
      return closing(function* () {
        yield "";
        throw oops;
      });
    },
  );

  fault(
    "F3 · throws when half of the declared length is sent",
    isCut('200 "Hello"', "Error: oops"),
    started(
      (closing) =>
        closing(function* () {
          yield "Hello";
          throw oops;
        }),
      declaring(10),
    ),
  );

  fault(
    "F3 · throws when it has written all of the declared length",
    isServedAndToldOrThrown('200 "Hello"', "Error: oops"),
    (_environ, startResponse) => {
      void startResponse("200 OK", declaring(5))("Hello");
      throw oops;
    },
  );

  fault(
    "F3 · has a stream that fails",
    isCut('200 "Hello"', "Error: oops"),
    started(() =>
      Readable.from(
        (async function* () {
          yield "Hello";
          await turn();
          throw oops;
        })(),
      ),
    ),
  );
});

describe("an application that fails in close()", () => {
  fault(
    "F4 · throws behind a stream",
    isServedAndTold('200 "Hello"', "Error: oops"),
    started((closing) => failingToClose(closing(streamOf("Hello")))),
  );

  fault(
    "F4 · throws behind an array",
    isServedAndTold('200 "Hello"', "Error: oops"),
    started((closing) => failingToClose(closing(["Hello"]))),
  );

  fault(
    "F4 · throws behind an async stream",
    isServedAndTold('200 "Hello"', "Error: oops"),
    started((closing) =>
      failingToClose(
        closing(async function* () {
          yield "Hello";
        }),
      ),
    ),
  );

  fault(
    "F4 · rejects",
    isServedAndTold('200 "Hello"', "Error: oops"),
    started((closing) => {
      const body = closing(["Hello"]) as { close(): void };
      const { close } = body;
      return Object.assign(body, {
        async close() {
          await turn();
          close();
          throw oops;
        },
      });
    }),
  );

  fault(
    "F4 · throws in the disposer that stands for it",
    isServedAndTold('200 "Hello"', "Error: oops"),
    started(() => ({
      [Symbol.iterator]: () => streamOf("Hello"),
      [Symbol.dispose]() {
        throw oops;
      },
    })),
  );

  fault(
    "F4 · throws at HEAD",
    isServedAndTold('200 ""', "Error: oops"),
    started((closing) => failingToClose(closing(["Hello"]))),
    { method: "HEAD" },
  );

  fault(
    "F4 · throws at 304",
    isServedAndTold('304 ""', "Error: oops"),
    (_environ, startResponse, closing) => {
      startResponse("304 Not Modified", text);
      return failingToClose(closing(["Hello"]));
    },
  );

  fault(
    "F4 · throws where the iteration is stopped early",
    isServedAndTold('200 "Hello"', "Error: oops"),
    started((closing) => {
      const steps = {
        next: () => ({ done: false, value: "Hello" }),
        return() {
          throw oops;
        },
      };
      return closing({ [Symbol.iterator]: () => steps });
    }, declaring(5)),
    { leaveAfter: 1 },
  );

  fault(
    "F4 · throws after the body has thrown",
    {
      "socket · bare": { seen: '200 "Hello", cut', told: ["in the body", "Error: oops"] },
      "socket · under the stack": {
        seen: '200 "Hello", cut',
        told: ["in the body", "Error: oops"],
      },
      // Which of the two a caller gets is the first.
      "call · bare": { seen: "throws", told: ["in the body"] },
      "call · under the stack": { seen: "throws", told: ["Error: oops", "in the body"] },
    },
    started((closing) =>
      failingToClose(
        closing(function* () {
          yield "Hello";
          throw new Error("in the body");
        }),
      ),
    ),
  );
});

/** Makes the `close()` of a body throw when it has been counted. */
function failingToClose(body: object): object {
  const { close } = body as { close(): void };
  return Object.assign(body, {
    close() {
      close();
      throw oops;
    },
  });
}

function* streamOf(...chunks: readonly string[]): Generator<string> {
  yield* chunks;
}

describe("an application that fails when its response has ended", () => {
  fault("F5 · settles its promise twice", isServed('200 "Hello"'), (_environ, start, closing) => {
    start("200 OK", text);
    return {
      // oxlint-disable-next-line unicorn/no-thenable -- a broken one is what this is about
      then(resolve: (body: unknown) => void, reject: (error: unknown) => void) {
        resolve(closing(["Hello"]));
        reject(oops);
        throw oops;
      },
    };
  });

  fault(
    "F5 · has a stream that fails when it was read",
    isServed('200 "Hello"'),
    started((closing) => {
      const stream = Readable.from(["Hello"], { emitClose: false, autoDestroy: false });
      stream.once("end", () => setImmediate(() => stream.emit("error", oops)));
      return closing(stream);
    }),
  );

  fault(
    "F5 · has a stream that fails although nobody reads it",
    isServedAndTold('200 ""', "Error: oops"),
    started(
      () =>
        new Readable({
          construct: (constructed) => void setImmediate(() => constructed(oops)),
          read() {},
        }),
    ),
    { method: "HEAD" },
  );

  fault(
    "F5 · rejects a step that nobody waits for any more",
    isServed('200 "Hello"'),
    started((closing) => {
      const steps = {
        async next() {
          return { done: false, value: "Hello" };
        },
        async return() {
          await turn();
          return { done: true, value: undefined };
        },
      };
      return closing({ [Symbol.asyncIterator]: () => steps });
    }, declaring(5)),
    { leaveAfter: 1 },
  );
});

/** Puts a timeout around an application, which passes at once. */
function impatient(app: FaultyApplication): FaultyApplication {
  return (environ, startResponse, closing) =>
    timeout({ after: 1 })((inner, start) => app(inner, start, closing) as Body)(
      environ,
      startResponse,
    );
}

/** Waits until a request was given up. */
function givenUp(environ: ServerEnviron): Promise<unknown> {
  const signal = environ["wsgix.signal"](environ);
  return new Promise((resolve) => signal.addEventListener("abort", resolve));
}

/** The application is given up. */
const isGivenUp: Outcomes = {
  "socket · bare": { seen: '503 "503 Service Unavailable\\n", kept', told: ["TimeoutError"] },
  "socket · under the stack": {
    seen: '503 "503 Service Unavailable\\n", kept',
    told: ["TimeoutError"],
  },
  "call · bare": { seen: '503 "503 Service Unavailable\\n"', told: ["TimeoutError"] },
  "call · under the stack": { seen: '503 "503 Service Unavailable\\n"', told: ["TimeoutError"] },
};

describe("an application that is waited for no longer", () => {
  fault(
    "F7 · never settles",
    isGivenUp,
    impatient(() => new Promise(() => {})),
  );

  fault(
    "F7 · has started, and never settles",
    isGivenUp,
    impatient(started(() => new Promise(() => {}), declaring(1_000))),
  );

  fault(
    "F7 · never yields",
    isGivenUp,
    impatient(
      started((closing) =>
        closing(async function* () {
          yield "";
          await new Promise(() => {});
        }),
      ),
    ),
  );

  fault(
    "F7 · gives up when it is told, with a body that is closed",
    isGivenUp,
    impatient(async (environ, _startResponse, closing) => {
      await givenUp(environ);
      return closing(["too late"]);
    }),
  );

  fault(
    "F7 · gives up when it is told, with an error",
    isGivenUp,
    impatient(async (environ) => {
      await givenUp(environ);
      throw environ["wsgix.signal"](environ).reason;
    }),
  );

  fault(
    "F7 · has sent something, and takes its time",
    isServed('200 "Hello, world!"'),
    impatient(
      started((closing) =>
        closing(async function* () {
          yield "Hello, ";
          await new Promise((resolve) => setTimeout(resolve, 5));
          yield "world!";
        }),
      ),
    ),
  );
});

describe("an application that returns no body", () => {
  const noBody = "[body-iterable]";

  fault(
    "F10 · a string",
    is500(noBody),
    started(() => "Hello"),
  );

  fault(
    "F10 · an empty string",
    is500(noBody),
    started(() => ""),
  );

  fault(
    "F10 · the promise of a string",
    is500(noBody),
    started(() => Promise.resolve("Hello")),
  );

  fault("F10 · a string without a start", is500(noBody), () => "Hello");

  fault(
    "F11 · null",
    is500(noBody),
    started(() => null),
  );

  fault(
    "F11 · undefined",
    is500(noBody),
    started(() => undefined),
  );

  fault(
    "F11 · a number",
    is500(noBody),
    started(() => 42),
  );

  fault(
    "F11 · bytes",
    is500(noBody),
    started(() => new Uint8Array(5)),
  );

  fault(
    "F11 · a plain object",
    is500(noBody),
    started(() => ({ hello: "world" })),
  );

  fault(
    "F11 · a Response",
    is500(noBody),
    started(() => new Response("Hello")),
  );

  fault(
    "F11 · a function",
    is500(noBody),
    started(() => () => ["Hello"]),
  );

  fault(
    "F11 · the promise of null",
    is500(noBody),
    started(() => Promise.resolve(null)),
  );

  fault(
    "F11 · the promise of a Response",
    is500(noBody),
    started(async () => new Response("Hi")),
  );

  fault("F11 · nothing, after write()", isCut('200 "Hello"', noBody), (_environ, startResponse) => {
    void startResponse("200 OK", text)("Hello");
  });
});

/** Yields this when it has sent something. */
function yielding(chunk: unknown): FaultyApplication {
  return started((closing) =>
    closing(function* () {
      yield "Hello";
      yield chunk;
    }),
  );
}

describe("an application whose body has something that is no chunk", () => {
  const noChunk = "[body-chunk]";

  fault("F12 · a number", isCut('200 "Hello"', noChunk), yielding(42));

  fault("F12 · null", isCut('200 "Hello"', noChunk), yielding(null));

  fault("F12 · undefined", isCut('200 "Hello"', noChunk), yielding(undefined));

  fault("F12 · a Uint16Array", isCut('200 "Hello"', noChunk), yielding(new Uint16Array(2)));

  fault(
    "F12 · a DataView",
    isCut('200 "Hello"', noChunk),
    yielding(new DataView(new ArrayBuffer(2))),
  );

  fault("F12 · an ArrayBuffer", isCut('200 "Hello"', noChunk), yielding(new ArrayBuffer(2)));

  fault("F12 · an array", isCut('200 "Hello"', noChunk), yielding(["World"]));

  fault("F12 · an object with a length", isCut('200 "Hello"', noChunk), yielding({ length: 0 }));

  fault("F12 · a promise", isCut('200 "Hello"', noChunk), yielding(Promise.resolve("World")));

  fault(
    "F12 · a promise, in an array",
    is500(noChunk),
    started((closing) => closing([Promise.resolve("Hello")])),
  );

  fault(
    "F12 · a number, in an array behind a string",
    is500(noChunk),
    started((closing) => closing(["Hello", 42])),
  );

  fault(
    "F12 · a hole in an array",
    is500(noChunk),
    // oxlint-disable-next-line no-sparse-arrays -- a hole is what this is about
    started((closing) => closing(["Hello", , "World"])),
  );

  fault(
    "F12 · a number, first of all",
    is500(noChunk),
    started((closing) =>
      closing(function* () {
        yield 42;
      }),
    ),
  );

  fault(
    "F12 · a number, from an async generator",
    isCut('200 "Hello"', noChunk),
    started((closing) =>
      closing(async function* () {
        yield "Hello";
        yield 42;
      }),
    ),
  );

  fault("F12 · a number, in write()", is500(noChunk), (_environ, startResponse) => {
    void startResponse("200 OK", text)(42 as unknown as string);
    return [];
  });

  fault("F12 · a number, after a good write()", isCut('200 "Hello"', noChunk), (_env, start) => {
    const write = start("200 OK", text);
    void write("Hello");
    void write(42 as unknown as string);
    return [];
  });

  fault(
    "F12 · a step that is no object",
    is500("TypeError"),
    started((closing) => closing({ [Symbol.iterator]: () => ({ next: () => undefined }) })),
  );

  fault(
    "F12 · bytes that were given away",
    isCut('200 "Hello"', noChunk),
    started((closing) =>
      closing(function* () {
        yield "Hello";
        const bytes = new Uint8Array(5);
        structuredClone(bytes, { transfer: [bytes.buffer] });
        yield bytes;
      }),
    ),
  );
});

describe("an application with many empty chunks", () => {
  fault(
    "F13 · a hundred thousand of them",
    isServed('200 "Hello"'),
    started((closing) =>
      closing(function* () {
        for (let i = 0; i < 100_000; i++) yield "";
        yield "Hello";
      }),
    ),
  );

  fault(
    "F13 · many, one after another",
    isServed('200 "Hello"'),
    started((closing) =>
      closing(async function* () {
        for (let i = 0; i < 10_000; i++) yield "";
        yield "Hello";
      }),
    ),
  );

  fault(
    "F13 · many in an array",
    isServed('200 "Hello"'),
    started((closing) => closing([...Array.from({ length: 10_000 }, () => ""), "Hello"])),
  );

  fault("F13 · many that are written", isServed('200 "Hello"'), (_environ, startResponse) => {
    const write = startResponse("200 OK", text);
    for (let i = 0; i < 10_000; i++) void write("");
    return ["Hello"];
  });

  fault(
    "F13 · and no other",
    isServed('200 ""'),
    started((closing) =>
      closing(function* () {
        yield "";
        yield new Uint8Array(0);
      }),
    ),
  );
});

describe("an application with a wrong Content-Length", () => {
  const exceeded = "[length-exceeded]";
  const short = "[length-short]";

  fault(
    "F14 · too much in an array",
    isServedAndToldOrThrown('200 "Hello"', exceeded),
    started((closing) => closing(["Hello, world!"]), declaring(5)),
  );

  fault(
    "F14 · too much in a stream",
    isServedAndToldOrThrown('200 "Hello"', exceeded),
    started((closing) => closing(streamOf("Hel", "lo, world!", "More")), declaring(5)),
  );

  fault(
    "F14 · too much in an async stream",
    isServedAndToldOrThrown('200 "Hello"', exceeded),
    started(
      (closing) =>
        closing(async function* () {
          yield "Hello, world!";
        }),
      declaring(5),
    ),
  );

  fault(
    "F14 · too much in write()",
    isServedAndToldOrThrown('200 "Hello"', exceeded),
    (_environ, startResponse) => {
      void startResponse("200 OK", declaring(5))("Hello, world!");
      return [];
    },
  );

  fault(
    "F14 · too much in write(), which throws there",
    isServedAndToldOrThrown('200 "Hello"', "Error: oops"),
    (_environ, startResponse) => {
      const write = startResponse("200 OK", declaring(5));
      try {
        void write("Hello, world!");
      } catch (error) {
        throw new Error("oops", { cause: error });
      }
      return [];
    },
  );

  fault(
    "F14 · too much in chunks that would follow",
    isServed('200 "Hello"'),
    started((closing) => closing(streamOf("Hello", "World")), declaring(5)),
  );

  fault(
    "F14 · something where nothing was declared",
    isServed('200 ""'),
    started((closing) => closing(streamOf("Hello")), declaring(0)),
  );

  fault(
    "F14 · too little in an array",
    isServers500(short, "200 cut"),
    started((closing) => closing(["Hello"]), declaring(10)),
  );

  fault(
    "F14 · too little in a stream",
    isCut('200 "Hello"', short),
    started((closing) => closing(streamOf("Hello")), declaring(10)),
  );

  fault(
    "F14 · too little in an async stream",
    isCut('200 "Hello"', short),
    started(
      (closing) =>
        closing(async function* () {
          yield "Hello";
        }),
      declaring(10),
    ),
  );

  fault("F14 · too little in write()", isCut('200 "Hello"', short), (_environ, startResponse) => {
    void startResponse("200 OK", declaring(10))("Hello");
    return [];
  });

  fault(
    "F14 · nothing in an array",
    isServers500(short, "200 cut"),
    started((closing) => closing([]), declaring(10)),
  );

  fault(
    "F14 · characters counted for bytes",
    isServedAndToldOrThrown('200 "世�"', exceeded),
    started((closing) => closing(["世界"]), declaring(4)),
  );
});

describe("an application that never ends its body", () => {
  fault(
    "F17 · with a length that does",
    isServed('200 "HelloHello"'),
    started(
      (closing) =>
        closing(function* () {
          for (;;) yield "Hello";
        }),
      declaring(10),
    ),
  );

  fault(
    "F17 · one chunk after another, with a length that does",
    isServed('200 "HelloHello"'),
    started(
      (closing) =>
        closing(async function* () {
          for (;;) yield "Hello";
        }),
      declaring(10),
    ),
  );

  const leaves = {
    "call · bare": { seen: '200 "HelloHello"', told: [] },
    "call · under the stack": { seen: '200 "HelloHello"', told: [], logged: "200 cut" },
  };

  fault(
    "F17 · for a client that leaves",
    leaves,
    started((closing) =>
      closing(function* () {
        for (;;) yield "Hello";
      }),
    ),
    { leaveAfter: 2 },
  );

  fault(
    "F17 · one chunk after another, for a client that leaves",
    leaves,
    started((closing) =>
      closing(async function* () {
        for (;;) yield "Hello";
      }),
    ),
    { leaveAfter: 2 },
  );
});

describe("an application that ignores HEAD", () => {
  fault(
    "F18 · and returns an array",
    isServed('200 ""'),
    started((closing) => closing(["Hello"])),
    {
      method: "HEAD",
    },
  );

  fault(
    "F18 · and declares a length",
    isServed('200 ""'),
    started((closing) => closing(["Hello"]), declaring(5)),
    { method: "HEAD" },
  );

  fault(
    "F18 · and never ends its body",
    isServed('200 ""'),
    started((closing) =>
      closing(function* () {
        for (;;) yield "Hello";
      }),
    ),
    { method: "HEAD" },
  );

  fault(
    "F18 · and never ends its async body",
    isServed('200 ""'),
    started((closing) =>
      closing(async function* () {
        for (;;) yield "Hello";
      }),
    ),
    { method: "HEAD" },
  );

  fault(
    "F18 · and starts late",
    isServed('200 ""'),
    (_environ, startResponse, closing) =>
      closing(function* () {
        yield "";
        startResponse("200 OK", text);
        for (;;) yield "Hello";
      }),
    { method: "HEAD" },
  );

  fault(
    "F18 · and writes",
    isServed('200 ""'),
    (_environ, startResponse) => {
      void startResponse("200 OK", text)("Hello");
      return ["Hello"];
    },
    { method: "HEAD" },
  );

  fault(
    "F18 · and writes more than it declares",
    isServed('200 ""'),
    (_environ, startResponse) => {
      void startResponse("200 OK", declaring(5))("Hello, world!");
      return [];
    },
    { method: "HEAD" },
  );

  fault(
    "F18 · and would fail in its body",
    isServed('200 ""'),
    started((closing) =>
      closing(function* () {
        yield "Hello";
        throw oops;
      }),
    ),
    { method: "HEAD" },
  );
});
