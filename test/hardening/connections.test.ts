import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { onClose, type Application, type Chunk, type Environ } from "@wsgi/core";
import type { Limits } from "@wsgi/server";
import { respond } from "@wsgi/testing";
import { parseResponses } from "@wsgi/testing/parse-responses";
import {
  deferred,
  exchange,
  get,
  lastHeaders,
  RawClient,
  serving,
  turn,
} from "../support/serving.ts";

const ok = respond(["ok"]);
const keptGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

describe("a client that is slow", () => {
  it("D1 · with its request line is answered with 408", async () => {
    assert.equal(await codeOf("GET /", { headersTimeout: 40 }), 408);
  });

  it("D1 · with its header fields is answered with 408", async () => {
    assert.equal(await codeOf("GET / HTTP/1.1\r\nHost: a\r\nX:", { headersTimeout: 40 }), 408);
  });

  it("D1 · and says nothing is answered with 408", async () => {
    assert.equal(await codeOf("", { headersTimeout: 40 }), 408);
  });

  it("D1 · gets no more time for each field that it sends", async () => {
    await using server = await serving(ok, { limits: { headersTimeout: 60 } });
    using client = await RawClient.connect(server);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n");
    const drip = setInterval(() => client.send("X: y\r\n"), 5);
    const received = await client.closed;
    clearInterval(drip);
    assert.match(received, /^HTTP\/1\.1 408 /);
  });

  it("D1 · with its body is answered with 408", async () => {
    const limits = { headersTimeout: 40, requestTimeout: 40 };
    const half = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf";
    assert.equal(await codeOf(half, limits, readAll), 408);
  });

  it("D1 · gets no more time for each chunk that it sends", async () => {
    const limits = { headersTimeout: 60, requestTimeout: 60 };
    await using server = await serving(readAll, { limits });
    using client = await RawClient.connect(server);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    const drip = setInterval(() => client.send("1\r\nx\r\n"), 5);
    const received = await client.closed;
    clearInterval(drip);
    assert.match(received, /^HTTP\/1\.1 408 /);
  });

  it("D1 · with its next request loses its connection", async () => {
    assert.equal(await codeOf(keptGet, { keepAliveTimeout: 20 }), 200);
  });

  it("D3 · to take a body without end is cut off, and the body closed once", async () => {
    const closed = deferred();
    let taken = 0;
    let timesClosed = 0;
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      const endless = (function* (): Generator<Chunk> {
        for (; ; taken++) yield new Uint8Array(65_536);
      })();
      return onClose(endless, () => {
        timesClosed += 1;
        closed.resolve();
      });
    };
    await using server = await serving(app, { limits: { writeTimeout: 60 } });
    using client = await RawClient.connect(server);
    client.socket.pause();
    client.send(get);
    await closed.promise;
    assert.equal(timesClosed, 1);
    // What the buffers of two sockets hold, and not what 60 ms can make.
    assert.ok(taken < 200, `${taken} chunks`);
  });
});

