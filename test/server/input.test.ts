import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  chunks,
  ClientDisconnected,
  onClose,
  type Application,
  type InputStream,
} from "@wsgi/core";
import { respond } from "@wsgi/testing";
import {
  bodyOf,
  deferred,
  exchange,
  get,
  lastHeaders,
  RawClient,
  serving,
  turn,
} from "../support/serving.ts";

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Serves what a function reads from the input as JSON. */
function reading(read: (input: InputStream) => unknown): Application {
  return async (environ, startResponse) => {
    const result = await read(environ["wsgi.input"]);
    startResponse("200 OK", []);
    return [JSON.stringify(result)];
  };
}

const post = (body: string): string =>
  `POST / HTTP/1.1\r\nContent-Length: ${body.length}\r\n${lastHeaders}${body}`;

const chunked = (...pieces: string[]): string =>
  `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${lastHeaders}` +
  [...pieces, ""].map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join("");

async function resultOf(app: Application, request: string): Promise<unknown> {
  await using server = await serving(app);
  return JSON.parse(bodyOf(await exchange(server, request)));
}

describe("wsgi.input", () => {
  it("reads a body with a length (P33)", async () => {
    const app = reading(async (input) => decode(await input.read()));
    assert.equal(await resultOf(app, post("Hello")), "Hello");
  });

  it("reads a chunked body as plain bytes, and ends by itself (P86)", async () => {
    const app = reading(async (input) => decode(await input.read()));
    assert.equal(await resultOf(app, chunked("Hel", "lo\n")), "Hello\n");
  });

  it("reads exactly as much as it is asked for, fewer only at the end (P39)", async () => {
    const app = reading(async (input) => [
      decode(await input.read(3)),
      decode(await input.read(100)),
      decode(await input.read(100)),
    ]);
    assert.deepEqual(await resultOf(app, chunked("a", "bcd", "ef")), ["abc", "def", ""]);
  });

  it("reads lines, and no more of one than it is asked for (P41)", async () => {
    const app = reading(async (input) => [
      decode(await input.readline(3)),
      decode(await input.readline()),
      decode(await input.readline()),
      decode(await input.readline()),
    ]);
    assert.deepEqual(await resultOf(app, chunked("abcd", "ef\ng", "h")), [
      "abc",
      "def\n",
      "gh",
      "",
    ]);
  });

  it("reads all lines, or as many as reach the hint (P41)", async () => {
    const app = reading(async (input) => [
      (await input.readlines(3)).map(decode),
      (await input.readlines()).map(decode),
    ]);
    assert.deepEqual(await resultOf(app, post("a\nbc\nd\ne")), [
      ["a\n", "bc\n"],
      ["d\n", "e"],
    ]);
  });

  it("goes through the lines (P38)", async () => {
    const app = reading(async (input) => {
      const lines: string[] = [];
      for await (const line of input) lines.push(decode(line));
      return lines;
    });
    assert.deepEqual(await resultOf(app, post("a\nb\n\nc")), ["a\n", "b\n", "\n", "c"]);
  });

  it("goes through blocks with core's chunks", async () => {
    const app = reading(async (input) => {
      const sizes: number[] = [];
      for await (const block of chunks(input, 4)) sizes.push(block.byteLength);
      return sizes;
    });
    assert.deepEqual(await resultOf(app, chunked("abc", "defgh", "i")), [4, 4, 1]);
  });

  it("is empty at once for a request without a body (P40)", async () => {
    const app: Application = (environ, startResponse) => {
      const bytes = environ["wsgi.input"].read();
      startResponse("200 OK", []);
      return [bytes instanceof Uint8Array ? `${bytes.byteLength} at once` : "waits"];
    };
    await using server = await serving(app);
    assert.equal(bodyOf(await exchange(server, get)), "0 at once");
  });

  it("answers at once with what has arrived", async () => {
    const app = reading(async (input) => {
      await input.read(1);
      return input.read(2) instanceof Uint8Array;
    });
    assert.equal(await resultOf(app, post("abc")), true);
  });

  it("refuses a second read while one waits", async () => {
    const app = reading(async (input) => {
      const first = input.read();
      assert.throws(() => input.read(), /another read is waiting; await it first/);
      return decode(await first);
    });
    assert.equal(await resultOf(app, post("abc")), "abc");
  });

  it("fails, and never ends short, when the client leaves half-way (X5)", async () => {
    const failed = deferred<unknown>();
    const app: Application = async (environ, startResponse) => {
      await Promise.resolve(environ["wsgi.input"].read()).catch(failed.resolve);
      startResponse("200 OK", []);
      return [];
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nonly this");
    client.socket.end();
    const error = await failed.promise;
    assert.ok(error instanceof ClientDisconnected);
    assert.match(error.message, /^Cannot read the request body: .* after 9 of 100 bytes$/);
    assert.equal(server.reports, "");
  });

  it("fails when chunked framing breaks off", async () => {
    const failed = deferred<unknown>();
    const app: Application = async (environ) => {
      await Promise.resolve(environ["wsgi.input"].read()).catch(failed.resolve);
      return [];
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\nzz\r\n",
    );
    assert.match(String(await failed.promise), /^RefusedRequest: it is malformed$/);
  });

  it("may be read without waiting for it, whatever the client does", async () => {
    const left = deferred();
    const app: Application = (environ, startResponse) => {
      void environ["wsgi.input"].read();
      const write = startResponse("200 OK", []);
      void write("begun");
      return onClose(
        { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) },
        left.resolve,
      );
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
    await client.until("begun");
    client.socket.destroy();
    await left.promise;
    await turn();
    assert.equal(server.reports, "");
  });

  it("gives the next request on the connection its own body", async () => {
    await using server = await serving(reading(async (input) => decode(await input.read())));
    using client = await RawClient.connect(server);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\none" + post("two"));
    assert.match(await client.closed, /"one"[^]*"two"$/);
  });
});

describe("an unread request body", () => {
  it("is thrown away, if it is small, and the connection goes on", async () => {
    await using server = await serving(respond(["unread"]));
    using client = await RawClient.connect(server);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nHello" + get);
    assert.equal((await client.closed).match(/unread/g)?.length, 2);
  });

  it("is thrown away when it was read in part, beyond what node buffers", async () => {
    await using server = await serving(reading(async (input) => decode(await input.read(2))));
    using client = await RawClient.connect(server);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n");
    await client.send("He".padEnd(40_000, "x")).until('"He"');
    client.send("x".repeat(20_000) + post("abc"));
    assert.match(await client.closed, /"He"[^]*"ab"$/);
  });

  it("does not end the connection, if it is large but was read", async () => {
    const app = reading(async (input) => (await input.read()).byteLength);
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
    client.send("x".repeat(100_000) + post("abc"));
    assert.match(await client.closed, /100000[^]*3$/);
  });

  it("ends the connection, if it is large", async () => {
    await using server = await serving(respond(["unread"]));
    using client = await RawClient.connect(server);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\nHello");
    assert.match(await client.closed, /Connection: close\r\n[^]*unread$/);
  });

  it("ends the connection only when the whole response has been sent", async () => {
    await using server = await serving(respond([new Uint8Array(5_000_000)]));
    using client = await RawClient.connect(server);
    client.socket.pause();
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let i = 0; i < 3; i++) client.send(`10000\r\n${"x".repeat(65_536)}\r\n`);
    client.socket.resume();
    assert.ok((await client.closed).length > 5_000_000);
  });

  it("ends the connection, if it is chunked and turns out to be large", async () => {
    await using server = await serving(respond(["unread"]));
    using client = await RawClient.connect(server);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    client.send(chunk).send(chunk).send(chunk);
    assert.match(await client.closed, /unread/);
  });
});

