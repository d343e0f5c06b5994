import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ResponseHeaders, stack, type Application, type Middleware } from "@wsgi/core";
import { mount } from "@wsgi/middleware/mount";
import { when } from "@wsgi/middleware/when";
import { router, routeKey, type RouteEnviron, type RouterOptions } from "@wsgi/router";
import { call, environFor, respond } from "@wsgi/testing";
import { parseResponses } from "@wsgi/testing/parse-responses";
import { exchange, serving } from "../support/serving.ts";

describe("an application behind a guard", () => {
  it("P8 · mounted is not reached around a guard that looks at the prefix", async () => {
    await staysGuarded(guardByPrefix, mount({ "/admin": secret, "/": open }));
  });

  it("P8 · mounted is not reached around a guard that is mounted", async () => {
    await staysGuarded(guardByMount, mount({ "/admin": secret, "/": open }));
  });

  it("P8 · behind a route is not reached around a guard that looks at the prefix", async () => {
    await staysGuarded(guardByPrefix, routed({}));
  });

  it("P8 · behind a route is not reached around a guard behind a router's prefix", async () => {
    await staysGuarded(guardByRouter({}), routed({}));
  });

  it("P8 · behind a lenient route is not reached around a guard as lenient", async () => {
    const lenient = { sensitive: false, trailing: true };
    await staysGuarded(guardByRouter(lenient), routed(lenient));
  });

  it("P8 · behind a mount in a mount is not reached around a guard that looks at the prefix", async () => {
    const inner = mount({ "/x": secret, "/": open });
    await staysGuarded(guardByPrefix, mount({ "/admin": inner, "/": open }));
  });

  it("P9 · is not reached without the header fields for its path", async () => {
    const header: Middleware = (app) => (environ, startResponse) =>
      app(environ, (status, headers, excInfo) =>
        startResponse(status, new ResponseHeaders(headers).set("X-Guard", "1").list, excInfo),
      );
    await staysGuarded(when(isAdmin, header), routed({}));
  });
});

/** Runs before the application that it guards, and says so. */
function guard(app: Application): Application {
  return function guard(environ, startResponse) {
    return app(environ, (status, headers, excInfo) =>
      startResponse(status, [...headers, ["X-Guard", "1"]], excInfo),
    );
  };
}

const secret = respond(["secret"]);
const open = respond(["open"]);

function isAdmin({ PATH_INFO }: { PATH_INFO: string }): boolean {
  return PATH_INFO === "/admin" || PATH_INFO.startsWith("/admin/");
}

const guardByPrefix: Middleware = when(isAdmin, guard as Middleware);

const guardByMount: Middleware = (app) => {
  // The guard's mount takes the prefix, so the whole path is put together again behind it.
  const whole: Application = ({ SCRIPT_NAME, PATH_INFO, ...rest }, startResponse) =>
    app({ ...rest, SCRIPT_NAME: "", PATH_INFO: SCRIPT_NAME + PATH_INFO } as never, startResponse);
  return mount({ "/admin": guard(whole), "/": whole }) as never;
};

function guardByRouter(options: RouterOptions): Middleware {
  return (app) => {
    const guards = router(options);
    const whole: Application = ({ SCRIPT_NAME, PATH_INFO, ...rest }, startResponse) =>
      app({ ...rest, SCRIPT_NAME: "", PATH_INFO: SCRIPT_NAME + PATH_INFO } as never, startResponse);
    guards.use("/admin", guard(whole));
    return guards(whole as never) as never;
  };
}

function routed(options: RouterOptions): Application {
  const routes = router(options);
  routes.all("/admin", secret);
  routes.all("/admin/*rest", secret);
  routes.all("/*rest", open);
  return routes;
}

