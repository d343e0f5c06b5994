import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  describe as describeApplication,
  interleave,
  stack,
  type Application,
  type Body,
  type Environ,
  type Middleware,
} from "@wsgi/core";
import { mount } from "@wsgi/middleware/mount";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";

/** Answers with the two parts of the path, and with its own name. */
function where(name: string): Application {
  return function where({ SCRIPT_NAME, PATH_INFO }, startResponse) {
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    return [`${name} ${SCRIPT_NAME}|${PATH_INFO}`];
  };
}

async function textOf(app: Application, path: string, host = "localhost"): Promise<string> {
  return (await call(app, environFor(`GET ${path}`, { headers: { Host: host } }))).text();
}

describe("mount() as a layer", () => {
  it("needs the keys that its applications need, and finds them in the layers around it", () => {
    interface NameEnviron {
      "test.name": string;
    }
    const naming: Middleware<NameEnviron> = (app) => (environ, startResponse) =>
      app(Object.assign(environ, { "test.name": "Ann" }), startResponse);
    const page: Application<Environ & NameEnviron> = (environ, startResponse) => {
      startResponse("200 OK", []);
      return [environ["test.name"]];
    };
    const plain = respond(["plain"]);
    const right: Application = stack(naming, mount({ "/a": page }))(plain);
    // @ts-expect-error -- nobody gives the name
    const wrong: Application = stack(mount({ "/a": page }))(plain);
    assert.notEqual(right, wrong);
  });
});

