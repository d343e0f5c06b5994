import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import {
  compositionOf,
  describe as describeApp,
  interleave,
  stack,
  type Application,
  type Body,
  type Environ,
  type Middleware,
} from "@wsgi/core";
import { router, routeKey, type RouteMatch, type Router } from "@wsgi/router";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";

/** Answers with what it was called, and with what the router told it. */
function show(name: string): Application {
  return (environ, startResponse) => {
    startResponse("200 OK", []);
    return [JSON.stringify([name, environ[routeKey]])];
  };
}

/** Answers with the two halves of the path. */
function showPaths(
  environ: Environ,
  startResponse: (status: string, headers: []) => unknown,
): Body {
  startResponse("200 OK", []);
  return [`${environ.SCRIPT_NAME}|${environ.PATH_INFO}`];
}

/** Signs the body, so that the order of layers can be read in it. */
function sign(name: string): Middleware {
  return (app) => (environ, startResponse) => {
    const body = app(environ, startResponse) as string[];
    return [`${name}(`, ...body, ")"];
  };
}

function pathOf(PATH_INFO: string): Environ {
  return environFor("GET /", { environ: { PATH_INFO } });
}

describe("router()", () => {
  it("calls the application of the route that matches", async () => {
    const app = router();
    app.get("/users", respond(["users"]));
    app.get("/posts", respond(["posts"]));
    assert.equal((await call(app, "GET /posts")).text(), "posts");
  });

  it("tells the application its route", () => {
    const app = router();
    app.get("/users/:id", respond([])).named("user");
    const environ = environFor("GET /users/7");
    void app(environ, () => () => {});
    const { params, ...route } = environ[routeKey] as RouteMatch;
    assert.deepEqual(route, { pattern: "/users/:id", name: "user" });
    assert.deepEqual({ ...params }, { id: "7" });
  });

  it("tells the layers around it, too", async () => {
    const app = router();
    app.get("/users/:id", respond([]));
    let pattern: unknown;
    const log: Middleware = (inner) => (environ, startResponse) => {
      const body = inner(environ, startResponse);
      pattern = (environ[routeKey] as { pattern: string }).pattern;
      return body;
    };
    await call(stack(log)(app), "GET /users/7");
    assert.equal(pattern, "/users/:id");
  });

  it("tells nothing if no route matches", async () => {
    const environ = environFor("GET /nowhere");
    await call(router(), environ);
    assert.equal(routeKey in environ, false);
  });

  it("answers 404 where there is no route", async () => {
    const response = await call(router(), "GET /nowhere");
    assert.equal(response.status, "404 Not Found");
    assert.equal(response.header("Content-Length"), String(response.text().length));
  });

  it("answers 405 with the methods that there are, in order", async () => {
    const app = router();
    app.put("/users/:id", respond([]));
    app.get("/users/:id", respond([]));
    app.delete("/users/7", respond([]));
    app.post("/users", respond([]));
    const response = await call(app, "POST /users/7");
    assert.equal(response.status, "405 Method Not Allowed");
    assert.equal(response.header("Allow"), "DELETE, GET, HEAD, OPTIONS, PUT");
  });

  it("answers HEAD with the route for GET, which sees HEAD", async () => {
    const app = router();
    app.get("/", (environ, startResponse) => {
      startResponse("200 OK", [["X-Method", environ.REQUEST_METHOD]]);
      return ["Hello"];
    });
    const response = await call(app, "HEAD /");
    assert.equal(response.header("X-Method"), "HEAD");
  });

  it("answers HEAD with a route for it that comes first", async () => {
    const app = router();
    app.head("/", respond([], { status: "204 No Content" }));
    app.get("/", respond([]));
    assert.equal((await call(app, "HEAD /")).code, 204);
    assert.equal((await call(app, "GET /")).code, 200);
  });

  it("answers OPTIONS with the methods that there are", async () => {
    const app = router();
    app.post("/users/:id", respond([]));
    const response = await call(app, "OPTIONS /users/7");
    assert.equal(response.status, "204 No Content");
    assert.equal(response.header("Allow"), "OPTIONS, POST");
  });

  it("leaves OPTIONS to a route for it", async () => {
    const app = router();
    app.get("/", respond([]));
    app.options("/", respond(["mine"]));
    assert.equal((await call(app, "OPTIONS /")).text(), "mine");
  });

  it("answers OPTIONS * with all methods", async () => {
    const app = router();
    app.get("/users", respond([]));
    app.patch("/posts/:id", respond([]));
    const response = await call(app, "OPTIONS *");
    assert.equal(response.header("Allow"), "GET, HEAD, OPTIONS, PATCH");
  });

  it("gives every method to all(), whatever it is called", async () => {
    const app = router();
    app.post("/posts", respond([]));
    app.all("/", respond(["all"]));
    app.get("/users", respond([]));
    assert.equal((await call(app, "GET /")).text(), "all");
    assert.equal((await call(app, "POST /")).text(), "all");
    assert.equal((await call(app, "constructor /")).text(), "all");
  });

  it("takes any method with route(), in its case", async () => {
    const app = router();
    app.route("PROPFIND", "/", respond(["found"]));
    assert.equal((await call(app, "PROPFIND /")).text(), "found");
    assert.equal((await call(app, "propfind /")).code, 405);
  });

  it("takes no method for a property of an object", async () => {
    const app = router();
    app.get("/", respond([]));
    assert.equal((await call(app, "__proto__ /")).code, 405);
    assert.equal((await call(app, "constructor /")).code, 405);
  });

  it("prefers a pattern that was added before a plain path", async () => {
    const app = router();
    app.get("/users/:id", respond(["pattern"]));
    app.get("/users/new", respond(["path"]));
    assert.equal((await call(app, "GET /users/new")).text(), "pattern");
  });

  it("prefers a plain path that was added before a pattern", async () => {
    const app = router();
    app.get("/users/new", respond(["path"]));
    app.get("/users/:id", respond(["pattern"]));
    assert.equal((await call(app, "GET /users/new")).text(), "path");
  });

  it("prefers the first of two that are alike", async () => {
    const app = router();
    app.get("/", respond(["first"]));
    app.get("/", respond(["second"]));
    assert.equal((await call(app, "GET /")).text(), "first");
  });

  it("prefers the first, too, where a later one begins like one before it", async () => {
    const app = router();
    app.get("/:a/x", respond(["x"]));
    app.get("/b/:c", respond(["first"]));
    app.get("/:a/y", respond(["second"]));
    assert.equal((await call(app, "GET /b/y")).text(), "first");
  });

  it("keeps the order between all() and a method that is new", async () => {
    const app = router();
    app.all("/users/:id", respond(["all"]));
    app.all("/posts", respond(["all"]));
    app.get("/users/new", respond(["get"]));
    app.get("/posts", respond(["get"]));
    assert.equal((await call(app, "GET /users/new")).text(), "all");
    assert.equal((await call(app, "GET /posts")).text(), "all");
  });

  it("passes over an earlier route for another method", async () => {
    const app = router();
    app.post("/users/:id", respond(["post"]));
    app.get("/users/new", respond(["get"]));
    assert.equal((await call(app, "GET /users/new")).text(), "get");
  });

  it("returns a body as it is, at once", () => {
    const body = closable("Hello");
    const app = router();
    app.get("/", respond(body));
    assert.equal(
      app(environFor("GET /"), () => () => {}),
      body,
    );
    assert.equal(body.taken, 0);
  });

  it("closes a body once", async () => {
    const body = closable("Hello");
    const app = router();
    app.get("/", respond(body));
    await call(app, "GET /");
    assert.equal(body.timesClosed, 1);
  });

  it("hands startResponse on", () => {
    const startResponse = (): (() => void) => () => {};
    const app = router();
    let given: unknown;
    app.get("/", (_environ, start) => {
      given = start;
      return [];
    });
    void app(environFor("GET /"), startResponse);
    assert.equal(given, startResponse);
  });

  it("lets an application start late, write, and be asynchronous", async () => {
    const app = router();
    app.get("/late", late("late"));
    app.get("/slow", slow("slow"));
    app.get("/writing", writing(["writing"]));
    assert.equal((await call(app, "GET /late")).text(), "late");
    assert.equal((await call(app, "GET /slow")).text(), "slow");
    assert.equal((await call(app, "GET /writing")).text(), "writing");
  });

  it("lets an application throw", async () => {
    const app = router();
    app.get("/", failing("call"));
    await assert.rejects(call(app, "GET /"), { message: "Failed in call" });
  });

  it("takes routes while it serves", async () => {
    const app = router();
    assert.equal((await call(app, "GET /")).code, 404);
    app.get("/", respond([]));
    assert.equal((await call(app, "GET /")).code, 200);
  });
});

