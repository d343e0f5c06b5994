import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  capture,
  closeBody,
  concat,
  mapBody,
  onClose,
  readBody,
  shiftPathInfo,
  stack,
  when,
  type Application,
  type Body,
  type Environ,
  type Middleware,
  type StartResponse,
} from "@wsgi/core";
import { cascade } from "@wsgi/middleware/cascade";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";
import { judgeLayer, makeJudge } from "../support/validating.ts";

const streamed = respond(() => closable("one", "two", "three"));

const same: Middleware = (app) => (environ, startResponse) => app(environ, startResponse);

/** Is a layer that passes the request on, and does something with the body. */
function onBody(change: (body: Body) => Body | PromiseLike<Body>): Middleware {
  return (app) => (environ, startResponse) =>
    when(app(environ, startResponse), change) as ReturnType<Application>;
}

/** Is a layer that changes the request. */
function onEnviron(change: (environ: Environ) => Environ): Middleware {
  return (app) => (environ, startResponse) => app(change(environ) as never, startResponse);
}

/** Is a layer that changes how the response starts. */
function onStart(change: (startResponse: StartResponse) => StartResponse): Middleware {
  return (app) => (environ, startResponse) => app(environ, change(startResponse));
}

/** Makes chunks of a body with a generator, and forwards its close(). */
function generated(make: (chunks: Iterable<string>) => Iterable<string>): Middleware {
  return onBody((body) => {
    const chunks = make(body as Iterable<string>);
    return onClose({ [Symbol.iterator]: () => chunks[Symbol.iterator]() }, () => closeBody(body));
  });
}

/** Does the same where it may wait. */
function generatedLater(
  make: (chunks: AsyncIterable<string>) => AsyncIterable<string>,
): Middleware {
  return onBody((body) => {
    const chunks = make(body as AsyncIterable<string>);
    return onClose(chunks, () => closeBody(body));
  });
}

describe("two validators around a layer", () => {
  it("say nothing of one that passes everything on", async () => {
    assert.deepEqual((await judgeLayer(same, streamed)).faults, []);
    assert.deepEqual((await judgeLayer(same, respond(["one"]))).faults, []);
    assert.deepEqual((await judgeLayer(same, late("one"))).faults, []);
    assert.deepEqual((await judgeLayer(same, slow("one"))).faults, []);
    assert.deepEqual((await judgeLayer(same, writing(["one"]))).faults, []);
  });

  it("find each other through a copy of environ", async () => {
    const drains: Middleware = (app) => (environ, startResponse) => {
      const body = app({ ...environ }, startResponse) as Iterable<string> & Body;
      return onClose([...body], () => closeBody(body));
    };
    assert.deepEqual((await judgeLayer(drains, streamed)).faults, ["server layer-lazy"]);
  });

  it("do not take one application that a layer calls for a layer around the other", async () => {
    const verdict = makeJudge();
    const both: Application = (environ, startResponse) => {
      const first = verdict.validator()(respond(["one"]))(environ, () => () => {});
      void closeBody(first as Body);
      return verdict.validator()(streamed)(environ, startResponse);
    };
    await call(verdict.validator()(both), "GET /");
    assert.deepEqual(verdict.faults, []);
  });

  it("name the layer on either side", async () => {
    const drains = onBody((body) => onClose([...(body as string[])], () => closeBody(body)));
    const verdict = makeJudge();
    const outer = verdict.validator({ inner: "drains" });
    const inner = verdict.validator({ outer: "drains" });
    await assert.rejects(
      call(stack(outer, drains, inner)(streamed), "GET /"),
      /^WsgiError: server drains: Cannot take a step/,
    );
  });
});

