import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { describe, it } from "node:test";
import { fromNode } from "@wsgi/bridge/node";
import { nodeHandlerKey, type Application } from "@wsgi/core";
import { append } from "@wsgi/middleware/append";
import { call, environFor } from "@wsgi/testing";
import {
  bodyOf,
  deferred,
  lastHeaders,
  RawClient,
  answer,
  serving,
  turn,
} from "../support/serving.ts";

/** Wraps a hosted handler, so that it is not given the server's own objects. */
function wrapped(handler: (req: IncomingMessage, res: ServerResponse) => unknown): Application {
  const app = fromNode(handler);
  return (environ, startResponse) => app(environ, startResponse);
}

describe("fromNode()", () => {
  it("gives the status, the fields in their order and the body", async () => {
    const app = fromNode((_req, res) => {
      res.statusMessage = "Made";
      res.writeHead(201, ["Set-Cookie", "a=1", "X-Mixed-Case", "\xe9", "Set-Cookie", "b=2"]);
      res.end("Hello, 世界!");
    });
    const response = await call(app, "GET /");
    assert.equal(response.status, "201 Made");
    assert.deepEqual(response.headers, [
      ["Set-Cookie", "a=1"],
      ["X-Mixed-Case", "\xe9"],
      ["Set-Cookie", "b=2"],
    ]);
    assert.equal(response.text(), "Hello, 世界!");
  });

  it("gives an array, and no promise, for a response that is there at once", () => {
    const app = fromNode((_req, res) => {
      res.setHeader("Content-Type", "text/plain");
      res.write("Hello, ");
      res.end(Buffer.from("world!"));
    });
    const body = app(environFor("GET /"), () => () => {});
    assert.deepEqual(body, ["Hello, ", Buffer.from("world!")]);
  });

  it("gives an array for a response that comes later in one piece", async () => {
    const app = fromNode((_req, res) => setImmediate(() => res.end("Hello")));
    assert.deepEqual(await app(environFor("GET /"), () => () => {}), ["Hello"]);
  });

  it("decodes text that is written in another encoding", async () => {
    const app = fromNode((_req, res) => {
      res.write("c3a9", "hex");
      res.end("\xe9", "latin1");
    });
    assert.deepEqual([...(await call(app, "GET /")).bytes()], [0xc3, 0xa9, 0xe9]);
  });

  it("gives the fields and no body for HEAD, 204 and 304", async () => {
    const head = await call(
      fromNode((_req, res) => res.setHeader("Content-Length", 5).end("Hello")),
      "HEAD /",
    );
    assert.deepEqual([head.header("Content-Length"), head.chunks], ["5", []]);
    const none = await call(
      fromNode((_req, res) => res.writeHead(204).end("Hello")),
      "GET /",
    );
    assert.deepEqual([none.code, none.chunks], [204, []]);
    const same = await call(
      fromNode((_req, res) => res.writeHead(304, { ETag: '"1"' }).end()),
      "GET /",
    );
    assert.deepEqual([same.code, same.header("ETag"), same.chunks], [304, '"1"', []]);
  });

  it("leaves out what concerns the connection, and chunks nothing", async () => {
    const app = fromNode((_req, res) => {
      res.writeHead(200, { Connection: "close", "Transfer-Encoding": "chunked", Trailer: "X-End" });
      res.write("one");
      setImmediate(() => {
        res.addTrailers({ "X-End": "1" });
        res.end("two");
      });
    });
    const response = await call(app, "GET /");
    assert.deepEqual(response.headers, []);
    assert.equal(response.text(), "onetwo");
  });

  it("leaves out a field named Status, and writes a tab as a space", async () => {
    const app = fromNode((_req, res) => res.writeHead(200, { Status: "200", "X-A": "a\tb" }).end());
    assert.deepEqual((await call(app, "GET /")).headers, [["X-A", "a b"]]);
  });

  it("drops the heads of informational responses", async () => {
    const app = fromNode((_req, res) => {
      res.writeContinue();
      res.writeProcessing();
      res.writeEarlyHints({ link: "</style.css>; rel=preload" });
      res.end("Hello");
    });
    const response = await call(app, "GET /");
    assert.deepEqual([response.status, response.text()], ["200 OK", "Hello"]);
  });

  it("refuses a head that the contract does not allow", async () => {
    const app = fromNode((_req, res) => res.writeHead(799, "Odd").end());
    await assert.rejects(call(app, "GET /"), { name: "WsgiError", clause: "status-form" });
  });

  it("streams chunk by chunk, with what a layer appends at the end", async () => {
    const steps = [deferred(), deferred(), deferred(), deferred()];
    const app = fromNode(async (_req, res) => {
      res.setHeader("Content-Type", "text/plain");
      for (const [i, step] of steps.entries()) {
        res.write(`<${i}>`);
        await step.promise;
      }
      res.end();
    });
    await using server = await serving(append("<last>")(app));
    using client = await RawClient.connect(server);
    client.send(`GET / HTTP/1.1\r\n${lastHeaders}`);
    for (const [i, step] of steps.entries()) {
      const soFar = await client.until(`<${i}>`);
      assert.ok(!soFar.includes(`<${i + 1}>`));
      step.resolve();
    }
    assert.match(await client.closed, /<3>[^]*<last>/);
  });

  it("sends a head that is flushed at once", async () => {
    const go = deferred();
    const app = wrapped((_req, res) => {
      res.setHeader("X-Early", "1");
      res.flushHeaders();
      void go.promise.then(() => res.end("Hello"));
    });
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send(`GET / HTTP/1.1\r\n${lastHeaders}`);
    assert.ok(!(await client.until("X-Early: 1\r\n")).includes("Hello"));
    go.resolve();
    assert.match(await client.closed, /Hello/);
  });
});