describe("Expect: 100-continue", () => {
  const expecting = (length: number): string =>
    `POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n${lastHeaders}`;

  it("is answered when the application reads, and not before (P83)", async () => {
    const reached = deferred();
    const go = deferred();
    const app: Application = async (environ, startResponse) => {
      reached.resolve();
      await go.promise;
      const bytes = await environ["wsgi.input"].read();
      startResponse("200 OK", []);
      return [bytes];
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send(expecting(5));
    await reached.promise;
    assert.equal(client.received, "");
    go.resolve();
    assert.equal(await client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("Hello");
    assert.match(await client.closed, /200 OK[^]*Hello$/);
  });

  it("is answered once, however often the application reads", async () => {
    const app = reading(async (input) => [
      decode(await input.read(2)),
      decode(await input.read(3)),
    ]);
    await using server = await serving(app);
    const response = await exchange(server, `${expecting(5)}Hello`);
    assert.equal(response.match(/100 Continue/g)?.length, 1);
  });

  it("is not answered if the application does not read, and the connection ends (F29)", async () => {
    await using server = await serving(respond(["no"], { status: "413 Content Too Large" }));
    using client = await RawClient.connect(server);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    const response = await client.closed;
    assert.match(response, /^HTTP\/1\.1 413 /);
    assert.match(response, /\r\nConnection: close\r\n/);
  });

  it("is not answered in the middle of a response", async () => {
    const app: Application = async (environ, startResponse) => {
      await startResponse("200 OK", [])("first");
      return [await environ["wsgi.input"].read()];
    };
    await using server = await serving(app);
    assert.doesNotMatch(await exchange(server, `${expecting(5)}Hello`), /100 Continue/);
  });

  it("is refused if it expects something else, and the connection ends", async () => {
    await using server = await serving(respond(["reached"]));
    const request = "POST / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nContent-Length: 5\r\n\r\n";
    const response = await exchange(server, request);
    assert.match(response, /^HTTP\/1\.1 417 [^]*\r\nConnection: close\r\n/);
  });

  it("is nothing in HTTP/1.0 (P83)", async () => {
    await using server = await serving(reading(async (input) => decode(await input.read())));
    const response = await exchange(
      server,
      "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nHello",
    );
    assert.match(response, /^HTTP\/1\.1 200 OK/);
  });
});
