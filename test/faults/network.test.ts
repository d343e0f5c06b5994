import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe } from "node:test";
import type { HeaderList } from "@wsgi/core";
import {
  network,
  parse,
  rawRequest,
  shown,
  type Closing,
  type FaultRequest,
  type FaultyApplication,
  type NetworkFault,
  type Outcome,
  type Stage,
} from "./faults.ts";
import { parseResponses } from "@wsgi/testing/parse-responses";
import { turn, type RawClient } from "../support/serving.ts";

const text: HeaderList = [["Content-Type", "text/plain"]];

/** Tells the scene that an application which returns no body is done. */
function letGo(closing: Closing): void {
  (closing([]) as { close(): void }).close();
}

/** Waits until the client of a request has left. */
function leaving(environ: Parameters<FaultyApplication>[0]): Promise<AbortSignal> {
  const signal = environ["wsgix.signal"](environ);
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal);
    else signal.addEventListener("abort", () => resolve(signal));
  });
}

/** Asks for the fault and leaves without a word when something has arrived, or has happened. */
function leaveAfter(
  what: { arrived: string } | { happened: string },
  how: (client: RawClient) => void = ({ socket }) => void socket.destroy(),
  request: FaultRequest = {},
): (stage: Stage) => Promise<string> {
  return async ({ connect, scene }) => {
    const client = await connect();
    client.send(rawRequest(request));
    if ("arrived" in what) await client.until(what.arrived);
    else await scene.until(what.happened);
    how(client);
    await scene.until("closed");
    return "left";
  };
}

const left = { seen: "left", told: [], logged: "200 cut" };

function* forever(): Generator<string> {
  for (;;) yield "Hello";
}

async function* foreverInTurns(): AsyncGenerator<string> {
  for (;;) yield "Hello";
}

function* silentForever(): Generator<string> {
  yield "Hello";
  for (;;) yield "";
}

/** Starts a response and returns this body. */
function sending(body: () => object): FaultyApplication {
  return (_environ, startResponse, closing) => {
    startResponse("200 OK", text);
    return closing(body);
  };
}

describe("a client that leaves an endless body", () => {
  network("F17 · a generator", {
    app: sending(forever),
    client: leaveAfter({ arrived: "Hello" }),
    expected: left,
  });

  network("F17 · an async generator", {
    app: sending(foreverInTurns),
    client: leaveAfter({ arrived: "Hello" }),
    expected: left,
  });

  network("F17 · empty chunks only, after the first", {
    app: sending(silentForever),
    client: leaveAfter({ arrived: "Hello" }),
    expected: left,
  });

  network("F17 · a reset, in place of an end", {
    app: sending(forever),
    client: leaveAfter({ arrived: "Hello" }, ({ socket }) => void socket.resetAndDestroy()),
    expected: left,
  });

  network("F17 · to a client that does not read", {
    app: sending(forever),
    client: leaveAfter({ arrived: "Hello" }, ({ socket }) => {
      socket.pause();
      socket.once("readable", () => socket.destroy());
    }),
    expected: left,
  });
});

describe("a client that leaves before its turn", () => {
  network("F21 · while the request before it is answered", {
    app: async (environ, startResponse, closing) => {
      await leaving(environ);
      startResponse("200 OK", text);
      return closing([]);
    },
    async client({ connect, scene }) {
      const client = await connect();
      client.send(rawRequest() + rawRequest() + rawRequest());
      await scene.until("called");
      client.socket.destroy();
      await scene.until("closed");
      return "left";
    },
    expected: { ...left, logged: "200" },
  });

  network("F21 · in the middle of its head", {
    app: sending(forever),
    async client({ connect }) {
      const client = await connect();
      client.send("GET /app/fault HTTP/1.1\r\nHo");
      client.socket.destroySoon();
      return "left";
    },
    expected: left,
    calls: 0,
  });

  network("F21 · without a word", {
    app: sending(forever),
    async client({ connect }) {
      const client = await connect();
      client.socket.resetAndDestroy();
      return "left";
    },
    expected: left,
    calls: 0,
  });
});