describe("a head", () => {
  it("D2 · of too many fields is refused with 431", async () => {
    const fields = Array.from({ length: 300 }, (_, i) => `X-${i}: y\r\n`).join("");
    assert.equal(await codeOf(`GET / HTTP/1.1\r\n${fields}${lastHeaders}`), 431);
  });

  it("D2 · of too many bytes is refused with 431", async () => {
    const field = `X: ${"y".repeat(20_000)}\r\n`;
    assert.equal(await codeOf(`GET / HTTP/1.1\r\n${field}${lastHeaders}`), 431);
  });

  it("D2 · of too many bytes in several packets is refused with 431", async () => {
    await using server = await serving(ok);
    using client = await RawClient.connect(server);
    client.send("GET / HTTP/1.1\r\nX: ");
    await turn();
    assert.match(await client.send("y".repeat(30_000)).closed, /^HTTP\/1\.1 431 /);
  });

  it("D2 · without end is refused with 431", async () => {
    assert.equal(await codeOf(`GET / HTTP/1.1\r\n${"X: y\r\n".repeat(20_000)}`), 431);
  });

  it("D2 · of a name without end is refused with 431", async () => {
    assert.equal(await codeOf(`GET / HTTP/1.1\r\n${"X".repeat(30_000)}`), 431);
  });

  it("D2 · with a longer line than is taken is refused with 414", async () => {
    assert.equal(await codeOf(`GET /${"x".repeat(9_000)} HTTP/1.1\r\n${lastHeaders}`), 414);
  });

  it("D2 · of a line without end is refused with 414", async () => {
    assert.equal(await codeOf(`GET /${"x".repeat(30_000)}`), 414);
  });

  it("D2 · behind a body, without end, fails who reads the body", async () => {
    const chunk = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    assert.equal(await codeOf(chunk + "X: y\r\n".repeat(20_000), {}, readAll), 431);
  });

  it("S12 · does not hide its length behind many fields", async () => {
    const fields = "a:\r\n".repeat(1_500);
    const body = `Content-Length: ${keptGet.length}\r\n\r\n${keptGet}`;
    assert.equal(await codeOf(`POST / HTTP/1.1\r\nHost: a\r\n${fields}${body}`), 431);
  });

  it("S12 · loses none of its fields where more are allowed", async () => {
    let environ!: Environ;
    const app: Application = (given, startResponse) => {
      environ = given;
      return ok(given, startResponse);
    };
    const fields = `${"a:\r\n".repeat(1_500)}X-Forwarded-For: 6.6.6.6\r\nContent-Length: 2\r\n`;
    const request = `POST / HTTP/1.1\r\n${fields}${lastHeaders}ab`;
    assert.equal(await codeOf(request, { headerCount: 2_000 }, app), 200);
    assert.deepEqual([environ.HTTP_X_FORWARDED_FOR, environ.CONTENT_LENGTH], ["6.6.6.6", "2"]);
    assert.equal(environ.HTTP_A, ", ".repeat(1_499));
  });
});

