import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { call, environFor } from "@wsgi/testing";
import { WebSocket } from "ws";
import { app as hello } from "#examples/01-hello.js";
import { app as greet } from "#examples/02-greet.js";
import { app as environ } from "#examples/03-environ.js";
import { app as middleware } from "#examples/04-middleware.js";
import { app as aStack } from "#examples/05-a-stack.js";
import { app as streaming } from "#examples/06-streaming.js";
import { app as form } from "#examples/07-request-body.js";
import { app as routes } from "#examples/08-routes.js";
import { app as cookies } from "#examples/09-cookies.js";
import { app as errors } from "#examples/10-errors.js";
import { app as mounting } from "#examples/11-mounting.js";
import { app as ownKey } from "#examples/12-own-key.js";
import { app as micro } from "#examples/micro/app.js";
import { application } from "#examples/four-files/application.js";
import { makeServer } from "#examples/four-files/server.js";
import { lineAt, read, root } from "../support/repository.ts";
import { exchange, get, lastHeaders } from "../support/serving.ts";

/** Starts a program of the examples on a free port, and waits for the line that says where it serves. */
async function start(path: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [`${root}examples/dist/${path}`], {
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(child.stdout!), "line")) as [string];
  return { child, url: /http:\S+/.exec(line)![0] };
}

describe("the course", () => {
  it("says hello", async () => {
    assert.equal((await call(hello, "GET /")).text(), "Hello, world!\n");
  });

  it("greets by path", async () => {
    assert.equal((await call(greet, "GET /Ann")).text(), "Hello, Ann!\n");
  });

  it("greets by a path beyond ASCII", async () => {
    assert.equal((await call(greet, "GET /%E4%B8%96%E7%95%8C")).text(), "Hello, 世界!\n");
  });

  it("prints environ", async () => {
    const response = await call(environ, "GET /some/path?a=1");
    assert.match(response.text(), /^PATH_INFO = "\/some\/path"$/m);
  });

  it("wraps an application in a middleware, the outermost last", async () => {
    const { headers } = await call(middleware, "GET /");
    assert.deepEqual(headers.slice(1), [
      ["X-Powered-By", "the inner"],
      ["X-Powered-By", "the outer"],
    ]);
  });

  it("answers through a stack of access log, error catching, routing and body appending", async () => {
    const response = await call(aStack, "GET /");
    assert.match(response.text(), /<h1>It works<\/h1>[^]*appended on the way out/);
    assert.equal((await call(aStack, "GET /hello/Ann")).text(), "Hello, Ann!\n");
    const failed = await call(aStack, "GET /fail");
    assert.equal(failed.code, 500);
    assert.doesNotMatch(failed.text(), /terminal/);
    assert.equal((await call(aStack, "GET /nowhere")).code, 404);
  });

  it("streams, chunk by chunk, and cleans up", async () => {
    const request = environFor("GET /2");
    const response = await call(streaming, request);
    assert.deepEqual(response.chunks, ["2\n", "1\n", "Lift-off!\n"]);
    assert.equal(request["wsgi.errors"].text, "The countdown from 2 has ended\n");
  });

  it("reads a form, up to a limit", async () => {
    const response = await call(form, environFor("POST /", { form: { name: "Ann" } }));
    assert.equal(response.text(), "Hello, Ann!\n");
    const large = await call(form, environFor("POST /", { form: { name: "x".repeat(20_000) } }));
    assert.equal(large.code, 413);
  });

  it("routes by method and path, with a layer before one route", async () => {
    assert.equal((await call(routes, "GET /users/1")).text(), "Ann\n");
    assert.equal((await call(routes, "DELETE /users/1")).code, 403);
    const key = environFor("DELETE /users/1", { headers: { "X-Key": "sesame" } });
    assert.equal((await call(routes, key)).code, 204);
    assert.equal((await call(routes, "GET /users/1")).code, 404);
  });

  it("counts visits in a signed cookie, and not in a forged one", async () => {
    const first = await call(cookies, "GET /");
    const cookie = first.header("Set-Cookie")!.split(";")[0]!;
    const again = environFor("GET /", { headers: { Cookie: cookie } });
    assert.equal((await call(cookies, again)).text(), "Visit number 2\n");
    const forged = environFor("GET /", { headers: { Cookie: "visits=99" } });
    assert.equal((await call(cookies, forged)).text(), "Visit number 1\n");
  });

  it("answers errors as the client likes it, and tells no secrets", async () => {
    const json = environFor("GET /missing", { headers: { Accept: "application/json" } });
    assert.equal(((await call(errors, json)).json() as { status: number }).status, 404);
    assert.doesNotMatch((await call(errors, "GET /broken")).text(), /secret/);
  });

  it("mounts, cascades and applies a layer to some requests", async () => {
    const wiki = await call(mounting, "GET /wiki/Home");
    assert.equal(wiki.text(), 'SCRIPT_NAME is "/wiki", PATH_INFO is "/Home"\nBye!\n');
    assert.equal((await call(mounting, "GET /Ann?quiet")).text(), "Hello, Ann!\n");
    assert.match((await call(mounting, "GET /robots.txt")).text(), /^User-agent/);
  });

  it("hands a key of its own down the stack", async () => {
    assert.equal((await call(ownKey, "GET /")).code, 401);
    const ann = environFor("GET /", { headers: { "X-User": "Ann" } });
    assert.equal((await call(ownKey, ann)).text(), "This is for Ann\n");
  });

  it("tests a middleware without a server", async () => {
    const child = spawn(process.execPath, [`${root}examples/dist/13-testing.js`]);
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });

  it("serves from a program, until it is told to end", async () => {
    const { child, url } = await start("14-serving.js");
    assert.equal(await (await fetch(`${url}/Ann`)).text(), "Hello, Ann!\n");
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });

  it("holds applications and layers to the contract", async () => {
    const child = spawn(process.execPath, [`${root}examples/dist/15-validating.js`]);
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });

  it("speaks WebSocket through an access log", async () => {
    const { child, url } = await start("16-websockets.js");
    assert.equal((await fetch(url)).status, 426);
    const client = new WebSocket(url.replace("http", "ws"));
    await once(client, "open");
    client.send("hello");
    const [answer] = (await once(client, "message")) as [Buffer];
    assert.equal(String(answer), "HELLO!");
    client.close();
    await once(client, "close");
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });

  it("is short: no lesson takes more than 60 lines", () => {
    const lessons = readdirSync(`${root}examples`).filter((name) => /^\d.*\.ts$/.test(name));
    const long = lessons.filter((name) => {
      const text = read(`examples/${name}`);
      return lineAt(text, text.length) - 1 > 60;
    });
    assert.deepEqual(long, []);
    assert.equal(lessons.length, 16);
  });
});

