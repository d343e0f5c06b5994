import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application, Header, StartResponse } from "@wsgi/core";
import { contentLength } from "@wsgi/middleware/content-length";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";

/** Calls an application under the layer, and gives the Content-Length of its response. */
async function lengthOf(app: Application, request = "GET /"): Promise<string | undefined> {
  return (await call(contentLength()(app), request)).header("Content-Length");
}

describe("contentLength()", () => {
  it("declares the bytes of an array", async () => {
    assert.equal(await lengthOf(respond(["Hello, ", "世界", new Uint8Array(2)])), "15");
  });

  it("declares the length of an empty array", async () => {
    assert.equal(await lengthOf(respond([])), "0");
  });

  it("declares the array of an asynchronous application", async () => {
    const app: Application = async (environ, startResponse) =>
      respond(["Hello"])(environ, startResponse);
    assert.equal(await lengthOf(app), "5");
  });

  it("adds to the header fields and changes nothing else", async () => {
    const headers = Object.freeze([
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ] as Header[]);
    const app = contentLength()(respond(["Hello"], { status: "201 Created", headers }));
    const response = await call(app, "GET /");
    assert.deepEqual(response.headers, [...headers, ["Content-Length", "5"]]);
    assert.deepEqual([response.status, response.chunks], ["201 Created", ["Hello"]]);
  });

  it("returns the array itself, at once", () => {
    const body = ["Hello"];
    assert.equal(
      contentLength()(respond(body))(environFor("GET /"), () => () => {}),
      body,
    );
  });

  it("keeps the length that the application declares", async () => {
    const headers: Header[] = [["content-length", "13"]];
    const response = await call(contentLength()(respond(["Hello, world!"], { headers })), "GET /");
    assert.deepEqual(response.headers, headers);
  });

  it("declares nothing for 204", async () => {
    assert.equal(await lengthOf(respond([], { status: "204 No Content" })), undefined);
  });

  it("declares nothing for 304", async () => {
    assert.equal(await lengthOf(respond([], { status: "304 Not Modified" })), undefined);
  });

  it("declares what GET would have for HEAD", async () => {
    assert.equal(await lengthOf(respond(["Hello"]), "HEAD /"), "5");
  });

  it("declares nothing for an empty answer to HEAD", async () => {
    assert.equal(await lengthOf(respond([]), "HEAD /"), undefined);
  });
});

describe("contentLength() and streams", () => {
  it("declares nothing for an iterable, and reads nothing of it", () => {
    const body = closable("Hello");
    const seen: unknown[] = [];
    const returned = contentLength()(respond(body, { headers: [] }))(
      environFor("GET /"),
      (...head) => {
        seen.push(head);
        return () => {};
      },
    );
    assert.equal(returned, body);
    assert.deepEqual([body.taken, seen], [0, [["200 OK", [], undefined]]]);
  });

  it("declares nothing for what is written, and passes it on as it comes", () => {
    const events: string[] = [];
    const start: StartResponse = (_status, headers) => {
      events.push(`started with ${headers.length}`);
      return (chunk) => void events.push(`wrote ${String(chunk)}`);
    };
    const app: Application = (environ, startResponse) => {
      const body = writing(["one", "two"], ["three"])(environ, startResponse);
      events.push("returned");
      return body;
    };
    void contentLength()(app)(environFor("GET /"), start);
    assert.deepEqual(events, ["started with 1", "wrote one", "wrote two", "returned"]);
  });

  it("returns what the server's write() returns", () => {
    const pending = Promise.resolve();
    const results: unknown[] = [];
    const app: Application = (_environ, startResponse) => {
      results.push(startResponse("200 OK", [])("Hello"));
      return [];
    };
    void contentLength()(app)(environFor("GET /"), () => () => pending);
    assert.deepEqual(results, [pending]);
  });

  it("passes a response that starts late", async () => {
    const response = await call(contentLength()(late("Hello")), "GET /");
    assert.deepEqual([response.text(), response.header("Content-Length")], ["Hello", undefined]);
  });

  it("passes an asynchronous stream", async () => {
    const response = await call(contentLength()(slow("Hello")), "GET /");
    assert.deepEqual([response.text(), response.header("Content-Length")], ["Hello", undefined]);
  });
});

describe("contentLength() and errors", () => {
  it("lets a head that was not sent be replaced, and hands excInfo on", () => {
    const error = new Error("late");
    const calls: unknown[] = [];
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("500 Internal Server Error", [], error);
      return ["Sorry"];
    };
    void contentLength()(app)(environFor("GET /"), (...head) => {
      calls.push(head);
      return () => {};
    });
    assert.deepEqual(calls, [["500 Internal Server Error", [["Content-Length", "5"]], error]]);
  });

  it("leaves it to the server to replace a head that has gone on", () => {
    const error = new Error("late");
    const calls: unknown[] = [];
    const app: Application = (_environ, startResponse) => {
      void startResponse("200 OK", [])("Hello");
      startResponse("500 Internal Server Error", [], error);
      return [];
    };
    void contentLength()(app)(environFor("GET /"), (status, _headers, excInfo) => {
      calls.push([status, excInfo]);
      return () => {};
    });
    assert.deepEqual(calls, [
      ["200 OK", undefined],
      ["500 Internal Server Error", error],
    ]);
  });

  it("refuses a bad head where the application gives it", () => {
    const app: Application = (_environ, startResponse) => {
      assert.throws(() => startResponse("200", []), { clause: "status-form" });
      assert.throws(() => startResponse("200 OK", []), { clause: "start-once" });
      return [];
    };
    void contentLength()(app)(environFor("GET /"), () => assert.fail("The response was started"));
  });

  it("closes once", async () => {
    const body = closable("Hello");
    const { closed } = await call(contentLength()(respond(body)), "GET /");
    assert.deepEqual([body.timesClosed, closed], [1, 1]);
  });

  it("closes the body when its server refuses the head", () => {
    const body = closable("Hello");
    const error = new Error("Refused");
    const refuse: StartResponse = () => {
      throw error;
    };
    assert.throws(() => contentLength()(respond(body))(environFor("GET /"), refuse), error);
    assert.equal(body.timesClosed, 1);
  });

  it("reports the first error, even if close() throws as well", () => {
    const error = new Error("Refused");
    const refuse: StartResponse = () => {
      throw error;
    };
    assert.throws(() => contentLength()(failing("close"))(environFor("GET /"), refuse), error);
  });

  it("refuses an array with something that is no chunk", async () => {
    const app = contentLength()(respond([42] as unknown as string[]));
    await assert.rejects(call(app, "GET /"), { clause: "body-chunk" });
  });

  it("lets what the application throws through", async () => {
    await assert.rejects(call(contentLength()(failing("start")), "GET /"), /Failed in start/);
  });
});
