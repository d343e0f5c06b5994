// What the compiler says about a composition is the subject here: `tsc -b` fails if a line that must
// compile does not, or if one that must not (`@ts-expect-error`) does. Running it proves nothing more
// than that the lines which compile also run.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  interleave,
  setupTestingDefaults,
  stack,
  type AnyMiddleware,
  type Application,
  type Body,
  type Environ,
  type Middleware,
} from "@wsgi/core";

interface CookiesEnviron extends Environ {
  "test.cookies": { theme?: string };
}
interface SessionEnviron extends Environ {
  "test.session": { user: string };
}

/** Adds a key, as a middleware does that parses something. */
function cookies(): Middleware<CookiesEnviron> {
  return function cookies(app) {
    return function cookies(environ, startResponse) {
      const more = Object.assign(environ, { "test.cookies": { theme: "dark" } });
      return app(more, startResponse);
    };
  };
}

/** Adds a key, and needs another. */
function session(): Middleware<SessionEnviron, CookiesEnviron> {
  return function session(app) {
    return function session(environ, startResponse) {
      const user = environ["test.cookies"].theme === "dark" ? "Ann" : "nobody";
      return app(Object.assign(environ, { "test.session": { user } }), startResponse);
    };
  };
}

/** Neither adds nor needs anything. */
function same(): Middleware {
  return function same(app) {
    return app;
  };
}

const page: Application<SessionEnviron> = (environ, startResponse) => {
  startResponse("200 OK", []);
  return [environ["test.session"].user];
};
const themed: Application<SessionEnviron & CookiesEnviron> = (environ, startResponse) => {
  startResponse("200 OK", []);
  return [`${environ["test.session"].user} ${environ["test.cookies"].theme}`];
};
const plain: Application = (_environ, startResponse) => {
  startResponse("200 OK", []);
  return ["plain"];
};

/** Runs a whole application, which nothing outside has to provide for. */
function run(app: Application): unknown {
  return app(setupTestingDefaults(), () => () => {});
}

describe("layers that are spread from an array", () => {
  const optional: readonly Middleware[] = [];
  const plain: Application = (_environ, startResponse) => {
    startResponse("200 OK", []);
    return [];
  };

  it("do not hide what layers after them need", () => {
    // @ts-expect-error -- the cookies are missing
    const missing: Application = stack(...optional, session())(plain);
    assert.equal(typeof missing, "function");
  });

  it("do not hide what layers around them add", () => {
    const right: Application = stack(cookies(), ...optional, session())(plain);
    const last: Application = stack(...optional, cookies(), session())(plain);
    assert.deepEqual([typeof right, typeof last], ["function", "function"]);
  });

  it("add nothing, because there may be none of them", () => {
    const maybe = [cookies()] as readonly Middleware<CookiesEnviron>[];
    // @ts-expect-error -- an empty array would add no cookies
    const missing: Application = stack(...maybe, session())(plain);
    assert.equal(typeof missing, "function");
  });
});

describe("the order of layers, nested by hand", () => {
  it("compiles where each layer finds its key", () => {
    assert.deepEqual(run(cookies()(session()(page))), ["Ann"]);
    assert.deepEqual(run(same()(cookies()(same()(session()(same()(page)))))), ["Ann"]);
    assert.deepEqual(run(cookies()(session()(themed))), ["Ann dark"]);
  });

  it("does not compile in the wrong order", () => {
    // @ts-expect-error -- session() needs what cookies() adds, and is outside it
    assert.throws(() => run(session()(cookies()(page))));
  });

  it("does not compile without a layer", () => {
    // @ts-expect-error -- nobody adds test.cookies
    assert.throws(() => run(session()(page)));
    // @ts-expect-error -- nobody adds test.session
    assert.throws(() => run(cookies()(page)));
    // @ts-expect-error -- nobody adds either
    assert.throws(() => run(page));
  });
});

describe("the order of layers in a stack", () => {
  it("compiles where each layer finds its key", () => {
    assert.deepEqual(run(stack(cookies(), session())(page)), ["Ann"]);
    assert.deepEqual(run(stack(same(), cookies(), same(), session(), same())(page)), ["Ann"]);
    assert.deepEqual(run(stack(cookies(), session())(themed)), ["Ann dark"]);
  });

  it("compiles where the key comes from a stack around it", () => {
    assert.deepEqual(run(stack(stack(same(), cookies()), stack(session()))(page)), ["Ann"]);
    assert.deepEqual(run(stack(cookies())(stack(session())(page))), ["Ann"]);
    assert.deepEqual(run(stack(cookies())(session()(page))), ["Ann"]);
    assert.deepEqual(run(cookies()(stack(session())(page))), ["Ann"]);
  });

  it("does not compile in the wrong order", () => {
    // @ts-expect-error -- session() needs what cookies() adds, and is outside it
    assert.throws(() => run(stack(session(), cookies())(page)));
    // @ts-expect-error -- and so it is in stacks of stacks
    assert.throws(() => run(stack(stack(session()), stack(cookies()))(page)));
  });

  it("does not compile without a layer", () => {
    // @ts-expect-error -- nobody adds test.cookies
    assert.throws(() => run(stack(same(), session())(page)));
    // @ts-expect-error -- nobody adds test.session
    assert.throws(() => run(stack(cookies())(page)));
    // @ts-expect-error -- nobody adds either
    assert.throws(() => run(stack()(page)));
  });

  it("keeps the type when something is put between the layers", () => {
    const between = (): Middleware => same();
    assert.deepEqual(run(interleave(stack(cookies(), session()), between)(page)), ["Ann"]);
    // @ts-expect-error -- session() still needs what cookies() adds
    assert.throws(() => run(interleave(stack(session(), cookies()), between)(page)));
  });
});

