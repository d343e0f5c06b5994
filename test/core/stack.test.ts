import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  checkApplication,
  compose,
  compositionOf,
  describe as describeApplication,
  interleave,
  outline,
  stack,
  type Application,
  type Boundary,
  type Middleware,
} from "@wsgi/core";
import { call, respond } from "@wsgi/testing";

/** Makes a layer that signs a response, so that the order of the layers can be read from it. */
function sign(name: string): Middleware {
  const layer: Middleware = (app) => (environ, startResponse) =>
    app(environ, (status, headers, excInfo) =>
      startResponse(status, [...headers, ["X-Signed", name]], excInfo),
    );
  return Object.defineProperty(layer, "name", { value: name });
}

/** Lists the signatures, the innermost layer's first. */
async function signatures(app: Application): Promise<string[]> {
  const { headers } = await call(app, "GET /");
  return headers.filter(([name]) => name === "X-Signed").map(([, value]) => value);
}

/** Makes a layer for a boundary that signs with the names on both its sides. */
function signBoundary({ outer, inner }: Boundary): Middleware {
  return sign(`${outer}>${inner}`);
}

function hello(): string[] {
  return ["Hello"];
}

/** Calls the first application for /first, and else the second. */
function either(first: Application, second: Application): Application {
  const app: Application = (environ, startResponse) =>
    (environ.PATH_INFO === "/first" ? first : second)(environ, startResponse);
  return compose(app, {
    name: "either",
    parts: [
      { label: "/first", app: first },
      { label: "", app: second },
    ],
    rebuild: ([one, two]) => either(one!, two!),
  });
}

describe("stack()", () => {
  it("makes the first layer the outermost", async () => {
    const app = stack(sign("a"), sign("b"), sign("c"))(respond([]));
    assert.deepEqual(await signatures(app), ["c", "b", "a"]);
  });

  it("is the same as nesting by hand", async () => {
    const byHand = sign("a")(sign("b")(sign("c")(respond([]))));
    const app = stack(sign("a"), sign("b"), sign("c"))(respond([]));
    assert.deepEqual(await signatures(app), await signatures(byHand));
  });

  it("returns the application itself without layers", () => {
    const app = respond([]);
    assert.equal(stack()(app), app);
  });

  it("shows its layers, outermost first", () => {
    const [a, b] = [sign("a"), sign("b")];
    assert.deepEqual(stack(a, b).layers, [a, b]);
  });

  it("lays open the stacks among its layers", async () => {
    const [a, b, c] = [sign("a"), sign("b"), sign("c")];
    const whole = stack(a, stack(b, stack(c)));
    assert.deepEqual(whole.layers, [a, b, c]);
    assert.deepEqual(await signatures(whole(respond([]))), ["c", "b", "a"]);
  });

  it("composes once, when it is applied", async () => {
    let applied = 0;
    const counting: Middleware = (app) => {
      applied += 1;
      return app;
    };
    const app = stack(counting)(respond([]));
    await call(app, "GET /");
    await call(app, "GET /");
    assert.equal(applied, 1);
  });

  it("can be applied to several applications", async () => {
    const both = stack(sign("a"), sign("b"));
    const [one, two] = [both(respond(["one"])), both(respond(["two"]))];
    assert.equal((await call(one, "GET /")).text(), "one");
    assert.equal((await call(two, "GET /")).text(), "two");
  });

  it("refuses what is no layer, and says which", () => {
    assert.throws(() => stack(sign("a"), undefined as never), {
      name: "TypeError",
      message:
        "Cannot stack the layers: layer 2 is undefined; wanted a middleware, (app) => app. Was its factory called?",
    });
    assert.throws(() => stack(null as never), /layer 1 is null;/);
  });

  it("refuses a layer that returns no application, and says which", () => {
    const layer = Object.defineProperty(() => ["Hello"], "name", { value: "bad" });
    assert.throws(() => stack(layer as never)(respond([])), {
      name: "TypeError",
      message:
        'Cannot stack the layers: bad returned ["Hello"] for an application; wanted an application. Was its factory called?',
    });
    assert.throws(() => stack((() => null) as never)(respond([])), /returned null/);
  });

  it("refuses to wrap what is no application", () => {
    assert.throws(() => stack(sign("a"))(undefined as never), {
      name: "TypeError",
      message:
        "Cannot stack: the application is undefined; wanted a function (environ, startResponse) => body",
    });
  });
});

