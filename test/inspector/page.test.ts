import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  stack,
  type Application,
  type Environ,
  type Middleware,
  type StartResponse,
} from "@wsgi/core";
import { inspect, Recorder, type Recording } from "@wsgi/inspector";
import { inspectorPage } from "@wsgi/inspector/page";
import { mount } from "@wsgi/middleware/mount";
import { call, closable, environFor, respond } from "@wsgi/testing";
import { layerSuite } from "@wsgi/testing/layer-suite";
import { openPage, post } from "../support/inspector-page.ts";
import { deferred, exchange, serving } from "../support/serving.ts";

const hello: Application = function hello(_environ, startResponse) {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return ["Hello"];
};

/** Takes the type and text of a response. */
async function contentOf(response: Response): Promise<[string | null, string]> {
  return [response.headers.get("Content-Type"), await response.text()];
}

describe("inspectorPage()", () => {
  it("makes the link that opens it, of a server's URL", () => {
    const token = "t".repeat(22);
    const page = inspectorPage(new Recorder(), { path: "/dev/look", token });
    const link = `http://127.0.0.1:8000/dev/look/?token=${token}`;
    assert.equal(page.url("http://127.0.0.1:8000"), link);
    assert.equal(page.url("http://127.0.0.1:8000/"), link);
    assert.deepEqual([page.path, page.token], ["/dev/look", token]);
  });

  it("makes a token of 128 bits, and another one each time", () => {
    const [one, other] = [inspectorPage(new Recorder()), inspectorPage(new Recorder())];
    assert.equal(Buffer.from(one.token, "base64url").length, 16);
    assert.notEqual(one.token, other.token);
  });

  it("refuses options that are none", () => {
    const make = (options: object) => () => inspectorPage(new Recorder(), options);
    const message = (found: string) => ({ name: "TypeError", message: new RegExp(found) });
    assert.throws(make({ path: "inspector" }), message('path is "inspector"; wanted one like'));
    assert.throws(make({ path: "/" }), message('path is "/"'));
    assert.throws(make({ path: "/x/../y" }), message("path is"));
    assert.throws(make({ path: "/x; Path=/" }), message("path is"));
    assert.throws(make({ path: 1 }), message("path is 1"));
    assert.throws(make({ token: "short" }), message("token is too short, or no text"));
    assert.throws(make({ hosts: ["example.com:80"] }), message("without ports"));
    assert.throws(make({ hosts: "example.com" }), message("hosts is"));
    assert.throws(make({ app: {} }), message("wanted an application"));
  });

  it("does not tell a token that it refuses", () => {
    const make = (): unknown => inspectorPage(new Recorder(), { token: "s3cret" });
    assert.throws(make, ({ message }: Error) => !message.includes("s3cret"));
  });

  it("passes other requests on as they are, and what comes back", () => {
    const body = closable("Hello");
    const seen: unknown[] = [];
    const app: Application = (...given) => {
      seen.push(...given);
      return body;
    };
    const environ = environFor("GET /_inspector-of-mine");
    const startResponse = (() => () => {}) as StartResponse;
    assert.equal(inspectorPage(new Recorder())(app)(environ, startResponse), body);
    assert.ok(seen[0] === environ && seen[1] === startResponse && seen.length === 2);
  });

  it("tells applications its path, mounted or not", async () => {
    const seen: unknown[] = [];
    const app = inspectorPage(new Recorder())((environ, startResponse) => {
      seen.push(environ["wsgix.inspector"]);
      return hello(environ, startResponse);
    });
    await call(app, "GET /");
    await call(mount({ "/a b": app }), "GET /a%20b/c");
    assert.deepEqual(seen, ["/_inspector/", "/a%20b/_inspector/"]);
  });

  it("is a layer that can be seen", () => {
    const page = inspectorPage(new Recorder());
    assert.deepEqual([page.name, page(hello).name], ["inspectorPage", "inspectorPage"]);
  });

  it("is not recorded, not even from outside of it, or mounted", async () => {
    const recorder = new Recorder();
    const page = inspectorPage(recorder);
    const app = inspect(mount({ "/x": stack(page)(hello) }), recorder);
    await call(app, "GET /x/_inspector/");
    await call(app, "GET /x/_inspector");
    await call(app, "GET /x/_inspector/recordings");
    await call(app, "GET /x/_inspectors");
    assert.deepEqual(
      recorder.recordings.map(({ target }) => target),
      ["/x/_inspectors"],
    );
  });
});

