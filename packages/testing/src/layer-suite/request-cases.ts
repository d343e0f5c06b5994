import assert from "node:assert/strict";
import type { Environ } from "@wsgi/core";
import { respond } from "../applications.ts";
import { call } from "../call.ts";
import { layerCase, type LayerCase } from "./bench.ts";

/** Keys with a dot belong to servers and layers, which may set them. */
const changeable = /\./;

/** Is the cases about the request that a layer hands down. */
export const requestCases: readonly LayerCase[] = [
  layerCase("call-once", "calls the application once for each request", async (bench) => {
    let called = 0;
    const app = bench.wrap((_environ, startResponse) => {
      called += 1;
      startResponse("200 OK", []);
      return ["Hello"];
    });
    assert.equal(called, 0, "it is not to be called without a request");
    await call(app, bench.environ());
    await call(app, bench.environ());
    assert.equal(called, 2);
  }),
  layerCase(
    "call-arguments",
    "passes environ and startResponse, and nothing else",
    async (bench) => {
      let types: string[] = [];
      await bench.call((...given) => {
        types = given.map((value) => typeof value);
        given[1]("200 OK", []);
        return [];
      });
      assert.deepEqual(types, ["object", "function"]);
    },
  ),
  layerCase("call-callable", "only calls the application, to answer a request", async (bench) => {
    const seen: (string | symbol)[] = [];
    const watchedApp = new Proxy(respond(["Hello"]), {
      get: (target, key) => (seen.push(key), Reflect.get(target, key)),
    });
    const app = bench.wrap(watchedApp);
    // What it does with it when it is wrapped is its own affair.
    seen.length = 0;
    await call(app, bench.environ());
    assert.deepEqual(seen, []);
  }),
  layerCase("call-overlap", "keeps requests apart that are under way together", async (bench) => {
    const waiting: (() => void)[] = [];
    const app = bench.wrap(async (environ, startResponse) => {
      await new Promise<void>((resolve) => void waiting.push(resolve));
      startResponse("200 OK", [["X-Query", environ.QUERY_STRING]]);
      return [environ.QUERY_STRING];
    });
    const ask = (query: string): Promise<{ text(): string; header(name: string): unknown }> =>
      call(app, bench.environ("GET", { environ: { QUERY_STRING: query } }));
    const first = ask("first");
    const second = ask("second");
    waiting[1]?.();
    assert.equal(
      (await bench.wait(second, "the second response")).text(),
      bench.expected("second"),
    );
    waiting[0]?.();
    const response = await bench.wait(first, "the first response");
    assert.equal(response.text(), bench.expected("first"));
    assert.equal(response.header("X-Query"), "first");
  }),
  layerCase("environ-plain", "hands down a plain object", async (bench) => {
    let seen: Environ | undefined;
    await bench.call((environ, startResponse) => {
      seen = environ;
      startResponse("200 OK", []);
      return [];
    });
    assert.equal(Object.getPrototypeOf(seen), Object.prototype);
    assert.ok(Object.isExtensible(seen), "environ is to be extensible");
  }),
  layerCase("environ-complete", "hands down what every request has", async (bench) => {
    let seen: Environ = {} as Environ;
    const environ = bench.environ();
    const given = Object.keys(environ);
    await bench.call((inner, startResponse) => {
      seen = { ...inner };
      startResponse("200 OK", []);
      return [];
    });
    assert.deepEqual(
      given.filter((key) => seen[key] == null),
      [],
      "these are missing",
    );
  }),
  layerCase("environ-strings", "hands down strings for CGI variables", async (bench) => {
    let odd: string[] = [];
    await bench.call((environ, startResponse) => {
      odd = Object.keys(environ).filter(
        (key) => !key.includes(".") && typeof environ[key] !== "string",
      );
      startResponse("200 OK", []);
      return [];
    });
    assert.deepEqual(odd, []);
  }),
  layerCase(
    "environ-owned",
    "reads nothing back that the application may have changed",
    async (bench) => {
      const response = await bench.call((environ, startResponse) => {
        for (const key of Object.keys(environ)) delete environ[key];
        startResponse("200 OK", []);
        return ["Hello"];
      });
      assert.equal(response.text(), bench.expected("Hello"));
    },
  ),
  layerCase("environ-owned/new", "keeps nothing of one request for the next", async (bench) => {
    const seen: unknown[] = [];
    const app = bench.wrap((environ, startResponse) => {
      seen.push(environ["suite.mark"], environ.HTTP_X_MARK);
      environ["suite.mark"] = "left behind";
      environ.HTTP_X_MARK = "left behind";
      startResponse("200 OK", []);
      return [];
    });
    await call(app, bench.environ());
    await call(app, bench.environ());
    assert.deepEqual(seen, [undefined, undefined, undefined, undefined]);
  }),
  layerCase("layer-environ", "leaves the request as it is for the layers above", async (bench) => {
    for (const method of ["GET", "HEAD"]) {
      const environ = bench.environ(method);
      const before = { ...environ };
      await call(bench.wrap(respond(["Hello"])), environ);
      const changed = Object.keys({ ...before, ...environ }).filter(
        (key) => !changeable.test(key) && environ[key] !== before[key],
      );
      assert.deepEqual(changed, [], "these were changed, and not in a copy");
    }
  }),
  layerCase("layer-mount", "leaves the whole path as it is", async (bench) => {
    const environ = bench.environ();
    const path = environ.SCRIPT_NAME + environ.PATH_INFO;
    let seen = "";
    const app = bench.wrap((inner, startResponse) => {
      seen = inner.SCRIPT_NAME + inner.PATH_INFO;
      startResponse("200 OK", []);
      return [];
    });
    await call(app, environ);
    assert.equal(seen, path);
  }),
  layerCase("input-methods", "hands down the request's body", async (bench) => {
    const environ = bench.environ("POST", { body: ["Hel", "lo\nworld"] });
    const app = bench.wrap(async ({ "wsgi.input": input }, startResponse) => {
      const line = await input.readline();
      const rest = await input.read();
      startResponse("200 OK", []);
      return [line, rest];
    });
    assert.equal((await call(app, environ)).text(), bench.expected("Hello\nworld"));
  }),
  layerCase("errors-text", "hands down a place for messages", async (bench) => {
    const environ = bench.environ();
    const app = bench.wrap((inner, startResponse) => {
      inner["wsgi.errors"].write("a message\n");
      startResponse("200 OK", []);
      return [];
    });
    await call(app, environ);
    assert.ok(environ["wsgi.errors"].text.includes("a message\n"));
  }),
];
