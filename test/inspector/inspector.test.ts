import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stack, type Application, type Environ, type Middleware } from "@wsgi/core";
import { inspect, Recorder, type Recording, type RecordedEvent } from "@wsgi/inspector";
import { cascade } from "@wsgi/middleware/cascade";
import { mount } from "@wsgi/middleware/mount";
import { when } from "@wsgi/middleware/when";
import { router } from "@wsgi/router";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";
import { importsOf } from "../support/imports.ts";
import { assertNone, packages } from "../support/repository.ts";
import { deferred } from "../support/serving.ts";
import { ignore } from "../support/validating.ts";
import { kindsOf, see } from "./inspecting.ts";

const outer: Middleware = function outer(app) {
  return function outer(environ, startResponse) {
    return app(environ, startResponse);
  };
};

const inner: Middleware = function inner(app) {
  return function inner(environ, startResponse) {
    return app(environ, startResponse);
  };
};

/** Lists the calls of a recording with their parents: `"inner in outer"`. */
function treeOf({ events }: Recording): string[] {
  const calls = events.filter((event) => event.kind === "call");
  return calls.map(({ name, label, parent }) => {
    const place = parent === null ? "" : ` in ${calls[parent]!.name}`;
    return `${label === "" ? "" : `${label} `}${name}${place}`;
  });
}