describe("the program in four files", () => {
  it("adds the message of the middleware to that of the application", async () => {
    const { child, url } = await start("four-files/run.js");
    const text = await (await fetch(url)).text();
    child.kill();
    assert.equal(text, "hello world from a simple WSGI application! middleware add this message");
  });

  it("has a server that runs the other applications too", async () => {
    const served = await serveOnSocket(streaming);
    assert.match(await exchange(served, `GET /1 HTTP/1.1\r\n${lastHeaders}`), /1\nLift-off!\n$/);
    served.close();
    const stacked = await serveOnSocket(aStack);
    assert.match(await exchange(stacked, get), /^HTTP\/1\.1 200 OK[^]*appended on the way out/);
    stacked.close();
  });

  it("has a server that reads request bodies", async () => {
    const served = await serveOnSocket(form);
    const head = `POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n`;
    assert.match(await exchange(served, `${head}${lastHeaders}name=Ann`), /Hello, Ann!\n$/);
    served.close();
  });

  it("has a server that refuses what it cannot read", async () => {
    const served = await serveOnSocket(application);
    assert.match(await exchange(served, "nonsense\r\n\r\n"), /^HTTP\/1\.1 400 /);
    const chunked = `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${lastHeaders}0\r\n\r\n`;
    assert.match(await exchange(served, chunked), /^HTTP\/1\.1 400 /);
    served.close();
  });

  it("has a server that survives its application", async () => {
    const served = await serveOnSocket(() => {
      throw new Error("an error of this test, and expected");
    });
    assert.match(await exchange(served, get), /^HTTP\/1\.1 500 /);
    assert.match(await exchange(served, get), /^HTTP\/1\.1 500 /);
    served.close();
  });
});

async function serveOnSocket(
  app: Parameters<typeof makeServer>[2],
): Promise<{ port: number; close(): void }> {
  const { server, serveForever } = makeServer("127.0.0.1", 0, app);
  void serveForever();
  await once(server, "listening");
  return { port: (server.address() as { port: number }).port, close: () => server.close() };
}

describe("the micro-framework", () => {
  it("makes HTML of text, and JSON of everything else", async () => {
    const home = await call(micro, "GET /");
    assert.equal(home.header("Content-Type"), "text/html; charset=utf-8");
    assert.equal(home.text(), "<h1>Notes</h1>");
    assert.deepEqual((await call(micro, "GET /notes")).json(), []);
  });

  it("hands a view what its path says", async () => {
    assert.equal((await call(micro, "GET /hello/Ann")).text(), "Hello, Ann!");
  });

  it("reads forms, redirects, and finds what was posted", async () => {
    const posted = await call(micro, environFor("POST /notes", { form: { text: "Buy milk" } }));
    assert.equal(posted.code, 303);
    const location = posted.header("Location")!;
    assert.deepEqual((await call(micro, `GET ${location}`)).json(), { text: "Buy milk" });
  });

  it("answers errors with their status", async () => {
    assert.equal((await call(micro, "GET /notes/99")).code, 404);
    assert.equal((await call(micro, environFor("POST /notes", { form: {} }))).code, 400);
    assert.equal((await call(micro, "PUT /notes")).code, 405);
  });

  it("is about 100 lines", () => {
    const text = read("examples/micro/framework.ts");
    assert.ok(lineAt(text, text.length) - 1 <= 130);
  });
});