describe("connections", () => {
  it("D4 · that are only kept make place for others", async () => {
    await using server = await serving(ok, { limits: { connections: 20 } });
    const kept = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(server)));
    await Promise.all(kept.map((client) => client.send(keptGet).until("ok")));
    const answers = await Promise.all(Array.from({ length: 10 }, () => exchange(server, get)));
    for (const client of kept) client[Symbol.dispose]();
    assert.deepEqual(new Set(answers.map((answer) => answer.slice(9, 12))), new Set(["200"]));
  });

  it("D4 · beyond the limit are refused with 503 while all are busy", async () => {
    const held = deferred();
    const called = deferred();
    const app: Application = async (environ, startResponse) => {
      called.resolve();
      await held.promise;
      return ok(environ, startResponse);
    };
    await using server = await serving(app, { limits: { connections: 1 } });
    using busy = await RawClient.connect(server);
    busy.send(get);
    await called.promise;
    assert.match(await exchange(server, get), /^HTTP\/1\.1 503 /);
    held.resolve();
    assert.match(await busy.closed, /^HTTP\/1\.1 200 /);
  });

  it("D5 · that their client has half closed come to an end", async () => {
    await using server = await serving(ok);
    const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(server)));
    for (const client of clients) client.socket.end();
    await Promise.all(clients.map(({ closed }) => closed));
    assert.equal(await openConnections(server.server.httpServer), 0);
  });

  it("D5 · that their client has half closed within a head come to an end", async () => {
    await using server = await serving(ok);
    const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(server)));
    for (const client of clients) client.send("GET / HT").socket.end();
    await Promise.all(clients.map(({ closed }) => closed));
    assert.equal(await openConnections(server.server.httpServer), 0);
    assert.equal(server.reports, "");
  });

  it("D5 · that their client has reset within a response come to an end", async () => {
    const left = deferred();
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      const never = {
        async *[Symbol.asyncIterator](): AsyncGenerator<Chunk> {
          yield "begun";
          await left.promise;
        },
      };
      return onClose(never, () => left.resolve());
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    await client.send(get).until("begun");
    client.socket.resetAndDestroy();
    await left.promise;
    assert.equal(server.reports, "");
  });

  it("S13 · bring their requests to the application one at a time, however many are sent ahead", async () => {
    let running = 0;
    let most = 0;
    const app: Application = async (environ, startResponse) => {
      most = Math.max(most, ++running);
      await turn();
      running -= 1;
      return ok(environ, startResponse);
    };
    await using server = await serving(app);
    const received = await exchange(server, keptGet.repeat(2_000) + get);
    const methods = Array<string>(2_001).fill("GET");
    const responses = parseResponses(Buffer.from(received, "latin1"), { methods });
    assert.equal(responses.length, 2_001);
    assert.equal(most, 1);
  });

  it("D6 · close a body before their next request is with the application", async () => {
    const events: string[] = [];
    const app: Application = ({ PATH_INFO }, startResponse) => {
      events.push(`called ${PATH_INFO}`);
      startResponse("200 OK", []);
      return onClose(["ok"], async () => {
        await turn();
        events.push(`closed ${PATH_INFO}`);
      });
    };
    await using server = await serving(app);
    await exchange(server, `GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n${lastHeaders}`);
    assert.deepEqual(events.slice(0, 3), ["called /1", "closed /1", "called /2"]);
  });

  it("D6 · close a body once when their client leaves", async () => {
    let timesClosed = 0;
    const closed = deferred();
    const held = deferred();
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      const waiting = {
        async *[Symbol.asyncIterator](): AsyncGenerator<Chunk> {
          yield "begun";
          await held.promise;
          yield "late";
        },
      };
      return onClose(waiting, () => {
        timesClosed += 1;
        closed.resolve();
      });
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    await client.send(get).until("begun");
    client.socket.destroy();
    await closed.promise;
    held.resolve();
    await turn();
    assert.equal(timesClosed, 1);
  });

  it("T7 · over a Unix socket have no address, which is empty text", async () => {
    const path = join(tmpdir(), `wsgi-hardening-${process.pid}.sock`);
    let environ!: Environ;
    const app: Application = (given, startResponse) => {
      environ = given;
      return ok(given, startResponse);
    };
    await using server = await serving(app, { path, port: undefined } as never);
    assert.match(await exchange({ path }, get), /^HTTP\/1\.1 200 /);
    assert.deepEqual([environ.REMOTE_ADDR, environ.REMOTE_PORT], ["", ""]);
    assert.equal(server.reports, "");
  });

  it("W1 · that asked for CONNECT do not keep a server from closing", async () => {
    await using server = await serving(ok);
    using client = await RawClient.connect(server);
    await client.send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n").until("405");
    await server.server.close();
    await client.closed;
  });

  it("W1 · that asked for an upgrade do not keep a server from closing", async () => {
    await using server = await serving(ok);
    using client = await RawClient.connect(server);
    const fields = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`).until("ok");
    await server.server.close();
    await client.closed;
  });
});

/** Reads all of the body before it answers. */
const readAll: Application = async (environ, startResponse) => {
  await environ["wsgi.input"].read();
  return await ok(environ, startResponse);
};

/** Sends a request and gives the status code of the only answer, once the connection is closed. */
async function codeOf(
  request: string,
  limits: Partial<Limits> = {},
  app: Application = ok,
): Promise<number> {
  await using server = await serving(app, { limits });
  const received = await exchange(server, request);
  assert.equal(server.reports, "");
  const responses = parseResponses(Buffer.from(received, "latin1"));
  assert.equal(responses.length, 1, received);
  return responses[0]!.code;
}

/** Counts the connections of a server when it has heard of those that have ended. */
async function openConnections(server: {
  getConnections(cb: (error: Error | null, count: number) => void): unknown;
}): Promise<number> {
  await turn();
  return await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
}