describe("the request of a hosted handler", () => {
  it("has method, fields, addresses and version", async () => {
    const app = fromNode(({ method, headers, rawHeaders, socket, httpVersion }, res) => {
      const { remoteAddress, remotePort } = socket;
      const encrypted = "encrypted" in socket;
      res.end(
        JSON.stringify({
          method,
          headers,
          rawHeaders,
          remoteAddress,
          remotePort,
          encrypted,
          httpVersion,
        }),
      );
    });
    const environ = environFor("PUT /", {
      headers: { "X-Some-Thing": "1" },
      remoteAddr: "::1",
      environ: { HTTP_HOST: "example.com", REMOTE_PORT: "5000", "wsgi.url_scheme": "https" },
    });
    assert.deepEqual((await call(app, environ)).json(), {
      method: "PUT",
      headers: { "x-some-thing": "1", host: "example.com" },
      rawHeaders: ["X-Some-Thing", "1", "Host", "example.com"],
      remoteAddress: "::1",
      remotePort: 5000,
      encrypted: true,
      httpVersion: "1.1",
    });
  });

  it("has its target as it came, split where the mount ends", async () => {
    const app = fromNode((req, res) => {
      const { url, baseUrl, originalUrl } = req as IncomingMessage & Record<string, string>;
      res.end([url, baseUrl, originalUrl].join(" "));
    });
    const environ = environFor("GET /a%62/x%2Fy;z?q=%20", { scriptName: "/ab" });
    assert.equal((await call(app, environ)).text(), "/x%2Fy;z?q=%20 /a%62 /a%62/x%2Fy;z?q=%20");
    const root = environFor("GET /ab?q", { scriptName: "/ab" });
    assert.equal((await call(app, root)).text(), "/?q /ab /ab?q");
    const whole = environFor("GET /", { environ: { REQUEST_URI: "http://host/%61?q" } });
    Object.assign(whole, { PATH_INFO: "/a", QUERY_STRING: "q" });
    assert.equal((await call(app, whole)).text(), "/%61?q  /%61?q");
  });

  it("has its target escaped anew where a layer has rewritten it", async () => {
    const app = fromNode((req, res) => res.end(req.url));
    const environ = environFor("GET /old", {
      environ: { PATH_INFO: "/世/100%", QUERY_STRING: "q" },
    });
    assert.equal((await call(app, environ)).text(), "/%E4%B8%96/100%25?q");
  });

  it("has the asterisk of OPTIONS", async () => {
    const app = fromNode((req, res) => res.end(req.url));
    const environ = environFor("OPTIONS /", { environ: { PATH_INFO: "*", REQUEST_URI: "*" } });
    assert.equal((await call(app, environ)).text(), "*");
  });

  it("ends at once if it has no body", async () => {
    const app = fromNode(async (req, res) => {
      for await (const _ of req) assert.fail("there is none");
      res.end(`complete: ${req.complete}`);
    });
    assert.equal((await call(app, "GET /")).text(), "complete: true");
  });

  it("gives 8 MiB back as they are", async () => {
    const sent = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef-");
    await using server = await serving(wrapped((req, res) => void req.pipe(res)));
    const response = await fetch(server.url, { method: "POST", body: sent });
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(sent));
  });

  it("has no coding beside the length that a layer has found", async () => {
    const app = fromNode((req, res) => res.end(Object.keys(req.headers).join(" ")));
    const environ = environFor("POST /", {
      headers: { "Transfer-Encoding": "chunked" },
      environ: { CONTENT_LENGTH: "5" },
    });
    assert.equal((await call(app, environ)).text(), "content-length host");
  });

  it("announces a body without length as Node's own does", async () => {
    const app = fromNode(async (req, res) => {
      const [piece] = await req.toArray();
      res.end(`${req.headers["transfer-encoding"]} ${String(piece)}`);
    });
    assert.equal(
      (await call(app, environFor("POST /", { body: ["Hello"] }))).text(),
      "chunked Hello",
    );
  });

  it("fails with the error of its body, which becomes the application's", async () => {
    const app = wrapped(async (req, res) => res.end(String(await req.toArray())));
    await using server = await serving(app, { limits: { body: 3 } });
    using client = await RawClient.connect(server);
    const head = `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${lastHeaders}`;
    assert.match(await client.send(`${head}5\r\nHello\r\n0\r\n\r\n`).closed, /^HTTP\/1.1 413 /);
  });

  it("is closed after the response, whether its body was read or not", async () => {
    const closed = deferred<boolean>();
    const app = wrapped((req, res) => {
      req.on("close", () => closed.resolve(res.writableFinished));
      res.end("Hello");
    });
    await call(app, environFor("POST /", { body: "unread" }));
    assert.equal(await closed.promise, true);
  });
});