layerSuite(inspectorPage(new Recorder()), { name: "the page as a layer" });

describe("the page", () => {
  it("is HTML that has nothing inline, and asks for nothing from elsewhere", async () => {
    await using page = await openPage(hello);
    const response = await page.ask("");
    const [type, html] = await contentOf(response);
    assert.deepEqual([response.status, type], [200, "text/html; charset=utf-8"]);
    assert.match(html, /<script type="module" src="assets\/page\/main.js"><\/script>/);
    assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|<script(?![^>]* src=)|\/\//);
  });

  it("is sent with what keeps others out", async () => {
    await using page = await openPage(hello);
    const { headers } = await page.ask("");
    assert.match(
      headers.get("Content-Security-Policy")!,
      /^default-src 'none'; script-src 'self';/,
    );
    assert.equal(headers.get("Cache-Control"), "no-store");
    assert.equal(headers.get("X-Frame-Options"), "DENY");
    assert.equal(headers.get("Referrer-Policy"), "no-referrer");
    assert.equal(headers.get("X-Content-Type-Options"), "nosniff");
  });

  it("is found without the last slash", async () => {
    await using page = await openPage(hello);
    const { status, url } = await fetch(`${page.url}/_inspector`, {
      headers: { Cookie: page.cookie },
    });
    assert.deepEqual([status, url], [200, `${page.url}/_inspector/`]);
  });

  it("is found where it is mounted", async () => {
    const recorder = new Recorder();
    const page = inspectorPage(recorder, { path: "/look" });
    await using server = await serving(mount({ "/世界": page(hello) }));
    const opened = await fetch(page.url(`${server.url}/世界`), { redirect: "manual" });
    assert.equal(opened.headers.get("Location"), "./");
    assert.match(opened.headers.get("Set-Cookie")!, /; Path=\/%E4%B8%96%E7%95%8C\/look;/);
  });

  it("answers HEAD as GET, without a body", async () => {
    await using page = await openPage(hello);
    const response = await page.ask("", { method: "HEAD" });
    assert.deepEqual([response.status, await response.text()], [200, ""]);
  });

  it("says which method it takes", async () => {
    await using page = await openPage(hello);
    const got = await page.ask("clear");
    assert.deepEqual([got.status, got.headers.get("Allow")], [405, "POST"]);
    const posted = await page.ask("recordings", post);
    assert.deepEqual([posted.status, posted.headers.get("Allow")], [405, "GET"]);
    assert.deepEqual(await posted.json(), { error: "It takes GET" });
    assert.equal((await page.ask("recordings", { method: "OPTIONS" })).status, 405);
  });

  it("has nothing anywhere else", async () => {
    await using page = await openPage(hello);
    const paths = ["x", "/", "recordings/", "recordings/x", "recordings/1/x", "events/", "assets"];
    const codes = paths.map(async (path) => (await page.ask(path)).status);
    assert.deepEqual(await Promise.all(codes), [404, 404, 404, 404, 404, 404, 404]);
  });
});