describe("patterns", () => {
  it("give the segments of a wildcard", async () => {
    const app = router();
    app.get("/files/*path", (environ, startResponse) => {
      startResponse("200 OK", []);
      return [environ[routeKey].params.path.join("|")];
    });
    assert.equal((await call(app, "GET /files/a/../b//c")).text(), "a|..|b||c");
  });

  it("leave out the parameters of a group that is not there", async () => {
    const app = router();
    app.get("/posts{/:id}", (environ, startResponse) => {
      startResponse("200 OK", []);
      return [Object.keys(environ[routeKey].params).join(), "!"];
    });
    assert.equal((await call(app, "GET /posts")).text(), "!");
    assert.equal((await call(app, "GET /posts/7")).text(), "id!");
  });

  it("decode nothing, because PATH_INFO is decoded", () => {
    const app = router();
    app.get("/:name", respond([]));
    const environ = pathOf("/%2e%ZZ%");
    void app(environ, () => () => {});
    assert.equal((environ[routeKey] as { params: { name: string } }).params.name, "%2e%ZZ%");
  });

  it("match text beyond ASCII", async () => {
    const app = router();
    app.get("/世界/:id", respond(["found"]));
    assert.equal((await call(app, "GET /%E4%B8%96%E7%95%8C/7")).text(), "found");
  });

  it("have parameters of any name", async () => {
    const app = router();
    app.get("/:__proto__/:constructor", show("odd"));
    const response = await call(app, "GET /a/b");
    assert.match(response.text(), /"params":\{"__proto__":"a","constructor":"b"\}/);
    assert.equal(({} as Record<string, unknown>)["a"], undefined);
  });

  it("have no parameters but their own", () => {
    const app = router();
    app.get("/users{/:constructor}", respond([]));
    app.get("/posts/:id{/*toString}", respond([]));
    const paramsAt = (path: string): object => {
      const environ = pathOf(path);
      void app(environ, () => () => {});
      return (environ[routeKey] as RouteMatch).params;
    };
    assert.equal("constructor" in paramsAt("/users"), false);
    assert.equal("toString" in paramsAt("/posts/7"), false);
    assert.equal("__proto__" in paramsAt("/posts/7"), false);
    assert.throws(() => Object.assign(Object.getPrototypeOf(paramsAt("/posts/7")), { a: "b" }));
  });

  it("give the same where code must not be made of text", async () => {
    const program = `
      import { router, routeKey } from "@wsgi/router";
      const app = router();
      app.get("/:__proto__/:id{/*rest}", ({ [routeKey]: { params } }) => {
        console.log(JSON.stringify(params), "constructor" in params);
      });
      for (const PATH_INFO of ["/a/b", "/a/b/c", "/a/b/c//d"]) app({ REQUEST_METHOD: "GET", PATH_INFO });`;
    const flags = ["--disallow-code-generation-from-strings", "--input-type=module", "-e", program];
    const { stdout } = await promisify(execFile)(process.execPath, flags);
    assert.deepEqual(stdout.split("\n"), [
      '{"__proto__":"a","id":"b"} false',
      '{"__proto__":"a","id":"b","rest":["c"]} false',
      '{"__proto__":"a","id":"b","rest":["c","","d"]} false',
      "",
    ]);
  });

  it("match only what is spelled like them", async () => {
    const app = router();
    app.get("/users/list", respond([]));
    app.get("/users/by/:id", respond([]));
    assert.equal((await call(app, "GET /Users/list")).code, 404);
    assert.equal((await call(app, "GET /users/list/")).code, 404);
    assert.equal((await call(app, "GET //users/list")).code, 404);
    assert.equal((await call(app, "GET /users//list")).code, 404);
    assert.equal((await call(app, "GET /users/./list")).code, 404);
    assert.equal((await call(app, "GET /users/by/7/")).code, 404);
    assert.equal((await call(app, "GET /users/BY/7")).code, 404);
  });

  it("match any case if they need not be sensitive", async () => {
    const app = router({ sensitive: false });
    app.get("/users/list", respond(["list"]));
    app.get("/users/:id", respond(["one"]));
    assert.equal((await call(app, "GET /Users/List")).text(), "list");
    assert.equal((await call(app, "GET /USERS/7")).text(), "one");
  });

  it("match a slash more if they may", async () => {
    const app = router({ trailing: true });
    app.get("/users/list", respond(["list"]));
    app.get("/users/:id", respond(["one"]));
    assert.equal((await call(app, "GET /users/list/")).text(), "list");
    assert.equal((await call(app, "GET /users/7/")).text(), "one");
    assert.equal((await call(app, "GET /users/7//")).code, 404);
  });

  it("throw for no path", async () => {
    const app = router();
    app.get("/:name", respond(["one"]));
    app.get("/files/*path", respond(["many"]));
    app.get("/:a-:b{.:c}/*d/:e", respond(["odd"]));
    app.use("/sub/:name", respond(["sub"]));
    const paths = ["", "*", "/", "//", "/\0", "/%", "/\ud800", "/__proto__", "users", "/sub/%/%%"];
    for (const path of [...paths, "/a".repeat(1e5), "/".repeat(1e5), `/${"-".repeat(1e5)}`]) {
      const { code } = await call(app, pathOf(path));
      assert.ok(code === 200 || code === 404 || code === 405, path.slice(0, 20));
    }
  });
});