describe("the error of a hosted handler", () => {
  const failing: Application = wrapped(() => {
    throw new Error("This cannot be");
  });

  it("is the application's if it is thrown", () => {
    assert.throws(() => failing(environFor("GET /"), () => () => {}), {
      message: "This cannot be",
    });
  });

  it("is the application's if a promise is rejected", async () => {
    const app = fromNode(async () => {
      throw new Error("This cannot be");
    });
    await assert.rejects(call(app, "GET /"), { message: "This cannot be" });
  });

  it("cuts off a response that has begun", async () => {
    const app = wrapped(async (_req, res) => {
      res.write("Hello");
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error("This cannot be");
    });
    const { response, reports } = await answer(app, `GET / HTTP/1.1\r\n${lastHeaders}`);
    assert.match(response, /Hello\r\n$/);
    assert.match(reports, /This cannot be/);
  });

  it("is reported if the response has ended", async () => {
    const app = fromNode(async (_req, res) => {
      res.end("Hello");
      throw new Error("This cannot be");
    });
    const environ = environFor("GET /");
    assert.equal((await call(app, environ)).text(), "Hello");
    assert.match(environ["wsgi.errors"].text, /This cannot be/);
  });

  it("is reported if the handler ends the response twice", async () => {
    const app = fromNode((_req, res) => {
      setImmediate(() => {
        res.end("Hello");
        res.end("World");
      });
    });
    const environ = environFor("GET /");
    assert.equal((await call(app, environ)).text(), "Hello");
    assert.match(environ["wsgi.errors"].text, /write after end/);
  });

  it("is made of what destroys the response before it has left", async () => {
    const app = fromNode((_req, res) => {
      res.write("Hello");
      setImmediate(() => {
        res.destroy();
        res.end();
      });
    });
    await assert.rejects(call(app, "GET /"), /its handler has destroyed it/);
  });

  it("is made of what destroys the response", async () => {
    const app = fromNode((_req, res) => void res.destroy(new Error("Enough")));
    await assert.rejects(call(app, "GET /"), { message: "Enough" });
    const mute = fromNode((_req, res) => void res.destroy());
    await assert.rejects(call(mute, "GET /"), /its handler has destroyed it/);
  });
});