describe("recordings", () => {
  it("are listed, the newest last", async () => {
    await using page = await openPage(hello);
    await fetch(`${page.url}/1`);
    await fetch(`${page.url}/2?q`);
    const list = (await page.read("recordings")) as Record<string, unknown>[];
    const [first, second] = page.recorder.recordings;
    assert.deepEqual(list, [
      {
        id: 1,
        method: "GET",
        target: "/1",
        status: "200 OK",
        begun: first!.begun,
        ended: first!.ended,
        replayOf: null,
        failed: false,
      },
      { ...list[0], id: 2, target: "/2?q", begun: second!.begun, ended: second!.ended },
    ]);
  });

  it("are listed while they are under way, without a status", async () => {
    const end = deferred();
    const app: Application = async (environ, startResponse) => {
      await end.promise;
      return hello(environ, startResponse);
    };
    await using page = await openPage(app);
    const response = fetch(page.url);
    const list = async (): Promise<unknown> => {
      const found = (await page.read("recordings")) as { status: null; ended: null }[];
      return found.length === 0 ? list() : [found[0]!.status, found[0]!.ended];
    };
    assert.deepEqual(await list(), [null, null]);
    end.resolve();
    await response;
  });

  it("are listed with the status that the server was given", async () => {
    const ignoring: Middleware = (app) => (environ, startResponse) => {
      startResponse("202 Accepted", []);
      return app(environ, () => () => {});
    };
    await using page = await openPage(stack(ignoring)(hello));
    await fetch(page.url);
    const [only] = (await page.read("recordings")) as { status: string }[];
    assert.equal(only!.status, "202 Accepted");
  });

  it("are listed as failed if an error reaches the server", async () => {
    await using page = await openPage(() => {
      throw new Error("an error of this test, and expected");
    });
    await fetch(page.url);
    const [only] = (await page.read("recordings")) as { failed: boolean; status: null }[];
    assert.deepEqual([only!.failed, only!.status], [true, null]);
  });

  it("are not listed as failed if the server refuses what they do", async () => {
    const app: Application = (_environ, startResponse) => {
      try {
        startResponse("no status", []);
      } catch (error) {
        startResponse("200 OK", [], error);
      }
      return [];
    };
    await using page = await openPage(app);
    await fetch(page.url);
    const [only] = (await page.read("recordings")) as { failed: boolean; status: string }[];
    assert.deepEqual([only!.failed, only!.status], [false, "200 OK"]);
  });

  it("are told as they were recorded", async () => {
    await using page = await openPage(hello);
    await fetch(page.url);
    const response = await page.ask("recordings/1");
    assert.equal(response.headers.get("Content-Type"), "application/json");
    assert.deepEqual(await response.json(), page.recorder.find(1));
  });

  it("are missed with 404, and a reason", async () => {
    await using page = await openPage(hello);
    const response = await page.ask("recordings/7");
    assert.equal(response.status, 404);
    assert.deepEqual(await response.json(), { error: "Recording 7 is not kept any more" });
  });

  it("are data, whatever is in them", async () => {
    const hostile = '</script><img src=x onerror=alert(1)>\n\ndata: x\u2028"\\';
    await using page = await openPage(() => {
      throw new Error(hostile);
    });
    await fetch(`${page.url}/${encodeURIComponent(hostile)}`, { headers: { "X-Bad": "<b>'\"" } });
    const response = await page.ask("recordings/1");
    assert.equal(response.headers.get("Content-Type"), "application/json");
    const { events } = (await response.json()) as Recording;
    const threw = events.find(({ kind }) => kind === "threw");
    assert.ok(threw?.kind === "threw" && threw.error.message === hostile);
    const [called] = events;
    assert.ok(called?.kind === "call" && called.environ.added["PATH_INFO"] === `/${hostile}`);
    assert.equal(called.environ.added["HTTP_X_BAD"], "<b>'\"");
  });

  it("are cleared", async () => {
    await using page = await openPage(hello);
    await fetch(page.url);
    const response = await page.ask("clear", post);
    assert.deepEqual([response.status, await response.text()], [204, ""]);
    assert.deepEqual(page.recorder.recordings, []);
  });
});

