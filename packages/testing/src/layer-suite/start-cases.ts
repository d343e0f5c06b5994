import assert from "node:assert/strict";
import { getHeader, type Application, type Body, type HeaderList } from "@wsgi/core";
import { late, respond, writing } from "../applications.ts";
import { call } from "../call.ts";
import { layerCase, textOf, type LayerCase } from "./bench.ts";

const oops = new Error("Oops");

/** Is the cases about the head of a response, and about `write`. */
export const startCases: readonly LayerCase[] = [
  layerCase("header-repeat", "passes status and fields on, in their order", async (bench) => {
    const headers: HeaderList = [
      ["X-b", "2"],
      ["x-A", "\xe9"],
      ["Set-Cookie", "a=1"],
      ["X-b", "3"],
      ["Set-Cookie", "b=2"],
    ];
    const response = await bench.call(respond(["Hello"], { status: "299 Odd Reason", headers }));
    assert.equal(response.status, "299 Odd Reason");
    const given = new Set(headers.map(String));
    assert.deepEqual(
      response.headers.filter((header) => given.has(String(header))),
      headers,
    );
  }),
  layerCase("header-repeat/once", "adds no field twice", async (bench) => {
    const response = await bench.call(respond(["Hello"], { headers: [["Content-Length", "5"]] }));
    const lengths = response.headers.filter(([name]) => name.toLowerCase() === "content-length");
    assert.ok(lengths.length <= 1, `there are ${lengths.length} Content-Lengths`);
  }),
  layerCase("headers-list", "leaves a list alone that all requests share", async (bench) => {
    const headers: HeaderList = Object.freeze([Object.freeze(["X-Same", "yes"] as const)]);
    const app = bench.wrap(respond(["Hello"], { headers }));
    const first = await call(app, bench.environ());
    const second = await call(app, bench.environ());
    assert.deepEqual(headers, [["X-Same", "yes"]]);
    assert.equal(first.headers.length, second.headers.length);
  }),
  layerCase("start-write", "returns a function from startResponse", async (bench) => {
    let type = "";
    await bench.call((_environ, startResponse) => {
      type = typeof startResponse("200 OK", []);
      return [];
    });
    assert.equal(type, "function");
  }),
  layerCase("start-late", "takes a start that comes with the body", async (bench) => {
    const response = await bench.call(late("Hello"));
    assert.deepEqual([response.status, response.text()], ["200 OK", bench.expected("Hello")]);
  }),
  layerCase(
    "start-late/empty",
    "takes a start that comes after many empty chunks",
    async (bench) => {
      const app: Application = function* (_environ, startResponse) {
        yield "";
        yield new Uint8Array(0);
        yield "";
        startResponse("201 Created", [["X-Late", "yes"]]);
        yield "Hello";
      };
      const response = await bench.call(app);
      assert.deepEqual([response.code, response.header("X-Late")], [201, "yes"]);
      assert.equal(response.text(), bench.expected("Hello"));
    },
  ),
  layerCase(
    "start-late/end",
    "takes a start that comes at the end of an empty body",
    async (bench) => {
      const app: Application = function* (_environ, startResponse) {
        yield "";
        startResponse("201 Created", []);
      };
      assert.equal((await bench.call(app)).code, 201);
    },
  ),
  layerCase("start-before-body", "invents no start where there is none", async (bench) => {
    const { response } = await bench.outcome(() => ["Hello"]);
    assert.ok(response === undefined || response.code >= 500, "it is an error of the application");
  }),
  layerCase("start-check", "lets a bad head throw within the call", async (bench) => {
    let thrown: unknown;
    await bench.call((_environ, startResponse) => {
      try {
        startResponse("200 OK", [["Bad name", "x"]]);
      } catch (error) {
        thrown = error;
        startResponse("500 Internal Server Error", [], error);
      }
      return [];
    });
    assert.notEqual(thrown, undefined);
  }),
  layerCase("start-once", "lets a second call without an error throw", async (bench) => {
    let thrown: unknown;
    await bench.call((_environ, startResponse) => {
      startResponse("200 OK", []);
      try {
        startResponse("200 OK", []);
      } catch (error) {
        thrown = error;
      }
      return [];
    });
    assert.notEqual(thrown, undefined);
  }),
  layerCase("start-replace", "replaces the head with that of an error", async (bench) => {
    const response = await bench.call((_environ, startResponse) => {
      startResponse("200 OK", [
        ["X-Old", "old"],
        ["Content-Length", "300"],
      ]);
      startResponse("503 Service Unavailable", [["X-New", "new"]], oops);
      return ["Sorry"];
    });
    assert.equal(response.status, "503 Service Unavailable");
    assert.deepEqual([response.header("X-Old"), response.header("X-New")], [undefined, "new"]);
    assert.notEqual(response.header("Content-Length"), "300");
  }),
  layerCase("layer-start", "passes excInfo on", async (bench) => {
    const started = bench.begin(function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "";
      startResponse("503 Service Unavailable", [], oops);
      yield "Sorry";
    });
    const body = await started.body();
    for await (const _chunk of body);
    await body.close?.();
    assert.equal(started.errors.at(-1), oops);
  }),
  layerCase("start-sent", "lets the very error through if the head was sent", async (bench) => {
    let thrown: unknown;
    const { error } = await bench.outcome(function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "part";
      try {
        startResponse("500 Internal Server Error", [], oops);
      } catch (error) {
        thrown = error;
        throw error;
      }
      yield "the rest";
    });
    assert.equal(thrown, oops, "what startResponse throws");
    assert.equal(error, oops, "what comes out of the layer");
  }),
  layerCase("layer-written", "does to what is written what it does to a body", async (bench) => {
    const response = await bench.call(writing(["Hello, ", "", "world!"]));
    assert.equal(response.text(), bench.expected("Hello, world!"));
  }),
  layerCase("write-then-body", "keeps what is written before what is yielded", async (bench) => {
    const response = await bench.call(writing(["a", "b"], new Set(["c", "d"])));
    assert.equal(response.text(), bench.expected("abcd"));
  }),
  layerCase("layer-write", "writes nothing but what was written to it", async (bench) => {
    const started = bench.begin(respond(() => new Set(["one", "two"])));
    const body = await started.body();
    for await (const _chunk of body);
    await body.close?.();
    assert.deepEqual(started.written, []);
  }),
  layerCase("write-flush", "hands every write on, even of nothing", async (bench) => {
    const started = bench.begin(writing([""]));
    await started.body();
    assert.deepEqual(started.written, [""]);
  }),
  layerCase(
    "write-as-yielded",
    "has handed on what is written when write returns",
    async (bench) => {
      let inTime: string | undefined;
      const started = bench.begin(async (_environ, startResponse) => {
        await Promise.resolve();
        const write = startResponse("200 OK", []);
        void write("one");
        void write("two");
        inTime = textOf(started.written);
        return [];
      });
      await started.body();
      assert.equal(inTime, textOf(started.written));
      if (bench.keepsChunks) assert.equal(inTime, "onetwo");
    },
  ),
  layerCase("write-full", "lets a writer wait for full buffers", async (bench) => {
    let given: unknown;
    const full = Promise.resolve();
    const app: Application = (_environ, startResponse) => {
      given = startResponse("200 OK", [])("Hello");
      return [] as Body;
    };
    await bench.begin(app, "GET", () => full).body();
    assert.equal(
      typeof (given as Promise<void> | undefined)?.then,
      "function",
      "write is to return a promise",
    );
  }),
  layerCase("layer-length", "declares the length that the body has", async (bench) => {
    for (const given of [["Hello"], new Set(["Hel", "lo"])]) {
      const headers: HeaderList = [["Content-Length", "5"]];
      const started = bench.begin(respond(() => given, { headers }));
      const body = await started.body();
      let length = 0;
      for await (const chunk of body) length += Buffer.byteLength(chunk);
      await body.close?.();
      for (const chunk of started.written) length += Buffer.byteLength(chunk);
      const { contentLength } = started.head;
      // Not to declare one is right, too.
      assert.equal(contentLength === -1 ? length : contentLength, length);
    }
  }),
  layerCase("length-head", "declares the same length for HEAD as for GET", async (bench) => {
    const app = respond(["Hello"], { headers: [["Content-Length", "5"]] });
    const get = await bench.call(app);
    const head = await bench.call(app, "HEAD");
    assert.equal(head.status, get.status);
    assert.equal(getHeader(head.headers, "Content-Length"), get.header("Content-Length"));
  }),
  layerCase("length-head/none", "invents no length of 0 for HEAD", async (bench) => {
    const response = await bench.call(
      respond(() => [] as Body),
      "HEAD",
    );
    assert.notEqual(response.header("Content-Length"), "0");
  }),
  layerCase("length-bodyless", "adds no length and no body to 204 and 304", async (bench) => {
    for (const status of ["204 No Content", "304 Not Modified"]) {
      const started = bench.begin(respond(() => [] as Body, { status, headers: [] }));
      const body = await started.body();
      let length = 0;
      for await (const chunk of body) length += chunk.length;
      await body.close?.();
      assert.deepEqual([length, started.head.contentLength], [0, -1], status);
    }
  }),
];
