import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import type { Application } from "@wsgi/core";
import { failing, respond } from "@wsgi/testing";
import { answer, bodyOf, exchange, get, RawClient, serving } from "../support/serving.ts";

describe("an application's error", () => {
  it("gives a plain 500 without its text, and its stack on wsgi.errors (P80)", async () => {
    const { response, reports } = await answer(failing("call", new Error("secret")), get);
    assert.match(response, /^HTTP\/1\.1 500 Internal Server Error\r\nContent-Type: text\/plain/);
    assert.equal(bodyOf(response), "Internal Server Error");
    assert.match(reports, /^GET \/: Error: secret\n +at /);
  });

  it("gives the same when it comes as a rejection", async () => {
    const app: Application = () => Promise.reject(new Error("secret"));
    const { response, reports } = await answer(app, get);
    assert.equal(bodyOf(response), "Internal Server Error");
    assert.match(reports, /Error: secret/);
  });

  it("replaces a response that was started but not sent (F2)", async () => {
    const { response } = await answer(failing("start"), get);
    assert.match(response, /^HTTP\/1\.1 500 /);
    assert.equal(response.match(/Content-Type/g)?.length, 1);
  });

  it("cuts the connection in mid-body, so that the client cannot take it for the whole (F3)", async () => {
    const { response, reports } = await answer(failing("body"), get);
    assert.match(response, /5\r\nHello\r\n$/);
    assert.match(reports, /Failed in body/);
  });

  it("sends what an async body has yielded before it cuts", async () => {
    const app: Application = async function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "Hello";
      throw new Error("at once");
    };
    assert.match((await answer(app, get)).response, /5\r\nHello\r\n$/);
  });

  it("serves nothing more on a connection that was cut (S13)", async () => {
    const { response } = await answer(failing("body"), `GET / HTTP/1.1\r\nHost: a\r\n\r\n${get}`);
    assert.equal(response.match(/HTTP\/1\.1/g)?.length, 1);
  });

  it("is reported with its cause", async () => {
    const error = new Error("outer", { cause: new Error("inner") });
    const { reports } = await answer(failing("call", error), get);
    assert.match(reports, /Error: outer[^]*Error: inner/);
  });

  it("is reported when it is no Error", async () => {
    const { response, reports } = await answer(failing("call", undefined), get);
    assert.match(response, /^HTTP\/1\.1 500 /);
    assert.match(reports, /^GET \/: Error: Failed in call/);
    const { reports: thrown } = await answer(failing("call", "a string"), get);
    assert.match(thrown, /'a string'/);
  });

  it("leaves the connection to the next request, if the head had not left (F1)", async () => {
    const app: Application = (environ, startResponse) => {
      if (environ.PATH_INFO === "/bad") throw new Error("bad");
      return respond(["good"])(environ, startResponse);
    };
    const { response } = await answer(app, `GET /bad HTTP/1.1\r\nHost: a\r\n\r\n${get}`);
    assert.match(response, /^HTTP\/1\.1 500 [^]*HTTP\/1\.1 200 OK[^]*good$/);
  });

  it("is answered also after the request body has been read", async () => {
    const app: Application = async (environ) => {
      await environ["wsgi.input"].read();
      throw new Error("read and failed");
    };
    const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nHello";
    const { response, reports } = await answer(app, post + get);
    assert.match(response, /^HTTP\/1\.1 500 [^]*HTTP\/1\.1 500 /);
    assert.match(reports, /read and failed/);
  });

  it("cuts the connection also after the request body has been read", async () => {
    const app: Application = async function* (environ, startResponse) {
      await environ["wsgi.input"].read();
      startResponse("200 OK", []);
      yield "begun";
      throw new DOMException("a fault of its own", "AbortError");
    };
    const { response, reports } = await answer(
      app,
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nHello",
    );
    assert.doesNotMatch(response, /\r\n0\r\n\r\n$/);
    assert.match(reports, /a fault of its own/);
  });

  it("may throw itself when it is looked at", async () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error("trap");
        },
        getPrototypeOf() {
          throw new Error("trap");
        },
      },
    );
    const { response, reports } = await answer(failing("call", hostile), get);
    assert.match(response, /^HTTP\/1\.1 500 /);
    assert.match(reports, /^GET \/: /);
    const closing = await answer(
      failing("close", hostile),
      `GET / HTTP/1.1\r\nHost: a\r\n\r\n${get}`,
    );
    assert.equal(closing.response.match(/200 OK/g)?.length, 2);
  });

  it("cannot make the operator's terminal obey", async () => {
    const error = new Error("\x1b[2J\x07\x9b\n\tindented");
    const { reports } = await answer(failing("call", error), get);
    assert.match(reports, /^GET \/: Error: \\x1b\[2J\\x07\\x9b\n\tindented\n/);
  });

  it("may throw itself when it is printed", async () => {
    const hostile = Object.assign(new Error("hostile"), {
      [inspect.custom]() {
        throw new Error("trap");
      },
    });
    const { response, reports } = await answer(failing("call", hostile), get);
    assert.match(response, /^HTTP\/1\.1 500 /);
    assert.equal(reports, "GET /: an error that cannot be shown\n");
  });

  it("is a 500 also when node refuses the head", async () => {
    const app = respond(["x"], { headers: [["Trailer", "X-Late"]] });
    assert.match((await answer(app, get)).response, /^HTTP\/1\.1 500 /);
  });

  it("does not end the process where the place for reports rejects", async () => {
    const errors = { write: () => Promise.reject(new Error("disk full")) };
    await using server = await serving(failing("call"), { errors });
    assert.match(await exchange(server, get), /^HTTP\/1\.1 500 /);
  });

  it("does not end the process where the place for reports is a stream that fails", async () => {
    const errors = new Writable({ write: (_chunk, _encoding, done) => done(new Error("full")) });
    await using server = await serving(failing("call"), { errors });
    assert.match(await exchange(server, get), /^HTTP\/1\.1 500 /);
    assert.match(await exchange(server, get), /^HTTP\/1\.1 500 /);
  });

  it("does not end the server", async () => {
    await using server = await serving(failing("call"));
    await exchange(server, get);
    assert.match(await exchange(server, get), /^HTTP\/1\.1 500 /);
  });

  it("does not end the process where the place for reports throws too", async () => {
    const errors = {
      write() {
        throw new Error("disk full");
      },
    };
    await using server = await serving(failing("call"), { errors });
    assert.match(await exchange(server, get), /^HTTP\/1\.1 500 /);
  });

  it("is told apart from a request that is malformed", async () => {
    await using server = await serving(respond(["x"]));
    using client = await RawClient.connect(server);
    assert.match(await client.send("nonsense\r\n\r\n").closed, /^HTTP\/1\.1 400 Bad Request/);
    assert.equal(server.reports, "");
  });
});
