import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { stack, type Application, type Environ } from "@wsgi/core";
import { cookies, cookiesKey, type CookieEnviron } from "@wsgi/cookies";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { cascade } from "@wsgi/middleware/cascade";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { contentLength } from "@wsgi/middleware/content-length";
import { head } from "@wsgi/middleware/head";
import { mount } from "@wsgi/middleware/mount";
import { requestId } from "@wsgi/middleware/request-id";
import { when } from "@wsgi/middleware/when";
import { router } from "@wsgi/router";
import { serve } from "@wsgi/server";
import { respond } from "@wsgi/testing";

/** Serves one request from another thread, and counts the promises that this thread makes for it. */
async function promisesFor(app: Application): Promise<{ promises: number; response: string }> {
  let counting = false;
  let promises = 0;
  const hook = createHook({
    init: (_id, type) => void (promises += Number(counting && type === "PROMISE")),
  });
  await using server = await serve(app, { port: 0 });
  server.httpServer.prependListener("request", (_req, res) => {
    counting = true;
    res.on("close", () => void (counting = false));
  });
  hook.enable();
  const response = await requestInThread(Number(new URL(server.url).port));
  hook.disable();
  return { promises, response };
}

function requestInThread(port: number): Promise<string> {
  const code = `
    const { parentPort, workerData: port } = require("node:worker_threads");
    const socket = require("node:net").connect(port, "127.0.0.1");
    let received = "";
    socket.on("data", (data) => (received += data));
    socket.on("close", () => parentPort.postMessage(received));
    socket.write("GET /site/hello/Ann HTTP/1.1\\r\\nHost: a\\r\\nCookie: a=1\\r\\nConnection: close\\r\\n\\r\\n");
  `;
  const worker = new Worker(code, { eval: true, workerData: port });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

const silent = { write: () => {} };

describe("an all-synchronous request", () => {
  it("makes no promise in the server", async () => {
    const { promises, response } = await promisesFor(respond(["Hello"]));
    assert.match(response, /Hello$/);
    assert.equal(promises, 0);
  });

  it("makes no promise in any package", async () => {
    const routes = router<Environ & CookieEnviron>();
    routes.get("/hello/:name", (environ, startResponse) => {
      const jar = environ[cookiesKey];
      jar.set("seen", String(jar.get("a")));
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return ["Hello, ", environ["wsgix.route"].params.name];
    });
    const nothing = respond([], { status: "404 Not Found" });
    const site = mount({ "/site": cascade(nothing, routes) });
    const layers = stack(
      accessLog({ destination: silent, format: "combined" }),
      catchErrors(),
      requestId(),
      head(),
      contentLength(),
      cookies(),
      when(() => true, append("!")),
    );
    const { promises, response } = await promisesFor(layers(site));
    assert.match(response, /Set-Cookie: seen=1[^]*Hello, Ann!$/);
    assert.equal(promises, 0);
  });

  it("makes no promise for a synchronous stream either", async () => {
    const layers = stack(accessLog({ destination: silent }), catchErrors(), append("!"));
    const app: Application = function* (_environ, startResponse) {
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      yield "Hello";
    };
    const { promises, response } = await promisesFor(layers(app));
    assert.match(response, /5\r\nHello\r\n1\r\n!\r\n0\r\n\r\n$/);
    assert.equal(promises, 0);
  });

  it("is told from one that is not: an async application makes promises", async () => {
    const app = respond(["Hello"]);
    const { promises } = await promisesFor(async (environ, startResponse) =>
      app(environ, startResponse),
    );
    assert.ok(promises > 0);
  });
});