describe("inspect()", () => {
  it("records the layers in their order, each within the one outside", async () => {
    const { recording } = await see(stack(outer, inner)(respond(["Hello"])));
    assert.deepEqual(treeOf(recording), ["outer", "inner in outer", "respond in inner"]);
  });

  it("records of a stack the application that it is given later, and its layers", async () => {
    const recorder = new Recorder();
    const inspected = inspect(stack(outer), recorder);
    await call(inspected(stack(inner)(respond(["Hello"]))), "GET /");
    assert.deepEqual(treeOf(recorder.recordings[0]!), [
      "outer",
      "inner in outer",
      "respond in inner",
    ]);
  });

  it("makes a stack of a stack, which can be a layer of another", async () => {
    const recorder = new Recorder();
    const app = stack(outer, inspect(stack(inner), recorder))(respond(["Hello"]));
    await call(app, "GET /");
    assert.deepEqual(treeOf(recorder.recordings[0]!), ["inner", "respond in inner"]);
  });

  it("opens mounts and routers, and tells when their parts are called", async () => {
    const routes = router();
    routes.get("/users/:id", respond(["Ann"]));
    const { recording } = await see(mount({ "/api": stack(inner)(routes) }), "GET /api/users/1");
    assert.deepEqual(treeOf(recording), [
      "mount",
      "/api inner in mount",
      "router in inner",
      "GET /users/:id respond in router",
    ]);
  });

  it("opens cascades, whose parts are called one after another", async () => {
    const nothing = respond(["No"], { status: "404 Not Found" });
    const { recording } = await see(cascade(stack(inner)(nothing), late("Yes")));
    assert.deepEqual(treeOf(recording), [
      "cascade",
      "inner in cascade",
      "respond in inner",
      "after 404, 405 late in cascade",
    ]);
  });

  it("opens layers that are applied to some requests", async () => {
    const always = (): boolean => true;
    const { recording } = await see(stack(when(always, inner))(respond(["Hello"])));
    assert.deepEqual(treeOf(recording), ["when", "if always inner in when", "respond in inner"]);
  });

  it("tells a layer from an application", async () => {
    const { recording } = await see(stack(outer)(respond(["Hello"])));
    const calls = recording.events.filter((event) => event.kind === "call");
    assert.deepEqual(
      calls.map(({ isLayer }) => isLayer),
      [true, false],
    );
  });

  it("knows the calls of a layer that calls twice with the same environ", async () => {
    const twice: Middleware = function twice(app) {
      return function twice(environ, startResponse) {
        app(environ, () => () => {});
        return app(environ, startResponse);
      };
    };
    const { recording } = await see(stack(outer, twice, inner)(respond(["Hello"])));
    assert.deepEqual(treeOf(recording).slice(2), [
      "inner in twice",
      "respond in inner",
      "inner in twice",
      "respond in inner",
    ]);
  });

  it("knows the calls of a layer that hands down a copy of environ", async () => {
    const copies: Middleware = function copies(app) {
      return function copies(environ, startResponse) {
        return app({ ...environ }, startResponse);
      };
    };
    const { recording } = await see(stack(copies, inner)(respond(["Hello"])));
    assert.deepEqual(treeOf(recording), ["copies", "inner in copies", "respond in inner"]);
  });

  it("begins a recording of its own where a layer has made a new environ", async () => {
    const renews: Middleware = function renews(app) {
      return function renews(_environ, startResponse) {
        return (app as Application)(environFor("GET /new"), startResponse);
      };
    };
    const { recorder } = await see(stack(renews, inner)(respond(["Hello"])));
    const [first, second] = recorder.recordings;
    assert.deepEqual([first!.isDetached, second!.isDetached], [false, true]);
    assert.deepEqual(treeOf(second!), ["inner", "respond in inner"]);
  });

  it("begins a new recording if its server uses an environ again", async () => {
    const recorder = new Recorder();
    const app = inspect(stack(outer)(respond(["Hello"])), recorder);
    const environ = environFor("GET /");
    await call(app, environ);
    await call(app, environ);
    assert.deepEqual(recorder.recordings.map(treeOf), [
      ["outer", "respond in outer"],
      ["outer", "respond in outer"],
    ]);
  });

  it("takes an application that calls itself for a part of the same request", async () => {
    const recorder = new Recorder();
    const app: Application = inspect(function again(environ, startResponse) {
      if (environ.PATH_INFO === "/end") return respond(["End"])(environ, startResponse);
      return app({ ...environ, PATH_INFO: "/end" }, startResponse);
    }, recorder);
    await call(app, "GET /");
    assert.deepEqual(recorder.recordings.map(treeOf), [["again", "again in again"]]);
  });

  it("does not mix requests that are under way at the same time", async () => {
    const recorder = new Recorder();
    const gate = deferred();
    const app: Application = async function waits(environ, startResponse) {
      await (environ.PATH_INFO === "/first" ? gate.promise : gate.resolve());
      return respond([environ.PATH_INFO])(environ, startResponse);
    };
    const inspected = inspect(stack(outer)(app), recorder);
    await Promise.all([call(inspected, "GET /first"), call(inspected, "GET /second")]);
    assert.deepEqual(
      recorder.recordings.map((recording) => [recording.target, ...kindsOf(recording)]),
      ["/first", "/second"].map((target) => [
        target,
        "call outer",
        "call waits",
        "returned waits",
        "returned outer",
        "start waits",
        "start outer",
        "started outer",
        "started waits",
        "settled waits",
        "settled outer",
      ]),
    );
  });

  it("can stand within another, with another recorder", async () => {
    const [around, within] = [new Recorder(), new Recorder()];
    const part = inspect(stack(inner)(respond(["Hello"])), within);
    await call(inspect(stack(outer)(part), around), "GET /");
    assert.deepEqual(treeOf(within.recordings[0]!), ["inner", "respond in inner"]);
    assert.equal(treeOf(around.recordings[0]!).at(0), "outer");
  });

  it("refuses what is no recorder, and options that are none", () => {
    const recorder = new Recorder();
    assert.throws(() => inspect(respond([]), {} as Recorder), TypeError);
    assert.throws(() => inspect(respond([]), recorder, { serverTiming: "yes" as never }), {
      name: "TypeError",
      message: 'Cannot inspect: serverTiming is "yes"; wanted true or false',
    });
  });
});

