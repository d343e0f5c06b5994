import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application } from "@wsgi/core";
import { inspect, Recorder } from "@wsgi/inspector";
import { inspectorPage } from "@wsgi/inspector/page";
import { call, environFor, respond } from "@wsgi/testing";
import { openPage, post } from "../support/inspector-page.ts";
import { exchange } from "../support/serving.ts";

const token = "0123456789abcdef";

/** Is an application with its page, and the cookie that opens it. */
async function opened(
  hosts: readonly string[] = [],
): Promise<{ app: Application; Cookie: string }> {
  const recorder = new Recorder();
  const app = inspectorPage(recorder, { token, hosts })(inspect(respond(["Hello"]), recorder));
  const link = await call(app, environFor(`GET /_inspector/?token=${token}`, local));
  return { app, Cookie: link.header("Set-Cookie")!.split(";")[0]! };
}

const local = { headers: { Host: "localhost:8000" } };

/** Tells the status code of the page for a browser that has the cookie. */
async function codeFor(
  environ: Record<string, string | undefined>,
  hosts: readonly string[] = [],
): Promise<number> {
  const { app, Cookie } = await opened(hosts);
  const request = environFor("GET /_inspector/", { headers: { Host: "localhost", Cookie } });
  return (await call(app, Object.assign(request, environ))).code;
}

describe("the page's link", () => {
  it("sets a cookie for the page alone, and leads to a URL without the token", async () => {
    const { app } = await opened();
    const response = await call(app, environFor(`GET /_inspector/?token=${token}`, local));
    assert.deepEqual([response.code, response.header("Location")], [303, "./"]);
    assert.match(
      response.header("Set-Cookie")!,
      /^wsgi-inspector-[\da-f]{12}=0123456789abcdef; Path=\/_inspector; HttpOnly; SameSite=Strict$/,
    );
    assert.equal(response.header("Referrer-Policy"), "no-referrer");
  });

  it("works without the last slash", async () => {
    const { app } = await opened();
    const response = await call(app, environFor(`GET /_inspector?token=${token}`, local));
    assert.deepEqual([response.code, response.header("Location")], [303, "_inspector/"]);
  });

  it("sets a cookie for https only where the page came over it", async () => {
    const { app } = await opened();
    const request = environFor(`GET /_inspector/?token=${token}`, {
      ...local,
      environ: { "wsgi.url_scheme": "https" as const },
    });
    assert.match((await call(app, request)).header("Set-Cookie")!, /; Secure$/);
  });

  it("sets cookies of different names for different servers", async () => {
    await using one = await openPage(respond(["Hello"]));
    await using other = await openPage(respond(["Hello"]));
    assert.notEqual(one.cookie.split("=")[0], other.cookie.split("=")[0]);
    const Cookie = `a=b; ${other.cookie}; ${one.cookie}`;
    assert.equal((await one.ask("recordings", { headers: { Cookie } })).status, 200);
    assert.equal((await other.ask("recordings", { headers: { Cookie } })).status, 200);
  });

  it("does nothing with another token", async () => {
    const { app } = await opened();
    const tokens = ["", "x", token.slice(1), `${token}x`, token.toUpperCase()];
    const codes = tokens.map(async (other) => {
      const response = await call(app, environFor(`GET /_inspector/?token=${other}`, local));
      assert.equal(response.header("Set-Cookie"), undefined);
      return response.code;
    });
    assert.deepEqual(await Promise.all(codes), [403, 403, 403, 403, 403]);
  });

  it("opens nothing but the page itself", async () => {
    const { app } = await opened();
    const response = await call(
      app,
      environFor(`GET /_inspector/recordings?token=${token}`, local),
    );
    assert.equal(response.code, 403);
  });
});

describe("the page without its cookie", () => {
  it("says where the link is, and not what it is", async () => {
    const { app } = await opened();
    const response = await call(app, environFor("GET /_inspector/", local));
    assert.deepEqual(
      [response.code, response.header("Content-Type")],
      [403, "text/plain; charset=utf-8"],
    );
    assert.match(response.text(), /the link that the server prints/);
    assert.ok(!response.text().includes(token));
  });

  it("has nothing of its parts, whether or not they are there", async () => {
    await using page = await openPage(respond(["Hello"]));
    await fetch(page.url);
    const headers = { Cookie: "" };
    const paths = ["", "recordings", "recordings/1", "events", "assets/page/main.js", "nothing"];
    const codes = paths.map(async (path) => (await page.ask(path, { headers })).status);
    assert.deepEqual(await Promise.all(codes), [403, 403, 403, 403, 403, 403]);
    const Cookie = page.cookie.replace(/=.*/, "=0123456789abcdef012345");
    assert.equal((await page.ask("recordings", { headers: { Cookie } })).status, 403);
  });

  it("does nothing", async () => {
    await using page = await openPage(respond(["Hello"]));
    await fetch(page.url);
    const forged = { method: "POST", headers: { "X-Inspector": "1", Cookie: "" } };
    assert.equal((await page.ask("clear", forged)).status, 403);
    assert.equal((await page.ask("recordings/1/replay", forged)).status, 403);
    assert.equal(page.recorder.recordings.length, 1);
  });
});