/** Asks for every spelling; the secret must not come without the guard, and has to come at all. */
async function staysGuarded(guards: Middleware, app: Application): Promise<void> {
  await using server = await serving(stack(guards)(app));
  const requests = spellings.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const last = "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const received = await exchange(server, requests.join("") + last);
  const methods = [...spellings, last].map(() => "GET");
  const responses = parseResponses(Buffer.from(received, "latin1"), { methods });
  assert.equal(responses.length, spellings.length + 1);
  const secrets = spellings
    .map((path, i) => ({ path, response: responses[i]! }))
    .filter(({ response }) => response.text() === "secret");
  const unguarded = secrets.filter(({ response }) => response.header("X-Guard") !== "1");
  assert.deepEqual(
    unguarded.map(({ path }) => path),
    [],
  );
  assert.ok(secrets.length > 20 && secrets.length < spellings.length);
}

/** Is the ways to write /admin/x: each small change, and each two of them together. */
const spellings: readonly string[] = makeSpellings("/admin/x");

function makeSpellings(path: string): string[] {
  const once = changes(path);
  const twice = once.flatMap((changed) => changes(changed).filter((_, i) => i % 3 === 0));
  const paths = [path, ...once, ...twice].filter((changed) => changed.startsWith("/"));
  return [...new Set(paths), ...once.map((changed) => `http://a/${changed.slice(1)}`)];
}

function changes(path: string): string[] {
  return [...path].flatMap((character, i) => {
    const put = (text: string): string => path.slice(0, i) + text + path.slice(i + 1);
    const code = character.charCodeAt(0).toString(16);
    const escapes = [`%${code}`, `%${code.toUpperCase()}`, `%25${code}`, `%u00${code}`];
    const slashes = ["//", "/./", "/a/../", "/%2e/", "/%2e%2e/", "%5C", "\\", "/;p/", "%c0%af"];
    const others = [flipCase(character), `${character};p`, `${character}%00`, `${character}%20`];
    return [...escapes, ...(character === "/" ? slashes : others), `${character}/`].map(put);
  });
}

function flipCase(letter: string): string {
  return letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
}

describe("a mount", () => {
  it("P3 · does not hold a path that only begins like it", async () => {
    const app = mount({ "/css": secret, "/": open });
    assert.equal((await call(app, "GET /css-config.env")).text(), "open");
    assert.equal((await call(app, "GET /css%2Dconfig.env")).text(), "open");
    assert.equal((await call(app, "GET /css.env")).text(), "open");
  });

  it("P3 · of a router does not hold a path that only begins like it", async () => {
    const app = router();
    app.use("/css", secret);
    app.use("/", open);
    assert.equal((await call(app, "GET /css-config.env")).text(), "open");
    assert.equal((await call(app, "GET /cssx")).text(), "open");
  });

  it("P3 · is not left by dot segments", async () => {
    const seen: string[] = [];
    const app: Application = ({ PATH_INFO }, startResponse) => {
      seen.push(PATH_INFO);
      startResponse("200 OK", []);
      return [];
    };
    await call(mount({ "/css": app }), "GET /css/../secret");
    await call(mount({ "/css": app }), "GET /css%2F..%2Fsecret");
    assert.deepEqual(seen, ["/../secret", "/../secret"]);
  });

  it("P13 · leaves the whole path as it is, at any depth", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pathPieces), { maxLength: 12 }), (pieces) => {
        const path = `/${pieces.join("")}`;
        const wholes: string[] = [];
        const app: Application = ({ SCRIPT_NAME, PATH_INFO }, startResponse) => {
          wholes.push(SCRIPT_NAME + PATH_INFO);
          startResponse("200 OK", []);
          return [];
        };
        const environ = environFor("GET /");
        environ.PATH_INFO = path;
        nested(app)(environ, () => () => {});
        assert.deepEqual(wholes, [path]);
        assert.equal(environ.SCRIPT_NAME + environ.PATH_INFO, path);
      }),
    );
  });

  it("P13 · of a router gives the parameters of the last match only", async () => {
    const outer = router();
    const inner = router();
    let params: unknown;
    inner.all("/:name", ((environ: RouteEnviron, startResponse: never) => {
      params = environ[routeKey].params;
      return secret(environ as never, startResponse);
    }) as never);
    outer.use("/users/:id", inner as never);
    await call(outer, "GET /users/7/ann");
    assert.deepEqual({ ...(params as object) }, { name: "ann" });
  });
});

