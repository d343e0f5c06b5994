import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application, Environ, Header } from "@wsgi/core";
import { requestId, requestIdKey, type RequestIdEnviron } from "@wsgi/middleware/request-id";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";

/** Answers with the id that it was given. */
const showId: Application<Environ & RequestIdEnviron> = (environ, startResponse) => {
  startResponse("200 OK", []);
  return [environ[requestIdKey]];
};

const fixed = { generate: (): string => "fixed" };

describe("requestId()", () => {
  it("gives a request the same id in environ and in the response", async () => {
    const response = await call(requestId(fixed)(showId), "GET /");
    assert.deepEqual([response.text(), response.header("X-Request-Id")], ["fixed", "fixed"]);
  });

  it("makes a UUID for each request", async () => {
    const app = requestId()(showId);
    const first = (await call(app, "GET /")).text();
    assert.match(first, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.notEqual((await call(app, "GET /")).text(), first);
  });

  it("adds to the header fields, and leaves the list alone", async () => {
    const headers = Object.freeze([["Set-Cookie", "a=1"]] as Header[]);
    const response = await call(requestId(fixed)(respond([], { headers })), "GET /");
    assert.deepEqual(response.headers, [...headers, ["X-Request-Id", "fixed"]]);
  });

  it("takes the place of an id that the application set", async () => {
    const headers: Header[] = [["x-request-id", "other"]];
    const response = await call(requestId(fixed)(respond([], { headers })), "GET /");
    assert.deepEqual(response.headers, [["X-Request-Id", "fixed"]]);
  });

  it("uses the header field that it is given", async () => {
    const app = requestId({ header: "X-Trace", trust: true })(showId);
    const response = await call(app, environFor("GET /", { headers: { "X-Trace": "abc" } }));
    assert.deepEqual(response.headers, [["X-Trace", "abc"]]);
  });
});

describe("requestId() and trust", () => {
  const brings = (id: string): ReturnType<typeof environFor> =>
    environFor("GET /", { headers: { "X-Request-Id": id } });

  it("does not take over the id of a client", async () => {
    assert.equal((await call(requestId(fixed)(showId), brings("abc"))).text(), "fixed");
  });

  it("takes over the id of a client that is trusted", async () => {
    const app = requestId({ ...fixed, trust: true })(showId);
    assert.equal((await call(app, brings("req_1.a=b-C"))).text(), "req_1.a=b-C");
  });

  it("asks a function whether to trust", async () => {
    const trust = (environ: Environ): boolean => environ.REMOTE_ADDR === "10.0.0.1";
    const app = requestId({ ...fixed, trust })(showId);
    assert.equal((await call(app, brings("abc"))).text(), "fixed");
    assert.equal((await call(app, { ...brings("abc"), REMOTE_ADDR: "10.0.0.1" })).text(), "abc");
  });

  it("makes an id for a trusted client that brings none", async () => {
    assert.equal(
      (await call(requestId({ ...fixed, trust: true })(showId), "GET /")).text(),
      "fixed",
    );
  });

  it("does not take over an id with other characters", async () => {
    const app = requestId({ ...fixed, trust: true })(showId);
    assert.equal((await call(app, brings("a b"))).text(), "fixed");
    assert.equal((await call(app, brings("a\n"))).text(), "fixed");
    assert.equal((await call(app, brings("a, b"))).text(), "fixed");
  });

  it("takes over 255 characters, and no more", async () => {
    const app = requestId({ ...fixed, trust: true })(showId);
    assert.equal((await call(app, brings("a".repeat(255)))).text().length, 255);
    assert.equal((await call(app, brings("a".repeat(256)))).text(), "fixed");
  });
});

describe("requestId() in the onion", () => {
  it("returns the body itself", () => {
    const body = closable("Hello");
    assert.equal(
      requestId()(respond(body))(environFor("GET /"), () => () => {}),
      body,
    );
  });

  it("passes what is written", async () => {
    const response = await call(requestId(fixed)(writing(["Hel"], ["lo"])), "GET /");
    assert.deepEqual([response.text(), response.header("X-Request-Id")], ["Hello", "fixed"]);
  });

  it("adds the id to a response that starts late", async () => {
    const response = await call(requestId(fixed)(late("Hello")), "GET /");
    assert.equal(response.header("X-Request-Id"), "fixed");
  });

  it("adds the id to an asynchronous response", async () => {
    const response = await call(requestId(fixed)(slow("Hello")), "GET /");
    assert.equal(response.header("X-Request-Id"), "fixed");
  });

  it("adds the id to the answer to an error, and hands excInfo on", () => {
    const error = new Error("late");
    const calls: unknown[] = [];
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("500 Internal Server Error", [], error);
      return [];
    };
    void requestId(fixed)(app)(environFor("GET /"), (...head) => {
      calls.push(head);
      return () => {};
    });
    assert.deepEqual(calls, [
      ["200 OK", [["X-Request-Id", "fixed"]], undefined],
      ["500 Internal Server Error", [["X-Request-Id", "fixed"]], error],
    ]);
  });

  it("lets what the application throws through", async () => {
    await assert.rejects(call(requestId()(failing("call")), "GET /"), /Failed in call/);
  });
});

describe("requestId() options", () => {
  it("refuses a header field that no response can have", () => {
    assert.throws(() => requestId({ header: "X Request Id" }), {
      name: "TypeError",
      message: 'Cannot give ids: header is "X Request Id"; wanted the name of a header field',
    });
  });

  it("refuses a header field that concerns the connection", () => {
    assert.throws(() => requestId({ header: "Connection" }), TypeError);
  });

  it("refuses to trust something else", () => {
    assert.throws(() => requestId({ trust: "proxy" as unknown as boolean }), {
      name: "TypeError",
      message: 'Cannot give ids: trust is "proxy"; wanted a boolean or a function',
    });
  });

  it("refuses to generate without a function", () => {
    assert.throws(() => requestId({ generate: "uuid" as unknown as () => string }), {
      name: "TypeError",
      message: 'Cannot give ids: generate is "uuid"; wanted a function',
    });
  });

  it("tells the compiler which key it adds", () => {
    const plain: Application = requestId()(showId);
    // @ts-expect-error -- wsgix.request_id is missing without requestId()
    const bare: Application = showId;
    assert.notEqual(plain, bare);
  });
});
