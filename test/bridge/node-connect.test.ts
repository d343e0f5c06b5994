import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromConnect, nodeRequestKey, type ConnectMiddleware } from "@wsgi/bridge/node";
import type { Application } from "@wsgi/core";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";
import { deferred, lastHeaders, RawClient, serving } from "../support/serving.ts";
import { compression, cors, helmet, session, type ExpressRequest } from "./node-frameworks.ts";

const passing: ConnectMiddleware = (_req, _res, next) => next();

/** Is what these tests take from packages for Express, as the bridge has it. */
function layer(...middleware: readonly unknown[]): ReturnType<typeof fromConnect> {
  return fromConnect(...(middleware as ConnectMiddleware[]));
}

describe("fromConnect()", () => {
  it("sends the application's response with what the middleware has set", async () => {
    const both = fromConnect((_req, res, next) => {
      res.setHeader("X-Frame-Options", "DENY");
      res.setHeader("Content-Type", "text/html");
      res.setHeader("Set-Cookie", "outer=1");
      next();
    });
    const app = respond(["Hello"], {
      status: "201 Made",
      headers: [
        ["Content-Type", "text/plain"],
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
      ],
    });
    const response = await call(both(app), "GET /");
    assert.equal(response.status, "201 Made");
    assert.equal(response.header("X-Frame-Options"), "DENY");
    assert.deepEqual(
      response.headers.filter(([name]) => /^(?:content-type|set-cookie)$/i.test(name)),
      [
        ["Set-Cookie", "outer=1"],
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
        ["Content-Type", "text/plain"],
      ],
    );
    assert.equal(response.text(), "Hello");
  });

  it("lets the middleware answer instead", async () => {
    const guard = fromConnect((_req, res) => res.writeHead(403).end("No"));
    const response = await call(guard(failing("call")), "GET /");
    assert.deepEqual([response.code, response.text()], [403, "No"]);
  });

  it("calls several in their order, with one request", async () => {
    const seen: string[] = [];
    const one: ConnectMiddleware = (req, _res, next) => {
      Object.assign(req, { mark: "one" });
      next();
    };
    const two: ConnectMiddleware = (req, _res, next) => {
      seen.push((req as unknown as { mark: string }).mark);
      next();
    };
    await call(fromConnect(one, two)(respond(["Hello"])), "GET /");
    assert.deepEqual(seen, ["one"]);
  });

  it("goes on once if next is called twice", async () => {
    let calls = 0;
    const twice = fromConnect((_req, _res, next) => {
      next();
      next();
    });
    const app: Application = (_environ, startResponse) => {
      calls += 1;
      startResponse("200 OK", []);
      return ["Hello"];
    };
    await call(twice(app), "GET /");
    assert.equal(calls, 1);
  });

  it("makes what is handed to next, or thrown, the application's error", async () => {
    const error = new Error("This cannot be");
    const handing = fromConnect((_req, _res, next) => setImmediate(next, error));
    await assert.rejects(call(handing(respond(["Hello"])), "GET /"), error);
    const throwing = fromConnect(() => {
      throw error;
    });
    await assert.rejects(call(throwing(respond(["Hello"])), "GET /"), error);
  });

  it("makes what a middleware throws that is called later the application's error", async () => {
    const error = new Error("This cannot be");
    const later: ConnectMiddleware = (_req, _res, next) => void setImmediate(next);
    const throwing = fromConnect(later, () => {
      throw error;
    });
    await assert.rejects(call(throwing(respond(["Hello"])), "GET /"), error);
    const rejecting = fromConnect(passing, async () => {
      throw error;
    });
    await assert.rejects(call(rejecting(respond(["Hello"])), "GET /"), error);
  });

  it("stays synchronous where all within it is", () => {
    const body = fromConnect(passing)(respond(["Hello"]))(environFor("GET /"), () => () => {});
    assert.ok(Array.isArray(body));
  });

  it("hands on late, slow and written responses", async () => {
    assert.equal((await call(fromConnect(passing)(late("one", "two")), "GET /")).text(), "onetwo");
    assert.equal((await call(fromConnect(passing)(slow("one", "two")), "GET /")).text(), "onetwo");
    const app = writing(["one"], ["two"]);
    assert.equal((await call(fromConnect(passing)(app), "GET /")).text(), "onetwo");
  });

  it("streams as the application does", async () => {
    const go = deferred();
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      return (async function* () {
        yield "one";
        await go.promise;
        yield "two";
      })();
    };
    await using server = await serving(fromConnect(passing)(app));
    using client = await RawClient.connect(server);
    client.send(`GET / HTTP/1.1\r\n${lastHeaders}`);
    assert.ok(!(await client.until("one")).includes("two"));
    go.resolve();
    assert.match(await client.closed, /two/);
  });

  it("closes the body once", async () => {
    const body = closable("one", "two");
    await call(fromConnect(passing)(respond(body)), "GET /");
    assert.equal(body.timesClosed, 1);
  });

  it("closes the body when the client leaves", async () => {
    const closed = deferred();
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      const chunks = (async function* () {
        yield "one";
        await new Promise(() => {});
      })();
      return { [Symbol.asyncIterator]: () => chunks, close: () => closed.resolve() };
    };
    await using server = await serving(fromConnect(passing)(app));
    using client = await RawClient.connect(server);
    await client.send(`GET / HTTP/1.1\r\n${lastHeaders}`).until("one");
    client.socket.destroy();
    await closed.promise;
  });

  it("reads no more of a body than is sent", async () => {
    const body = closable("one", "two", "three");
    const headers = [["Content-Length", "6"]] as const;
    await call(fromConnect(passing)(respond(body, { headers })), "GET /");
    assert.equal(body.taken, 2);
    const unread = closable("one", "two");
    await call(fromConnect(passing)(respond(unread)), "HEAD /");
    assert.deepEqual([unread.taken, unread.timesClosed], [0, 1]);
  });

  it("hands on an error of the application, and of its body", async () => {
    const error = new Error("This cannot be");
    const throwing: Application = () => {
      throw error;
    };
    await assert.rejects(async () => call(fromConnect(passing)(throwing), "GET /"), error);
    const body = (function* () {
      yield "one";
      throw error;
    })();
    await assert.rejects(call(fromConnect(passing)(respond(body)), "GET /"), error);
  });

  it("replaces a head that was not sent, given excInfo", async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("500 Internal Server Error", [], new Error("This cannot be"));
      return ["Sorry"];
    };
    assert.equal((await call(fromConnect(passing)(app), "GET /")).code, 500);
  });

  it("is of nothing but functions", () => {
    assert.throws(() => fromConnect(7 as unknown as ConnectMiddleware), {
      name: "TypeError",
      message:
        "Cannot make a layer of the middleware: it is 7; wanted a function (req, res, next) => …",
    });
  });
});

