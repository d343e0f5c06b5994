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
import { when } from "@wsgi/middleware/when";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";

/** Adds a header field, so that it can be seen whether the layer was applied. */
const sign: Middleware = function sign(app) {
  return function sign(environ, startResponse) {
    return app(environ, (status, headers, excInfo) =>
      startResponse(status, [...headers, ["X-Signed", "yes"]], excInfo),
    );
  };
};

function isAdmin(environ: Environ): boolean {
  return environ.PATH_INFO.startsWith("/admin");
}

async function isSigned(app: Application, path: string): Promise<boolean> {
  return (await call(app, `GET ${path}`)).header("X-Signed") === "yes";
}

describe("when()", () => {
  it("applies the layer where the predicate says so", async () => {
    const app = when(isAdmin, sign)(respond(["Hello"]));
    assert.equal(await isSigned(app, "/admin/users"), true);
    assert.equal(await isSigned(app, "/"), false);
  });

  it("waits for a predicate that takes time", async () => {
    const app = when(async (environ) => isAdmin(environ), sign)(respond(["Hello"]));
    assert.equal(await isSigned(app, "/admin/users"), true);
    assert.equal(await isSigned(app, "/"), false);
  });

  it("applies the layer once, when it wraps", async () => {
    let wrapped = 0;
    const counting: Middleware = (app) => {
      wrapped += 1;
      return app;
    };
    const app = when(isAdmin, counting)(respond(["Hello"]));
    await call(app, "GET /admin");
    await call(app, "GET /admin");
    assert.equal(wrapped, 1);
  });

  it("passes environ, startResponse and the body on as they are", () => {
    const body = closable("Hello");
    const given: unknown[] = [];
    const app: Application = (...all) => {
      given.push(...all);
      return body;
    };
    const environ = environFor("GET /");
    const startResponse = () => () => {};
    assert.equal(when(isAdmin, sign)(app)(environ, startResponse), body);
    assert.deepEqual(given, [environ, startResponse]);
    assert.equal(body.taken, 0);
  });

  it("closes a body once on both ways", async () => {
    const [one, two] = [closable("one"), closable("two")];
    await call(when(isAdmin, sign)(respond(one)), "GET /admin");
    await call(when(isAdmin, sign)(respond(two)), "GET /");
    assert.equal(one.timesClosed, 1);
    assert.equal(two.timesClosed, 1);
  });

  it("passes on a late start, writing, waiting and failing", async () => {
    const layer = when(isAdmin, sign);
    assert.equal(await isSigned(layer(late("Hello")), "/admin"), true);
    assert.equal(await isSigned(layer(writing(["Hello"])), "/admin"), true);
    assert.equal(await isSigned(layer(slow("Hello")), "/admin"), true);
    await assert.rejects(isSigned(layer(failing("call")), "/"), /Failed in call/);
  });

  it("passes excInfo on", async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("500 Internal Server Error", [], new Error("It failed"));
      return [];
    };
    assert.equal((await call(when(isAdmin, sign)(app), "GET /admin")).code, 500);
  });

  it("lets an error of the predicate go on its way", async () => {
    const fail = (): never => {
      throw new Error("Who knows?");
    };
    await assert.rejects(call(when(fail, sign)(respond([])), "GET /"), /Who knows\?/);
  });

  it("shows both ways, also within a stack", () => {
    const app = stack(sign, when(isAdmin, stack(sign, sign)))(respond([]));
    assert.equal(
      describeApplication(app),
      `sign
└─ when
   ├─ if isAdmin  sign
   │  └─ sign
   │     └─ respond
   └─ otherwise  respond`,
    );
  });

  it("shows a predicate without a name", () => {
    const app = when(() => true, sign)(respond([]));
    assert.match(describeApplication(app), /^when\n├─ if so {2}sign\n/);
  });

  it("lets something be put before each part", async () => {
    const names: string[] = [];
    const noting = ({ inner }: { inner: string }): Middleware => {
      return (app) => (environ, startResponse) => {
        names.push(inner);
        return app(environ, startResponse);
      };
    };
    const app: Application = when(isAdmin, sign)(respond([]));
    const noted = interleave(app, noting);
    assert.equal(await isSigned(noted, "/admin"), true);
    assert.deepEqual(names, ["when", "sign", "respond"]);
  });

  it("refuses what is no function", () => {
    assert.throws(() => when("/admin" as never, sign), {
      name: "TypeError",
      message:
        'Cannot apply a layer conditionally: the predicate is "/admin"; wanted a function (environ) => boolean',
    });
    assert.throws(() => when(isAdmin, undefined as never), {
      name: "TypeError",
      message: /layer 1 is undefined/,
    });
  });

  it("promises nothing of what the layer adds, and needs what it and the predicate need", () => {
    type User = { "wsgix.user": string };
    type Session = { "wsgix.session": string };
    const login = sign as Middleware<User, Session>;
    const greet = (_environ: Environ & User): Body => [];
    const withUser = when(isAdmin, login);
    // @ts-expect-error -- the layer adds wsgix.user to some requests only
    const promised: Application<Environ & Session> = withUser(greet);
    // @ts-expect-error -- the layer needs wsgix.session
    const unmet: Application = withUser(respond([]));
    const isAnn = (environ: Environ & User): boolean => environ["wsgix.user"] === "Ann";
    // @ts-expect-error -- the predicate needs wsgix.user
    const unseen: Application = when(isAnn, sign)(respond([]));
    const met: Application<Environ & User> = when(isAnn, sign)(respond([]));
    assert.ok([promised, unmet, unseen, met].every((app) => typeof app === "function"));
  });
});