describe("checkApplication()", () => {
  it("returns an application", () => {
    assert.equal(checkApplication(hello, "serve"), hello);
  });

  it("says who wanted one, and what it got", () => {
    assert.throws(() => checkApplication("app.ts:app", "serve"), {
      name: "TypeError",
      message:
        'Cannot serve: the application is "app.ts:app"; wanted a function (environ, startResponse) => body',
    });
    assert.throws(() => checkApplication(null, "serve"), /the application is null;/);
  });
});

describe("compositionOf()", () => {
  it("knows nothing of a plain application", () => {
    assert.equal(compositionOf(hello), undefined);
  });

  it("tells the layers and the application of a stack", () => {
    const [a, b] = [sign("a"), sign("b")];
    const app = respond([]);
    const how = compositionOf(stack(a, b)(app));
    assert.deepEqual(how?.layers, [a, b]);
    assert.deepEqual(how?.parts, [{ label: "", app }]);
  });

  it("rebuilds a stack around another application", async () => {
    const how = compositionOf(stack(sign("a"))(respond(["one"])));
    const app = how!.rebuild([respond(["two"])]);
    assert.equal((await call(app, "GET /")).text(), "two");
    assert.deepEqual(await signatures(app), ["a"]);
  });

  it("tells each layer what is inside it", () => {
    let inside: string | undefined;
    const looking: Middleware = (app) => {
      inside = describeApplication(app);
      return app;
    };
    stack(sign("a"), looking, sign("b"), sign("c"))(hello as never);
    assert.equal(inside, "b\n└─ c\n   └─ hello");
  });

  it("tells what compose() noted", () => {
    const [one, two] = [respond(["one"]), respond(["two"])];
    const how = compositionOf(either(one, two));
    assert.equal(how?.name, "either");
    assert.deepEqual(
      how?.parts.map(({ app }) => app),
      [one, two],
    );
  });

  it("tells the last note of several", () => {
    const app = either(respond([]), respond([]));
    compose(app, { name: "renamed", parts: [], rebuild: () => app });
    assert.equal(compositionOf(app)?.name, "renamed");
  });

  it("leaves no trace that a loop over the application would meet", () => {
    assert.deepEqual(Object.keys(either(respond([]), respond([]))), []);
  });
});

describe("interleave()", () => {
  it("puts a boundary before each layer of a stack and behind the last", async () => {
    const traced = interleave(stack(sign("a"), sign("b")), signBoundary)(respond([]));
    assert.deepEqual(await signatures(traced), ["b>application", "b", "a>b", "a", "server>a"]);
  });

  it("puts one boundary around an empty stack", async () => {
    const traced = interleave(stack(), signBoundary)(respond([]));
    assert.deepEqual(await signatures(traced), ["server>application"]);
  });

  it("makes a stack of a stack", () => {
    const traced = interleave(stack(sign("a")), signBoundary);
    assert.deepEqual(
      traced.layers.map((layer) => layer.name),
      ["server>a", "a", "a>application"],
    );
  });

  it("knows the application in an application", async () => {
    const traced = interleave(stack(sign("a"))(respond([])), signBoundary);
    assert.deepEqual(await signatures(traced), ["a>respond", "a", "server>a"]);
  });

  it("puts one boundary before a plain application", async () => {
    assert.deepEqual(await signatures(interleave(respond([]), signBoundary)), ["server>respond"]);
  });

  it("reaches into the parts of a composed application", async () => {
    const app = stack(sign("a"))(either(stack(sign("b"))(respond([])), respond([])));
    const traced = interleave(app, signBoundary);
    assert.deepEqual(await signatures(traced), ["either>respond", "a>either", "a", "server>a"]);
    const first = await call(traced, "GET /first");
    assert.deepEqual(
      first.headers.map(([, value]) => value),
      ["text/plain", "b>respond", "b", "either>b", "a>either", "a", "server>a"],
    );
  });

  it("reaches through a layer that calls several applications", async () => {
    const beside: Middleware = (app) => either(respond([]), app as Application) as typeof app;
    const app = stack(sign("a"), beside, sign("b"))(respond([]));
    const traced = interleave(app, signBoundary);
    const wanted = ["b>respond", "b", "either>b", "a>either", "a", "server>a"];
    assert.deepEqual(await signatures(traced), wanted);
    const first = await call(traced, "GET /first");
    assert.equal(first.headers.at(1)?.[1], "either>respond");
  });

  it("labels the parts of a composed application", () => {
    const labels: string[] = [];
    const app = stack(sign("a"))(either(stack(sign("b"))(respond([])), respond([])));
    interleave(app, ({ inner, label }) => {
      labels.push(`${label} ${inner}`);
      return sign("between");
    });
    assert.deepEqual(labels, [" a", " either", "/first b", " respond", " respond"]);
  });

  it("tells each boundary which one is outside of it", () => {
    const chains: string[] = [];
    const chain = ({ inner, outside }: Boundary): string =>
      outside === undefined ? inner : `${chain(outside)}>${inner}`;
    const app = stack(sign("a"))(either(stack(sign("b"))(respond([])), respond([])));
    interleave(app, (boundary) => {
      chains.push(chain(boundary));
      return sign("between");
    });
    const wanted = ["a", "a>either", "a>either>b", "a>either>b>respond", "a>either>respond"];
    assert.deepEqual(chains, wanted);
  });

  it("leaves the application that it is given as it is", async () => {
    const app = stack(sign("a"))(respond([]));
    interleave(app, signBoundary);
    assert.deepEqual(await signatures(app), ["a"]);
  });

  it("asks once for each boundary", () => {
    const asked: string[] = [];
    interleave(stack(sign("a"), sign("b"))(respond([])), ({ outer, inner }) => {
      asked.push(`${outer}>${inner}`);
      return sign("between");
    });
    assert.deepEqual(new Set(asked), new Set(["server>a", "a>b", "b>respond"]));
    assert.equal(asked.length, 3);
  });

  it("refuses what is no middleware between", () => {
    assert.throws(() => interleave(stack(), () => undefined as never), TypeError);
  });
});

