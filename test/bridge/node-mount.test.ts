import assert from "node:assert/strict";
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { fromNode, toFastify, toKoa, toNode } from "@wsgi/bridge/node";
import type { Application } from "@wsgi/core";
import {
  compression,
  connect,
  express,
  fastify,
  KoaApplication,
  session,
  type ExpressRequest,
} from "./node-frameworks.ts";

/** Answers with where it is. */
const where: Application = (environ, startResponse) => {
  startResponse("200 OK", [
    ["Content-Type", "text/plain"],
    ["Set-Cookie", "a=1"],
    ["Set-Cookie", "b=2"],
  ]);
  const { SCRIPT_NAME, PATH_INFO, QUERY_STRING, REQUEST_URI } = environ;
  return [[SCRIPT_NAME, PATH_INFO, QUERY_STRING, REQUEST_URI].join(" | ")];
};

/** Answers with what it is sent. */
const echo: Application = async (environ, startResponse) => {
  const body = await environ["wsgi.input"].read();
  startResponse("200 OK", []);
  return [body];
};

/** Serves a handler for the length of a test, and gets something from it. */
async function get(
  handler: (req: IncomingMessage, res: ServerResponse) => unknown,
  target: string,
  init?: RequestInit,
): Promise<{ text: string; headers: Headers; status: number }> {
  const server = http.createServer((req, res) => void handler(req, res)).listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}${target}`, init);
  const text = await response.text();
  server.closeAllConnections();
  server.close();
  return { text, headers: response.headers, status: response.status };
}

describe("toNode()", () => {
  it("serves on a server of node:http", async () => {
    assert.equal((await get(toNode(where), "/a%20b?q")).text, " | /a b | q | /a%20b?q");
  });

  it("knows where Express has mounted it", async () => {
    const app = express().use("/api", toNode(where));
    assert.equal((await get(app, "/api/x%2Fy?q")).text, "/api | /x/y | q | /api/x%2Fy?q");
    assert.equal((await get(app, "/api?q")).text, "/api |  | q | /api?q");
    assert.equal((await get(app, "/api/")).text, "/api | / |  | /api/");
  });

  it("knows where Connect has mounted it", async () => {
    const app = connect().use("/api", toNode(where));
    assert.equal((await get(app, "/api/x?q")).text, "/api | /x | q | /api/x?q");
    assert.equal((await get(app, "/api")).text, "/api |  |  | /api");
  });

  it("keeps what was set before, and adds up cookies", async () => {
    const app = express()
      .use((_req, res, next) => {
        res.cookie("outer", "1").setHeader("Content-Type", "text/html");
        res.setHeader("X-Outer", "1");
        next();
      })
      .use(toNode(where));
    const { headers } = await get(app, "/");
    assert.deepEqual(headers.getSetCookie(), ["outer=1; Path=/", "a=1", "b=2"]);
    assert.equal(headers.get("X-Outer"), "1");
    assert.equal(headers.get("Content-Type"), "text/plain");
  });

  it("answers through what others have put in the place of write and end", async () => {
    const app = express()
      .use(compression({ threshold: 0 }))
      .use(session({ secret: "sesame", resave: false, saveUninitialized: true }))
      .use(toNode(where));
    const { headers, text } = await get(app, "/", { headers: { "Accept-Encoding": "gzip" } });
    assert.equal(headers.get("Content-Encoding"), "gzip");
    assert.equal(headers.getSetCookie().length, 3);
    assert.equal(text, " | / |  | /");
  });

  it("hands on what its option finds on the request", async () => {
    const app = express()
      .use((req, _res, next) => {
        Object.assign(req, { user: "Ann" });
        next();
      })
      .use(
        toNode(
          (environ, startResponse) => {
            startResponse("200 OK", []);
            return [String(environ["my.user"])];
          },
          { environ: (req) => ({ "my.user": (req as ExpressRequest & { user: string }).user }) },
        ),
      );
    assert.equal((await get(app, "/")).text, "Ann");
  });

  it("answers 500 if its option throws", async () => {
    let reports = "";
    const errors = { write: (text: string) => void (reports += text) };
    const environ = (): never => {
      throw new Error("This cannot be");
    };
    assert.equal((await get(toNode(where, { environ, errors }), "/")).status, 500);
    assert.match(reports, /This cannot be/);
  });

  it("reads the body, and streams back", async () => {
    const app = express().use("/echo", toNode(echo));
    const { text } = await get(app, "/echo", { method: "POST", body: "Hello" });
    assert.equal(text, "Hello");
  });

  it("mounts a handler within a handler, with its place", async () => {
    const inner = fromNode((req, res) => res.end(`${(req as ExpressRequest).url}`));
    assert.equal((await get(express().use("/api", toNode(inner)), "/api/x")).text, "/x");
  });

  it("refuses options that are none", () => {
    assert.throws(
      () => toNode(where, 7 as unknown as object),
      /^TypeError: Cannot mount: the options are 7/,
    );
    assert.throws(() => toNode(where, { environ: 7 as unknown as object as never }), {
      message: "Cannot mount: environ is 7; wanted keys or a function",
    });
    assert.throws(() => toNode({} as Application), /^TypeError: Cannot serve: the application is/);
  });
});

describe("toKoa()", () => {
  it("answers in Koa's place", async () => {
    const app = new KoaApplication().use(toKoa(where)).callback();
    const { text, status } = await get(app, "/x?q");
    assert.deepEqual([text, status], [" | /x | q | /x?q", 200]);
    const posted = new KoaApplication().use(toKoa(echo)).callback();
    assert.equal((await get(posted, "/", { method: "POST", body: "Hello" })).text, "Hello");
  });

  it("knows the path that a mount has taken off", async () => {
    const middleware = toKoa(where);
    const mounted = (req: IncomingMessage, res: ServerResponse): void =>
      middleware({ req: Object.assign(req, { url: "/x?q" }), res, originalUrl: "/api/x?q" });
    assert.equal((await get(mounted, "/api/x?q")).text, "/api | /x | q | /api/x?q");
  });
});

describe("toFastify()", () => {
  it("answers all under its prefix, and knows it", async () => {
    const app = fastify().register(toFastify(where), { prefix: "/api" });
    await app.ready();
    assert.equal((await get(app.routing, "/api/x?q")).text, "/api | /x | q | /api/x?q");
    assert.equal((await get(app.routing, "/api")).text, "/api |  |  | /api");
    assert.equal((await get(app.routing, "/%61pi/x")).text, "/api | /x |  | /%61pi/x");
  });

  it("reads bodies of all types, and leaves those of other routes to Fastify", async () => {
    const app = fastify()
      .post("/own", async (request) => request.body)
      .register(toFastify(echo), { prefix: "/echo" });
    await app.ready();
    const post = {
      method: "POST",
      body: '{"a": 1}',
      headers: { "Content-Type": "application/json" },
    };
    assert.equal((await get(app.routing, "/echo", post)).text, '{"a": 1}');
    assert.equal((await get(app.routing, "/own", post)).text, '{"a":1}');
  });
});
