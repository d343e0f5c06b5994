import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";
import type { Application, Body, Chunk } from "@wsgi/core";
import { respond, slow } from "../applications.ts";
import {
  endless,
  last,
  request,
  serverCase,
  signal,
  whole,
  withCanary,
  type Host,
} from "./host.ts";
import type { ServerCase } from "./host.ts";

async function textOf(host: Host, body: unknown): Promise<string> {
  return (
    await host.answer(
      respond(() => body as Body),
      last("GET /"),
    )
  ).text();
}

/** Serves what is no body; the answer has to be a 500, or to show that it is not complete. */
async function fails(host: Host, body: unknown): Promise<void> {
  const client = await host.serve(respond(() => body as Body));
  const [response] = await client.send(last("GET /")).finish();
  const isWhole = response?.complete === true && response.code < 500;
  assert.ok(!isWhole, `the answer is ${response?.status}, complete`);
}

/** Is a client in a thread of its own, which raises the flag when it has received the text. */
const clientCode = `
  const { parentPort, workerData: { url, request, wanted, flag } } = require("node:worker_threads");
  const { hostname, port } = url.startsWith("unix:") ? {} : new URL(url);
  const socket = url.startsWith("unix:") ? require("node:net").connect(url.slice(5))
    : url.startsWith("https:")
    ? require("node:tls").connect({ host: hostname, port, rejectUnauthorized: false })
    : require("node:net").connect({ host: hostname, port });
  let received = "";
  socket.on("data", (data) => {
    received += data;
    if (!received.includes(wanted)) return;
    Atomics.store(new Int32Array(flag), 0, 1);
    Atomics.notify(new Int32Array(flag), 0);
  });
  socket.on("error", () => {});
  socket.on("close", () => parentPort.postMessage(received));
  socket.write(request);`;

/** How long a body waits for its chunk to arrive before it says that it was held back. */
const patience = 5_000;