describe("the page for clients elsewhere", () => {
  it("is there for loopback addresses, of all kinds", async () => {
    const addresses = ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"];
    const codes = addresses.map((REMOTE_ADDR) => codeFor({ REMOTE_ADDR }));
    assert.deepEqual(await Promise.all(codes), [200, 200, 200, 200]);
  });

  it("is not there for other addresses", async () => {
    const addresses = ["192.168.1.5", "10.0.0.1", "", "::2", "128.0.0.1", "127.0.0.1.example.com"];
    const codes = addresses.map((REMOTE_ADDR) => codeFor({ REMOTE_ADDR }));
    assert.deepEqual(await Promise.all(codes), [404, 404, 404, 404, 404, 404]);
  });

  it("is there under the names of this machine, with any port", async () => {
    const names = [
      "localhost",
      "LOCALHOST:80",
      "127.0.0.1:8000",
      "[::1]",
      "[::1]:8",
      "a.localhost",
    ];
    const codes = names.map((HTTP_HOST) => codeFor({ HTTP_HOST }));
    assert.deepEqual(await Promise.all(codes), [200, 200, 200, 200, 200, 200]);
  });

  it("is not there under other names, which might be made to lead here", async () => {
    const names = ["example.com", "localhost.example.com", "127.0.0.1.nip.io", "", "localhost:x"];
    const codes = names.map((HTTP_HOST) => codeFor({ HTTP_HOST }));
    assert.deepEqual(await Promise.all(codes), [404, 404, 404, 404, 404]);
    assert.equal(await codeFor({ HTTP_HOST: undefined }), 404);
  });

  it("is there under names that are given", async () => {
    const hosts = ["Dev.example.com"];
    assert.equal(await codeFor({ HTTP_HOST: "dev.example.com:8000" }, hosts), 200);
    assert.equal(await codeFor({ HTTP_HOST: "example.com" }, hosts), 404);
  });

  it("is not there through a proxy", async () => {
    assert.equal(await codeFor({ HTTP_X_FORWARDED_FOR: "192.168.1.5" }), 404);
    assert.equal(await codeFor({ HTTP_FORWARDED: "for=192.168.1.5" }), 404);
    assert.equal(await codeFor({ HTTP_VIA: "1.1 proxy" }), 404);
  });

  it("shows no trace of itself, nor does the application", async () => {
    const seen: unknown[] = [];
    const recorder = new Recorder();
    const app = inspectorPage(recorder, { token })((environ, startResponse) => {
      seen.push(environ["wsgix.inspector"]);
      return respond(["Hello"])(environ, startResponse);
    });
    const remoteAddr = "192.168.1.5";
    await call(app, environFor("GET /", { ...local, remoteAddr }));
    assert.deepEqual(seen, [undefined]);
    const response = await call(
      app,
      environFor(`GET /_inspector/?token=${token}`, { ...local, remoteAddr }),
    );
    assert.deepEqual(response.headers, [["Content-Type", "text/plain; charset=utf-8"]]);
    assert.equal(response.text(), "404 Not Found\n");
  });

  it("is not there over a socket, for a name that was made to lead here", async () => {
    await using page = await openPage(respond(["Hello"]));
    const head = `Cookie: ${page.cookie}\r\nConnection: close\r\n\r\n`;
    const ask = (host: string): Promise<string> =>
      exchange(
        { port: page.port },
        `GET /_inspector/recordings HTTP/1.1\r\nHost: ${host}\r\n${head}`,
      );
    assert.match(await ask("evil.example:80"), /^HTTP\/1\.1 404 /);
    assert.match(await ask("localhost:80"), /^HTTP\/1\.1 200 /);
  });
});

describe("what changes something", () => {
  it("needs the header that only scripts of its own origin can send", async () => {
    await using page = await openPage(respond(["Hello"]));
    await fetch(page.url);
    assert.equal((await page.ask("clear", { method: "POST" })).status, 403);
    const wrong = { method: "POST", headers: { "X-Inspector": "0" } };
    assert.equal((await page.ask("recordings/1/replay", wrong)).status, 403);
    assert.equal(page.recorder.recordings.length, 1);
  });

  it("may not come from another origin", async () => {
    await using page = await openPage(respond(["Hello"]));
    await fetch(page.url);
    const origins = ["https://example.com", "http://127.0.0.1:1", "null", "http://localhost"];
    const codes = origins.map(async (Origin) => {
      const headers = { "X-Inspector": "1", Origin };
      return (await page.ask("clear", { method: "POST", headers })).status;
    });
    assert.deepEqual(await Promise.all(codes), [403, 403, 403, 403]);
    assert.equal(page.recorder.recordings.length, 1);
  });

  it("may come from the page's own", async () => {
    await using page = await openPage(respond(["Hello"]));
    const headers = { "X-Inspector": "1", Origin: page.url };
    assert.equal((await page.ask("clear", { method: "POST", headers })).status, 204);
    assert.equal((await page.ask("clear", post)).status, 204);
  });

  it("lets no other origin read, nor ask beforehand", async () => {
    await using page = await openPage(respond(["Hello"]));
    const headers = { Origin: "https://example.com", "Access-Control-Request-Method": "POST" };
    const asked = await page.ask("clear", { method: "OPTIONS", headers });
    const read = await page.ask("recordings", { headers });
    for (const { headers: given } of [asked, read]) {
      assert.equal(given.get("Access-Control-Allow-Origin"), null);
    }
  });
});