describe("a router as a middleware", () => {
  it("passes paths without a route to the application", async () => {
    const pages = router();
    pages.get("/users", respond(["users"]));
    const app = stack(pages)(respond(["site"]));
    assert.equal((await call(app, "GET /users")).text(), "users");
    assert.equal((await call(app, "GET /index.html")).text(), "site");
  });

  it("passes environ and startResponse on as they are", () => {
    const startResponse = (): (() => void) => () => {};
    const environ = environFor("GET /nowhere");
    const before = { ...environ };
    let given: unknown[] = [];
    const app = router()((...args) => {
      given = args;
      return [];
    });
    void app(environ, startResponse);
    assert.equal(given[0], environ);
    assert.equal(given[1], startResponse);
    assert.deepEqual(environ, before);
  });

  it("answers 405 and OPTIONS itself where it has a route", async () => {
    const pages = router();
    pages.get("/users", respond([]));
    const app = pages(respond(["site"]));
    assert.equal((await call(app, "POST /users")).code, 405);
    assert.equal((await call(app, "OPTIONS /users")).code, 204);
  });

  it("has the routes that are added later", async () => {
    const pages = router();
    const app = pages(respond(["site"]));
    pages.get("/users", respond(["users"]));
    assert.equal((await call(app, "GET /users")).text(), "users");
  });
});