describe("a client that leaves while it is served", () => {
  network("F22 · before the application has started", {
    app: async (environ, startResponse, closing) => {
      await leaving(environ);
      startResponse("200 OK", text);
      return closing(forever);
    },
    client: leaveAfter({ happened: "called" }),
    expected: left,
  });

  network("F22 · while a step of the body is awaited", {
    app: sending(async function* () {
      yield "Hello";
      await new Promise(() => {});
    }),
    client: leaveAfter({ arrived: "Hello" }),
    expected: left,
  });

  network("F22 · and the step that was awaited fails of it", {
    app: (environ, startResponse, closing) => {
      startResponse("200 OK", text);
      return closing(async function* () {
        yield "Hello";
        throw (await leaving(environ)).reason;
      });
    },
    client: leaveAfter({ arrived: "Hello" }),
    expected: left,
  });

  network("F22 · and the application fails of it", {
    app: async (environ, startResponse, closing) => {
      await startResponse("200 OK", text)("Hello");
      const { reason } = await leaving(environ);
      letGo(closing);
      throw reason;
    },
    client: leaveAfter({ arrived: "Hello" }),
    expected: left,
  });

  network("F22 · and the application fails of something else", {
    app: async (environ, startResponse, closing) => {
      await startResponse("200 OK", text)("Hello");
      await leaving(environ);
      letGo(closing);
      throw new Error("of its own");
    },
    client: leaveAfter({ arrived: "Hello" }),
    expected: { ...left, told: ["of its own"] },
  });

  network("F22 · while the application waits to write", {
    app: async (_environ, startResponse, closing) => {
      const write = startResponse("200 OK", text);
      try {
        for (;;) await write("Hello".repeat(10_000));
      } finally {
        letGo(closing);
      }
    },
    client: leaveAfter({ arrived: "Hello" }, ({ socket }) => {
      socket.pause();
      socket.once("readable", () => socket.destroy());
    }),
    expected: left,
  });

  network("F22 · while the application writes and does not wait", {
    app: async (environ, startResponse, closing) => {
      const write = startResponse("200 OK", text);
      for (let i = 0; i < 100; i++) void write("Hello".repeat(10_000));
      await leaving(environ);
      return closing([]);
    },
    client: leaveAfter({ arrived: "Hello" }, ({ socket }) => {
      socket.pause();
      socket.once("readable", () => socket.destroy());
    }),
    expected: { ...left, logged: "200" },
  });

  network("F22 · and the iteration fails when it is stopped", {
    app: (_environ, startResponse, closing) => {
      startResponse("200 OK", text);
      const steps = {
        next: () => Promise.resolve({ done: false, value: "Hello" }),
        async return() {
          await turn();
          throw new Error("of its own");
        },
      };
      return closing({ [Symbol.asyncIterator]: () => steps });
    },
    client: leaveAfter({ arrived: "Hello" }),
    expected: { ...left, told: ["of its own"] },
  });

  network("F22 · as soon as it has the last byte", {
    app: sending(function* () {
      yield "Hello";
    }),
    client: leaveAfter({ arrived: "0\r\n\r\n" }),
    expected: { ...left, logged: "200" },
  });
});

/** Posts to the fault and returns the answer, and makes sure that the server has read little. */
function post(head: string, body: string): (stage: Stage) => Promise<string> {
  return async ({ connect, server }) => {
    const accepted = once(server.server.httpServer, "connection") as Promise<[Socket]>;
    const client = await connect();
    client.send(`POST /app/fault HTTP/1.1\r\nHost: a\r\n${head}\r\n${body}`);
    const [response] = parse(await client.closed);
    const [socket] = await accepted;
    // The limit, what node keeps of a body, and what it takes from a socket at a time, up to twice.
    assert.ok(socket.bytesRead <= 4 * 65_536, `${socket.bytesRead} bytes were read`);
    return response === undefined ? "nothing" : shown(response);
  };
}

const readAll: FaultyApplication = async (environ, startResponse, closing) => {
  const body = await environ["wsgi.input"].read();
  startResponse("200 OK", text);
  return closing([String(body.byteLength)]);
};

/** Sends a part of a request, and leaves when it is being read. */
const breakOff =
  (part: string) =>
  async ({ connect, scene }: Stage): Promise<string> => {
    const client = await connect();
    client.send(part);
    await scene.until("called");
    client.socket.destroySoon();
    await scene.until("closed");
    return "left";
  };

const reading: FaultyApplication = async (environ, _startResponse, closing) => {
  try {
    await environ["wsgi.input"].read();
  } finally {
    letGo(closing);
  }
  throw new Error("A part was taken for the whole");
};

