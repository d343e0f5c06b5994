import assert from "node:assert/strict";
import { once } from "node:events";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { onClose, type Application, type Chunk } from "@wsgi/core";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { defaultLimits, nodeListener, type Limits } from "@wsgi/server";
import { respond } from "@wsgi/testing";
import { certificate } from "../support/certificate.ts";
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
const post = (fields: string, body = ""): string =>
  `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`;

/** Reads all of the body, and answers with its length. */
const measure: Application = async (environ, startResponse) => {
  const { length } = await environ["wsgi.input"].read();
  startResponse("200 OK", []);
  return [`${length} bytes`];
};

async function answerWithin(
  limits: Partial<Limits>,
  request: string,
  app: Application = ok,
): Promise<string> {
  await using server = await serving(app, { limits });
  const response = await exchange(server, request);
  assert.equal(server.reports, "");
  return response;
}

describe("limits.requestLine", () => {
  it("refuses a longer line with 414", async () => {
    const response = await answerWithin(
      { requestLine: 20 },
      `GET /1234567 HTTP/1.1\r\n${lastHeaders}`,
    );
    assert.match(response, /^HTTP\/1\.1 414 URI Too Long\r\n/);
  });
  it("takes a line of that length", async () => {
    const response = await answerWithin(
      { requestLine: 20 },
      `GET /123456 HTTP/1.1\r\n${lastHeaders}`,
    );
    assert.match(response, /^HTTP\/1\.1 200 /);
  });
  it("refuses a line with 414 that is longer than the whole head may be", async () => {
    const line = `GET /${"a".repeat(20_000)} HTTP/1.1\r\n`;
    assert.match(await answerWithin({}, line + lastHeaders), /^HTTP\/1\.1 414 /);
  });
});

describe("limits.headerCount", () => {
  it("refuses more fields with 431", async () => {
    const response = await answerWithin(
      { headerCount: 2 },
      `GET / HTTP/1.1\r\na: 1\r\n${lastHeaders}`,
    );
    assert.match(response, /^HTTP\/1\.1 431 /);
  });
  it("takes as many", async () => {
    assert.match(await answerWithin({ headerCount: 2 }, get), /^HTTP\/1\.1 200 /);
  });
  it("counts fields that node would drop from so many (S12)", async () => {
    const many = "a:\r\n".repeat(1_500);
    const response = await answerWithin({}, `GET / HTTP/1.1\r\n${many}${lastHeaders}`);
    assert.match(response, /^HTTP\/1\.1 431 /);
  });
});

describe("limits.headerBytes", () => {
  it("refuses a larger head with 431", async () => {
    const field = `A: ${"a".repeat(200)}\r\n`;
    const response = await answerWithin(
      { headerBytes: 200 },
      `GET / HTTP/1.1\r\n${field}${lastHeaders}`,
    );
    assert.match(response, /^HTTP\/1\.1 431 /);
  });
});