describe("layers of a route", () => {
  it("are around its application, the first outermost", async () => {
    const app = router();
    app.get("/", sign("a"), sign("b"), respond(["app"]));
    assert.equal((await call(app, "GET /")).text(), "a(b(app))");
  });

  it("are not around other routes", async () => {
    const app = router();
    app.get("/users/:id", sign("a"), respond(["user"]));
    app.get("/users", respond(["users"]));
    assert.equal((await call(app, "GET /users")).text(), "users");
  });

  it("know the route", async () => {
    const app = router();
    const layer: Middleware = (inner) => (environ, startResponse) =>
      routeKey in environ ? inner(environ, startResponse) : [];
    app.get("/:id", layer, show("app"));
    assert.match((await call(app, "GET /7")).text(), /"id":"7"/);
  });

  it("are applied once, when the route is added", async () => {
    let applied = 0;
    const layer = (inner: Application): Application => {
      applied += 1;
      return inner;
    };
    const app = router();
    app.get("/", layer, respond([]));
    await call(app, "GET /");
    await call(app, "GET /");
    assert.equal(applied, 1);
  });
});

describe("use()", () => {
  it("moves the prefix from PATH_INFO to SCRIPT_NAME", async () => {
    const app = router();
    app.use("/admin", showPaths);
    assert.equal((await call(app, "GET /admin/users/7")).text(), "/admin|/users/7");
    assert.equal((await call(app, "GET /admin/")).text(), "/admin|/");
    assert.equal((await call(app, "GET /admin")).text(), "/admin|");
  });

  it("ends the prefix where a segment ends", async () => {
    const app = router();
    app.use("/admin", showPaths);
    assert.equal((await call(app, "GET /administrator")).code, 404);
    assert.equal((await call(app, "GET /admin.html")).code, 404);
  });

  it("takes every method", async () => {
    const app = router();
    app.use("/admin", showPaths);
    assert.equal((await call(app, "PURGE /admin/x")).text(), "/admin|/x");
  });

  it("leaves the environ that it was given its path", async () => {
    const app = router();
    app.use("/admin", showPaths);
    const environ = environFor("GET /admin/users");
    await call(app, environ);
    assert.equal(environ.SCRIPT_NAME, "");
    assert.equal(environ.PATH_INFO, "/admin/users");
    assert.equal((environ[routeKey] as { pattern: string }).pattern, "/admin");
  });

  it("keeps SCRIPT_NAME + PATH_INFO through mounts within mounts", async () => {
    const [outer, middle] = [router(), router()];
    outer.use("/a/", middle);
    middle.use("/:b", showPaths);
    const environ = environFor("GET /x/a/b%2520//c/", { scriptName: "/x" });
    assert.equal((await call(outer, environ)).text(), "/x/a/b%20|//c/");
  });

  it("mounts at the root without a trace", async () => {
    const app = router();
    app.use("/", showPaths);
    assert.equal((await call(app, "GET /users")).text(), "|/users");
    assert.equal((await call(app, pathOf(""))).text(), "|");
  });

  it("leaves the slash to the rest of the path", async () => {
    const app = router({ trailing: true });
    app.use("/wiki{/}", showPaths);
    app.use("/blog", showPaths);
    assert.equal((await call(app, "GET /wiki/")).text(), "/wiki|/");
    assert.equal((await call(app, "GET /blog/")).text(), "/blog|/");
  });

  it("takes the rest of a mount that is empty for the root", async () => {
    const [app, admin] = [router(), router()];
    app.use("/admin", admin);
    admin.get("/", respond(["root"]));
    assert.equal((await call(app, "GET /admin")).text(), "root");
  });

  it("leaves 404 and 405 to a router within", async () => {
    const [app, admin] = [router(), router()];
    app.use("/admin", admin);
    app.get("/admin/late", respond(["late"]));
    admin.post("/users", respond([]));
    assert.equal((await call(app, "GET /admin/users")).header("Allow"), "OPTIONS, POST");
    assert.equal((await call(app, "GET /admin/late")).code, 404);
  });

  it("gives a route within its own parameters only", async () => {
    const [app, tenant] = [router(), router()];
    app.use("/:tenant", tenant);
    tenant.get("/users/:id", show("user"));
    const response = await call(app, "GET /acme/users/7");
    assert.match(response.text(), /"pattern":"\/users\/:id","params":\{"id":"7"\}/);
  });

  it("puts layers around what it mounts", async () => {
    const app = router();
    app.use("/admin", sign("a"), showPaths);
    assert.equal((await call(app, "GET /admin/x")).text(), "a(/admin|/x)");
  });
});

