import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import type { Application, Body, Chunk, HeaderList } from "@wsgi/core";
import { respond } from "@wsgi/testing";
import {
  answer,
  bodyOf,
  deferred,
  exchange,
  get,
  RawClient,
  serving,
  turn,
  type ServingServer,
} from "../support/serving.ts";

const megabyte = "x".repeat(1_000_000);

/**
 * Runs a client in a thread of its own, which raises the flag when it has received a text, and returns
 * all that it has received in the end.
 */
async function receiveInThread(
  port: number,
  wanted: string,
  flag: SharedArrayBuffer,
): Promise<string> {
  const code = `
    const { parentPort, workerData: { port, request, wanted, flag } } = require("node:worker_threads");
    const socket = require("node:net").connect(port, "127.0.0.1");
    let received = "";
    socket.on("data", (data) => {
      received += data;
      if (!received.includes(wanted)) return;
      Atomics.store(new Int32Array(flag), 0, 1);
      Atomics.notify(new Int32Array(flag), 0);
    });
    socket.on("close", () => parentPort.postMessage(received));
    socket.write(request);
  `;
  const worker = new Worker(code, { eval: true, workerData: { port, request: get, wanted, flag } });
  return await new Promise<string>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

/** Waits until the connection takes no more, and the event loop has gone round since. */
async function stalled(server: ServingServer): Promise<void> {
  const socket = await new Promise<Socket>((resolve) => {
    server.server.httpServer.once("connection", resolve);
  });
  let full = 0;
  while (full < 20) {
    await turn();
    full = socket.writableNeedDrain ? full + 1 : 0;
  }
}

describe("a chunk is not held back", () => {
  it("while a synchronous body computes the next one (P67)", async () => {
    const flag = new SharedArrayBuffer(4);
    const app: Application = function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "first";
      // Blocks this thread until the client has the first chunk, or gives up.
      Atomics.wait(new Int32Array(flag), 0, 0, 20_000);
      yield Atomics.load(new Int32Array(flag), 0) === 1 ? "in time" : "held back";
    };
    await using server = await serving(app);
    assert.match(await receiveInThread(server.port, "first", flag), /in time/);
  });

  it("when it is written with write() (P72)", async () => {
    const go = deferred();
    const app: Application = async (_environ, startResponse) => {
      const write = startResponse("200 OK", []);
      void write("first");
      await go.promise;
      return ["second"];
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    await client.send(get).until("first");
    go.resolve();
    assert.match(await client.closed, /second/);
  });

  it("when the next one of an async body waits for it to arrive (P07)", async () => {
    const acknowledged = deferred();
    const app: Application = async function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "first";
      await acknowledged.promise;
      yield "second";
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    await client.send(get).until("first");
    acknowledged.resolve();
    assert.match(await client.closed, /second/);
  });

  it("however often an async body waits for one to arrive", async () => {
    let arrived = deferred();
    const app: Application = async function* (_environ, startResponse) {
      startResponse("200 OK", []);
      for (const chunk of ["<one>", "<two>", "<three>"]) {
        yield "";
        yield chunk;
        await arrived.promise;
      }
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send(get);
    for (const chunk of ["<one>", "<two>", "<three>"]) {
      await client.until(chunk);
      const before = arrived;
      arrived = deferred();
      before.resolve();
    }
    assert.match(await client.closed, /\r\n0\r\n\r\n$/);
  });
});

describe("what an async body yields without waiting", () => {
  const answerOf = async (headers: HeaderList, body: () => AsyncGenerator<Chunk>) => {
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", headers);
      return body();
    };
    const { response, reports } = await answer(app, get);
    return { body: bodyOf(response), reports };
  };

  it("has left when the event loop has gone round", async () => {
    let sent = 0;
    const connected = deferred<Socket>();
    const app: Application = async function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield* ["one", "two"];
      await turn();
      const { bytesWritten, writableLength } = await connected.promise;
      sent = bytesWritten - writableLength;
    };
    await using server = await serving(app);
    server.server.httpServer.once("connection", (socket: Socket) => connected.resolve(socket));
    const response = await exchange(server, get);
    assert.equal(sent, response.length - "0\r\n\r\n".length);
  });

  it("goes together", async () => {
    const { body } = await answerOf([], async function* () {
      yield* ["one, ", "", "two, ", "three"];
    });
    assert.equal(body, "f\r\none, two, three\r\n0\r\n\r\n");
  });

  it("stays in its order, be it text or bytes, short or long", async () => {
    const long = "x".repeat(20_000);
    const { body } = await answerOf([["Content-Length", "20003"]], async function* () {
      yield* ["a", Uint8Array.of(98), long, "c"];
    });
    assert.equal(body, `ab${long}c`);
  });

  it("is no text again where a character was cut in half", async () => {
    const { body } = await answerOf([["Content-Length", "6"]], async function* () {
      yield* ["\ud83d", "\ude00"];
    });
    assert.equal(body, "\xef\xbf\xbd\xef\xbf\xbd");
  });

  it("ends at the declared length, and no more is asked for", async () => {
    const { body, reports } = await answerOf([["Content-Length", "4"]], async function* () {
      yield* ["ab", "cd"];
      assert.fail("It was asked for more");
    });
    assert.equal(body, "abcd");
    assert.equal(reports, "");
  });

  it("leaves before the connection is cut because of an error", async () => {
    const { body, reports } = await answerOf([], async function* () {
      yield* ["ab", "cd"];
      throw new Error("Odd");
    });
    assert.equal(body, "4\r\nabcd\r\n");
    assert.match(reports, /Error: Odd/);
  });
});