describe("a recording", () => {
  it("has the events of a response that is an array", async () => {
    const { recording } = await see(stack(outer)(respond(["Hello, ", "world!"])));
    assert.deepEqual(kindsOf(recording), [
      "call outer",
      "call respond",
      "start respond",
      "start outer",
      "started outer",
      "started respond",
      "returned respond",
      "returned outer",
    ]);
    assert.deepEqual(recording.events.at(-1), {
      at: recording.events.at(-1)!.at,
      call: 0,
      kind: "returned",
      body: {
        kind: "array",
        chunks: 2,
        size: 13,
        sizes: [7, 6],
        text: "Hello, ",
        isClosable: false,
      },
    });
  });

  it("has the events of a body that starts late, step by step", async () => {
    const { recording } = await see(stack(outer)(late("one")));
    assert.deepEqual(kindsOf(recording), [
      "call outer",
      "call late",
      "returned late",
      "returned outer",
      "next outer",
      "next late",
      "chunk late",
      "chunk outer",
      "next outer",
      "next late",
      "start late",
      "start outer",
      "started outer",
      "started late",
      "chunk late",
      "chunk outer",
      "next outer",
      "next late",
      "done late",
      "done outer",
      "close outer",
      "close late",
      "closed late",
      "closed outer",
    ]);
  });

  it("has the events of an asynchronous response", async () => {
    const { recording } = await see(slow("one"));
    assert.deepEqual(kindsOf(recording), [
      "call slow",
      "returned slow",
      "start slow",
      "started slow",
      "settled slow",
      "next slow",
      "chunk slow",
      "next slow",
      "done slow",
      "close slow",
      "closed slow",
    ]);
    const bodies = recording.events.flatMap((event) => ("body" in event ? [event.body.kind] : []));
    assert.deepEqual(bodies, ["promise", "async iterable"]);
  });

  it("has what was written, and whether the buffers were full", async () => {
    const recorder = new Recorder();
    const app = inspect(writing(["one"]), recorder);
    app(environFor("GET /"), () => async () => {});
    const [, , , write, wrote] = recorder.recordings[0]!.events;
    assert.deepEqual(write, { at: write!.at, call: 0, kind: "write", size: 3, text: "one" });
    assert.deepEqual(wrote, { at: wrote!.at, call: 0, kind: "wrote", isFull: true });
  });

  it("has the end of an iteration that its server ends early", async () => {
    const recorder = new Recorder();
    await call(inspect(respond(closable("one", "two")), recorder), "GET /", { leaveAfter: 1 });
    assert.deepEqual(kindsOf(recorder.recordings[0]!).slice(-4), [
      "stop respond",
      "stopped respond",
      "close respond",
      "closed respond",
    ]);
  });

  it("has an error at each boundary that it passes, as the same one", async () => {
    const { recording, error } = await see(stack(outer)(failing("body")));
    const threw = recording.events.filter((event) => event.kind === "threw");
    assert.equal((error as Error).message, "Failed in body");
    assert.deepEqual(
      threw.map(({ call, during, error: { id, message } }) => [call, during, id, message]),
      [
        [1, "next", 0, "Failed in body"],
        [0, "next", 0, "Failed in body"],
      ],
    );
    assert.match(threw[0]!.error.stack!, /Failed in body\n +at /);
    assert.equal(threw[1]!.error.stack, null);
  });

  it("has what startResponse throws, and the error that it was given", async () => {
    const recorder = new Recorder();
    const refused = new Error("Refused");
    const app = inspect(respond(["Hello"]), recorder);
    const refuse = (): never => {
      throw refused;
    };
    assert.throws(() => app(environFor("GET /"), refuse), refused);
    const threw = recorder.recordings[0]!.events.filter((event) => event.kind === "threw");
    assert.deepEqual(
      threw.map(({ during }) => during),
      ["start", "call"],
    );
  });

  it("has environ as a whole at first, and then what has changed", async () => {
    const changes: Middleware = function changes(app) {
      return function changes(environ, startResponse) {
        const { REMOTE_ADDR: _, ...rest } = environ;
        const made = { ...rest, PATH_INFO: "/other", "wsgix.user": "Ann" };
        return app(made as object as typeof environ, startResponse);
      };
    };
    const { recording } = await see(stack(changes)(respond(["Hello"])));
    const [first, second] = recording.events.filter((event) => event.kind === "call");
    assert.equal(first!.environ.added.PATH_INFO, "/");
    assert.deepEqual(second!.environ, {
      added: { "wsgix.user": "Ann" },
      changed: { PATH_INFO: "/other" },
      removed: ["REMOTE_ADDR"],
    });
  });

  it("is plain data", async () => {
    const odd: Middleware = function odd(app) {
      return function odd(environ, startResponse) {
        const values = {
          "odd.undefined": undefined,
          "odd.number": Number.NaN,
          "odd.zero": -0,
          "odd.big": 1n,
          "odd.symbol": Symbol("odd"),
          "odd.map": new Map([[1, 2]]),
          "odd.deep": { a: { b: { c: { d: 1 } } }, none: undefined },
          "odd.proto": JSON.parse('{"__proto__": 1}') as unknown,
          "odd.date": new Date(0),
        };
        return app(Object.assign(environ, values), startResponse);
      };
    };
    const { recording } = await see(stack(odd)(slow("one")));
    assert.deepEqual(JSON.parse(JSON.stringify(recording)), recording);
  });

  it("calls nothing of the values in environ", async () => {
    let called = 0;
    const touchy = Object.defineProperty({}, "lazy", { enumerable: true, get: () => ++called });
    const sets: Middleware = function sets(app) {
      return function sets(environ, startResponse) {
        return app(Object.assign(environ, { "app.touchy": touchy }), startResponse);
      };
    };
    const { recording } = await see(stack(sets)(respond(["Hello"])));
    assert.match(JSON.stringify(recording), /"app.touchy":\{"lazy":"\(the function get\)"\}/);
    assert.equal(called, 0);
  });

  it("survives values that cannot be looked at", async () => {
    const no = (): never => {
      throw new Error("No");
    };
    const hostile = new Proxy({}, { getPrototypeOf: no, ownKeys: no });
    const sets: Middleware = function sets(app) {
      return function sets(environ, startResponse) {
        return app(Object.assign(environ, { "app.hostile": hostile }), startResponse);
      };
    };
    const { recording, error } = await see(stack(sets)(failing("call", hostile)));
    assert.equal(error, hostile);
    assert.match(JSON.stringify(recording), /"app.hostile":"\(a value that cannot be looked at\)"/);
  });

  it("shows how text begins, and nothing of what is no text", async () => {
    const bytes = new Uint8Array([0, 1, 2]);
    const long = "é".repeat(100);
    const { recording } = await see(
      respond(() => closable("short", long, Buffer.from(long), bytes)),
      "GET /",
      { chunkText: 5 },
    );
    const chunks = recording.events.filter((event) => event.kind === "chunk");
    assert.deepEqual(
      chunks.map(({ size, text }) => [size, text]),
      [
        [5, "short"],
        [200, "ééééé…"],
        [200, "éé…"],
        [3, null],
      ],
    );
  });

  it("shows a buffer that is filled again as it is now", async () => {
    const fills: Application = function* fills(_environ, startResponse) {
      const buffer = new Uint8Array(1);
      const write = startResponse("200 OK", []);
      void write(buffer.fill(97));
      void write(buffer.fill(98));
      yield buffer.fill(99);
      yield buffer.fill(100);
    };
    const { recording } = await see(stack(outer)(fills));
    const texts = recording.events.flatMap((event) =>
      (event.kind === "chunk" || event.kind === "write") && event.call === 0 ? [event.text] : [],
    );
    assert.deepEqual(texts, ["a", "b", "c", "d"]);
  });

  it("tells when the request was over", async () => {
    const ended = async (app: Application): Promise<boolean> =>
      (await see(app)).recording.ended !== null;
    const waits: Application = () => new Promise(() => {});
    const recorder = new Recorder();
    void inspect(waits, recorder)(environFor("GET /"), () => () => {});
    assert.deepEqual(
      [
        await ended(respond(["Hello"])),
        await ended(slow("Hello")),
        await ended(failing("call")),
        recorder.recordings[0]!.ended !== null,
      ],
      [true, true, true, false],
    );
  });

  it("has only data of hostile text", async () => {
    const text = '<script>alert(1)</script>\x1b[31m"\u2028';
    const echo: Application = function echo(environ, startResponse) {
      startResponse("200 OK", [["X-Echo", environ.HTTP_X_TEXT!]]);
      throw new Error(environ.PATH_INFO);
    };
    const recorder = new Recorder();
    const environ = environFor("GET /", { environ: { PATH_INFO: `/${text}`, HTTP_X_TEXT: text } });
    assert.throws(() => inspect(echo, recorder)(environ as Environ, ignore));
    const [recording] = recorder.recordings;
    const [first, start, , threw] = recording!.events;
    assert.ok(first?.kind === "call" && start?.kind === "start" && threw?.kind === "threw");
    assert.equal(first.environ.added.PATH_INFO, `/${text}`);
    assert.deepEqual(start.headers, [["X-Echo", text]]);
    assert.equal(threw.error.message, `/${text}`);
  });
});