describe("[layer-lazy]", () => {
  it("is broken by a layer that reads its application's body within the call", async () => {
    const drains = onBody((body) => when(readBody(body), (bytes) => [bytes]) as Body);
    assert.deepEqual((await judgeLayer(drains, streamed)).faults, ["server layer-lazy"]);
  });

  it("is broken by a layer that does so in its own time", async () => {
    const drains: Middleware = (app) => async (environ, startResponse) => {
      const body = await app(environ, startResponse);
      return [await readBody(body)];
    };
    assert.deepEqual((await judgeLayer(drains, slow("one"))).faults, ["server layer-lazy"]);
  });

  it("is broken by a layer that reads on behind the first chunk", async () => {
    const drains = onBody((body) => when(readBody(body), (bytes) => [bytes]) as Body);
    assert.deepEqual((await judgeLayer(drains, late("one", "two"))).faults, ["server layer-lazy"]);
  });

  it("lets a layer read up to the first chunk, where the response has not started", async () => {
    const peeks: Middleware = (app) => (environ, startResponse) =>
      when(capture(app, environ), ({ status, headers, body }) => {
        startResponse(status, headers);
        return body;
      }) as ReturnType<Application>;
    assert.deepEqual((await judgeLayer(peeks, late("one", "two"))).faults, []);
    assert.deepEqual((await judgeLayer(peeks, slow("one", "two"))).faults, []);
  });

  it("lets a layer look at an array", async () => {
    const looks = onBody((body) => concat([String((body as string[]).length)], body));
    assert.deepEqual((await judgeLayer(looks, respond(["one"]))).faults, []);
  });
});

describe("[layer-block]", () => {
  it("is broken by a layer that joins two chunks", async () => {
    const joins = generated(function* (chunks) {
      let pair = "";
      for (const chunk of chunks) {
        if (pair !== "") yield pair + chunk;
        pair = pair === "" ? chunk : "";
      }
      yield pair;
    });
    assert.deepEqual((await judgeLayer(joins, streamed)).faults, ["server layer-block"]);
  });

  it("is broken by a layer that swallows a chunk", async () => {
    const skips = generated(function* (chunks) {
      for (const chunk of chunks) if (chunk !== "two") yield chunk;
    });
    assert.deepEqual((await judgeLayer(skips, streamed)).faults, ["server layer-block"]);
  });

  it("is broken by a layer that gathers an asynchronous body", async () => {
    const gathers = generatedLater(async function* (chunks) {
      let all = "";
      for await (const chunk of chunks) all += chunk;
      yield all;
    });
    const { faults } = await judgeLayer(gathers, slow("one", "two"));
    assert.deepEqual(faults, ["application layer-block"]);
  });

  it("is kept by a layer that yields an empty chunk instead", async () => {
    const hides = onBody((body) => mapBody(body, { chunk: () => "", end: () => "end" }));
    assert.deepEqual((await judgeLayer(hides, streamed)).faults, []);
    assert.deepEqual((await judgeLayer(hides, slow("one", "two"))).faults, []);
  });

  it("is kept by a layer that adds chunks", async () => {
    const adds = generated(function* (chunks) {
      for (const chunk of chunks) yield* ["<", chunk, ">"];
    });
    assert.deepEqual((await judgeLayer(adds, streamed)).faults, []);
  });

  it("is kept by a layer that reads the rest when it is closed", async () => {
    const drains = onBody((body) => {
      const chunks = (body as Iterable<string>)[Symbol.iterator]();
      const next = (): IteratorResult<string> => chunks.next();
      return onClose({ [Symbol.iterator]: () => ({ next }) }, () => {
        for (let step = next(); step.done !== true; step = next());
        return closeBody(body);
      });
    });
    const verdict = makeJudge();
    const app = stack(verdict.validator(), drains, verdict.validator())(streamed);
    await call(app, "GET /", { leaveAfter: 1 });
    assert.deepEqual(verdict.faults, []);
  });

  it("is kept by a layer that stops", async () => {
    const stops = generatedLater(async function* (chunks) {
      for await (const chunk of chunks) {
        if (chunk === "two") return;
        yield chunk;
      }
    });
    assert.deepEqual((await judgeLayer(stops, slow("one", "two", "three"))).faults, []);
  });

  it("is kept by a layer that reads ahead while its server takes a chunk", async () => {
    const readsAhead = generatedLater(async function* (chunks) {
      const steps = chunks[Symbol.asyncIterator]();
      let next = steps.next();
      for (;;) {
        const step = await next;
        if (step.done === true) return;
        next = steps.next();
        yield step.value;
      }
    });
    assert.deepEqual((await judgeLayer(readsAhead, slow("one", "two", "three"))).faults, []);
  });
});