describe("a slow reader", () => {
  it("stops a synchronous body within the buffers, and gets it all in the end", async () => {
    let taken = 0;
    const body: Body = {
      *[Symbol.iterator]() {
        for (; taken < 100; taken++) yield megabyte;
      },
    };
    await using server = await serving(
      respond(body, { headers: [["Content-Length", "100000000"]] }),
    );
    const full = stalled(server);
    using client = await RawClient.connect(server);
    client.socket.pause();
    client.send(get);
    await full;
    assert.ok(taken < 20, `${taken} chunks of 1 MB were taken`);
    const received = await bytesUntilEnd(client);
    assert.ok(received > 100_000_000);
  });

  it("stops an async body within the buffers", async () => {
    let taken = 0;
    const body: Body = {
      async *[Symbol.asyncIterator]() {
        for (; taken < 100; taken++) yield megabyte;
      },
    };
    await using server = await serving(respond(body));
    const full = stalled(server);
    using client = await RawClient.connect(server);
    client.socket.pause();
    client.send(get);
    await full;
    assert.ok(taken < 20, `${taken} chunks of 1 MB were taken`);
    await bytesUntilEnd(client);
    assert.equal(taken, 100);
  });

  it("stops an async body of short texts within the buffers", async () => {
    let taken = 0;
    const body: Body = {
      async *[Symbol.asyncIterator]() {
        for (; taken < 10_000; taken++) yield "x".repeat(10_000);
      },
    };
    await using server = await serving(respond(body));
    const full = stalled(server);
    using client = await RawClient.connect(server);
    client.socket.pause();
    client.send(get);
    await full;
    assert.ok(taken < 2_000, `${taken} chunks of 10 KB were taken`);
    await bytesUntilEnd(client);
    assert.equal(taken, 10_000);
  });

  it("makes write() return a promise, which resolves when there is room", async () => {
    let waits = 0;
    const app: Application = async (_environ, startResponse) => {
      const write = startResponse("200 OK", []);
      for (let i = 0; i < 100; i++) {
        const full = write(megabyte);
        if (full === undefined) continue;
        waits += 1;
        await full;
      }
      return [];
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send(get);
    assert.ok((await bytesUntilEnd(client)) > 100_000_000);
    assert.ok(waits > 0);
  });

  it("does not keep an upload from stopping the sender", async () => {
    const reached = deferred();
    const go = deferred();
    const app: Application = async (environ, startResponse) => {
      await environ["wsgi.input"].read(1);
      reached.resolve();
      await go.promise;
      let length = 1;
      for (;;) {
        const block = await environ["wsgi.input"].read(65_536);
        if (block.byteLength === 0) break;
        length += block.byteLength;
      }
      startResponse("200 OK", []);
      return [String(length)];
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 50000000\r\n\r\n",
    );
    for (let i = 0; i < 50; i++) client.send(megabyte);
    await reached.promise;
    // With the application not reading, the kernel's buffers are all that takes bytes.
    await turn(50);
    assert.ok(
      client.socket.writableLength > 20_000_000,
      `${client.socket.writableLength} bytes wait`,
    );
    go.resolve();
    assert.match(await client.closed, /\r\n\r\n50000000$/);
  });
});

describe("requests that are sent ahead", () => {
  it("are read no further than some may wait (F28)", async () => {
    const go = deferred();
    let parsed = 0;
    const app: Application = async (_environ, startResponse) => {
      await go.promise;
      startResponse("200 OK", []);
      return [];
    };
    await using server = await serving(app);
    server.server.httpServer.on("request", () => void (parsed += 1));
    const begun = once(server.server.httpServer, "request");
    using client = await RawClient.connect(server);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100_000));
    await begun;
    await turn(50);
    assert.ok(parsed < 10_000, `${parsed} requests were parsed`);
    go.resolve();
  });
});

describe("an endless body without bytes leaves turns for other requests", () => {
  const besides =
    (body: Body): Application =>
    (environ, startResponse) => {
      startResponse("200 OK", []);
      return environ.PATH_INFO === "/other" ? ["other"] : body;
    };

  it("if it is synchronous", async () => {
    const body: Body = {
      *[Symbol.iterator]() {
        for (;;) yield "";
      },
    };
    await using server = await serving(besides(body));
    using busy = await RawClient.connect(server);
    busy.send(get);
    assert.equal(await (await fetch(`${server.url}/other`)).text(), "other");
    assert.equal(server.reports, "");
  });

  it("if it is asynchronous (F13)", async () => {
    const body: Body = {
      async *[Symbol.asyncIterator]() {
        for (;;) yield "";
      },
    };
    await using server = await serving(besides(body));
    using busy = await RawClient.connect(server);
    busy.send(get);
    assert.equal(await (await fetch(`${server.url}/other`)).text(), "other");
    assert.equal(server.reports, "");
  });
});

async function bytesUntilEnd(client: RawClient): Promise<number> {
  let received = client.received.length;
  client.socket.removeAllListeners("data");
  client.socket.on("data", (data) => void (received += data.byteLength));
  client.socket.resume();
  await client.closed;
  return received;
}
