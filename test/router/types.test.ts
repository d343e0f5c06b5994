import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stack, type Application, type Environ, type Middleware } from "@wsgi/core";
import { router, type PathParams, type Route, type RouteEnviron, type Router } from "@wsgi/router";
import { respond } from "@wsgi/testing";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only if the type that it is given is `true`. */
function holds<Claim extends true>(claim?: Claim): void {
  assert.equal(claim, undefined);
}

interface UserEnviron {
  "wsgix.user": { name: string };
}
interface SessionEnviron {
  "wsgix.session": Map<string, string>;
}

const same: Middleware = (app) => app;
const session = same as unknown as Middleware<SessionEnviron>;
const requireUser = same as unknown as Middleware<UserEnviron, SessionEnviron>;

describe("PathParams", () => {
  it("has a string for a parameter", () => {
    holds<Same<PathParams<"/users/:id">, { id: string }>>();
    holds<Same<PathParams<"/:from-:to.:$ext_1">, { from: string; to: string; $ext_1: string }>>();
  });

  it("has the segments for a wildcard", () => {
    holds<Same<PathParams<"/files/*path">, { path: string[] }>>();
  });

  it("has what may be absent for a group", () => {
    holds<Same<PathParams<"/a{/:b{/*c}}/:d">, { b?: string; c?: string[]; d: string }>>();
  });

  it("has nothing for a plain path", () => {
    holds<Same<keyof PathParams<"/users">, never>>();
    holds<Same<keyof PathParams<"/\\:users\\*">, never>>();
  });

  it("reads quoted names and names beyond ASCII", () => {
    holds<Same<PathParams<'/:"user-id"/:"a\\"b"x'>, { "user-id": string; 'a"b': string }>>();
    holds<Same<PathParams<"/:名前/x">, { 名前: string }>>();
  });

  it("has any parameters for a pattern that is not known", () => {
    type Any = Partial<Record<string, string | string[]>>;
    holds<Same<PathParams<string>, Any>>();
    holds<Same<PathParams<`/users${string}`>, Any>>();
  });
});

describe("a route's application", () => {
  const app = router();

  it("sees the parameters of the pattern", () => {
    app.get("/users/:id{/*rest}", (environ) => {
      const { id, rest } = environ["wsgix.route"].params;
      holds<Same<typeof id, string>>();
      holds<Same<typeof rest, string[] | undefined>>();
      // @ts-expect-error -- the pattern has no such parameter
      return [environ["wsgix.route"].params.name];
    });
  });

  it("may be written for another pattern with its parameters", () => {
    const show: Application<Environ & RouteEnviron<"/users/:id">> = respond([]);
    app.get("/people/:id", show);
    app.get("/people/:id/posts/:post", show);
    // @ts-expect-error -- the pattern has no parameter "id"
    app.get("/people/:name", show);
  });

  it("may be written for any pattern", () => {
    const show: Application<Environ & RouteEnviron> = respond([]);
    app.get("/users/:id", show);
    app.all("/files/*path", show);
  });

  it("sees what the layers before it add", () => {
    app.get("/", session, requireUser, (environ) => {
      holds<Same<(typeof environ)["wsgix.user"], { name: string }>>();
      return [];
    });
    // @ts-expect-error -- "wsgix.user" is missing
    app.get("/", session, (environ) => [environ["wsgix.user"].name]);
  });

  it("has layers in an order that gives each what it needs", () => {
    const show: Application<Environ & UserEnviron> = respond([]);
    app.get("/", session, requireUser, show);
    // @ts-expect-error -- requireUser needs "wsgix.session"
    app.get("/", requireUser, show);
    // @ts-expect-error -- requireUser needs "wsgix.session" before
    app.get("/", requireUser, session, show);
  });

  it("sees what the router is given", () => {
    const inside = router<Environ & SessionEnviron>();
    const show: Application<Environ & UserEnviron & RouteEnviron<"/:id">> = respond([]);
    inside.get("/:id", requireUser, show);
    inside.route("PURGE", "/:id", requireUser, show);
    inside.use("/:id", requireUser, show);
  });
});

describe("the type of a router", () => {
  const plain = router();
  const inside = router<Environ & SessionEnviron>();

  it("is an application", () => {
    const app: Application = plain;
    const needing: Application<Environ & SessionEnviron> = inside;
    // @ts-expect-error -- "wsgix.session" is missing
    const lacking: Application = inside;
    assert.deepEqual([app, needing, lacking], [plain, inside, inside]);
  });

  it("is a middleware", () => {
    const layer: Middleware = plain;
    const needing: Middleware<unknown, SessionEnviron> = inside;
    const around: Application<Environ & UserEnviron> = plain(
      respond([]) as Application<Environ & UserEnviron>,
    );
    assert.deepEqual([layer, needing, typeof around], [plain, inside, "function"]);
  });

  it("is at home in a stack, at its end and within", () => {
    const end: Application = stack(session)(inside);
    const within: Application = stack(session, inside)(respond([]));
    const nested: Application = session(inside);
    plain.use("/inside", session, inside);
    // @ts-expect-error -- "wsgix.session" is missing
    plain.use("/inside", inside);
    assert.deepEqual(
      [end, within, nested].map((app) => typeof app),
      ["function", "function", "function"],
    );
  });

  it("does not depend on its routes", () => {
    const routes: Route[] = [plain.get("/a", respond([])), plain.get("/:id", respond([]))];
    holds<Same<typeof plain, Router>>();
    assert.equal(routes.length, 2);
  });
});

describe("the type of url()", () => {
  const app = router();
  const user = app.get("/users/:id{/:tab}", respond([]));

  it("wants the parameters of the pattern", () => {
    assert.equal(user.url({ id: "7" }), "/users/7");
    assert.equal(user.url({ id: "7", tab: "posts" }, { SCRIPT_NAME: "/x" }), "/x/users/7/posts");
    // @ts-expect-error -- "id" is missing
    assert.throws(() => user.url({ tab: "posts" }));
    // @ts-expect-error -- "id" is missing
    assert.throws(() => user.url());
    // @ts-expect-error -- the pattern has no parameter "name"
    assert.throws(() => user.url({ name: "Ann" }));
    // @ts-expect-error -- "id" is no number
    assert.throws(() => user.url({ id: 7 }));
  });

  it("wants none if the pattern has none that is required", () => {
    assert.equal(app.get("/about", respond([])).url(), "/about");
    assert.equal(app.get("/posts{/:id}", respond([])).url(), "/posts");
  });

  it("stays with the route when it is named", () => {
    assert.equal(app.get("/posts/:id", respond([])).named("post").url({ id: "7" }), "/posts/7");
    // @ts-expect-error -- "id" is missing
    assert.throws(() => app.get("/tags/:id", respond([])).named("tag").url());
  });
});