describe("[close-forward]", () => {
  it("is broken by a generator that does not close what it goes through", async () => {
    const forgets = onBody(function* (body) {
      yield* body as Iterable<string>;
    } as (body: Body) => Body);
    assert.deepEqual((await judgeLayer(forgets, streamed)).faults, ["application close-forward"]);
  });

  it("is broken by a layer that drops a body", async () => {
    const drops = onBody(() => ["another"]);
    assert.deepEqual((await judgeLayer(drops, streamed)).faults, ["application close-forward"]);
  });

  it("is broken by a layer that fails after its application has returned", async () => {
    const fails = onBody(() => {
      throw new Error("Failed");
    });
    assert.deepEqual((await judgeLayer(fails, streamed)).faults, ["application close-forward"]);
    assert.deepEqual((await judgeLayer(fails, slow("one"))).faults, ["application close-forward"]);
  });

  it("tells the error of the layer that fails as the cause", async () => {
    const failed = new Error("Failed");
    const fails = onBody(() => {
      throw failed;
    });
    const { validator } = makeJudge();
    const app = stack(validator(), fails, validator())(streamed);
    await assert.rejects(call(app, "GET /"), { clause: "close-forward", cause: failed });
  });

  it("is broken by a layer whose own close() fails before", async () => {
    const fails = onBody((body) => ({
      [Symbol.iterator]: () => (body as Iterable<string>)[Symbol.iterator](),
      close() {
        throw new Error("Failed");
      },
    }));
    assert.deepEqual((await judgeLayer(fails, streamed)).faults, ["application close-forward"]);
  });

  it("is broken by a layer that closes twice", async () => {
    const twice = onBody((body) =>
      onClose(
        { [Symbol.iterator]: () => (body as Iterable<string>)[Symbol.iterator]() },
        async () => {
          await closeBody(body);
          await closeBody(body);
        },
      ),
    );
    assert.deepEqual((await judgeLayer(twice, streamed)).faults, ["server close-once"]);
  });

  it("is kept by a layer that closes what it drops", async () => {
    const drops = onBody((body) => {
      void closeBody(body);
      return ["another"];
    });
    assert.deepEqual((await judgeLayer(drops, streamed)).faults, []);
  });

  it("is kept by a layer that takes time to close", async () => {
    const waits = onBody((body) =>
      onClose(
        { [Symbol.iterator]: () => (body as Iterable<string>)[Symbol.iterator]() },
        async () => {
          await Promise.resolve();
          await closeBody(body);
        },
      ),
    );
    assert.deepEqual((await judgeLayer(waits, streamed)).faults, []);
  });

  it("is kept by a layer whose application fails", async () => {
    const maps = onBody((body) => mapBody(body, {}));
    assert.deepEqual((await judgeLayer(maps, failing("call"))).faults, []);
    assert.deepEqual((await judgeLayer(maps, failing("body"))).faults, []);
    assert.deepEqual((await judgeLayer(maps, failing("close"))).faults, []);
  });
});

describe("[body-once]", () => {
  it("is broken by a layer that goes through a body twice", async () => {
    const twice = generated(function* (chunks) {
      yield* chunks;
      yield* chunks;
    });
    assert.deepEqual((await judgeLayer(twice, streamed)).faults, ["server body-once"]);
  });
});

describe("[layer-write]", () => {
  /** Writes what it should yield. */
  const writes: Middleware = (app) => (environ, startResponse) => {
    let write = (_chunk: string): unknown => undefined;
    const body = app(environ, (...head) => (write = startResponse(...head)));
    for (const chunk of body as string[]) write(chunk);
    return onClose([], () => closeBody(body as Body));
  };

  it("is broken by a layer that writes what was returned", async () => {
    const { faults } = await judgeLayer(writes, respond(["one"]));
    assert.deepEqual(faults, ["application layer-write"]);
  });

  it("is kept by a layer that writes what was written", async () => {
    const shouts = onStart((startResponse) => (...head) => {
      const write = startResponse(...head);
      return (chunk) => write(String(chunk).toUpperCase());
    });
    assert.deepEqual((await judgeLayer(shouts, writing(["one"], ["two"]))).faults, []);
  });

  it("is kept by a layer that answers by itself", async () => {
    const answers: Middleware = () => writing(["one"]);
    assert.deepEqual((await judgeLayer(answers, respond([]))).faults, []);
  });
});

