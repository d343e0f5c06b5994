import assert from "node:assert/strict";
import type { Application, Body, HeaderList } from "@wsgi/core";
import { respond, writing } from "../applications.ts";
import { last, request, serverCase, signal, watched, whole, withCanary } from "./host.ts";
import type { ServerCase } from "./host.ts";

const five: HeaderList = [["Content-Length", "5"]];

function* letters(): Generator<string, void> {
  yield "Hel";
  yield "lo, ";
  yield "world!";
}

/** Is the cases about `write`, Content-Length and framing. */
export const lengthCases: readonly ServerCase[] = [
  serverCase("write-as-yielded", "sends what is written", async (host) => {
    const response = await host.answer(writing(["Hello, ", "", "world!"]), last("GET /"));
    assert.equal(response.text(), "Hello, world!");
  }),
  serverCase("write-then-body", "sends what is written before what is yielded", async (host) => {
    const response = await host.answer(writing(["a", "b"], new Set(["c", "d"])), last("GET /"));
    assert.equal(response.text(), "abcd");
  }),
  serverCase(
    "write-flush",
    "sends the head with the first write, even of nothing",
    async (host) => {
      const go = signal();
      const client = await host.serve(async (_environ, startResponse) => {
        void startResponse("200 OK", [["X", "y"]])("");
        await go.happened;
        return ["event"];
      });
      client.send(last("GET /"));
      const early = await client.part(() => true, "the head to arrive before the body");
      assert.deepEqual([early.header("X"), early.text()], ["y", ""]);
      go.happen();
      assert.equal(whole(await client.finish()).text(), "event");
    },
  ),
  serverCase("write-full", "makes a writer wait only when the buffers are full", async (host) => {
    const first = signal<unknown>();
    const full = signal<number>();
    const chunk = "x".repeat(262_144);
    const client = await host.serve(async (_environ, startResponse) => {
      const write = startResponse("200 OK", []);
      first.happen([write("Hello")]);
      let written = 0;
      for (let waits: unknown; waits === undefined && written < 256; written += 1) {
        waits = write(chunk);
        if (waits === undefined) continue;
        full.happen(written);
        await waits;
      }
      full.happen(written);
      return ["end"];
    });
    client.pause();
    client.send(last("GET /"));
    assert.deepEqual(await host.wait(first.happened, "a write"), [undefined], "of a short text");
    const written = await host.wait(full.happened, "a write that waits");
    assert.ok(written < 256, "write is to return a promise when nothing is taken");
    client.resume();
    assert.match(whole(await client.finish()).text(), /^Hello(?:x{262144})+end$/);
  }),
  serverCase("write-in-time", "refuses a write after the response has ended", async (host) => {
    let write: ((chunk: string) => unknown) | undefined;
    const client = await host.serve((_environ, startResponse) => {
      write = startResponse("200 OK", []);
      return ["Hello"];
    });
    whole(await client.send(last("GET /")).finish());
    assert.throws(() => write!("too late"));
  }),
  serverCase("length-exceeded", "sends no more than was declared", async (host) => {
    const response = await host.answer(respond(letters, { headers: five }), last("GET /"));
    assert.equal(response.text(), "Hello");
  }),
  serverCase("length-exceeded/array", "sends no more of an array, either", async (host) => {
    const response = await host.answer(
      respond(["Hello, world!"], { headers: five }),
      last("GET /"),
    );
    assert.equal(response.text(), "Hello");
  }),
  serverCase("length-exceeded/write", "throws when a write goes past the length", async (host) => {
    let thrown: unknown;
    const app: Application = (_environ, startResponse) => {
      const write = startResponse("200 OK", five);
      void write("Hel");
      try {
        void write("lo, world!");
      } catch (error) {
        thrown = error;
      }
      return [];
    };
    assert.equal((await host.answer(app, last("GET /"))).text(), "Hello");
    assert.notEqual(thrown, undefined);
  }),
  serverCase("length-reached", "asks for nothing more when the length is reached", async (host) => {
    const asked: string[] = [];
    const body = watched(
      (function* () {
        asked.push("first");
        yield "Hello";
        asked.push("second");
        yield "";
      })(),
    );
    const response = await host.answer(respond(body.body, { headers: five }), last("GET /"));
    await host.wait(body.closed, "the body to be closed");
    assert.equal(response.text(), "Hello");
    assert.deepEqual(asked, ["first"]);
  }),
  serverCase("length-short", "does not let a short body pass for the whole", async (host) => {
    const client = await host.serve(
      respond(() => letters() as unknown as Body, { headers: [["Content-Length", "300"]] }),
    );
    const [response] = await client.send(request("GET /")).finish();
    assert.equal(response?.complete, false);
  }),
  serverCase("length-short/array", "does not pad a short array", async (host) => {
    const client = await host.serve(respond(["Hello"], { headers: [["Content-Length", "300"]] }));
    const [response] = await client.send(request("GET /", ["Connection: close"])).finish();
    assert.ok(response?.complete !== true || response.code === 500, "it is cut off, or a 500");
  }),
  serverCase("length-known", "declares the length of an array", async (host) => {
    const response = await host.answer(respond(["世", "界"]), last("GET /"));
    assert.equal(response.header("Content-Length"), "6");
  }),
  serverCase("length-unknown", "sends a stream in chunks to HTTP/1.1", async (host) => {
    const client = await host.serve(respond(letters));
    const response = await client.send(request("GET /")).response();
    assert.deepEqual([response.framing, response.text()], ["chunked", "Hello, world!"]);
  }),
  serverCase(
    "length-unknown/old",
    "sends a stream to HTTP/1.0 as it is, and closes",
    async (host) => {
      const response = await host.answer(respond(letters), "GET / HTTP/1.0\r\n\r\n");
      assert.deepEqual([response.framing, response.text()], ["close", "Hello, world!"]);
    },
  ),
  serverCase("length-head", "answers HEAD without a body, but with its length", async (host) => {
    const client = await host.serve(respond(["Hello"], { headers: five }));
    const response = await client.send(request("HEAD /")).response();
    assert.equal(response.header("Content-Length"), "5");
    assert.equal((await client.send(request("GET /")).response()).text(), "Hello");
  }),
  serverCase("length-head/stream", "invents no length of 0 for HEAD", async (host) => {
    const client = await host.serve(respond(() => [] as Body));
    const response = await client.send(request("HEAD /")).response();
    assert.equal(response.header("Content-Length"), undefined);
    assert.equal(response.header("Transfer-Encoding"), undefined);
  }),
  serverCase(
    "length-head/late",
    "asks on for HEAD until the response has started",
    async (host) => {
      const asked: string[] = [];
      const app: Application = function* (_environ, startResponse) {
        asked.push("before the start");
        yield "";
        startResponse("204 No Content", [["X", "y"]]);
        yield "";
        asked.push("after the start");
      };
      const response = await host.answer(app, last("HEAD /"));
      assert.deepEqual([response.code, response.header("X")], [204, "y"]);
      assert.deepEqual(asked, ["before the start"]);
    },
  ),
  serverCase(
    "length-bodyless/204",
    "sends no body with 204, and keeps the connection",
    async (host) => {
      const client = await host.serve(respond(["Hello"], { status: "204 No Content" }));
      assert.equal((await client.send(request("GET /")).response()).code, 204);
      assert.equal((await client.send(request("GET /")).response()).code, 204);
    },
  ),
  serverCase(
    "length-bodyless/304",
    "sends no body with 304, and adds no type or length",
    async (host) => {
      const client = await host.serve(
        respond(["Hello"], { status: "304 Not Modified", headers: [] }),
      );
      const response = await client.send(request("GET /")).response();
      const names = response.headers.map(([name]) => name.toLowerCase());
      const odd = ["content-type", "content-length", "transfer-encoding"];
      assert.deepEqual(
        names.filter((name) => odd.includes(name)),
        [],
      );
      assert.equal((await client.send(request("GET /")).response()).code, 304);
    },
  ),
  serverCase("length-dropped", "drops the length of a 204", async (host) => {
    const options = { status: "204 No Content", headers: five };
    const response = await host.answer(respond(["Hello"], options), last("GET /"));
    assert.equal(response.header("Content-Length"), undefined);
  }),
  serverCase("length-dropped/stream", "names no coding where it sends no body", async (host) => {
    const client = await host.serve(withCanary(respond(letters, { status: "304 Not Modified" })));
    for (const method of ["GET", "HEAD"]) {
      const response = await client.send(request(`${method} /`)).response();
      assert.equal(response.header("Transfer-Encoding"), undefined, `the answer to ${method}`);
    }
  }),
];