const pathPieces = ["a", "b", "/", "//", ".", "..", "%", "\\", ";", "\0", "世", "/a", "/b", "A"];

/** Mounts an application in mounts and routers, so that every path leads to it. */
function nested(app: Application): Application {
  const inner = mount({ "/a": app, "/b": app, "/": app });
  const routes = router();
  routes.use("/a", inner);
  routes.use("/:any", inner);
  routes.use("/*rest", app);
  routes.all("/", app);
  const places = { "/a": routes(app), "/b": inner, "/a/b": routes(app), "/": routes(app) };
  return mount(places as Record<string, Application>);
}

describe("a name that every object has", () => {
  it("O1 · is no method of a router", async () => {
    const app = router();
    app.get("/", open);
    for (const method of objectNames) {
      assert.equal((await call(app, environFor(`${method} /`))).code, 405);
    }
  });

  it("O1 · is a path of a router like any other", async () => {
    const app = router();
    app.get("/a", open);
    for (const name of objectNames) {
      assert.equal((await call(app, `GET /${name}`)).code, 404);
    }
  });

  it("O1 · is the name of a parameter like any other", async () => {
    const app = router();
    let params: Readonly<Record<string, unknown>> = {};
    app.get("/:__proto__/:constructor", (environ, startResponse) => {
      params = environ[routeKey].params as never;
      return open(environ, startResponse);
    });
    await call(app, "GET /x/y");
    assert.deepEqual(Object.entries(params), [
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
  });

  it("O1 · is the value of a parameter like any other", async () => {
    const app = router();
    let id: unknown;
    app.get("/:id", (environ, startResponse) => {
      id = environ[routeKey].params.id;
      return open(environ, startResponse);
    });
    await call(app, "GET /__proto__");
    assert.equal(id, "__proto__");
  });

  it("O1 · is a place of a mount only where something is mounted", async () => {
    const app = mount({ "/a": open });
    for (const name of objectNames) {
      assert.equal((await call(app, `GET /${name}`)).code, 404);
    }
  });

  it("O1 · is a host of a mount only where something is mounted", async () => {
    const app = mount({ "a.example": open });
    for (const name of objectNames) {
      const environ = environFor("GET /", { headers: { Host: name } });
      assert.equal((await call(app, environ)).code, 404);
    }
  });

  it("O1 · is the name of a route only where one has it", () => {
    const app = router();
    app.get("/", open).named("home");
    for (const name of objectNames) assert.throws(() => app.url(name), TypeError);
  });
});

const objectNames = ["__proto__", "constructor", "hasOwnProperty", "toString", "valueOf"];

describe("a long path", () => {
  it("X1 · of dashes and letters is matched by a pattern of many parameters", async () => {
    const app = router();
    app.get("/:a-:b-:c-:d", secret);
    app.get("/*rest", open);
    assert.equal((await call(app, `GET /${"-a".repeat(8_000)}/`)).text(), "open");
  });

  it("X1 · of slashes is matched by a pattern with wildcards", async () => {
    const app = router();
    app.get("/*a/x/*b/y", secret);
    assert.equal((await call(app, `GET /${"x/".repeat(8_000)}`)).code, 404);
  });

  it("X1 · of slashes is matched without regard to one at its end", async () => {
    const app = router({ trailing: true, sensitive: false });
    app.get("/a/:b", secret);
    assert.equal((await call(app, `GET /a${"/".repeat(16_000)}x`)).code, 404);
  });
});

describe("the environment of the process", () => {
  it("S24 · has no HTTP_PROXY of a field named Proxy, which environ has", async () => {
    let found: unknown;
    await using server = await serving((environ, startResponse) => {
      found = [environ.HTTP_PROXY, process.env.HTTP_PROXY];
      return open(environ, startResponse);
    });
    await exchange(server, "GET / HTTP/1.0\r\nProxy: http://evil\r\n\r\n");
    assert.deepEqual(found, ["http://evil", process.env.HTTP_PROXY]);
    assert.notEqual(process.env.HTTP_PROXY, "http://evil");
  });
});