describe("a fragment of a stack", () => {
  it("may need a key from outside, and says so", () => {
    const fragment: Middleware<SessionEnviron, CookiesEnviron> = stack(same(), session());
    assert.deepEqual(run(cookies()(fragment(page))), ["Ann"]);
    const part: Application<CookiesEnviron> = stack(session())(page);
    assert.deepEqual(run(cookies()(part)), ["Ann"]);
  });

  it("is no fragment for everybody", () => {
    // @ts-expect-error -- it needs test.cookies
    const everywhere: Middleware<SessionEnviron> = stack(session());
    assert.equal(typeof everywhere, "function");
  });

  it("needs nothing that it adds itself", () => {
    const whole: Middleware<CookiesEnviron & SessionEnviron> = stack(cookies(), session());
    assert.deepEqual(run(whole(page)), ["Ann"]);
  });

  it("adds no more than its layers add", () => {
    // @ts-expect-error -- nothing in it adds test.session
    const more: Middleware<SessionEnviron> = stack(cookies());
    assert.equal(typeof more, "function");
  });
});

describe("an application", () => {
  it("runs under any stack if it needs no key", () => {
    assert.deepEqual(run(stack(cookies(), session())(plain)), ["plain"]);
    assert.deepEqual(run(cookies()(session()(plain))), ["plain"]);
    assert.deepEqual(run(stack()(plain)), ["plain"]);
  });

  it("runs under layers of no known type", () => {
    const layers: readonly AnyMiddleware[] = [cookies(), session()];
    assert.deepEqual(run(stack(...layers)(plain)), ["plain"]);
  });

  it("may be a generator, async, or an async generator", () => {
    const generator: Application = function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "a";
      yield new Uint8Array(1);
    };
    const async: Application = async (environ) => {
      await environ["wsgi.input"].read();
      return ["a"];
    };
    const both: Application = async function* () {
      yield "a";
    };
    const whole = stack(cookies(), session());
    assert.deepEqual(
      [generator, async, both].map((app) => typeof whole(app)),
      ["function", "function", "function"],
    );
  });

  it("may return bytes, sets, views, and bodies with a close()", () => {
    const bytes: Application = () => [new Uint8Array(1), Buffer.from("a"), "a"];
    const set: Application = () => new Set(["a"]);
    const closable: Application = () => Object.assign(["a"], { close: async () => {} });
    const frozen: Application = () => Object.freeze(["a"]);
    assert.equal([bytes, set, closable, frozen].length, 4);
  });

  it("may be given keys of one's own by name", () => {
    const app: Application<Environ & { "my.key": number }> = (environ) => [
      environ["my.key"].toFixed(2),
    ];
    assert.equal(typeof app, "function");
    // @ts-expect-error -- a plain environ promises nothing about the key
    const promised: Application = (environ) => [environ["my.key"].toFixed(2)];
    assert.equal(typeof promised, "function");
  });

  it("returns no bare text or bytes", () => {
    // @ts-expect-error -- a string would be sent letter by letter: return ["Hello"]
    const text: Application = () => "Hello";
    // @ts-expect-error -- bytes are a chunk, not a body: return [bytes]
    const bytes: Application = () => new Uint8Array(1);
    // @ts-expect-error -- and so in a promise
    const later: Application = async () => "Hello";
    assert.equal([text, bytes, later].length, 3);
  });

  it("returns no numbers, and not nothing", () => {
    // @ts-expect-error -- a number is no chunk
    const numbers: Application = () => [42];
    // @ts-expect-error -- return [] for an empty body
    const nothing: Application = () => {};
    // @ts-expect-error -- a promise is no chunk: make the generator async
    const promises: Application = () => [Promise.resolve("a")];
    assert.equal([numbers, nothing, promises].length, 3);
  });

  it("starts its response with a string and pairs", () => {
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", [["X-A", "1"]], new Error("Odd"));
      // @ts-expect-error -- a status is a string, "200 OK"
      startResponse(200, []);
      // @ts-expect-error -- a list of pairs, not an object
      startResponse("200 OK", { "X-A": "1" });
      // @ts-expect-error -- a value is a string
      startResponse("200 OK", [["X-A", 1]]);
      return [];
    };
    assert.deepEqual(run(app), []);
  });
});

describe("a middleware", () => {
  it("may be written without any factory", () => {
    const layer: Middleware = (app) => (environ, startResponse) => app(environ, startResponse);
    assert.deepEqual(run(stack(layer, cookies(), session())(page)), ["Ann"]);
    assert.deepEqual(run(layer(plain)), ["plain"]);
  });

  it("may not leave out the key that it says it adds", () => {
    const liar: Middleware<CookiesEnviron> = (app) => (environ, startResponse) =>
      // @ts-expect-error -- the application expects test.cookies
      app(environ, startResponse);
    assert.equal(typeof liar, "function");
  });

  it("may not read a key that it does not say it needs", () => {
    const curious: Middleware = (app) => (environ, startResponse) => {
      // @ts-expect-error -- unknown: say Middleware<unknown, SessionEnviron>
      const { user } = environ["test.session"];
      assert.equal(user, undefined);
      return app(environ, startResponse);
    };
    assert.throws(() => run(curious(plain)), TypeError);
  });

  it("is what a factory returns, not the factory", () => {
    // @ts-expect-error -- write cookies()
    const uncalled = stack(cookies);
    assert.equal(typeof uncalled, "function");
    // @ts-expect-error -- null is no layer
    assert.throws(() => stack(null), TypeError);
  });

  it("handles a body without knowing its kind", () => {
    const layer: Middleware = (app) => (environ, startResponse) => {
      const body: Body | PromiseLike<Body> = app(environ, startResponse);
      return body;
    };
    assert.deepEqual(run(layer(plain)), ["plain"]);
  });
});