describe("[layer-start]", () => {
  const fails: Application = (_environ, startResponse) => {
    startResponse("200 OK", []);
    startResponse("500 Internal Server Error", [], new Error("Failed"));
    return [];
  };

  it("is broken by a layer that drops the error", async () => {
    const drops = onStart((startResponse) => (status, headers) => startResponse(status, headers));
    assert.deepEqual((await judgeLayer(drops, fails)).faults, ["application layer-start"]);
  });

  it("is kept by a layer that passes it on", async () => {
    const passes = onStart(
      (startResponse) => (status, headers, excInfo) => startResponse(status, [...headers], excInfo),
    );
    assert.deepEqual((await judgeLayer(passes, fails)).faults, []);
  });

  it("is kept by a layer that takes the error itself", async () => {
    const takes = onStart((startResponse) => (status, headers, excInfo) => {
      if (excInfo !== undefined) throw excInfo;
      return startResponse(status, headers);
    });
    assert.deepEqual((await judgeLayer(takes, fails)).faults, []);
  });

  it("lets a layer start anew after an error that is over", async () => {
    const takes: Middleware = (app) => (environ, startResponse) => {
      const ignored = (): (() => void) => () => {};
      void closeBody(app(environ, ignored) as Body);
      return respond(["Sorry"])(environ, startResponse);
    };
    assert.deepEqual((await judgeLayer(takes, fails)).faults, []);
  });
});

describe("[layer-length]", () => {
  const sized: Application = respond(["Hello"], {
    headers: [
      ["Content-Type", "text/plain"],
      ["Content-Length", "5"],
    ],
  });

  it("is broken by a layer that makes the body longer", async () => {
    const adds = onBody((body) => mapBody(body, { end: () => "!" }));
    assert.deepEqual((await judgeLayer(adds, sized)).faults, ["application layer-length"]);
  });

  it("is broken by a layer that makes the body shorter", async () => {
    const cuts = onBody((body) => mapBody(body, { chunk: () => "Hi" }));
    assert.deepEqual((await judgeLayer(cuts, sized)).faults, ["application layer-length"]);
  });

  it("is not what a layer breaks that declares a wrong length itself", async () => {
    const declares = onStart(
      (startResponse) => (status) => startResponse(status, [["Content-Length", "6"]]),
    );
    const { faults } = await judgeLayer(declares, respond(["Hello"]));
    assert.deepEqual(faults, ["application length-short"]);
  });
});

describe("[layer-mount]", () => {
  it("is broken by a layer that loses a part of the path", async () => {
    const loses = onEnviron((environ) => ({ ...environ, SCRIPT_NAME: "/a", PATH_INFO: "/c" }));
    const { faults } = await judgeLayer(loses, streamed, "GET /a/b/c");
    assert.deepEqual(faults, ["server layer-mount"]);
  });

  it("is kept by a layer that moves the border", async () => {
    const moves = onEnviron((environ) => ({ ...environ, SCRIPT_NAME: "/a", PATH_INFO: "/b" }));
    assert.deepEqual((await judgeLayer(moves, streamed, "GET /a/b")).faults, []);
  });

  it("is kept by shiftPathInfo, which skips what is empty", async () => {
    const shifts = onEnviron((environ) => {
      const copy = { ...environ };
      shiftPathInfo(copy);
      return copy;
    });
    assert.deepEqual((await judgeLayer(shifts, streamed, "GET //a/./b/")).faults, []);
    const up = environFor("GET /../b", { environ: { SCRIPT_NAME: "/a/b" } });
    assert.deepEqual((await judgeLayer(shifts, streamed, up)).faults, []);
  });

  it("is kept by a layer that rewrites the path", async () => {
    const rewrites = onEnviron((environ) => ({ ...environ, PATH_INFO: "/index.html" }));
    assert.deepEqual((await judgeLayer(rewrites, streamed)).faults, []);
  });

  it("is kept by a layer that adds the prefix of a proxy", async () => {
    const adds = onEnviron((environ) => ({ ...environ, SCRIPT_NAME: "/behind" }));
    assert.deepEqual((await judgeLayer(adds, streamed)).faults, []);
  });
});