describe("limits.headerBytes at its border", () => {
  /** Has 25 bytes of target, names and values, and so many more. */
  const head = (more: number): string =>
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nA: ${"a".repeat(more + 3)}\r\n\r\n`;

  it("takes a head of that length", async () => {
    assert.match(await answerWithin({ headerBytes: 100 }, head(75)), /^HTTP\/1\.1 200 /);
  });
  it("refuses one with a byte more", async () => {
    assert.match(await answerWithin({ headerBytes: 100 }, head(76)), /^HTTP\/1\.1 431 /);
  });
});

describe("limits.body", () => {
  it("refuses a longer Content-Length with 413, before the application", async () => {
    const app = (): never => assert.fail("called");
    const response = await answerWithin({ body: 4 }, post("Content-Length: 5"), app);
    assert.match(response, /^HTTP\/1\.1 413 Payload Too Large\r\n/);
  });
  it("refuses it before the client is told to send it", async () => {
    const request = post("Content-Length: 5\r\nExpect: 100-continue");
    assert.match(await answerWithin({ body: 4 }, request), /^HTTP\/1\.1 413 /);
  });
  it("takes a body of that length", async () => {
    const request = post("Content-Length: 4\r\nConnection: close", "body");
    assert.match(await answerWithin({ body: 4 }, request, measure), /4 bytes$/);
  });
  it("takes chunks of that length", async () => {
    const request = post(
      "Transfer-Encoding: chunked\r\nConnection: close",
      "4\r\nbody\r\n0\r\n\r\n",
    );
    assert.match(await answerWithin({ body: 4 }, request, measure), /4 bytes$/);
  });
  it("answers 413 when the application reads more than that", async () => {
    const request = post("Transfer-Encoding: chunked", "3\r\nabc\r\n3\r\ndef\r\n");
    assert.match(await answerWithin({ body: 4 }, request, measure), /^HTTP\/1\.1 413 /);
  });
  it("fails the read with an error that catchErrors answers with 413", async () => {
    const request = post("Transfer-Encoding: chunked", "5\r\nabcde\r\n0\r\n\r\n");
    const response = await answerWithin({ body: 4 }, request, catchErrors()(measure));
    assert.match(response, /^HTTP\/1\.1 413 [^]*its body is longer than 4 bytes/);
  });
  it("ends the connection of an application that answers nevertheless", async () => {
    const app: Application = async (environ, startResponse) => {
      await Promise.resolve(environ["wsgi.input"].read()).catch(() => {});
      return ok(environ, startResponse);
    };
    const request = post("Transfer-Encoding: chunked", "5\r\nabcde\r\n");
    assert.match(
      await answerWithin({ body: 4 }, request, app),
      /200 OK[^]*Connection: close[^]*ok$/,
    );
  });
  it("fails the next read as well", async () => {
    const messages: string[] = [];
    const keep = (error: Error): void => void messages.push(error.message);
    const app: Application = async (environ, startResponse) => {
      await Promise.resolve(environ["wsgi.input"].read()).catch(keep);
      await new Promise((resolve) => resolve(environ["wsgi.input"].read())).catch(keep);
      return ok(environ, startResponse);
    };
    await answerWithin({ body: 4 }, post("Transfer-Encoding: chunked", "5\r\nabcde\r\n"), app);
    assert.deepEqual(messages, Array(2).fill("its body is longer than 4 bytes"));
  });
});

describe("a body that is malformed", () => {
  const malformed = post("Transfer-Encoding: chunked", "3\r\nabc\r\nzz\r\n");

  it("is answered with 400 when the application reads it", async () => {
    assert.match(await answerWithin({}, malformed, measure), /^HTTP\/1\.1 400 /);
  });
  it("is answered with 400 when the application waits for it", async () => {
    await using server = await serving(measure);
    using client = await RawClient.connect(server);
    const { promise, resolve } = deferred();
    server.server.httpServer.once("request", () => resolve());
    client.send(post("Transfer-Encoding: chunked", "3\r\nabc\r\n"));
    await promise;
    assert.match(await client.send("zz\r\n").closed, /^HTTP\/1\.1 400 /);
  });
  it("ends the connection of a response that has begun", async () => {
    const begun: Application = async function* (environ, startResponse) {
      startResponse("200 OK", [["Content-Length", "5"]]);
      yield "begun";
      await environ["wsgi.input"].read();
    };
    await using server = await serving((environ, startResponse) => begun(environ, startResponse));
    assert.match(await exchange(server, malformed), /^HTTP\/1\.1 200 OK[^]*begun$/);
  });
  it("does not answer a request twice that was answered without reading it", async () => {
    await using server = await serving(ok);
    using client = await RawClient.connect(server);
    await client.send(post("Transfer-Encoding: chunked", "3\r\nabc\r\n")).until("\r\n\r\nok");
    assert.match(await client.send("zz\r\n").closed, /^HTTP\/1\.1 200 OK[^]*\r\n\r\nok$/);
  });
  it("is answered in its turn, and does not reach the application", async () => {
    const calls: string[] = [];
    const app: Application = async (environ, startResponse) => {
      calls.push(environ.REQUEST_METHOD);
      await turn();
      return ok(environ, startResponse);
    };
    const response = await answerWithin({}, `GET / HTTP/1.1\r\nHost: a\r\n\r\n${malformed}`, app);
    assert.match(response, /^HTTP\/1\.1 200 [^]*okHTTP\/1\.1 400 /);
    assert.deepEqual(calls, ["GET"]);
  });
});

describe("limits.unreadBody", () => {
  it("ends a connection on which more was left unread", async () => {
    const request = post("Content-Length: 5", "12345");
    assert.match(await answerWithin({ unreadBody: 4 }, request), /Connection: close\r\n/);
  });
  it("keeps one on which less was", async () => {
    const request = post("Content-Length: 4", "1234") + get;
    assert.match(await answerWithin({ unreadBody: 4 }, request), /^HTTP.*200[^]*HTTP.* 200/);
  });
});

describe("limits.waitingRequests", () => {
  it("pauses a client that has sent more ahead", async () => {
    const held = deferred();
    await using server = await serving(
      async (environ, startResponse) => {
        await held.promise;
        return ok(environ, startResponse);
      },
      { limits: { waitingRequests: 2 } },
    );
    const paused = new Promise<void>((resolve) => {
      server.server.httpServer.once("connection", (socket: Socket) =>
        socket.once("pause", resolve),
      );
    });
    using client = await RawClient.connect(server);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3));
    await paused;
    held.resolve();
    assert.match(await client.send(get).closed, /^(HTTP\/1\.1 200 [^]*?\r\n\r\nok){4}$/);
  });
});

describe("limits.connections", () => {
  it("ends an idle connection for a new one", async () => {
    await using server = await serving(ok, { limits: { connections: 1 } });
    using idle = await RawClient.connect(server);
    await idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").until("ok");
    assert.match(await exchange(server, get), /^HTTP\/1\.1 200 /);
    await idle.closed;
  });
  it("refuses a new one with 503 when all are busy, and goes on with them", async () => {
    const called = deferred();
    const held = deferred();
    const app: Application = async (environ, startResponse) => {
      called.resolve();
      await held.promise;
      return ok(environ, startResponse);
    };
    await using server = await serving(app, { limits: { connections: 1 } });
    using busy = await RawClient.connect(server);
    busy.send(get);
    await called.promise;
    assert.match(await exchange(server, ""), /^HTTP\/1\.1 503 Service Unavailable\r\n/);
    held.resolve();
    assert.match(await busy.closed, /^HTTP\/1\.1 200 /);
  });
  it("takes new ones when others have ended", async () => {
    await using server = await serving(ok, { limits: { connections: 1 } });
    assert.match(await exchange(server, get), /^HTTP\/1\.1 200 /);
    assert.match(await exchange(server, get), /^HTTP\/1\.1 200 /);
  });
});

describe("limits.headersTimeout", () => {
  it("answers half a head with 408", async () => {
    const limits = { headersTimeout: 50 };
    assert.match(await answerWithin(limits, "GET / HTTP/1.1\r\nHo"), /^HTTP\/1\.1 408 /);
  });
  it("ends a connection that says nothing", async () => {
    assert.match(await answerWithin({ headersTimeout: 50 }, ""), /^HTTP\/1\.1 408 /);
  });
});

describe("limits.requestTimeout", () => {
  const limits = { headersTimeout: 50, requestTimeout: 50 };
  const half = post("Content-Length: 10", "half");

  it("answers an upload that stalls with 408 (F25)", async () => {
    assert.match(await answerWithin(limits, half, measure), /^HTTP\/1\.1 408 /);
  });
  it("fails the read with an error that catchErrors answers with 408", async () => {
    const response = await answerWithin(limits, half, catchErrors()(measure));
    assert.match(response, /^HTTP\/1\.1 408 [^]*it did not arrive in time/);
  });
  it("leaves its answer to an application that does not read", async () => {
    const timedOut = deferred();
    const app: Application = async (environ, startResponse) => {
      await timedOut.promise;
      return ok(environ, startResponse);
    };
    await using server = await serving(app, { limits });
    server.server.httpServer.once("clientError", () => timedOut.resolve());
    assert.match(await exchange(server, half), /^HTTP\/1\.1 200 OK[^]*Connection: close[^]*ok$/);
  });
  it("ends a connection on which the rest of an unread body does not come", async () => {
    assert.match(await answerWithin(limits, half), /^HTTP\/1\.1 200 OK[^]*\r\n\r\nok$/);
  });
});

describe("limits.headersTimeout with TLS", () => {
  it("ends a connection that never becomes one", async () => {
    const limits = { headersTimeout: 20, connections: 1 };
    await using server = await serving(ok, { tls: certificate, limits });
    assert.equal(await exchange(server, ""), "");
  });
});

describe("limits.keepAliveTimeout", () => {
  it("ends a connection on which no next request comes", async () => {
    const response = await answerWithin(
      { keepAliveTimeout: 20 },
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert.match(response, /^HTTP\/1\.1 200 [^]*ok$/);
  });
  it("is what clients are told", async () => {
    const response = await answerWithin({ keepAliveTimeout: 7_000 }, `${keptGet}${get}`);
    assert.match(response, /Connection: keep-alive\r\nKeep-Alive: timeout=7\r\n/);
  });
  it("ends a connection that does not count what it sends", async () => {
    await using server = await serving(ok, { limits: { keepAliveTimeout: 20 } });
    const write = (_chunk: unknown, _encoding: string, done: () => void): void => done();
    const connection = new Duplex({ read() {}, write });
    const { setTimeout } = Socket.prototype;
    server.server.httpServer.emit(
      "connection",
      Object.assign(connection, { setTimeout, bytesRead: 0 }),
    );
    const closed = once(connection, "close");
    connection.push(keptGet);
    await closed;
  });
  it("leaves its time to a head that has begun", async () => {
    await using server = await serving(ok, { limits: { keepAliveTimeout: 8 } });
    using client = await RawClient.connect(server);
    await client.send(keptGet).until("ok");
    client.send("GET / HTTP");
    setTimeout(() => void client.send(`/1.1\r\n${lastHeaders}`), 60);
    assert.match(await client.closed, /^HTTP\/1\.1 200 [^]*okHTTP\/1\.1 200 /);
  });
  it("gives way to what the node server is given", async () => {
    await using server = await serving(ok, { limits: { keepAliveTimeout: 8 } });
    server.server.httpServer.keepAliveTimeout = 3_000;
    using client = await RawClient.connect(server);
    await client.send(keptGet).until("ok");
    setTimeout(() => void client.send(get), 60);
    assert.match(await client.closed, /^HTTP.* 200 [^]*timeout=3\r\n[^]*okHTTP.* 200 [^]*ok$/);
  });
  it("is kept by node where it is given one", async () => {
    await using server = await serving(ok);
    server.server.httpServer.keepAliveTimeout = 1;
    assert.match(await exchange(server, keptGet), /^HTTP\/1\.1 200 [^]*ok$/);
  });
  it("ends one on which nothing but empty lines come", async () => {
    const limits = { keepAliveTimeout: 100, headersTimeout: 20 };
    await using server = await serving(ok, { limits });
    using client = await RawClient.connect(server);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const timer = setInterval(() => void client.send("\r\n"), 20);
    assert.match(await client.closed, /^HTTP\/1\.1 200 [^]*ok$/);
    clearInterval(timer);
  });
});

describe("limits.writeTimeout", () => {
  const block = new Uint8Array(65_536);

  /** Sends a request for a body without end, takes nothing of it, and waits until that is closed. */
  async function closes(request: string, meanwhile: string): Promise<void> {
    const closed = deferred();
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      const endless = (function* (): Generator<Chunk> {
        for (;;) yield block;
      })();
      return onClose(endless, () => closed.resolve());
    };
    await using server = await serving(app, { limits: { writeTimeout: 200 } });
    using client = await RawClient.connect(server);
    client.socket.pause();
    client.send(request);
    const timer = setInterval(() => void client.send(meanwhile), 20);
    await closed.promise;
    clearInterval(timer);
    assert.equal(server.reports, "");
  }

  it("ends a connection whose client takes nothing, and closes the body (D3)", async () => {
    await closes(get, "");
  });
  it("ends that of one that sends empty lines meanwhile", async () => {
    await closes("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n");
  });
  it("ends that of one that sends more after its last request", async () => {
    await closes(get, "more");
  });
  it("ends that of one that asked for CONNECT", async () => {
    await closes("GET / HTTP/1.1\r\nHost: a\r\n\r\nCONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "");
  });
  it("goes on with a client that takes a little of one long chunk from time to time", async () => {
    const long = new Uint8Array(48_000_000);
    await using server = await serving(respond([long]), { limits: { writeTimeout: 300 } });
    using client = await RawClient.connect(server);
    client.socket.on("data", () => {
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 1);
    });
    const response = await client.send(get).closed;
    assert.equal(response.length - response.indexOf("\r\n\r\n") - 4, long.length);
  });
  it("gives the application the time it needs", async () => {
    const app: Application = async (environ, startResponse) => {
      await new Promise((resolve) => void setTimeout(resolve, 40));
      return ok(environ, startResponse);
    };
    const response = await answerWithin({ writeTimeout: 4 }, get, app);
    assert.match(response, /^HTTP\/1\.1 200 /);
  });
  it("gives a client the time that headersTimeout gives it", async () => {
    await using server = await serving(ok, { limits: { writeTimeout: 4 } });
    using client = await RawClient.connect(server);
    client.send("GET / HTTP/1.1\r\n");
    setTimeout(() => void client.send(lastHeaders), 40);
    assert.match(await client.closed, /^HTTP\/1\.1 200 /);
  });
});

describe("limits", () => {
  it("are finite by default", () => {
    for (const limit of Object.values(defaultLimits)) assert.ok(Number.isSafeInteger(limit));
  });
  it("hold in a listener for another's server too", () => {
    assert.throws(() => nodeListener(ok, { limits: { body: -1 } }), RangeError);
  });

  const refused = (limits: unknown, message: RegExp): Promise<void> =>
    assert.rejects(serving(ok, { limits: limits as Limits }), { message });

  it("are refused if one is not a number", async () => {
    await refused(
      { body: "10" },
      /^Cannot serve: limits\.body is "10"; wanted a whole number from 0/,
    );
  });
  it("are refused if one is NaN", async () => {
    await refused({ headerCount: NaN }, /limits\.headerCount is NaN; wanted a whole number from 1/);
  });
  it("are refused if one is infinite", async () => {
    await refused({ body: Infinity }, /limits\.body is Infinity/);
  });
  it("are refused if one is negative", async () => {
    await refused({ unreadBody: -1 }, /limits\.unreadBody is -1/);
  });
  it("are refused if a time is none", async () => {
    await refused({ writeTimeout: 0 }, /limits\.writeTimeout is 0; wanted a whole number from 1/);
  });
  it("are refused if a time is longer than timers can be", async () => {
    await refused(
      { requestTimeout: 2 ** 31 },
      /requestTimeout is 2147483648; wanted .* to 2147483647/,
    );
  });
  it("are refused if a head may take longer than its request", async () => {
    await refused(
      { requestTimeout: 10 },
      /headersTimeout is 15000; wanted no more than requestTimeout, 10/,
    );
  });
  it("are refused if a name is misspelt", async () => {
    await refused({ bodySize: 1 }, /limits\.bodySize is no limit; wanted one of requestLine, /);
  });
  it("are refused if they are no object", async () => {
    await refused(null, /^Cannot serve: limits is null; wanted an object of limits$/);
  });
});