describe("the response of a hosted handler", () => {
  it("finishes and closes, so that a pipeline ends", async () => {
    const events: string[] = [];
    const ended = deferred();
    const app = wrapped(async (_req, res) => {
      for (const name of ["finish", "close"]) res.on(name, () => void events.push(name));
      await pipeline(Readable.from(["one", "two"]), res);
      await finished(res);
      ended.resolve();
    });
    assert.equal((await call(app, "GET /")).text(), "onetwo");
    await ended.promise;
    assert.deepEqual(events, ["finish", "close"]);
  });

  it("finishes although its server asks for no more than the declared length", async () => {
    const ended = deferred<boolean>();
    const app = wrapped(async (_req, res) => {
      res.setHeader("Content-Length", 6);
      res.on("close", () => ended.resolve(res.writableFinished));
      res.write("onetwo");
      await turn(5);
      res.end();
    });
    const { response, reports } = await answer(app, `GET / HTTP/1.1\r\n${lastHeaders}`);
    assert.equal(bodyOf(response), "onetwo");
    assert.equal(await ended.promise, true);
    assert.equal(reports, "");
  });

  it("stops a handler whose reader pauses, and lets it go on with drain", async () => {
    const piece = Buffer.alloc(65_536);
    let written = 0;
    const full = deferred();
    const app = fromNode(async (_req, res) => {
      for (; written < 1600; written++) {
        if (res.write(piece)) continue;
        full.resolve();
        await new Promise((resolve) => res.once("drain", resolve));
        assert.equal(res.writableNeedDrain, false);
      }
      res.end();
    });
    const body = (await app(environFor("GET /"), () => () => {})) as AsyncIterable<Uint8Array>;
    await full.promise;
    assert.ok(written < 10);
    let bytes = 0;
    for await (const chunk of body) bytes += chunk.byteLength;
    assert.equal(bytes, 1600 * 65_536);
  });

  it("closes unfinished when the client leaves in its middle", async () => {
    const gone = deferred<unknown[]>();
    const app = wrapped((req, res) => {
      const seen: unknown[] = [];
      res.on("close", () => void seen.push(res.writableFinished));
      req.on("error", (error: NodeJS.ErrnoException) => void seen.push(error.code));
      req.on("close", () => gone.resolve([...seen, req.aborted]));
      res.write("Hello");
    });
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    await client.send(`GET / HTTP/1.1\r\n${lastHeaders}`).until("Hello");
    client.socket.destroy();
    assert.deepEqual(await gone.promise, [false, "ECONNRESET", true]);
    assert.equal(server.reports, "");
  });

  it("closes unfinished when the client leaves before it", async () => {
    const [called, gone] = [deferred(), deferred<boolean>()];
    const app = wrapped((_req, res) => {
      res.on("close", () => gone.resolve(res.writableFinished));
      called.resolve();
    });
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send(`GET / HTTP/1.1\r\n${lastHeaders}`);
    await called.promise;
    client.socket.destroy();
    assert.equal(await gone.promise, false);
    assert.equal(server.reports, "");
  });

  it("takes no signal for a handler that answers before the event loop goes on", async () => {
    const app = fromNode(async (_req, res) => {
      await Promise.resolve();
      res.end("Hello");
    });
    let signals = 0;
    const environ = Object.assign(environFor("GET /"), {
      "wsgix.signal": () => {
        signals += 1;
        return new AbortController().signal;
      },
    });
    assert.equal((await call(app, environ)).text(), "Hello");
    await turn();
    assert.equal(signals, 0);
  });

  it("fails with what the signal of its environ throws", async () => {
    const app = fromNode(() => {});
    const environ = Object.assign(environFor("GET /"), {
      "wsgix.signal": () => {
        throw new Error("No signal here");
      },
    });
    await assert.rejects(call(app, environ), { message: "No signal here" });
  });

  it("closes unfinished when its body is closed unread", async () => {
    const gone = deferred<boolean>();
    const app = fromNode((_req, res) => {
      res.on("close", () => gone.resolve(res.writableFinished));
      res.flushHeaders();
    });
    const body = await app(environFor("GET /"), () => () => {});
    await body.close?.();
    assert.equal(await gone.promise, false);
  });
});

describe("what fromNode() makes", () => {
  it("has its handler under a key, which a layer around it has not", () => {
    const handler = (): void => {};
    const app = fromNode(handler) as Application & { [nodeHandlerKey]?: unknown };
    assert.equal(app[nodeHandlerKey], handler);
    assert.ok(!(nodeHandlerKey in append("!")(app)));
  });

  it("is of nothing but functions", () => {
    assert.throws(() => fromNode({} as () => void), {
      name: "TypeError",
      message: /^Cannot host the handler: it is an object of type Object; wanted a function/,
    });
  });
});
