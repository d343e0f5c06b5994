import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application, StartResponse } from "@wsgi/core";
import { head } from "@wsgi/middleware/head";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";

/** Is a server that keeps nothing. */
const ignore: StartResponse = () => () => {};

describe("head()", () => {
  it("asks the application for GET, in a copy of environ", async () => {
    const environ = environFor("HEAD /");
    const app: Application = (inner, startResponse) =>
      respond([], { status: `200 ${inner.REQUEST_METHOD}` })(inner, startResponse);
    assert.equal((await call(head()(app), environ)).status, "200 GET");
    assert.equal(environ.REQUEST_METHOD, "HEAD");
  });

  it("drops the body and keeps the head", async () => {
    const app = respond(["Hello"], { status: "203 Mine", headers: [["Content-Length", "5"]] });
    const seen: unknown[] = [];
    const body = head()(app)(environFor("HEAD /"), (status, headers) => {
      seen.push(status, headers);
      return () => {};
    });
    assert.deepEqual([...(body as string[])], []);
    assert.deepEqual(seen, ["203 Mine", [["Content-Length", "5"]]]);
  });

  it("passes other methods through untouched", () => {
    const environ = environFor("GET /");
    const body = ["Hello"];
    const app: Application = (inner, startResponse) => {
      assert.equal(inner, environ);
      assert.equal(startResponse, ignore);
      return body;
    };
    assert.equal(head()(app)(environ, ignore), body);
  });

  it("closes the body it drops, once, without reading it", async () => {
    const body = closable("Hello");
    const { closed } = await call(head()(respond(body)), "HEAD /");
    assert.deepEqual([body.timesClosed, closed, body.taken], [1, 1, 0]);
  });

  it("throws away what is written", () => {
    const start: StartResponse = () => () => assert.fail("The server's write() was called");
    const body = head()(writing(["Hello"], ["world"]))(environFor("HEAD /"), start);
    assert.deepEqual([...(body as string[])], []);
  });

  it("runs a body that starts the response late, and yields nothing of it", () => {
    let status = "";
    const body = head()(late("Hello"))(environFor("HEAD /"), (line) => {
      status = line;
      return () => {};
    });
    assert.equal(status, "");
    assert.deepEqual([...(body as Iterable<string>)], ["", ""]);
    assert.equal(status, "200 OK");
  });

  it("closes a body that starts the response late", async () => {
    let closed = 0;
    const app: Application = (environ, startResponse) =>
      Object.assign(late("Hello")(environ, startResponse), { close: () => void (closed += 1) });
    assert.equal((await call(head()(app), "HEAD /")).status, "200 OK");
    assert.equal(closed, 1);
  });

  it("answers for an asynchronous application", async () => {
    const response = await call(head()(slow("Hello")), "HEAD /");
    assert.deepEqual([response.status, response.text()], ["200 OK", ""]);
  });

  it("hands an error on as excInfo", () => {
    const error = new Error("late");
    const seen: unknown[] = [];
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("500 Internal Server Error", [], error);
      return ["Sorry"];
    };
    void head()(app)(environFor("HEAD /"), (status, _headers, excInfo) => {
      seen.push([status, excInfo]);
      return () => {};
    });
    assert.deepEqual(seen, [
      ["200 OK", undefined],
      ["500 Internal Server Error", error],
    ]);
  });

  it("lets what the application throws through", async () => {
    await assert.rejects(call(head()(failing("call")), "HEAD /"), /Failed in call/);
  });

  it("lets what close() throws through", async () => {
    await assert.rejects(call(head()(failing("close")), "HEAD /"), /Failed in close/);
  });
});
