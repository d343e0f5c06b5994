import assert from "node:assert/strict";
import { isBody, isSync, type Application, type Body, type Chunk } from "@wsgi/core";
import { closable, respond, slow } from "../applications.ts";
import { call } from "../call.ts";
import { layerCase, textOf, type LayerCase } from "./bench.ts";

async function* later(...chunks: readonly Chunk[]): AsyncGenerator<Chunk, void> {
  for (const chunk of chunks) {
    await Promise.resolve();
    yield chunk;
  }
}

/** Is the cases about the body that a layer is given, and the one that it returns. */
export const bodyCases: readonly LayerCase[] = [
  layerCase("body-iterable/array", "passes an array on", async (bench) => {
    const response = await bench.call(respond(["Hello", ", ", "world!"]));
    assert.equal(response.text(), bench.expected("Hello, world!"));
  }),
  layerCase("body-iterable/generator", "passes a generator on", async (bench) => {
    const app: Application = function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield* ["Hello", ", ", "world!"];
    };
    assert.equal((await bench.call(app)).text(), bench.expected("Hello, world!"));
  }),
  layerCase("body-iterable/async", "passes an async iterable on", async (bench) => {
    const response = await bench.call(respond(() => later("Hello", ", ", "world!")));
    assert.equal(response.text(), bench.expected("Hello, world!"));
  }),
  layerCase("body-iterable/promise", "passes a promise of a body on", async (bench) => {
    const response = await bench.call(slow("Hello", ", ", "world!"));
    assert.deepEqual([response.code, response.text()], [200, bench.expected("Hello, world!")]);
  }),
  layerCase("body-iterable/empty", "passes an empty body on", async (bench) => {
    const response = await bench.call(respond(() => [] as Body, { headers: [["X", "y"]] }));
    assert.deepEqual([response.header("X"), response.text()], ["y", bench.expected("")]);
  }),
  layerCase(
    "body-settled",
    "takes what can be iterated for a body, though it has then",
    async (bench) => {
      const then = (resolve: (body: Body) => void): void => resolve(["as a promise"]);
      // oxlint-disable-next-line unicorn/no-thenable -- it is what the case is about
      const body = Object.assign(["as a body"], { then });
      assert.equal((await bench.call(respond(body))).text(), bench.expected("as a body"));
    },
  ),
  layerCase("body-chunk", "passes text and bytes on", async (bench) => {
    const bytes = Uint8Array.of(0xe7, 0x95, 0x8c);
    const response = await bench.call(respond(["世", bytes, Buffer.from("é")]));
    assert.equal(response.text(), bench.expected("世界é"));
  }),
  layerCase("body-opaque", "leaves the chunks as they are", async (bench) => {
    if (!bench.keepsChunks) return "the layer changes bodies";
    const given = ["one", "two\r\n", Uint8Array.of(0, 13, 10, 255), "three"];
    const response = await bench.call(respond(() => new Set(given)));
    assert.deepEqual(
      response.chunks.filter((chunk) => chunk.length > 0),
      given,
    );
    return undefined;
  }),
  layerCase("body-empty", "goes on after empty chunks", async (bench) => {
    const response = await bench.call(respond(new Set(["", "a", "", new Uint8Array(0), "b"])));
    assert.equal(response.text(), bench.expected("ab"));
  }),
  layerCase("body-shared", "leaves an array alone that all requests share", async (bench) => {
    const chunks = Object.freeze(["Hello", "!"]) as unknown as Body;
    const app = bench.wrap(respond(chunks));
    assert.equal((await call(app, bench.environ())).text(), bench.expected("Hello!"));
    assert.equal((await call(app, bench.environ())).text(), bench.expected("Hello!"));
  }),
  layerCase("body-length", "believes the length of an array only", async (bench) => {
    const body = { length: 1, [Symbol.iterator]: () => new Set(["one", "two"]).values() };
    assert.equal((await bench.call(respond(body))).text(), bench.expected("onetwo"));
  }),
  layerCase("layer-lazy", "reads nothing of a body within the call", async (bench) => {
    const body = closable("one", "two", "three");
    await bench.begin(respond(body)).body();
    assert.equal(body.taken, 0, "chunks taken before the server asks");
  }),
  layerCase(
    "layer-lazy/late",
    "reads no further than the first chunk where it waits for the start",
    async (bench) => {
      let taken = 0;
      const app: Application = function* (_environ, startResponse) {
        taken += 1;
        yield "";
        startResponse("200 OK", []);
        for (const chunk of ["one", "two", "three"]) {
          taken += 1;
          yield chunk;
        }
      };
      await bench.begin(app).body();
      assert.ok(taken <= 2, `${taken} chunks were taken before the server asks`);
    },
  ),
  layerCase("layer-block", "yields for each chunk that it takes", async (bench) => {
    const inner = closable("one", "", "two", "three");
    const body = await bench.begin(respond(inner)).body();
    let asked = 0;
    for await (const _chunk of body) {
      asked += 1;
      assert.ok(inner.taken <= asked, `${inner.taken} chunks were taken to yield ${asked}`);
    }
    assert.ok(asked >= 4, `${asked} chunks were made of 4`);
  }),
  layerCase("layer-block/async", "yields for each chunk of an async body", async (bench) => {
    let taken = 0;
    const inner = (async function* () {
      for await (const chunk of later("one", "", "two", "three")) {
        taken += 1;
        yield chunk;
      }
    })();
    const body = await bench.begin(respond(inner)).body();
    let asked = 0;
    for await (const _chunk of body) {
      asked += 1;
      assert.ok(taken <= asked, `${taken} chunks were taken to yield ${asked}`);
    }
    assert.ok(asked >= 4, `${asked} chunks were made of 4`);
  }),
  layerCase("layer-sync", "makes no promise where the application made none", (bench) => {
    const apps = [respond(["Hello"]), respond(() => new Set(["Hel", "lo"]))];
    for (const app of apps) {
      const { result } = bench.begin(app);
      assert.ok(isBody(result), "the layer is to return a body, not a promise of one");
      assert.ok(isSync(result), "the body is to be synchronous");
      let text = "";
      for (const chunk of result) text += textOf([chunk]);
      assert.equal(text, bench.expected("Hello"));
      assert.equal(result.close?.(), undefined, "close is to return nothing");
    }
  }),
];
