import assert from "node:assert/strict";
import type { Environ, InputStream } from "@wsgi/core";
import { respond } from "../applications.ts";
import {
  last,
  request,
  serverCase,
  signal,
  withCanary,
  type Host,
  type ServerCase,
} from "./host.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const chunked = ["Transfer-Encoding: chunked"];

/** Gives what a reader makes of the input of one request. */
async function reading<T>(
  host: Host,
  bytes: string,
  read: (input: InputStream, environ: Environ) => T | Promise<T>,
): Promise<T> {
  const { happened, happen } = signal<T | Promise<T>>();
  const answer = host.answer(async (environ, startResponse) => {
    const result = (async () => read(environ["wsgi.input"], environ))();
    happen(result);
    await result;
    startResponse("200 OK", []);
    return ["read"];
  }, bytes);
  // What the reader throws says more than the 500 that comes of it.
  answer.catch(() => {});
  const result = await host.wait(happened, "the application to be called");
  await host.wait(Promise.resolve(result), "the input to be read");
  assert.equal((await answer).text(), "read");
  return result;
}

/** Is the cases about the request's body. */
export const inputCases: readonly ServerCase[] = [
  serverCase("input-methods", "offers read, readline, readlines and lines", async (host) => {
    const types = await reading(host, last("GET /"), (input) => [
      typeof input.read,
      typeof input.readline,
      typeof input.readlines,
      typeof input[Symbol.asyncIterator],
    ]);
    assert.deepEqual(types, ["function", "function", "function", "function"]);
  }),
  serverCase("input-bytes", "gives bytes as Uint8Array", async (host) => {
    const bytes = await reading(host, last("POST /", [], "a\xff\n"), (input) => input.read());
    assert.ok(bytes instanceof Uint8Array);
    assert.equal(text(bytes), "a\xff\n");
  }),
  serverCase("input-end/none", "ends at once where there is no body", async (host) => {
    const reads = await reading(host, last("GET /"), (input) => [
      input.read(),
      input.read(10),
      input.readline(),
    ]);
    const lengths = reads.map((bytes) =>
      bytes instanceof Uint8Array ? bytes.length : "a promise",
    );
    assert.deepEqual(lengths, [0, 0, 0]);
  }),
  serverCase(
    "input-end/length",
    "ends at Content-Length, for whoever asks for more",
    async (host) => {
      const [first, second] = await reading(host, last("POST /", [], "Hello"), async (input) => [
        await input.read(105),
        await input.read(),
      ]);
      assert.deepEqual([text(first!), text(second!)], ["Hello", ""]);
    },
  ),
  serverCase("input-size/exact", "gives as much as is asked for, waiting for it", async (host) => {
    const reads: string[] = [];
    const asked = signal();
    const client = await host.serve(async (environ, startResponse) => {
      const first = environ["wsgi.input"].read(3);
      asked.happen();
      reads.push(text(await first), text(await environ["wsgi.input"].read(2)));
      startResponse("200 OK", []);
      return [];
    });
    client.send(`${last("POST /", ["Content-Length: 6"])}ab`);
    await host.wait(asked.happened, "the application to be called");
    await client.send("cdef").finish();
    assert.deepEqual(reads, ["abc", "de"]);
  }),
  serverCase(
    "input-size/rest",
    "gives all that is left where no size is asked for",
    async (host) => {
      const body = "0123456789abcdef".repeat(6_000);
      const read = await reading(host, last("POST /", [], body), async (input) => {
        const first = await input.read(1);
        return text(first) + text(await input.read());
      });
      assert.ok(read === body, `${read.length} of ${body.length} bytes were the same`);
    },
  ),
  serverCase("input-settled", "answers at once if the bytes are there", async (host) => {
    const second = await reading(host, last("POST /", [], "Hello"), async (input) => {
      await input.read(1);
      return { read: input.read(1) };
    });
    assert.ok(second.read instanceof Uint8Array, "the second read is to give bytes, not a promise");
  }),
  serverCase("input-line", "gives a line, or as much of it as is asked for", async (host) => {
    const lines = await reading(host, last("POST /", [], "abcdef\ng\nh"), async (input) => {
      const parts: string[] = [];
      for (const size of [3, undefined, 9, undefined, undefined]) {
        parts.push(text(await input.readline(size)));
      }
      return parts;
    });
    assert.deepEqual(lines, ["abc", "def\n", "g\n", "h", ""]);
  }),
  serverCase("input-line/all", "gives the lines that are left", async (host) => {
    const lines = await reading(host, last("POST /", [], "a\nb\n\nc"), (input) =>
      input.readlines(),
    );
    assert.deepEqual(lines.map(text), ["a\n", "b\n", "\n", "c"]);
  }),
  serverCase("input-iterate", "gives lines when iterated", async (host) => {
    const lines = await reading(host, last("POST /", [], "a\nbc\n\nd"), async (input) => {
      const all: string[] = [];
      for await (const line of { [Symbol.asyncIterator]: () => input[Symbol.asyncIterator]() }) {
        all.push(text(line));
      }
      return all;
    });
    assert.deepEqual(lines, ["a\n", "bc\n", "\n", "d"]);
  }),
  serverCase("input-cut/length", "fails a read of a body that is cut short", async (host) => {
    const failed = signal<string>();
    const client = await host.serve(async (environ, startResponse) => {
      const read = (async () => text(await environ["wsgi.input"].read()))();
      read.then(
        (bytes) => failed.happen(`gave ${JSON.stringify(bytes)}`),
        () => failed.happen("failed"),
      );
      startResponse("200 OK", []);
      return [await read];
    });
    client.send(`${request("POST /", ["Content-Length: 6"])}abc`).end();
    assert.equal(await host.wait(failed.happened, "the read to fail"), "failed");
    const next = await host.connect();
    const [response] = await next.send(last("POST /", [], "a=1")).finish();
    assert.equal(response?.text(), "a=1", "the request after it");
  }),
  serverCase(
    "input-cut/chunked",
    "fails a read of a body whose chunks are malformed",
    async (host) => {
      const failed = signal<string>();
      const client = await host.serve(async (environ) => {
        const read = (async () => text(await environ["wsgi.input"].read()))();
        read.then(
          (bytes) => failed.happen(`gave ${JSON.stringify(bytes)}`),
          () => failed.happen("failed"),
        );
        return [await read];
      });
      client.send(`${last("POST /", chunked)}3\r\nabc\r\n`);
      client.send("zz\r\n");
      // Whether the malformed part arrives with the head or behind it: either is a refusal.
      const refused = client.finish().then(([response]) => {
        assert.ok((response?.code ?? 400) >= 400, "the client is not to be told that all is well");
        return "failed";
      });
      const outcome = Promise.race([failed.happened, refused]);
      assert.equal(await host.wait(outcome, "the read to fail"), "failed");
    },
  ),
  serverCase("http-decoded", "decodes a chunked body", async (host) => {
    const body = "5;x=y\r\nHello\r\n008\r\n, world!\r\n0\r\n\r\n";
    const read = await reading(host, last("POST /", chunked) + body, (input) => input.read());
    assert.equal(text(read), "Hello, world!");
  }),
  serverCase(
    "environ-terminated",
    "says that a body without a length ends by itself",
    async (host) => {
      const seen = await reading(
        host,
        `${last("POST /", chunked)}0\r\n\r\n`,
        async (input, environ) => {
          const { CONTENT_LENGTH, "wsgi.input_terminated": terminated } = environ;
          return [CONTENT_LENGTH, terminated, (await input.read()).length];
        },
      );
      assert.deepEqual(seen, [undefined, true, 0]);
    },
  ),
  serverCase("http-trailers", "keeps trailers out of environ", async (host) => {
    const body = "1\r\na\r\n0\r\nX-Trailer: bad\r\nHTTP-X: bad\r\n\r\n";
    const keys = await reading(host, last("POST /", chunked) + body, async (input, environ) => {
      await input.read();
      return Object.keys(environ).filter((key) => key.includes("TRAILER"));
    });
    assert.deepEqual(keys, []);
  }),
  serverCase(
    "http-next/bodies",
    "gives each request of a connection its own body",
    async (host) => {
      const client = await host.serve(async (environ, startResponse) => {
        const body = await environ["wsgi.input"].read();
        startResponse("200 OK", []);
        return [body];
      });
      client.send(request("POST /", [], "a=1") + request("POST /", [], "b=22"));
      assert.equal((await client.response()).text(), "a=1");
      assert.equal((await client.response()).text(), "b=22");
    },
  ),
  serverCase(
    "http-next/unread",
    "finds the next request behind a body left unread",
    async (host) => {
      const client = await host.serve((environ, startResponse) => {
        startResponse("200 OK", []);
        return [environ.PATH_INFO];
      });
      client.send(request("POST /a", [], "GET /bad HTTP/1.1\r\n\r\n"));
      assert.equal((await client.response()).text(), "/a");
      // It may also close the connection, but not take the body for a request.
      const responses = await client.send(last("GET /b")).finish();
      assert.notEqual(responses[1]?.text(), "/bad");
    },
  ),
  serverCase(
    "http-expect/read",
    "tells a client to go on when the body is read, not before",
    async (host) => {
      const called = signal();
      const go = signal();
      const client = await host.serve(
        withCanary(async (environ, startResponse) => {
          called.happen();
          await go.happened;
          const body = await environ["wsgi.input"].read();
          startResponse("200 OK", []);
          return [body];
        }),
      );
      client.send(last("POST /", ["Expect: 100-continue", "Content-Length: 5"]));
      await host.wait(called.happened, "the application to be called before the body is there");
      await host.turn();
      assert.equal(client.bytesReceived, 0, "nothing is to be sent before the body is read");
      go.happen();
      await client.goAhead();
      const [response] = await client.send("Hello").finish();
      assert.equal(response?.text(), "Hello");
    },
  ),
  serverCase(
    "http-expect/unread",
    "does not tell it to if the application answers first",
    async (host) => {
      const client = await host.serve(respond(["No"], { status: "413 Content Too Large" }));
      client.send(last("POST /", ["Expect: 100-continue", "Content-Length: 5"]));
      const response = await client.part(({ complete }) => complete, "the answer");
      assert.deepEqual([response.code, response.interim.length], [413, 0]);
    },
  ),
  serverCase("http-expect/old", "does not tell a client that speaks HTTP/1.0", async (host) => {
    const head = "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    const [response] = await (
      await host.serve(async (environ, startResponse) => {
        const body = await environ["wsgi.input"].read();
        startResponse("200 OK", []);
        return [body];
      })
    )
      .send(`${head}Hello`)
      .finish();
    assert.deepEqual([response?.text(), response?.interim.length], ["Hello", 0]);
  }),
];