describe("[layer-environ]", () => {
  it("is a warning for a layer that changes the request in its place", async () => {
    const changes = onEnviron((environ) => Object.assign(environ, { REQUEST_METHOD: "GET" }));
    const { faults, warnings } = await judgeLayer(changes, respond([]), "HEAD /");
    assert.deepEqual(faults, []);
    assert.deepEqual(warnings, ["server layer-environ"]);
  });

  it("is none for a layer that changes a copy", async () => {
    const changes = onEnviron((environ) => ({ ...environ, REQUEST_METHOD: "GET" }));
    assert.deepEqual((await judgeLayer(changes, respond([]), "HEAD /")).warnings, []);
  });

  it("is none for a layer that adds keys", async () => {
    const adds = onEnviron((environ) =>
      Object.assign(environ, { REMOTE_USER: "Ann", "example.user": "Ann" }),
    );
    assert.deepEqual((await judgeLayer(adds, respond([]))).warnings, []);
  });
});

describe("[layer-sync]", () => {
  const waits: Middleware = (app) => async (environ, startResponse) => app(environ, startResponse);

  it("is a warning for a layer that makes a synchronous application wait", async () => {
    const { faults, warnings } = await judgeLayer(waits, streamed);
    assert.deepEqual(faults, []);
    assert.deepEqual(warnings, ["application layer-sync"]);
  });

  it("is none where the application waits too", async () => {
    assert.deepEqual((await judgeLayer(waits, slow("one"))).warnings, []);
  });

  it("is none for a layer that waits for what it drops to be closed", async () => {
    const drops: Middleware = (app) => async (environ, startResponse) => {
      await closeBody(app(environ, () => () => {}) as Body);
      return respond(["another"])(environ, startResponse);
    };
    const slowToClose = respond(() => Object.assign([], { close: () => Promise.resolve() }));
    assert.deepEqual((await judgeLayer(drops, slowToClose)).warnings, []);
  });

  it("is a warning for a layer that drops what is closed at once", async () => {
    const drops: Middleware = (app) => async (environ, startResponse) => {
      void closeBody(app(environ, () => () => {}) as Body);
      return respond(["another"])(environ, startResponse);
    };
    assert.deepEqual((await judgeLayer(drops, streamed)).warnings, ["application layer-sync"]);
  });

  it("is none for a layer that has to wait before it calls", async () => {
    const asks: Middleware = (app) => async (environ, startResponse) => {
      await Promise.resolve();
      return app(environ, startResponse);
    };
    assert.deepEqual((await judgeLayer(asks, streamed)).warnings, []);
  });

  it("is none for a layer that answers an error in its own time", async () => {
    const catches: Middleware = (app) => (environ, startResponse) => {
      try {
        return app(environ, startResponse);
      } catch {
        return Promise.resolve(respond(["Sorry"])(environ, startResponse));
      }
    };
    assert.deepEqual((await judgeLayer(catches, failing("call"))).warnings, []);
  });
});

describe("validators in a cascade", () => {
  it("have nothing to say of what it drops", async () => {
    const verdict = makeJudge();
    const missing = respond(() => closable("No"), { status: "404 Not Found" });
    const inside = [missing, late("one", "two")].map((app) => verdict.validator()(app));
    const app = verdict.validator()(cascade(...inside));
    assert.equal((await call(app, environFor("GET /"))).text(), "onetwo");
    assert.deepEqual(verdict.faults, []);
    assert.deepEqual(verdict.warnings, []);
  });
});