/** Sends this and waits for what comes. */
function codeOf(request: string): (stage: Stage) => Promise<string> {
  return async ({ connect }) => {
    const client = await connect();
    const [response] = parse(await client.send(request).closed);
    return String(response?.code);
  };
}

describe("a client that breaks its upload off", () => {
  network("F26 · at half of its length", {
    app: reading,
    client: breakOff("POST /app/fault HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf"),
    expected: { ...left, logged: "500" },
  });

  network("F26 · in the middle of a chunk", {
    app: reading,
    client: breakOff(
      "POST /app/fault HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf",
    ),
    expected: { ...left, logged: "500" },
  });

  network("F26 · before the last chunk", {
    app: reading,
    client: breakOff(
      "POST /app/fault HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ),
    expected: { ...left, logged: "500" },
  });

  network("F26 · and has its answer while the rest is still read, which fails", {
    app: (environ, startResponse, closing) => {
      const reading = environ["wsgi.input"].read();
      void Promise.resolve(reading).catch(() => letGo(closing));
      startResponse("200 OK", text);
      return ["Hello"];
    },
    async client({ connect, scene }) {
      const client = await connect();
      client.send("POST /app/fault HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
      await client.until("Hello");
      await scene.until("closed");
      return "200";
    },
    expected: { seen: "200", told: [] },
  });

  network("F26 · with something that is no chunk, and waits", {
    app: reading,
    client: codeOf(
      "POST /app/fault HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nnonsense\r\n",
    ),
    expected: { seen: "400", told: [] },
  });
});

describe("a client that is slow", () => {
  const limits = { headersTimeout: 100, requestTimeout: 200, writeTimeout: 200 };

  network("F25 · and does not send the rest of its form", {
    app: reading,
    client: codeOf("POST /app/fault HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf"),
    expected: { seen: "408", told: [] },
    options: { limits },
  });

  network("F25 · and does not send the rest of its chunks", {
    app: reading,
    client: codeOf(
      "POST /app/fault HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ),
    expected: { seen: "408", told: [] },
    options: { limits },
  });

  network("F25 · and does not send the rest of its head", {
    app: reading,
    client: codeOf("POST /app/fault HTTP/1.1\r\nHo"),
    expected: { seen: "408", told: [] },
    options: { limits },
    calls: 0,
  });

  network("F24 · and does not read an endless body", {
    app: sending(function* () {
      for (;;) yield "Hello".repeat(10_000);
    }),
    async client({ connect, scene }) {
      const client = await connect();
      client.socket.pause();
      client.send(rawRequest());
      await scene.until("closed");
      return "cut";
    },
    expected: { seen: "cut", told: [], logged: "200 cut" },
    options: { limits },
  });

  network("F24 · and does not read what is written", {
    app: async (_environ, startResponse, closing) => {
      const write = startResponse("200 OK", text);
      try {
        for (;;) await write("Hello".repeat(10_000));
      } finally {
        letGo(closing);
      }
    },
    async client({ connect, scene }) {
      const client = await connect();
      client.socket.pause();
      client.send(rawRequest());
      await scene.until("closed");
      return "cut";
    },
    expected: { seen: "cut", told: [], logged: "200 cut" },
    options: { limits },
  });
});

describe("a client that closes its half of the connection", () => {
  network("F23 · has the answer that was there at once", {
    app: sending(function* () {
      yield "Hello";
    }),
    async client({ connect }) {
      const client = await connect();
      client.socket.end(rawRequest());
      const [response] = parse(await client.closed);
      return shown(response!);
    },
    expected: { seen: '200 "Hello"', told: [] },
  });

  network("F23 · has left, while the application thinks", {
    app: async (environ, startResponse, closing) => {
      await leaving(environ);
      startResponse("200 OK", text);
      return closing(["Hello"]);
    },
    client: leaveAfter({ happened: "called" }, ({ socket }) => void socket.end()),
    expected: { ...left, logged: "200" },
  });

  network("F23 · has left, in the middle of an endless body", {
    app: sending(forever),
    client: leaveAfter({ arrived: "Hello" }, ({ socket }) => void socket.end()),
    expected: left,
  });

  network("F23 · has left, while a step of the body is awaited", {
    app: sending(async function* () {
      yield "Hello";
      await new Promise(() => {});
    }),
    client: leaveAfter({ arrived: "Hello" }, ({ socket }) => void socket.end()),
    expected: left,
  });

  network("F23 · in the middle of its form has left", {
    app: reading,
    client: leaveAfter({ happened: "called" }, ({ socket }) => void socket.end(), {
      method: "POST",
      headers: { "Content-Length": "10" },
    }),
    expected: { ...left, logged: "500" },
  });
});

const large = "x".repeat(1_000_000);

describe("a client whose upload is not read", () => {
  const unread: FaultyApplication = (_environ, startResponse, closing) => {
    startResponse("200 OK", text);
    return closing(["Thanks"]);
  };

  network("F27 · and is large has an answer, and is cut off", {
    app: unread,
    client: post(`Content-Length: ${large.length}\r\n`, large),
    expected: { seen: '200 "Thanks"', told: [], logged: "200" },
  });

  network("F27 · and is large and chunked has an answer, and is cut off", {
    app: unread,
    client: post(
      "Transfer-Encoding: chunked\r\n",
      `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`,
    ),
    expected: { seen: '200 "Thanks"', told: [], logged: "200" },
  });

  network("F27 · and is never sent has an answer at once", {
    app: unread,
    client: post("Content-Length: 1000000\r\nConnection: close\r\n", ""),
    expected: { seen: '200 "Thanks"', told: [], logged: "200" },
  });

  network("F29 · has no 100 Continue, but a final answer, and its connection ends", {
    app: unread,
    client: post("Expect: 100-continue\r\nContent-Length: 1000000\r\n", ""),
    expected: { seen: '200 "Thanks"', told: [], logged: "200" },
  });

  network("F29 · and is small has no 100 Continue either", {
    app: unread,
    client: post("Expect: 100-continue\r\nContent-Length: 10\r\nConnection: close\r\n", ""),
    expected: { seen: '200 "Thanks"', told: [], logged: "200" },
  });

  network("F29 · has 100 Continue when it is read", {
    app: readAll,
    async client({ connect }) {
      const client = await connect();
      client.send(
        rawRequest({
          method: "POST",
          headers: { Expect: "100-continue", "Content-Length": "5", Connection: "close" },
        }),
      );
      await client.until("HTTP/1.1 100 Continue\r\n\r\n");
      const [response] = parse(await client.send("Hello").closed);
      return `${response!.interim.length} and ${shown(response!)}`;
    },
    expected: { seen: '1 and 200 "5"', told: [], logged: "200" },
  });
});

describe("a client that asks ahead", () => {
  /** Answers in a later turn, and notes how many run at a time. */
  const counting = (): { app: FaultyApplication; most(): number } => {
    let running = 0;
    let most = 0;
    return {
      async app(environ, startResponse) {
        most = Math.max(most, ++running);
        await turn();
        running -= 1;
        startResponse("200 OK", text);
        return [environ.QUERY_STRING];
      },
      most: () => most,
    };
  };

  const three = counting();

  network("F28 · has three answers in order, one after another", {
    app: three.app,
    async client({ connect }) {
      const client = await connect();
      const ask = (query: string, last = ""): string =>
        `GET /app/fault?${query} HTTP/1.1\r\nHost: a\r\n${last}\r\n`;
      client.send(ask("1") + ask("2") + ask("3", "Connection: close\r\n"));
      const answers = parseResponses(Buffer.from(await client.closed), {
        methods: ["GET", "GET", "GET"],
      });
      return `${answers.map(shown).join(", ")}; ${three.most()} at a time`;
    },
    expected: { seen: '200 "1", 200 "2", 200 "3"; 1 at a time', told: [], logged: "200" },
    calls: 3,
  });

  const many = counting();

  network("F28 · has five thousand answers, one after another", {
    app: many.app,
    async client({ connect }) {
      const client = await connect();
      const request = "GET /app/fault HTTP/1.1\r\nHost: a\r\n\r\n";
      client.send(request.repeat(4_999) + rawRequest({ headers: { Connection: "close" } }));
      const answers = (await client.closed).match(/^HTTP\/1\.1 200 OK\r$/gm) ?? [];
      return `${answers.length} answers; ${many.most()} at a time`;
    },
    expected: { seen: "5000 answers; 1 at a time", told: [], logged: "200" },
    calls: 5_000,
  });

  network("F28 · has nothing more after an answer that was cut", {
    app: (_environ, startResponse, closing) => {
      startResponse("200 OK", text);
      return closing(function* () {
        yield "Hello";
        throw new Error("oops");
      });
    },
    async client({ connect }) {
      const client = await connect();
      const answers = parse(await client.send(rawRequest().repeat(3)).closed);
      return `${answers.map(shown).join(", ")}, cut`;
    },
    expected: { seen: '200 "Hello", cut', told: ["Error: oops"] },
  });
});

/** Asks in HTTP/1.0, and returns the answer, the way it was framed, and how the connection goes on. */
function askOldly(head: string, app: FaultyApplication, expected: Outcome): NetworkFault {
  return {
    app,
    async client({ connect }) {
      const client = await connect();
      client.send(`${head}\r\n`);
      const keeps = head.includes("keep-alive");
      if (keeps) client.send("GET /app/fault HTTP/1.0\r\n\r\n");
      const [response, ...more] = parse(await client.closed);
      assert.equal(response!.interim.length, 0);
      return `${shown(response!)} by ${response!.framing}${more.length > 0 ? ", kept" : ""}`;
    },
    expected,
    ...(head.includes("keep-alive") && expected.seen.endsWith("kept") ? { calls: 2 } : {}),
  };
}

describe("a client of HTTP/1.0", () => {
  const whole: FaultyApplication = (_environ, startResponse, closing) => {
    startResponse("200 OK", text);
    return closing(["Hello"]);
  };
  const stream = sending(function* () {
    yield "Hello, ";
    yield "world!";
  });

  network(
    "F44 · gets a body that is there",
    askOldly("GET /app/fault HTTP/1.0\r\n", whole, {
      seen: '200 "Hello" by length',
      told: [],
      logged: "200",
    }),
  );

  network(
    "F44 · gets a body of unknown length until the connection closes",
    askOldly("GET /app/fault HTTP/1.0\r\n", stream, {
      seen: '200 "Hello, world!" by close',
      told: [],
      logged: "200",
    }),
  );

  network(
    "F44 · keeps the connection behind a body of unknown length for nothing",
    askOldly("GET /app/fault HTTP/1.0\r\nConnection: keep-alive\r\n", stream, {
      seen: '200 "Hello, world!" by close',
      told: [],
      logged: "200",
    }),
  );

  network(
    "F44 · gets no 100 Continue",
    askOldly("POST /app/fault HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 0\r\n", readAll, {
      seen: '200 "0" by length',
      told: [],
      logged: "200",
    }),
  );

  network(
    "F44 · sees that a body of known length is cut",
    askOldly(
      "GET /app/fault HTTP/1.0\r\n",
      (_environ, startResponse, closing) => {
        startResponse("200 OK", [["Content-Length", "10"]]);
        return closing(function* () {
          yield "Hello";
          throw new Error("oops");
        });
      },
      { seen: '200 "Hello" by length', told: ["Error: oops"], logged: "200 cut" },
    ),
  );
});

describe("a server in trouble", () => {
  network("F36 · has no descriptor left for a connection, and goes on", {
    app: sending(function* () {
      yield "Hello";
    }),
    async client({ connect, server }) {
      const client = await connect();
      const error = Object.assign(new Error("accept EMFILE"), { code: "EMFILE" });
      server.server.httpServer.emit("error", error);
      const [response] = parse(
        await client.send(rawRequest({ headers: { Connection: "close" } })).closed,
      );
      return shown(response!);
    },
    expected: { seen: '200 "Hello"', told: ["accept EMFILE"] },
  });
});

/** Lets the time of day jump while a response is on its way. */
function jumping(by: number): NetworkFault {
  const { now } = Date;
  return {
    app: (environ, startResponse, closing) => {
      startResponse("200 OK", text);
      return closing(async function* () {
        yield "Hello, ";
        Date.now = () => now() + by;
        await turn(10);
        yield environ["wsgix.signal"](environ).aborted ? "gone" : "world!";
      });
    },
    async client({ connect }) {
      try {
        const client = await connect();
        client.send(rawRequest() + rawRequest({ headers: { Connection: "close" } }));
        return parse(await client.closed)
          .map(shown)
          .join(", ");
      } finally {
        Date.now = now;
      }
    },
    expected: { seen: '200 "Hello, world!", 200 "Hello, world!"', told: [], logged: "200" },
    calls: 2,
  };
}

describe("a clock that jumps", () => {
  network("F39 · a day ahead ends nothing", jumping(86_400_000));

  network("F39 · a day back ends nothing", jumping(-86_400_000));
});