/** Is the cases about the body. */
export const bodyCases: readonly ServerCase[] = [
  serverCase("body-iterable/array", "sends an array", async (host) => {
    assert.equal(await textOf(host, ["Hello", ", ", "world!"]), "Hello, world!");
  }),
  serverCase("body-iterable/generator", "sends a generator", async (host) => {
    const app: Application = function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield* ["Hello", ", ", "world!"];
    };
    assert.equal((await host.answer(app, last("GET /"))).text(), "Hello, world!");
  }),
  serverCase(
    "body-iterable/async",
    "sends an async iterable, and waits for a promise",
    async (host) => {
      const response = await host.answer(slow("Hello", ", ", "world!"), last("GET /"));
      assert.equal(response.text(), "Hello, world!");
    },
  ),
  serverCase("body-iterable/string", "refuses a bare string", async (host) => {
    await fails(host, "Hello");
  }),
  serverCase("body-iterable/bytes", "refuses bare bytes", async (host) => {
    await fails(host, new Uint8Array(5));
  }),
  serverCase("body-iterable/nothing", "refuses what cannot be iterated", async (host) => {
    await fails(host, undefined);
  }),
  serverCase(
    "body-settled",
    "takes what can be iterated for a body, though it has then",
    async (host) => {
      const then = (resolve: (body: Body) => void): void => resolve(["as a promise"]);
      // oxlint-disable-next-line unicorn/no-thenable -- it is what the case is about
      const body = Object.assign(["as a body"], { then });
      assert.equal(await textOf(host, body), "as a body");
    },
  ),
  serverCase("body-settled/sync", "prefers synchronous iteration", async (host) => {
    const body = {
      *[Symbol.iterator]() {
        yield "sync";
      },
      async *[Symbol.asyncIterator]() {
        yield "async";
      },
    };
    assert.equal(await textOf(host, body), "sync");
  }),
  serverCase("body-chunk", "sends text as UTF-8 beside bytes", async (host) => {
    const bytes = new TextEncoder().encode("é");
    assert.equal(await textOf(host, ["世", bytes, Buffer.from("界")]), "世é界");
  }),
  serverCase("body-chunk/other", "refuses a chunk that is neither", async (host) => {
    await fails(host, [5]);
  }),
  serverCase("body-chunk/promise", "refuses a promise in a synchronous body", async (host) => {
    await fails(host, new Set([Promise.resolve("Hello")]));
  }),
  serverCase("body-empty", "goes on after an empty chunk", async (host) => {
    assert.equal(await textOf(host, new Set(["a", "", "b", new Uint8Array(0), "c"])), "abc");
  }),
  serverCase("body-opaque", "sends every byte as it is", async (host) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const response = await host.answer(
      respond(new Set<Chunk>([bytes, "a\r\n\n\rX: y\r\n\r\n"])),
      last("GET /"),
    );
    assert.deepEqual(
      Buffer.from(response.bytes()),
      Buffer.concat([bytes, Buffer.from("a\r\n\n\rX: y\r\n\r\n")]),
    );
    assert.equal(response.header("X"), undefined);
  }),
  serverCase("body-opaque/large", "sends every byte of a large body", async (host) => {
    const chunks = Array.from({ length: 64 }, (_, i) => `${i},`.repeat(16_384));
    const text = await textOf(host, new Set(chunks));
    assert.ok(text === chunks.join(""), `${text.length} bytes arrived, and not all as they were`);
  }),
  serverCase(
    "body-prompt",
    "sends a chunk while the next one waits for it to arrive",
    async (host) => {
      const arrived = signal();
      const client = await host.serve(async function* (_environ, startResponse) {
        startResponse("200 OK", []);
        yield "first";
        await arrived.happened;
        yield "second";
      });
      client.send(last("GET /"));
      await client.part((response) => response.text() === "first", "the first chunk to arrive");
      arrived.happen();
      assert.equal(whole(await client.finish()).text(), "firstsecond");
    },
  ),
  serverCase(
    "body-prompt/sync",
    "sends a chunk while a function computes the next one",
    async (host) => {
      const flag = new SharedArrayBuffer(4);
      await host.serve(function* (_environ, startResponse) {
        startResponse("200 OK", []);
        yield "first";
        // Blocks this thread until the client in the other one has the first chunk, or gives up.
        Atomics.wait(new Int32Array(flag), 0, 0, patience);
        yield Atomics.load(new Int32Array(flag), 0) === 1 ? "in time" : "held back";
      });
      const workerData = { url: host.url, request: last("GET /"), wanted: "first", flag };
      const worker = new Worker(clientCode, { eval: true, workerData });
      const received = new Promise<string>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
      assert.match(await host.wait(received, "the response"), /in time/);
    },
  ),
  serverCase("body-pace", "asks for no more than the client takes", async (host) => {
    const chunk = "x".repeat(262_144);
    let taken = 0;
    const begun = signal();
    const client = await host.serve(
      withCanary(function* (_environ, startResponse) {
        startResponse("200 OK", []);
        begun.happen();
        while (taken < 256) {
          taken += 1;
          yield chunk;
        }
      }),
    );
    client.pause();
    client.send(last("GET /"));
    await host.wait(begun.happened, "the body to be read");
    // It has stopped when nothing is taken while the server answers others.
    for (let before = -1, still = 0; still < 3; before = taken) {
      await host.turn();
      still = taken === before ? still + 1 : 0;
    }
    assert.ok(taken < 256, `${taken} of 256 chunks were taken from a full buffer`);
    client.leave();
  }),
  serverCase("body-turns", "lets others have a turn during an endless body", async (host) => {
    let taken = 0;
    const client = await host.serve(
      withCanary(function* (_environ, startResponse) {
        startResponse("200 OK", []);
        for (; taken < endless; taken++) yield "";
      }),
    );
    client.send(last("GET /"));
    await host.turn();
    assert.ok(taken < endless, "others had no turn before the body ended");
    client.leave();
  }),
  serverCase("body-length", "believes the length of an array only", async (host) => {
    const body = {
      length: 1,
      *[Symbol.iterator]() {
        yield* ["one", "two"];
      },
    };
    assert.equal(await textOf(host, body), "onetwo");
  }),
  serverCase("body-attributes", "uses nothing of a body but what makes it one", async (host) => {
    const used = new Set<string | symbol>();
    const body = new Proxy(new Set(["Hello"]), {
      get(target, key) {
        used.add(key);
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    assert.equal(await textOf(host, body), "Hello");
    const allowed = ["close", "then", "on", Symbol.iterator, Symbol.asyncIterator];
    for (const key of [...allowed, Symbol.asyncDispose, Symbol.dispose]) used.delete(key);
    assert.deepEqual([...used], []);
  }),
  serverCase("body-shared", "takes a frozen array, which all requests share", async (host) => {
    const client = await host.serve(respond(Object.freeze(["Hello", "!"]) as unknown as Body));
    assert.equal((await client.send(request("GET /")).response()).text(), "Hello!");
    assert.equal((await client.send(request("GET /")).response()).text(), "Hello!");
  }),
];