describe("outline()", () => {
  it("is the name of a plain application", () => {
    assert.deepEqual(outline(hello), { label: "", name: "hello", inside: [] });
  });

  it("is the tree of a composed application, with labels", () => {
    const app = stack(sign("a"))(either(respond([]), stack(sign("b"))(respond([]))));
    assert.deepEqual(outline(app), {
      label: "",
      name: "a",
      inside: [
        {
          label: "",
          name: "either",
          inside: [
            { label: "/first", name: "respond", inside: [] },
            { label: "", name: "b", inside: [{ label: "", name: "respond", inside: [] }] },
          ],
        },
      ],
    });
  });

  it("is plain data", () => {
    const tree = outline(stack(sign("a"))(respond([])));
    assert.deepEqual(JSON.parse(JSON.stringify(tree)), tree);
  });
});

describe("describe()", () => {
  it("draws a stack", () => {
    assert.equal(
      describeApplication(stack(sign("a"), sign("b"))(respond([]))),
      ["a", "└─ b", "   └─ respond"].join("\n"),
    );
  });

  it("draws parts with their labels, and lines past them", () => {
    const inner = stack(sign("b"))(respond([]));
    const app = stack(sign("a"))(either(inner, either(hello as never, respond([]))));
    assert.equal(
      describeApplication(app),
      [
        "a",
        "└─ either",
        "   ├─ /first  b",
        "   │  └─ respond",
        "   └─ either",
        "      ├─ /first  hello",
        "      └─ respond",
      ].join("\n"),
    );
  });

  it("draws the parts of a layer that calls several applications", () => {
    const beside: Middleware = (app) => either(hello as never, app as Application) as typeof app;
    const app = stack(sign("a"), beside, sign("b"), sign("c"))(respond([]));
    assert.equal(
      describeApplication(app),
      [
        "a",
        "└─ either",
        "   ├─ /first  hello",
        "   └─ b",
        "      └─ c",
        "         └─ respond",
      ].join("\n"),
    );
  });

  it("says where a name is missing", () => {
    const layer = Object.defineProperty(sign("a"), "name", { value: "" });
    assert.equal(
      describeApplication(stack(layer)(respond([]))),
      ["(anonymous)", "└─ respond"].join("\n"),
    );
  });

  it("runs no application", () => {
    const app: Application = () => assert.fail("it was called");
    assert.equal(describeApplication(stack(sign("a"))(app)), "a\n└─ app");
  });
});
