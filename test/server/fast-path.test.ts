import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { PerformanceObserver } from "node:perf_hooks";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { connect } from "node:tls";
import { promisify } from "node:util";
import type { Application, Chunk, HeaderList } from "@wsgi/core";
import { nodeListener, type ServeOptions } from "@wsgi/server";
import { respond } from "@wsgi/testing";
import { certificate } from "../support/certificate.ts";
import { deferred, exchange, get, lastHeaders, RawClient, serving } from "../support/serving.ts";

const hello = respond(["Hello"]);
const keptGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

const answerWith =
  (chunks: readonly Chunk[], headers: HeaderList = [], status = "200 OK"): Application =>
  (_environ, startResponse) => {
    startResponse(status, headers);
    return chunks as Chunk[];
  };

/** Sends a request, and another that ends the connection; gives all but the date of what comes back. */
async function received(app: Application, options: ServeOptions, request: string): Promise<string> {
  await using server = await serving(app, options);
  const response = await exchange(server, request + get);
  return response.replace(/(?<=Date: )\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d(?= GMT)/g, "now");
}

/** Makes sure that a client gets the same bytes in both ways. */
async function same(app: Application, request = keptGet): Promise<void> {
  const fast = await received(app, {}, request);
  assert.equal(fast, await received(app, { fastPath: false }, request));
  assert.match(fast, /^HTTP\/1\.1 \d{3} [^]*HTTP\/1\.1 \d{3} /);
}

type Meddle = (req: IncomingMessage, res: ServerResponse) => void;

/** Tells how the socket was told to encode each of the writes that answer a request, and the answer. */
async function writes(
  app: Application,
  options: ServeOptions = {},
  meddle: Meddle = () => {},
): Promise<{ encodings: unknown[]; response: string }> {
  await using server = await serving(app, options);
  const encodings: unknown[] = [];
  const { httpServer } = server.server;
  httpServer.on("connection", (socket: Socket) => {
    const write = socket.write.bind(socket) as (...given: unknown[]) => boolean;
    socket.write = (...given: unknown[]) => {
      encodings.push(given[1]);
      return write(...given);
    };
  });
  httpServer.prependListener("request", meddle);
  using client = await RawClient.connect(server);
  const response = await client.send(keptGet).until("Hello");
  return { encodings, response };
}

/** What the fast path makes of a response, and node of none. */
const atOnce = ["latin1"];

describe("the fast path", () => {
  it("sends head and body with one write", async () => {
    assert.deepEqual((await writes(hello)).encodings, atOnce);
  });

  it("is not taken where it is switched off", async () => {
    assert.notDeepEqual((await writes(hello, { fastPath: false })).encodings, atOnce);
  });

  it("is switched by true and false only", async () => {
    const options = { fastPath: 1 } as unknown as ServeOptions;
    const message = "Cannot serve: fastPath is 1; wanted true or false";
    await assert.rejects(serving(hello, options), { name: "TypeError", message });
  });

  it("is taken in an http.Server of somebody else's too", async () => {
    await using server = http.createServer(nodeListener(hello));
    await once(server.listen(0, "127.0.0.1"), "listening");
    let head: unknown;
    server.on("request", (_req, res) => void (head = (res as { _header?: unknown })._header));
    const { port } = server.address() as { port: number };
    assert.match(await exchange({ port }, keptGet + get), /timeout=5\r\n\r\nHello[^]*Hello$/);
    assert.match(String(head), /\r\n\r\n$/);
  });
});