describe("Recorder", () => {
  it("keeps the last recordings", async () => {
    const recorder = new Recorder({ keep: 2 });
    const app = inspect(respond(["Hello"]), recorder);
    for (const path of ["/1", "/2", "/3"]) await call(app, `GET ${path}`);
    assert.deepEqual(
      recorder.recordings.map(({ id, target }) => [id, target]),
      [
        [2, "/2"],
        [3, "/3"],
      ],
    );
  });

  it("finds a recording by its number", async () => {
    const { recorder, recording } = await see(respond(["Hello"]));
    assert.equal(recorder.find(recording.id), recording);
    assert.equal(recorder.find(99), undefined);
  });

  it("forgets all, and goes on", async () => {
    const recorder = new Recorder();
    const app = inspect(respond(["Hello"]), recorder);
    await call(app, "GET /1");
    recorder.clear();
    await call(app, "GET /2");
    assert.deepEqual(
      recorder.recordings.map(({ target }) => target),
      ["/2"],
    );
  });

  it("tells of each event when it happens, until nobody wants to know", async () => {
    const recorder = new Recorder();
    const told: RecordedEvent[] = [];
    const stop = recorder.subscribe((_recording, event) => void told.push(event));
    const app = inspect(respond(["Hello"]), recorder);
    await call(app, "GET /");
    stop();
    await call(app, "GET /");
    assert.deepEqual(told, recorder.recordings[0]!.events);
  });

  it("lets no listener hurt the request", async () => {
    const recorder = new Recorder();
    recorder.subscribe(() => {
      throw new Error("A listener has failed");
    });
    recorder.subscribe((async () => {
      throw new Error("A listener has failed later");
    }) as () => void);
    const response = await call(inspect(respond(["Hello"]), recorder), "GET /");
    assert.equal(response.text(), "Hello");
  });

  it("counts what follows when there are enough events, and writes down the end", async () => {
    const chunks = Array.from({ length: 100 }, () => "12345");
    const { recording, calls } = await see(
      stack(outer)(respond(() => closable(...chunks))),
      "GET /",
      { events: 50 },
    );
    assert.ok(recording.events.length <= 60);
    assert.deepEqual(kindsOf(recording).slice(-6), [
      "done respond",
      "done outer",
      "close outer",
      "close respond",
      "closed respond",
      "closed outer",
    ]);
    assert.deepEqual(
      calls.map(({ given }) => [given.chunks, given.bytes]),
      [
        [100, 500],
        [100, 500],
      ],
    );
  });

  it("counts calls when there are enough events, and lets them through", async () => {
    const often: Middleware = function often(app) {
      return function often(environ, startResponse) {
        for (let i = 0; i < 99; i++) app(environ, () => () => {});
        return app(environ, startResponse);
      };
    };
    const { recording, error } = await see(stack(often, inner)(respond(["Hello"])), "GET /", {
      events: 40,
    });
    assert.equal(error, undefined);
    const inners = recording.events.filter((event) => event.kind === "call" && event.parent === 0);
    assert.equal(inners.length + recording.omitted.find(({ call }) => call === 0)!.calls, 100);
  });

  it("records only what it is told to", async () => {
    const recorder = new Recorder({ only: ({ PATH_INFO }) => PATH_INFO !== "/private" });
    const app = inspect(stack(outer)(respond(["Hello"])), recorder);
    await call(app, "GET /private");
    await call(app, "GET /public");
    assert.deepEqual(
      recorder.recordings.map(({ target }) => target),
      ["/public"],
    );
  });

  it("records nothing further in of a request that it is told to leave out", async () => {
    const recorder = new Recorder({ only: ({ PATH_INFO }) => !PATH_INFO.startsWith("/private") });
    await call(inspect(mount({ "/private": respond(["Hello"]) }), recorder), "GET /private/x");
    assert.deepEqual(recorder.recordings, []);
  });

  it("refuses options that are none", () => {
    assert.throws(() => new Recorder({ keep: 0 }), {
      name: "RangeError",
      message: "Cannot make a recorder: keep is 0; wanted a whole number from 1 on",
    });
    assert.throws(() => new Recorder({ events: 1.5 }), RangeError);
    assert.throws(() => new Recorder({ chunkText: -1 }), RangeError);
    assert.throws(() => new Recorder({ secrets: "pin" as never }), TypeError);
    assert.throws(() => new Recorder({ only: true as never }), TypeError);
    assert.throws(() => new Recorder({ now: 1 as never }), TypeError);
    assert.throws(() => new Recorder().subscribe(undefined as never), TypeError);
  });
});

describe("@wsgi/inspector", () => {
  it("can be imported in a browser, but for the page's server: it uses core alone", () => {
    const { sources } = packages.find(({ manifest }) => manifest.name === "@wsgi/inspector")!;
    const ours = sources.filter(({ path }) => !/\/src\/(?:page|serving)\//.test(path));
    const imports = ours.flatMap(importsOf);
    const strays = imports.filter(({ name, from, target }) =>
      from === undefined ? /\/src\/(?:page|serving)\//.test(target) : name !== "@wsgi/core",
    );
    assertNone(strays.map(({ place }) => place));
  });
});
