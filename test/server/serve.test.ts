import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import type { Application, Environ } from "@wsgi/core";
import { makeServer, nodeListener, serve, type ServerEnviron } from "@wsgi/server";
import { respond } from "@wsgi/testing";
import { certificate } from "../support/certificate.ts";
import { deferred, exchange, get, RawClient, serving } from "../support/serving.ts";

const hello = respond(["Hello"]);

describe("serve()", () => {
  it("outlives a connection that cannot be accepted, and reports it", async () => {
    await using server = await serving(respond(["Hello"]));
    server.server.httpServer.emit("error", new Error("accept EMFILE"));
    assert.equal(await (await fetch(server.url)).text(), "Hello");
    assert.match(server.reports, /^Error: accept EMFILE\n/);
  });

  it("takes an application that uses the server's own keys", async () => {
    const app: Application<ServerEnviron> = (environ, startResponse) => {
      startResponse("200 OK", []);
      return [String(environ["wsgix.signal"](environ).aborted)];
    };
    await using server = await serve(app, { port: 0 });
    assert.equal(await (await fetch(server.url)).text(), "false");
  });

  it("listens on a free port for port 0, and says which in url", async () => {
    await using server = await serve(hello, { port: 0 });
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
    assert.equal(await (await fetch(server.url)).text(), "Hello");
  });

  it("writes an IPv6 address as a URL has it", async () => {
    await using server = await serve(hello, { host: "::1", port: 0 });
    assert.match(server.url, /^http:\/\/\[::1\]:\d+$/);
  });

  it("serves on a Unix socket, with names that are never empty (P25)", async () => {
    const folder = await mkdtemp(join(tmpdir(), "wsgi-"));
    const path = join(folder, "app.sock");
    let seen: Environ | undefined;
    const app: Application = (environ, startResponse) => {
      seen = environ;
      return hello(environ, startResponse);
    };
    const server = await serve(app, { path });
    assert.equal(server.url, `unix:${path}`);
    assert.match(await exchange({ path }, get), /Hello$/);
    assert.deepEqual(
      [seen?.SERVER_NAME, seen?.SERVER_PORT, seen?.REMOTE_ADDR],
      ["localhost", "80", ""],
    );
    await server.close();
    await rm(folder, { recursive: true });
  });

  it("serves over TLS, and says so in environ (P28, P32)", async () => {
    const app: Application = (environ, startResponse) => {
      startResponse("200 OK", []);
      return [`${environ["wsgi.url_scheme"]} ${environ.HTTPS}`];
    };
    await using server = await serve(app, { port: 0, tls: certificate });
    assert.match(server.url, /^https:/);
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      https.get(server.url, { ca: certificate.cert, agent: false }, resolve).on("error", reject);
    });
    assert.equal(await text(response), "https on");
  });

  it("says in one line why it cannot listen", async () => {
    await using first = await serve(hello, { port: 0 });
    const port = Number(new URL(first.url).port);
    await assert.rejects(
      serve(hello, { port }),
      new RegExp(
        `^Error: Cannot listen on http://127\\.0\\.0\\.1:${port}: the address is in use; .+$`,
      ),
    );
  });

  it("refuses what is no application", async () => {
    await assert.rejects(
      serve("hello" as unknown as Application),
      /^TypeError: Cannot serve: the application is "hello"; wanted a function/,
    );
  });

  it("refuses a port that is none", async () => {
    await assert.rejects(
      serve(hello, { port: 65_536 }),
      /^RangeError: Cannot serve: port is 65536; wanted/,
    );
    await assert.rejects(
      serve(hello, { port: Number.NaN }),
      /^RangeError: Cannot serve: port is NaN/,
    );
  });

  it("refuses an empty host", async () => {
    await assert.rejects(
      serve(hello, { host: "" }),
      /^TypeError: Cannot serve: host is ""; wanted/,
    );
  });

  it("refuses two addresses at once", async () => {
    await assert.rejects(serve(hello, { path: "/tmp/x", port: 1 }), /both path and host or port/);
  });

  it("refuses a place for errors that takes none", async () => {
    const errors = {} as { write(text: string): void };
    await assert.rejects(
      serve(hello, { errors }),
      /errors has no write method; wanted \{ write\(text\) \}/,
    );
  });

  it("refuses an environ that is no object", async () => {
    const environ = "x" as unknown as Record<string, unknown>;
    await assert.rejects(serve(hello, { environ }), /environ is "x"; wanted an object of keys/);
  });
});

describe("close()", () => {
  it("lets a request that is under way end, and ends its connection then", async () => {
    const reached = deferred();
    const go = deferred();
    const app: Application = async (environ, startResponse) => {
      reached.resolve();
      await go.promise;
      return hello(environ, startResponse);
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await reached.promise;
    const closed = server.server.close();
    go.resolve();
    assert.match(await client.closed, /\r\nConnection: close\r\n[^]*Hello$/);
    await closed;
  });

  it("ends connections that wait for nothing", async () => {
    await using server = await serving(hello);
    using client = await RawClient.connect(server);
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").until("Hello");
    await server.server.close();
    await client.closed;
  });

  it("does not wait for a client that has never sent anything", async () => {
    await using server = await serving(hello);
    const accepted = once(server.server.httpServer, "connection");
    using client = await RawClient.connect(server);
    await accepted;
    await server.server.close();
    assert.equal(await client.closed, "");
  });

  it("lets a response that is handed over reach a client that is slow", async () => {
    await using server = await serving(respond([new Uint8Array(20_000_000)]));
    using client = await RawClient.connect(server);
    client.socket.pause();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.socket.once("readable", () => client.socket.pause());
    await once(server.server.httpServer, "request");
    const closed = server.server.close();
    client.socket.resume();
    await closed;
    assert.ok((await client.closed).length > 20_000_000);
  });

  it("does not wait for a client that never shakes hands", async () => {
    const server = await serve(hello, { port: 0, tls: certificate });
    const accepted = once(server.httpServer, "connection");
    using client = await RawClient.connect({ port: Number(new URL(server.url).port) });
    await accepted;
    await server.close();
    assert.equal(await client.closed, "");
  });

  it("may be called twice", async () => {
    const server = await serve(hello, { port: 0 });
    await Promise.all([server.close(), server.close()]);
  });

  it("takes no more connections", async () => {
    const server = await serve(hello, { port: 0 });
    await server.close();
    await assert.rejects(fetch(server.url));
  });
});

describe("makeServer()", () => {
  it("serves from serveForever() until it is closed", async () => {
    const server = makeServer("127.0.0.1", 0, hello);
    const listening = new Promise((resolve) => server.httpServer.once("listening", resolve));
    const ended = server.serveForever();
    await listening;
    assert.equal(await (await fetch(server.url)).text(), "Hello");
    await server.close();
    await ended;
  });

  it("may be closed before it listens", async () => {
    const server = makeServer("127.0.0.1", 0, hello);
    const ended = server.serveForever();
    await server.close();
    await ended;
  });

  it("fails in serveForever() if it cannot listen", async () => {
    await using first = await serve(hello, { port: 0 });
    const server = makeServer("127.0.0.1", Number(new URL(first.url).port), hello);
    await assert.rejects(server.serveForever(), /the address is in use/);
  });
});

describe("nodeListener()", () => {
  it("answers the requests of a server that is there already", async () => {
    const server = http.createServer(nodeListener(hello));
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    assert.match(await exchange({ port }, get), /Hello$/);
    server.close();
  });
});