describe("url()", () => {
  it("fills the parameters in, and escapes them", () => {
    const user = router().get("/users/:id", respond([]));
    assert.equal(user.url({ id: "a b?ü" }), "/users/a%20b%3F%C3%BC");
  });

  it("escapes the text of the pattern", () => {
    const page = router().get("/世界/a\\?b", respond([]));
    assert.equal(page.url(), "/%E4%B8%96%E7%95%8C/a%3Fb");
  });

  it("finds a route by its name", () => {
    const app = router();
    app.get("/users/:id", respond([])).named("user");
    assert.equal(app.url("user", { id: "7" }), "/users/7");
  });

  it("leads back to the route and its parameters", async () => {
    const app = router();
    const route = app.get("/世界/:id{.:format}/*rest", show("found"));
    const params = { id: "%41", format: "x", rest: ["", "?#", "é", "*"] };
    const response = await call(app, `GET ${route.url(params)}`);
    assert.deepEqual(response.json(), ["found", { pattern: "/世界/:id{.:format}/*rest", params }]);
  });

  it("begins with the SCRIPT_NAME of a request", () => {
    const user = router().get("/users/:id", respond([]));
    assert.equal(user.url({ id: "7" }, { SCRIPT_NAME: "/é" }), "/%C3%A9/users/7");
  });

  it("leaves a group out if one of its parameters is missing", () => {
    const posts = router().get("/posts{/:id}", respond([]));
    assert.equal(posts.url(), "/posts");
    assert.equal(posts.url({ id: "7" }), "/posts/7");
  });

  it("gives the place of a mount", () => {
    assert.equal(router().use("/admin", respond([])).url(), "/admin");
  });

  it("refuses a missing parameter", () => {
    const app = router();
    app.get("/users/:id", respond([])).named("user");
    assert.throws(() => app.url("user"), {
      name: "TypeError",
      message: 'Cannot build the URL of "GET /users/:id": Missing parameters: id',
    });
  });

  it("refuses a name that no route has", () => {
    assert.throws(() => router().url("user"), {
      name: "TypeError",
      message: 'Cannot build a URL: no route is named "user"; wanted a name given with named()',
    });
  });

  it("refuses a slash in a segment", () => {
    const user = router().get("/users/:id", respond([]));
    assert.throws(() => user.url({ id: "a/b" }), /: "a\/b" has a slash; wanted one segment/);
  });

  it("refuses a path that a client would change", () => {
    const files = router().get("/files/:name", respond([]));
    assert.throws(() => files.url({ name: ".." }), /: it would be "\/files\/\.\."; wanted/);
  });

  it("refuses a path that a client would take for a host", () => {
    const pages = router().get("/*path", respond([]));
    assert.throws(() => pages.url({ path: ["", "evil.example"] }), /"\/\/evil\.example"; wanted/);
  });
});

