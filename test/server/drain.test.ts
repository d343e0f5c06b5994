import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { onClose, type Application } from "@wsgi/core";
import { drainingKey, serve, signalKey, untilStopped, type ServerEnviron } from "@wsgi/server";
import { respond } from "@wsgi/testing";
import { deferred, RawClient, serving, turn } from "../support/serving.ts";

const hello = respond(["Hello"]);
const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** Is an application that waits until it is let go, and says when it has been reached. */
function waiting(): { app: Application; reached: Promise<void>; go: () => void; calls: number } {
  const reached = deferred();
  const gate = deferred();
  const state = {
    calls: 0,
    reached: reached.promise,
    go: gate.resolve,
    app: async (...[environ, startResponse]: Parameters<Application>) => {
      state.calls += 1;
      reached.resolve();
      await gate.promise;
      return hello(environ, startResponse);
    },
  };
  return state;
}

describe("drain()", () => {
  it("tells applications, and still takes connections for a while", async () => {
    const app: Application<ServerEnviron> = (environ, startResponse) => {
      startResponse(environ[drainingKey] ? "503 Service Unavailable" : "200 OK", []);
      return [];
    };
    await using server = await serve(app, { port: 0 });
    assert.equal((await fetch(server.url)).status, 200);
    void server.drain({ delay: 60_000 });
    assert.equal((await fetch(server.url)).status, 503);
  });

  it("takes no more connections then", async () => {
    const server = await serve(hello, { port: 0 });
    assert.deepEqual(await server.drain(), { lost: 0 });
    await assert.rejects(fetch(server.url));
  });

  it("lets a request that is under way end", async () => {
    const { app, reached, go } = waiting();
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send(request);
    await reached;
    const drained = server.server.drain();
    go();
    assert.match(await client.closed, /\r\nConnection: close\r\n[^]*Hello$/);
    assert.deepEqual(await drained, { lost: 0 });
  });

  it("ends a connection with its next response, and not before", async () => {
    await using server = await serving(hello);
    using client = await RawClient.connect(server);
    await client.send(request).until("Hello");
    const drained = server.server.drain();
    client.send(request);
    assert.match(await client.closed, /Hello[^]*\r\nConnection: close\r\n[^]*Hello$/);
    await drained;
  });

  it("does not end a connection on which there is something to read", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    await using server = await serving(hello);
    using client = await RawClient.connect(server);
    await client.send(request).until("Hello");
    const drained = server.server.drain({ idleTime: 0.1 });
    t.mock.timers.tick(1);
    await turn();
    client.send(request);
    t.mock.timers.tick(1);
    assert.match(await client.closed, /Hello[^]*\r\nConnection: close\r\n[^]*Hello$/);
    await drained;
  });

  it("answers a request that had begun to arrive together with the one before", async () => {
    await using server = await serving(hello);
    using client = await RawClient.connect(server);
    await client.send(`${request}GET / HTTP/1.1\r\n`).until("Hello");
    const drained = server.server.drain();
    client.send("Host: a\r\n\r\n");
    assert.match(await client.closed, /Hello[^]*Connection: close[^]*Hello$/);
    assert.deepEqual(await drained, { lost: 0 });
  });

  it("ends a connection that is silent", async () => {
    await using server = await serving(hello);
    using client = await RawClient.connect(server);
    await client.send(request).until("Hello");
    assert.deepEqual(await server.server.drain({ idleTime: 1 }), { lost: 0 });
    await client.closed;
  });

  it("ends a connection on which nothing was ever sent", async () => {
    await using server = await serving(hello);
    const accepted = once(server.server.httpServer, "connection");
    using client = await RawClient.connect(server);
    await accepted;
    await server.server.drain({ idleTime: 1 });
    assert.equal(await client.closed, "");
  });

  it("does not start what a client has sent ahead", async () => {
    const state = waiting();
    await using server = await serving(state.app);
    using client = await RawClient.connect(server);
    client.send(request + request);
    await state.reached;
    const drained = server.server.drain();
    state.go();
    await client.closed;
    await drained;
    assert.equal(state.calls, 1);
  });

  it("loses no request of clients that end with Connection: close", async () => {
    await using server = await serving(hello);
    const begun = Array.from({ length: 8 }, () => deferred());
    const clients = begun.map(async ({ resolve }) => {
      const agent = new http.Agent({ keepAlive: true });
      for (;;) {
        const sent = http.get(server.url, { agent });
        const [response] = (await once(sent, "response")) as [http.IncomingMessage];
        response.resume();
        await once(response, "end");
        resolve();
        if (response.headers.connection === "close") return;
      }
    });
    await Promise.all(begun.map(({ promise }) => promise));
    assert.deepEqual(await server.server.drain(), { lost: 0 });
    await Promise.all(clients);
  });

  it("aborts the signals of requests that take too long", async () => {
    const reached = deferred();
    const app: Application = async (environ, startResponse) => {
      const signal = (environ as ServerEnviron)[signalKey](environ);
      reached.resolve();
      await once(signal, "abort");
      startResponse("503 Service Unavailable", []);
      return [(signal.reason as Error).message];
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send(request);
    await reached.promise;
    const drained = server.server.drain({ timeout: 0, abortTime: 60_000 });
    assert.match(await client.closed, /^HTTP\/1\.1 503 [^]*The request has taken too long for/);
    assert.deepEqual(await drained, { lost: 0 });
  });

  it("cuts requests off in the end, and tells how many", async () => {
    const { app, reached } = waiting();
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    using idle = await RawClient.connect(server);
    client.send(request);
    await reached;
    assert.deepEqual(await server.server.drain({ timeout: 0, abortTime: 0 }), { lost: 1 });
    assert.equal(await client.closed, "");
    assert.equal(await idle.closed, "");
  });

  it("counts a response that a client does not take", async () => {
    await using server = await serving(respond([new Uint8Array(20_000_000)]));
    using client = await RawClient.connect(server);
    client.socket.pause();
    client.send(request);
    await once(server.server.httpServer, "request");
    assert.deepEqual(await server.server.drain({ timeout: 0, abortTime: 0 }), { lost: 1 });
  });

  it("waits for what an application cleans up after its client has left", async () => {
    const closing = deferred();
    const gate = deferred();
    const order: string[] = [];
    const app = respond(() =>
      onClose(["Hello"], async () => {
        closing.resolve();
        await gate.promise;
        order.push("closed");
      }),
    );
    await using server = await serving(app);
    const accepted = once(server.server.httpServer, "connection");
    using client = await RawClient.connect(server);
    const [socket] = (await accepted) as [Socket];
    client.send(request);
    await closing.promise;
    client.socket.destroy();
    await new Promise((resolve) => socket.once("close", resolve));
    const drained = server.server.drain().then(() => order.push("drained"));
    await once(server.server.httpServer, "close");
    await turn();
    gate.resolve();
    await drained;
    assert.deepEqual(order, ["closed", "drained"]);
  });

  it("cuts off a connection whose close() never settles", async () => {
    const body = Object.assign(["Hello"], { close: () => new Promise<void>(() => {}) });
    await using server = await serving(respond(body));
    using client = await RawClient.connect(server);
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").until("Hello");
    assert.deepEqual(await server.server.drain({ timeout: 0, abortTime: 0 }), { lost: 1 });
    await client.closed;
  });

  it("may be followed by close(), which ends what waits for its next request", async () => {
    await using server = await serving(hello);
    using client = await RawClient.connect(server);
    await client.send(request).until("Hello");
    const drained = server.server.drain({ idleTime: 60_000 });
    await server.server.close();
    assert.deepEqual(await drained, { lost: 0 });
  });

  it("may be called twice", async () => {
    await using server = await serve(hello, { port: 0 });
    assert.deepEqual(await Promise.all([server.drain(), server.drain()]), [
      { lost: 0 },
      { lost: 0 },
    ]);
  });

  it("refuses a time that is none", async () => {
    await using server = await serve(hello, { port: 0 });
    assert.throws(
      () => server.drain({ timeout: Number.NaN }),
      /^RangeError: Cannot drain: timeout is NaN; wanted milliseconds from 0 to 2147483647$/,
    );
    assert.throws(() => server.drain({ delay: -1 }), /^RangeError: Cannot drain: delay is -1; /);
    assert.throws(() => server.drain({ idleTime: 2 ** 31 }), /idleTime is 2147483648; /);
    assert.throws(
      () => server.drain({ abortTime: "1" as unknown as number }),
      /abortTime is "1"; /,
    );
  });
});

describe("untilStopped()", () => {
  it("drains the server when it is told to, and gives 0", async () => {
    const server = await serve(hello, { port: 0 });
    assert.equal(await untilStopped(server, {}, Promise.resolve()), 0);
    await assert.rejects(fetch(server.url));
  });

  it("refuses a time that is none", async () => {
    await using server = await serve(hello, { port: 0 });
    const told = Promise.resolve();
    await assert.rejects(
      untilStopped(server, { errorTimeout: Number.NaN }, told),
      /^RangeError: Cannot drain: errorTimeout is NaN; wanted/,
    );
    await assert.rejects(untilStopped(server, { timeout: -1 }, told), /timeout is -1; wanted/);
  });
});
