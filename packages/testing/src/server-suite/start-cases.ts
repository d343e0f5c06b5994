import assert from "node:assert/strict";
import type { Application, HeaderList } from "@wsgi/core";
import { late, respond } from "../applications.ts";
import { last, serverCase, signal, whole, withCanary, type Host } from "./host.ts";
import type { ServerCase } from "./host.ts";

/** Gives what `startResponse` throws for such a head; undefined if it takes it. */
async function thrownFor(host: Host, status: string, headers: HeaderList): Promise<unknown> {
  let thrown: unknown;
  await host.answer((_environ, startResponse) => {
    try {
      startResponse(status, headers);
    } catch (error) {
      thrown = error;
      startResponse("500 Internal Server Error", [], error);
    }
    return ["Hello"];
  }, last("GET /"));
  return thrown;
}

/** Is the cases about `startResponse`. */
export const startCases: readonly ServerCase[] = [
  serverCase("start-write", "returns a function from each call", async (host) => {
    const types: string[] = [];
    await host.answer((_environ, startResponse) => {
      types.push(typeof startResponse("200 OK", []));
      types.push(typeof startResponse("500 Oops", [], new Error("Oops")));
      return [];
    }, last("GET /"));
    assert.deepEqual(types, ["function", "function"]);
  }),
  serverCase(
    "start-lazy",
    "sends nothing before the first chunk that is not empty",
    async (host) => {
      const go = signal();
      const waiting = signal();
      const client = await host.serve(
        withCanary(async function* (_environ, startResponse) {
          startResponse("200 OK", []);
          yield "";
          yield new Uint8Array(0);
          waiting.happen();
          await go.happened;
          yield "Hello";
        }),
      );
      client.send(last("GET /"));
      await host.wait(waiting.happened, "the empty chunks to be taken");
      await host.turn();
      assert.equal(client.bytesReceived, 0, "nothing is to be sent for empty chunks");
      go.happen();
      assert.equal(whole(await client.finish()).text(), "Hello");
    },
  ),
  serverCase(
    "start-lazy/end",
    "sends the head of a response without chunks at its end",
    async (host) => {
      const response = await host.answer(
        respond(["", ""], { status: "404 Not Found", headers: [["X", "y"]] }),
        last("GET /"),
      );
      assert.deepEqual([response.status, response.header("X")], ["404 Not Found", "y"]);
      assert.equal(response.text(), "");
    },
  ),
  serverCase("start-late", "takes a start that comes with the first chunk", async (host) => {
    const app: Application = function* (_environ, startResponse) {
      startResponse("201 Created", [["X", "y"]]);
      yield "Hello";
    };
    const response = await host.answer(app, last("GET /"));
    assert.deepEqual([response.code, response.header("X"), response.text()], [201, "y", "Hello"]);
  }),
  serverCase("start-late/empty", "takes a start that comes after empty chunks", async (host) => {
    assert.equal((await host.answer(late("Hello"), last("GET /"))).text(), "Hello");
  }),
  serverCase(
    "start-before-body/chunk",
    "answers 500 if a chunk comes before the start",
    async (host) => {
      const app: Application = function* (_environ, startResponse) {
        yield "too early";
        startResponse("200 OK", []);
      };
      const response = await host.answer(app, last("GET /"));
      assert.equal(response.code, 500);
      assert.ok(!response.text().includes("too early"));
    },
  ),
  serverCase("start-before-body/never", "answers 500 if there is no start at all", async (host) => {
    assert.equal((await host.answer(() => [], last("GET /"))).code, 500);
  }),
  serverCase("start-replace", "replaces an unsent head, and all of it", async (host) => {
    const response = await host.answer((_environ, startResponse) => {
      startResponse("200 OK", [
        ["X-Old", "old"],
        ["Content-Length", "300"],
      ]);
      startResponse("503 Service Unavailable", [["X-New", "new"]], new Error("Oops"));
      return ["Sorry"];
    }, last("GET /"));
    assert.equal(response.status, "503 Service Unavailable");
    assert.deepEqual([response.header("X-Old"), response.header("X-New")], [undefined, "new"]);
    assert.equal(response.text(), "Sorry");
  }),
  serverCase("start-replace/empty-chunk", "replaces a head after empty chunks", async (host) => {
    const app: Application = function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "";
      startResponse("503 Service Unavailable", [], new Error("Oops"));
      yield "Sorry";
    };
    assert.equal((await host.answer(app, last("GET /"))).code, 503);
  }),
  serverCase(
    "start-error",
    "takes a falsy value for an error: only undefined is none",
    async (host) => {
      const response = await host.answer((_environ, startResponse) => {
        startResponse("200 OK", []);
        startResponse("501 Null", [], null);
        startResponse("502 Zero", [], 0);
        return [];
      }, last("GET /"));
      assert.equal(response.status, "502 Zero");
    },
  ),
  serverCase("start-sent", "throws the very error if the head was sent", async (host) => {
    const oops = new Error("Oops");
    let thrown: unknown;
    const client = await host.serve(function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "part";
      try {
        startResponse("500 Internal Server Error", [], oops);
      } catch (error) {
        thrown = error;
        throw error;
      }
      yield "more";
    });
    const [response] = await client.send(last("GET /")).finish();
    assert.equal(thrown, oops);
    assert.deepEqual([response?.code, response?.complete], [200, false]);
  }),
  serverCase("start-once", "refuses a second call without an error", async (host) => {
    let thrown: unknown;
    await host.answer((_environ, startResponse) => {
      startResponse("200 OK", []);
      try {
        startResponse("200 OK", []);
      } catch (error) {
        thrown = error;
      }
      return [];
    }, last("GET /"));
    assert.notEqual(thrown, undefined);
  }),
  serverCase("start-once/after-error", "refuses it also if the first call threw", async (host) => {
    let taken = false;
    const response = await host.answer((_environ, startResponse) => {
      try {
        startResponse("200 OK", [["Bad name", "x"]]);
      } catch {
        startResponse("200 OK", []);
        taken = true;
      }
      return ["Hello"];
    }, last("GET /"));
    assert.equal(taken, false);
    assert.equal(response.code, 500);
  }),
  serverCase("start-check", "checks the head within the call", async (host) => {
    const thrown = await thrownFor(host, "200 OK", [["X", "a\r\nSet-Cookie: evil=1"]]);
    assert.notEqual(thrown, undefined);
  }),
];