describe("middleware of Express as a layer", () => {
  it("is helmet and cors, which answers by itself what it is asked", async () => {
    const app = layer(helmet(), cors())(respond(["Hello"]));
    assert.equal((await call(app, "GET /")).header("X-Frame-Options"), "SAMEORIGIN");
    const preflight = environFor("OPTIONS /", {
      headers: { Origin: "http://there", "Access-Control-Request-Method": "PUT" },
    });
    assert.equal((await call(app, preflight)).code, 204);
  });

  it("is compression, in the place of write and end", async () => {
    await using server = await serving(layer(compression({ threshold: 0 }))(late("one", "two")));
    const response = await fetch(server.url, { headers: { "Accept-Encoding": "gzip" } });
    assert.equal(response.headers.get("Content-Encoding"), "gzip");
    assert.equal(await response.text(), "onetwo");
  });

  it("is a session, which the application finds on the request", async () => {
    const app = layer(session({ secret: "sesame", resave: false, saveUninitialized: true }))((
      environ,
      startResponse,
    ) => {
      const visits = (environ[nodeRequestKey] as ExpressRequest).session;
      visits.visits = (visits.visits ?? 0) + 1;
      startResponse("200 OK", []);
      return [`Visit ${visits.visits}`];
    });
    const first = await call(app, "GET /");
    const cookie = first.header("Set-Cookie")!.split(";")[0]!;
    const again = await call(app, environFor("GET /", { headers: { Cookie: cookie } }));
    assert.equal(again.text(), "Visit 2");
  });
});