describe("a replay", () => {
  it("makes the request again, and tells which recording it is", async () => {
    const bodies: string[] = [];
    const app: Application = async (environ, startResponse) => {
      bodies.push(String(Buffer.from(await environ["wsgi.input"].read())));
      return hello(environ, startResponse);
    };
    await using page = await openPage(app);
    await fetch(`${page.url}/x`, { method: "POST", body: "Ann" });
    assert.deepEqual(await page.read("recordings/1/replay", post), { id: 2 });
    assert.deepEqual(bodies, ["Ann", "Ann"]);
    assert.equal(page.recorder.find(2)!.replayOf, 1);
  });

  it("reads the body to its end, and closes it", async () => {
    const body = closable("one", "two");
    await using page = await openPage(respond(body));
    await fetch(page.url);
    const closedBefore = body.timesClosed;
    await page.ask("recordings/1/replay", post);
    assert.deepEqual([closedBefore, body.timesClosed], [1, 2]);
    assert.ok(page.recorder.find(2)!.events.some(({ kind }) => kind === "done"));
  });

  it("is recorded when it fails", async () => {
    await using page = await openPage(() => {
      throw new Error("an error of this test, and expected");
    });
    await fetch(page.url);
    assert.deepEqual(await page.read("recordings/1/replay", post), { id: 2 });
    assert.ok(page.recorder.find(2)!.events.some(({ kind }) => kind === "threw"));
  });

  it("says with 409 why it cannot be", async () => {
    await using page = await openPage(hello);
    await fetch(page.url, { method: "POST", body: "nobody reads this" });
    const unread = await page.ask("recordings/1/replay", post);
    assert.equal(unread.status, 409);
    assert.match(((await unread.json()) as { error: string }).error, /^Cannot replay recording 1:/);
    const gone = await page.ask("recordings/9/replay", post);
    assert.equal(gone.status, 409);
    assert.match(((await gone.json()) as { error: string }).error, /it is not there/);
  });

  it("calls another application if one is given", async () => {
    const recorder = new Recorder();
    const other = inspect((environ: Environ, startResponse: StartResponse) => {
      startResponse("202 Accepted", []);
      return [environ.PATH_INFO];
    }, recorder);
    await using page = await openPage(hello, { app: other }, recorder);
    await fetch(page.url);
    await page.ask("recordings/1/replay", post);
    const [, replay] = (await page.read("recordings")) as { status: string }[];
    assert.equal(replay!.status, "202 Accepted");
  });
});

describe("assets", () => {
  it("are all that the page asks for, module by module, and come from its own path", async () => {
    await using page = await openPage(hello);
    const root = new URL(`${page.url}/_inspector/assets/`);
    const found = new Set([new URL("page/main.js", root).href]);
    for (const url of found) {
      const response = await fetch(url, { headers: { Cookie: page.cookie } });
      assert.equal(response.status, 200, url);
      assert.equal(response.headers.get("Content-Type"), "text/javascript; charset=utf-8");
      const code = await response.text();
      // What is not served is not to be asked for.
      assert.doesNotMatch(code, /sourceMappingURL/);
      const specifiers = code.matchAll(/(?<=^|;)(?:import|export)\b[^"'`;()]*["']([^"']+)["']/gm);
      for (const [, specifier] of specifiers) {
        assert.match(specifier!, /^\.\.?\//, `${specifier} in ${url}`);
        found.add(new URL(specifier!, url).href);
      }
    }
    const paths = [...found].map((url) => url.slice(root.href.length));
    assert.ok(paths.includes("preact/index.js"), String(paths));
    assert.ok(paths.includes("analyse.js"), String(paths));
  });

  it("have the style sheets", async () => {
    await using page = await openPage(hello);
    const response = await page.ask("assets/page/page.css");
    const [type] = await contentOf(response);
    assert.deepEqual([response.status, type], [200, "text/css; charset=utf-8"]);
  });

  it("are no other files, by whatever path", async () => {
    await using page = await openPage(hello);
    const paths = [
      "page/../page/main.js",
      "../../package.json",
      "%2e%2e/%2e%2e/package.json",
      "..%2fpackage.json",
      "page/../../serving/page.js",
      "serving/page.js",
      "recorder.js",
      "page/main.js%00.css",
      "page/main.js.map",
      "page/",
      "/etc/passwd",
      "constructor",
      "__proto__",
    ];
    const codes = paths.map(async (path) => {
      const head = `Host: localhost\r\nCookie: ${page.cookie}\r\nConnection: close\r\n\r\n`;
      const target = `/_inspector/assets/${path}`;
      return (await exchange({ port: page.port }, `GET ${target} HTTP/1.1\r\n${head}`)).slice(
        9,
        12,
      );
    });
    assert.deepEqual(
      await Promise.all(codes),
      paths.map(() => "404"),
    );
  });
});