describe("the bytes of both paths are the same", () => {
  it("for text", () => same(answerWith(["Hello"], [["Content-Type", "text/plain"]])));
  it("for text in several chunks", () => same(answerWith(["a", "", "b", "c"])));
  it("for text that is not ASCII", () => same(answerWith(["Grüße, 世界 😀"])));
  it("for such text in several chunks", () => same(answerWith(["Grüße", ", ", "世界"])));
  it("for halves of a surrogate pair", () => same(answerWith(["\ud83d", "\ude00"])));
  it("for such text that is long", () => same(answerWith(["ü".repeat(100_000)])));
  it("for long text", () => same(answerWith(["Hello".repeat(100_000)])));
  it("for bytes", () => same(answerWith([Uint8Array.of(0, 10, 127, 128, 255)])));
  it("for many bytes", () => same(answerWith([new Uint8Array(100_000).fill(200)])));
  it("for text and bytes", () => same(answerWith(["ü", Uint8Array.of(255), "世"])));
  it("for no chunk", () => same(answerWith([])));
  it("for an empty chunk", () => same(answerWith([""])));
  it("for a length that was declared", () =>
    same(answerWith(["Hello"], [["content-length", "5"]])));
  it("for fields that repeat", () => {
    return same(answerWith(["a"], [["Set-Cookie", "a=1"], ["X", "y"], ["set-cookie", "b=2"]])); // prettier-ignore
  });
  it("for a field in Latin-1", () => same(answerWith(["a"], [["X", "Grüße"]])));
  it("for a field in Latin-1 with other text", () => same(answerWith(["世"], [["X", "Grüße"]])));
  it("for an empty field", () => same(answerWith(["a"], [["X", ""]])));
  it("for a reason of its own", () => same(answerWith(["a"], [], "299 Größer  als all das")));
  it("for an error", () => same(answerWith(["a"], [], "500 Internal Server Error")));
  it("for a date of its own", () => same(answerWith(["a"], [["Date", "today"]])));
  it("for 204", () => same(answerWith([], [], "204 No Content")));
  it("for 304", () => same(answerWith(["a"], [["ETag", '"a"']], "304 Not Modified")));
  it("for HEAD", () => same(hello, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"));
  it("for requests that were sent ahead", () => same(hello, keptGet.repeat(20)));
  it("for a body that was read", () => {
    const app: Application = async (environ, startResponse) => {
      startResponse("200 OK", []);
      return [await environ["wsgi.input"].read()];
    };
    return same(app, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
  });
  it("for a body that was not", () => {
    return same(hello, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
  });
  it("for HTTP/1.0 that is kept", () => {
    return same(hello, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  });
});

describe("the fast path leaves to node", () => {
  it("a response whose writeHead somebody replaced", async () => {
    let seen: unknown[] = [];
    const { encodings } = await writes(hello, {}, (_req, res) => {
      const writeHead = res.writeHead.bind(res) as (...given: unknown[]) => ServerResponse;
      res.writeHead = (...given: unknown[]) => writeHead(...(seen = given));
    });
    assert.deepEqual(seen.slice(0, 2), [200, "OK"]);
    assert.notDeepEqual(encodings, atOnce);
  });

  it("a response whose end somebody replaced", async () => {
    let seen: unknown;
    const { encodings } = await writes(hello, {}, (_req, res) => {
      const end = res.end.bind(res) as (...given: unknown[]) => ServerResponse;
      res.end = (...given: unknown[]) => end(...([seen] = given));
    });
    assert.equal(seen, "Hello");
    assert.notDeepEqual(encodings, atOnce);
  });

  it("a response whose write somebody replaced", async () => {
    const { encodings } = await writes(hello, {}, (_req, res) => {
      const { write } = res;
      res.write = ((...given: Parameters<typeof write>) => write.apply(res, given)) as typeof write;
    });
    assert.notDeepEqual(encodings, atOnce);
  });

  it("a response to which somebody gave a field", async () => {
    const { response } = await writes(hello, {}, (_req, res) => void res.setHeader("X-Trace", "1"));
    assert.match(response, /^HTTP\/1\.1 200 OK\r\n[^]*X-Trace: 1\r\n[^]*Hello$/i);
  });

  it("a response that is to have no date", async () => {
    const { response } = await writes(hello, {}, (_req, res) => void (res.sendDate = false));
    assert.doesNotMatch(response, /Date/);
  });

  it("the last response that maxRequestsPerSocket allows", async () => {
    await using server = await serving(hello);
    server.server.httpServer.maxRequestsPerSocket = 2;
    using client = await RawClient.connect(server);
    const response = await client.send(keptGet + keptGet).until("Connection: close\r\n");
    assert.match(response, /Keep-Alive: timeout=5, max=2\r\n/);
  });

  it("all responses where a prototype was changed before", async () => {
    const program = `
      import http from "node:http";
      const { writeHead } = http.ServerResponse.prototype;
      http.ServerResponse.prototype.writeHead = function (...given) {
        console.log("seen");
        return writeHead.apply(this, given);
      };
      const { serve } = await import("@wsgi/server");
      const server = await serve((environ, startResponse) => {
        startResponse("200 OK", []);
        return ["Hello"];
      }, { port: 0 });
      console.log(await (await fetch(server.url)).text());
      await server.close();`;
    const flags = ["--input-type=module", "--eval", program];
    const { stdout } = await promisify(execFile)(process.execPath, flags, {
      cwd: import.meta.dirname,
    });
    assert.equal(stdout, "seen\nHello\n");
  });
});

describe("on the fast path", () => {
  it("a response tells that it has finished, and then closed", async () => {
    const events: string[] = [];
    const closed = deferred();
    const { encodings } = await writes(hello, {}, (_req, res) => {
      res.on("prefinish", () => events.push("prefinish"));
      res.on("finish", () => events.push(`finish ${res.writableFinished}`));
      res.on("close", () => {
        events.push("close");
        closed.resolve();
      });
    });
    await closed.promise;
    assert.deepEqual(events, ["prefinish", "finish true", "close"]);
    assert.deepEqual(encodings, atOnce);
  });

  it("a response shows its status, and that its head was sent", async () => {
    let response!: ServerResponse;
    await writes(answerWith(["Hello"], [], "201 Done"), {}, (_req, res) => void (response = res));
    const { statusCode, statusMessage, headersSent, writableEnded } = response;
    assert.deepEqual([statusCode, statusMessage], [201, "Done"]);
    assert.deepEqual([headersSent, writableEnded], [true, true]);
  });

  it("a response is told of on node's channels", async () => {
    const told = deferred<number>();
    const finish = channel("http.server.response.finish");
    const hear = (message: unknown): void => {
      told.resolve((message as { response: ServerResponse }).response.statusCode);
    };
    finish.subscribe(hear);
    const { encodings } = await writes(answerWith(["Hello"], [], "201 Done"));
    assert.equal(await told.promise, 201);
    finish.unsubscribe(hear);
    assert.deepEqual(encodings, atOnce);
  });

  it("a request is measured for observers of performance", async () => {
    const measured = deferred<unknown>();
    const observer = new PerformanceObserver((list) => {
      const [entry] = list.getEntriesByName("HttpRequest");
      if (entry !== undefined) measured.resolve((entry as { detail?: unknown }).detail);
    });
    observer.observe({ type: "http" });
    await writes(answerWith(["Hello"], [], "201 Done"));
    const { res } = (await measured.promise) as { res: { statusCode: number } };
    observer.disconnect();
    assert.equal(res.statusCode, 201);
  });

  it("a response is encrypted where the server encrypts", async () => {
    await using server = await serving(answerWith(["Grüße"]), { tls: certificate });
    const socket = connect({ port: server.port, host: "127.0.0.1", ca: certificate.cert });
    socket.write(keptGet + get);
    assert.match(await text(socket), /keep-alive[^]*\r\n\r\nGrüße[^]*close[^]*\r\n\r\nGrüße$/);
  });

  it("a request without a body ends without events", async () => {
    await using server = await serving(hello);
    const events: string[] = [];
    server.server.httpServer.on("request", (req) => {
      req.on("end", () => events.push("end"));
      req.on("close", () => events.push("close"));
    });
    await exchange(server, `GET / HTTP/1.1\r\n${lastHeaders}`);
    assert.deepEqual(events, []);
  });
});
