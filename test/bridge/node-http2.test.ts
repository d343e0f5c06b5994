import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { toNode } from "@wsgi/bridge/node";
import type { Application } from "@wsgi/core";
import { failing, respond } from "@wsgi/testing";
import { deferred } from "../support/serving.ts";

/** Is a connection to an application that is served over HTTP/2. */
interface Http2Connection extends AsyncDisposable {
  readonly client: http2.ClientHttp2Session;
  /** Sends a request and reads the whole answer. */
  get(
    headers: http2.OutgoingHttpHeaders,
    body?: string,
  ): Promise<{ text: string; headers: http2.IncomingHttpHeaders }>;
}

async function serving(app: Application): Promise<Http2Connection> {
  const errors = { write: () => true };
  const server = http2.createServer(toNode(app, { errors, limits: { body: 100 } }));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    client,
    async get(headers, body) {
      const stream = client.request(headers);
      stream.end(body);
      const [answered] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
      return { headers: answered, text: Buffer.concat(await stream.toArray()).toString() };
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await new Promise((closed) => void server.close(closed));
    },
  };
}

/** Answers with keys of its environ. */
function telling(...keys: readonly string[]): Application {
  return (environ, startResponse) => {
    startResponse("200 OK", []);
    return [keys.map((key) => environ[key]).join(" | ")];
  };
}

const echo: Application = async (environ, startResponse) => {
  const body = await environ["wsgi.input"].read();
  startResponse("200 OK", []);
  return [body];
};

describe("toNode() over HTTP/2", () => {
  it("tells the version, the target and the address", async () => {
    const app = telling("SERVER_PROTOCOL", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR");
    await using server = await serving(app);
    const { text } = await server.get({ ":path": "/a%20b?q" });
    assert.equal(text, "HTTP/2.0 | /a b | q | 127.0.0.1");
  });

  it("takes the authority for Host, and no other pseudo-field for a field", async () => {
    const names: Application = (environ, startResponse) => {
      startResponse("200 OK", []);
      return [JSON.stringify(Object.keys(environ).filter((key) => /^HTTP_|:/.test(key)))];
    };
    await using server = await serving(names);
    const fields = { ":authority": "example.com", "x-own": "1" };
    assert.equal((await server.get(fields)).text, '["HTTP_HOST","HTTP_X_OWN"]');
    await using told = await serving(telling("HTTP_HOST"));
    assert.equal((await told.get({ ":authority": "example.com" })).text, "example.com");
  });

  it("sends repeated cookies, and leaves out what is about a connection", async () => {
    const headers = [
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ] as const;
    await using server = await serving(respond(["Hello"], { headers }));
    const answer = await server.get({ connection: undefined });
    assert.deepEqual(answer.headers["set-cookie"], ["a=1", "b=2"]);
    assert.equal(answer.headers["content-length"], "5");
    assert.equal(answer.headers.connection, undefined);
  });

  it("reads bodies with and without a length, up to the limit", async () => {
    await using server = await serving(echo);
    const post = { ":method": "POST" };
    assert.equal((await server.get(post, "Hello")).text, "Hello");
    assert.equal((await server.get({ ...post, "content-length": "5" }, "Hello")).text, "Hello");
    assert.equal((await server.get(post, "x".repeat(101))).headers[":status"], 413);
  });

  it("answers requests of one connection beside each other", async () => {
    const second = deferred();
    await using server = await serving(async (environ, startResponse) => {
      if (environ.PATH_INFO === "/2") second.resolve();
      else await second.promise;
      startResponse("200 OK", []);
      return [environ.PATH_INFO];
    });
    const first = server.get({ ":path": "/1" });
    assert.equal((await server.get({ ":path": "/2" })).text, "/2");
    assert.equal((await first).text, "/1");
  });

  it("resets a response that fails half-way", async () => {
    await using server = await serving(failing("body"));
    const stream = server.client.request({});
    const [error] = (await once(stream, "error")) as [Error & { code: string }];
    assert.equal(error.code, "ERR_HTTP2_STREAM_ERROR");
    assert.match(error.message, /INTERNAL_ERROR/);
  });

  it("closes the body and aborts the signal when the client cancels", async () => {
    const closed = deferred();
    const aborted = deferred();
    await using server = await serving((environ, startResponse) => {
      const signal = environ["wsgix.signal"] as (environ: object) => AbortSignal;
      signal(environ).addEventListener("abort", () => aborted.resolve());
      startResponse("200 OK", []);
      return {
        async *[Symbol.asyncIterator]() {
          yield "Hello";
          await new Promise<never>(() => {});
        },
        close: () => closed.resolve(),
      };
    });
    const stream = server.client.request({});
    await once(stream, "data");
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await Promise.all([closed.promise, aborted.promise]);
  });
});