describe("adding a route", () => {
  const { get, post, route, use } = router();

  it("refuses a pattern that path-to-regexp refuses, and says which", () => {
    assert.throws(() => get("/users/(\\d+)", respond([])), {
      name: "TypeError",
      message: /^Cannot add the route "GET \/users\/\(\\\\d\+\)": Unexpected \(/,
    });
  });

  it("refuses two parameters with nothing between them, and too many groups", () => {
    assert.throws(() => get("/:a:b", respond([])), /Missing text before "b" param/);
    assert.throws(() => get("/a{-}:b{-}:c", respond([])), /Missing text before "c" param/);
    assert.throws(() => get(`/${"{a}".repeat(30)}`, respond([])), /Too many path combinations/);
  });

  it("refuses a pattern that is no path", () => {
    assert.throws(() => get("users", respond([])), {
      name: "TypeError",
      message:
        'Cannot add the route "GET users": the pattern is no path; wanted a string that begins with "/"',
    });
    assert.throws(() => use("", respond([])), TypeError);
    assert.throws(() => get(["/users"] as never, respond([])), /the pattern is no path/);
  });

  it("refuses two parameters of one name, in groups too", () => {
    assert.throws(() => get("/:a/:b{/:a}", respond([])), {
      name: "TypeError",
      message:
        'Cannot add the route "GET /:a/:b{/:a}": it has two parameters "a"; wanted another name for one of them',
    });
  });

  it("refuses an application that is no function", () => {
    assert.throws(() => post("/users", { handler: respond([]) } as never), {
      name: "TypeError",
      message:
        /^Cannot add the route "POST \/users": the application is an object of type Object; wanted a function/,
    });
    assert.throws(() => use("/admin", undefined as never), TypeError);
  });

  it("refuses a layer that is no function", () => {
    assert.throws(() => get("/", "layer" as never, respond([]) as never), {
      name: "TypeError",
      message: /^Cannot add the route "GET \/": .*layer 1 is "layer"; wanted a middleware/,
    });
  });

  it("refuses a method that is none", () => {
    assert.throws(() => route("GET /", "/", respond([])), {
      name: "TypeError",
      message: 'Cannot add a route: the method is "GET /"; wanted an HTTP token, "PROPFIND"',
    });
  });

  it("refuses a name that another route has", () => {
    const app = router();
    app.get("/users/:id", respond([])).named("user");
    assert.throws(() => app.get("/people/:id", respond([])).named("user"), {
      name: "TypeError",
      message:
        'Cannot name the route "GET /people/:id": "user" is the name of "GET /users/:id"; wanted another name',
    });
  });

  it("refuses a name that is no string", () => {
    assert.throws(
      () =>
        router()
          .get("/", respond([]))
          .named(7 as never),
      {
        name: "TypeError",
        message: 'Cannot name the route "GET /": the name is number; wanted a string',
      },
    );
  });

  it("forgets the name that a route had", () => {
    const app = router();
    app.get("/", respond([])).named("old").named("new");
    assert.equal(app.url("new"), "/");
    assert.throws(() => app.url("old"), TypeError);
  });

  it("adds nothing that it refuses", async () => {
    const app = router();
    assert.throws(() => app.get("/", undefined as never));
    assert.equal((await call(app, "GET /")).code, 404);
  });

  it("wants options that are true or false", () => {
    assert.throws(() => router({ sensitive: "yes" as never }), {
      name: "TypeError",
      message: 'Cannot make a router: sensitive is "yes"; wanted true or false',
    });
    assert.throws(() => router({ trailing: 1 as never }), TypeError);
  });

  it("tells a router from the function that makes one", () => {
    assert.throws(() => stack(router as never)(respond([])), {
      name: "TypeError",
      message: /^Cannot make a router: the options are a function; wanted an object/,
    });
  });
});

describe("a router in a picture", () => {
  function requireUser(inner: Application): Application {
    return (environ, startResponse) => inner(environ, startResponse);
  }

  it("shows its routes, their layers, and the routers within", () => {
    const [app, admin] = [router(), router()];
    app.get("/users/:id", requireUser, respond([]));
    app.all("/about", respond([]));
    app.use("/admin", admin);
    admin.post("/", respond([]));
    assert.equal(
      describeApp(stack(requireUser)(app)),
      [
        "requireUser",
        "└─ router",
        "   ├─ GET /users/:id  requireUser",
        "   │  └─ respond",
        "   ├─ ALL /about  respond",
        "   └─ /admin  router",
        "      └─ POST /  respond",
      ].join("\n"),
    );
  });

  it("shows the application that gets the rest", () => {
    const pages = router();
    const app = pages(respond([]));
    pages.get("/", respond([]));
    assert.equal(describeApp(app), "router\n├─ GET /  respond\n└─ otherwise  respond");
  });

  it("routes as before when something is put between its layers", async () => {
    const app = router({ trailing: true });
    app.get("/users/:id", sign("a"), show("user")).named("user");
    app.use("/admin", showPaths);
    const traced = interleave(app, () => sign("-"));
    assert.equal(
      (await call(traced, "GET /users/7/")).text(),
      '-(-(a(-(["user",{"pattern":"/users/:id","name":"user","params":{"id":"7"}}]))))',
    );
    assert.equal((await call(traced, "GET /admin/x")).text(), "-(-(/admin|/x))");
    assert.equal((await call(traced, "POST /users/7", { leaveAfter: 1 })).code, 405);
  });

  it("is the same router with other applications when it is rebuilt", async () => {
    const app = router({ trailing: true });
    app.get("/users/:id", respond(["old"])).named("user");
    const rebuilt = compositionOf(app)?.rebuild([respond(["new"])]) as Router;
    rebuilt.get("/posts", respond(["posts"]));
    assert.equal((await call(rebuilt, `GET ${rebuilt.url("user", { id: "7" })}`)).text(), "new");
    assert.equal((await call(rebuilt, "GET /posts/")).text(), "posts");
    assert.equal((await call(app, "GET /users/7")).text(), "old");
    assert.equal((await call(app, "GET /posts/")).code, 404);
  });

  it("passes on as before when something is put between its layers", async () => {
    const pages = router();
    pages.get("/", respond(["page"]));
    const traced = interleave(pages(respond(["site"])), () => sign("-"));
    assert.equal((await call(traced, "GET /")).text(), "-(-(page))");
    assert.equal((await call(traced, "GET /x")).text(), "-(-(site))");
  });
});