describe("mount()", () => {
  it("moves the path of the place to SCRIPT_NAME", async () => {
    assert.equal(
      await textOf(mount({ "/api": where("api") }), "/api/users/7"),
      "api /api|/users/7",
    );
  });

  it("takes the place itself, with and without a slash", async () => {
    const app = mount({ "/api": where("api") });
    assert.equal(await textOf(app, "/api"), "api /api|");
    assert.equal(await textOf(app, "/api/"), "api /api|/");
  });

  it("adds to the SCRIPT_NAME that is there", async () => {
    const app = mount({ "/a": mount({ "/b": where("b") }) });
    const environ = environFor("GET /site/a/b/c", { scriptName: "/site" });
    assert.equal((await call(app, environ)).text(), "b /site/a/b|/c");
  });

  it("never makes SCRIPT_NAME a slash", async () => {
    assert.equal(await textOf(mount({ "/": where("site") }), "/"), "site |/");
  });

  it("matches whole segments", async () => {
    const app = mount({ "/css": where("css"), "/": where("site") });
    assert.equal(await textOf(app, "/css-config.env"), "site |/css-config.env");
  });

  it("takes the longest path, in whatever order they are given", async () => {
    const app = mount({ "/": where("site"), "/a": where("a"), "/a/b": where("b") });
    assert.equal(await textOf(app, "/a/b/c"), "b /a/b|/c");
    assert.equal(await textOf(app, "/a/bc"), "a /a|/bc");
  });

  it("matches decoded text, and decodes nothing", async () => {
    const app = mount({ "/世界": where("world") });
    assert.equal(await textOf(app, "/%E4%B8%96%E7%95%8C/%2541"), "world /世界|/%41");
  });

  it("gives `OPTIONS *` to the application at the root", async () => {
    const app = mount({ "/api": where("api"), "/": where("site") });
    assert.equal((await call(app, "OPTIONS *")).text(), "site |*");
  });

  it("takes a host before a path", async () => {
    const app = mount({ "/api": where("api"), "admin.example.com": where("admin") });
    assert.equal(await textOf(app, "/api/x", "admin.example.com"), "admin |/api/x");
    assert.equal(await textOf(app, "/api/x", "www.example.com"), "api /api|/x");
  });

  it("takes a host with any port, in any case", async () => {
    const app = mount({ "Admin.example.com": where("admin") });
    assert.equal(await textOf(app, "/", "ADMIN.Example.com:8080"), "admin |/");
  });

  it("takes a host with its port before the host alone", async () => {
    const app = mount({ "example.com": where("site"), "example.com:8080": where("test") });
    assert.equal(await textOf(app, "/", "example.com:8080"), "test |/");
    assert.equal(await textOf(app, "/", "example.com:80"), "site |/");
  });

  it("takes an address of version 6 with and without a port", async () => {
    const app = mount({ "[::1]": where("any"), "[::1]:8080": where("test") });
    assert.equal(await textOf(app, "/", "[::1]"), "any |/");
    assert.equal(await textOf(app, "/", "[::1]:80"), "any |/");
    assert.equal(await textOf(app, "/", "[::1]:8080"), "test |/");
  });

  it("takes a path on a host", async () => {
    const app = mount({ "/": where("site"), "example.com/wiki": where("wiki") });
    assert.equal(await textOf(app, "/wiki/Home", "example.com"), "wiki /wiki|/Home");
    assert.equal(await textOf(app, "/other", "example.com"), "site |/other");
    assert.equal(await textOf(app, "/wiki/Home", "example.org"), "site |/wiki/Home");
  });

  it("does not take a longer host for a shorter one", async () => {
    const app = mount({ "example.com": where("site") });
    assert.equal(await textOf(app, "/", "example.com.evil.net"), "404 Not Found\n");
  });

  it("answers 404 for what is not mounted", async () => {
    const response = await call(mount({ "/api": where("api") }), "GET /<script>");
    assert.equal(response.status, "404 Not Found");
    assert.deepEqual(response.headers, [
      ["Content-Type", "text/plain; charset=utf-8"],
      ["Content-Length", "14"],
    ]);
    assert.equal(response.text(), "404 Not Found\n");
  });

  it("passes what is not mounted on, as a middleware", async () => {
    const app = mount({ "/api": where("api") })(where("site"));
    assert.equal(await textOf(app, "/api/x"), "api /api|/x");
    assert.equal(await textOf(app, "/x"), "site |/x");
  });

  it("leaves the environ of the layers outside alone", async () => {
    const environ = environFor("GET /api/x");
    await call(mount({ "/api": where("api") }), environ);
    assert.equal(environ.SCRIPT_NAME, "");
    assert.equal(environ.PATH_INFO, "/api/x");
  });

  it("passes a body on as it is", () => {
    const body = closable("Hello");
    const app = mount({ "/api": respond(body) });
    const returned = app(environFor("GET /api"), () => () => {});
    assert.equal(returned, body);
    assert.equal(body.taken, 0);
  });

  it("passes on a late start, writing, waiting and failing", async () => {
    const app = mount({
      "/late": late("late"),
      "/writing": writing(["written"]),
      "/slow": slow("slow"),
      "/failing": failing("call"),
    });
    assert.equal(await textOf(app, "/late"), "late");
    assert.equal(await textOf(app, "/writing"), "written");
    assert.equal(await textOf(app, "/slow"), "slow");
    await assert.rejects(textOf(app, "/failing"), /Failed in call/);
  });

  it("shows what is mounted, and what takes the rest", () => {
    const mounted = mount({ "/": where("site"), "example.com/wiki": where("wiki") });
    assert.equal(describeApplication(mounted), "mount\n├─ example.com/wiki  where\n└─ /  where");
    assert.equal(
      describeApplication(mount({ "/api": where("api") })(respond([]))),
      "mount\n├─ /api  where\n└─ otherwise  respond",
    );
  });

  it("shows the same within a stack", () => {
    const app = stack(mount({ "/api": where("api") }))(respond([]));
    assert.equal(describeApplication(app), "mount\n├─ /api  where\n└─ otherwise  respond");
  });

  it("lets something be put before each application", async () => {
    const boundaries: string[] = [];
    const noting = ({ outer, inner }: { outer: string; inner: string }): Middleware => {
      return (app) => (environ, startResponse) => {
        boundaries.push(`${outer} calls ${inner}`);
        return app(environ, startResponse);
      };
    };
    const app = interleave(mount({ "/api": where("api") })(respond([])), noting);
    assert.equal(await textOf(app, "/api/x"), "api /api|/x");
    assert.equal(await textOf(app, "/other"), "");
    assert.deepEqual(boundaries, [
      "server calls mount",
      "mount calls where",
      "server calls mount",
      "mount calls respond",
    ]);
  });

  it("refuses places that are neither a path nor a host", () => {
    const app = respond([]);
    assert.throws(() => mount({ api: app }), {
      name: "TypeError",
      message:
        'Cannot mount at "api": it is no path and no host; wanted "/api", or a host with its dot, "example.com"',
    });
    assert.throws(() => mount({ "": app }), /Cannot mount at "": .*wanted "\/", or/);
    assert.throws(() => mount({ "api/x": app }), /wanted "\/api\/x"/);
    assert.throws(() => mount({ "./api": app }), /Cannot mount at "\.\/api"/);
  });

  it("refuses places that end in a slash", () => {
    const app = respond([]);
    assert.throws(() => mount({ "/api/": app }), {
      name: "TypeError",
      message: 'Cannot mount at "/api/": it ends in a slash; wanted "/api"',
    });
    assert.throws(() => mount({ "example.com/": app }), /wanted "example\.com"$/);
    assert.throws(() => mount({ "//": app }), /wanted "\/"$/);
  });

  it("refuses a place twice", () => {
    const app = respond([]);
    assert.throws(() => mount({ "example.com": app, "Example.com": app }), {
      name: "TypeError",
      message: 'Cannot mount at "Example.com": something is mounted there; wanted each place once',
    });
  });

  it("refuses what is no application", () => {
    assert.throws(() => mount({ "/api": undefined as never }), {
      name: "TypeError",
      message: /^Cannot mount at "\/api": the application is undefined; wanted a function/,
    });
  });

  it("needs what its applications need", () => {
    type UserEnviron = Environ & { "wsgix.user": string };
    const greet = (_environ: UserEnviron): Body => [];
    const needy: Application<UserEnviron> = mount({ "/": greet });
    assert.ok(needy);
    // @ts-expect-error -- nothing gives it a wsgix.user
    const plain: Application = mount({ "/": greet });
    assert.ok(plain);
  });
});
