import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type Application, type Body, type Environ } from "@wsgi/core";
import { timeout } from "@wsgi/middleware/timeout";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";
import { countPromises } from "../support/count-promises.ts";
import { deferred, turn } from "../support/serving.ts";

/** Calls an application under a timeout of a second, and lets that pass. */
async function expire(t: TestContext, app: Application, environ = environFor("GET /")) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const response = call(timeout({ after: 1_000 })(app), environ);
  // What takes turns before it waits is given them.
  await turn(5);
  t.mock.timers.tick(1_000);
  return await response;
}

const never = (): Promise<Body> => new Promise(() => {});

function signalOf(environ: Environ): AbortSignal {
  return (environ["wsgix.signal"] as (environ: Environ) => AbortSignal)(environ);
}

/** Starts its response and returns a stream that never yields, and counts how often it is closed. */
function silent(): { app: Application; times(): number } {
  let times = 0;
  const body: Body = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    close: () => void (times += 1),
  };
  return { app: respond(body), times: () => times };
}

describe("timeout()", () => {
  it("passes others through", async () => {
    const response = await call(timeout()(slow("Hello, ", "world!")), "GET /");
    assert.equal(response.status, "200 OK");
    assert.deepEqual(response.chunks, ["Hello, ", "world!"]);
  });

  it("answers 503 for an application that never answers", async (t) => {
    const response = await expire(t, never);
    assert.equal(response.status, "503 Service Unavailable");
    assert.equal(response.text(), "503 Service Unavailable\n");
  });

  it("reports that once", async (t) => {
    const environ = environFor("GET /stuck");
    await expire(t, never, environ);
    assert.match(
      environ["wsgi.errors"].text,
      /^GET \/stuck: Error \[TimeoutError\]: Cannot answer: the response has not begun after 1000 ms/,
    );
  });

  it("replaces a response that was started and has no byte", async (t) => {
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", [["Content-Length", "1000"]]);
      return never();
    };
    assert.equal((await expire(t, app)).text(), "503 Service Unavailable\n");
  });

  it("answers 503 for a stream that never yields, and closes it once", async (t) => {
    const { app, times } = silent();
    assert.equal((await expire(t, app)).text(), "503 Service Unavailable\n");
    assert.equal(times(), 1);
  });

  it("counts empty chunks for nothing", async (t) => {
    const app: Application = async function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "";
      await never();
    };
    assert.equal((await expire(t, app)).code, 503);
  });

  it("aborts the signal, with the reason", async (t) => {
    const signals: AbortSignal[] = [];
    const app: Application = (environ) => {
      signals.push(signalOf(environ));
      return never();
    };
    await expire(t, app);
    assert.equal((signals[0]!.reason as Error).name, "TimeoutError");
  });

  it("aborts the signal also when the server's own does", async () => {
    const ofServer = new AbortController();
    let signal: AbortSignal | undefined;
    const app: Application = (environ, startResponse) => {
      signal = signalOf(environ);
      return respond(["Hello"])(environ, startResponse);
    };
    const environ = environFor("GET /", { environ: { "wsgix.signal": () => ofServer.signal } });
    await call(timeout()(app), environ);
    assert.equal(signal?.aborted, false);
    ofServer.abort();
    assert.equal(signal?.aborted, true);
  });

  it("leaves the signal of the layers around it alone", async (t) => {
    const ofServer = new AbortController();
    const environ = environFor("GET /", { environ: { "wsgix.signal": () => ofServer.signal } });
    await expire(t, never, environ);
    assert.equal(signalOf(environ).aborted, false);
  });

  it("reports nothing when the client has left", async (t) => {
    const environ = environFor("GET /", { environ: { "wsgix.signal": () => AbortSignal.abort() } });
    await expire(t, never, environ);
    assert.equal(environ["wsgi.errors"].text, "");
  });

  it("answers also if the server's signal cannot be made", async (t) => {
    const signal = (): never => assert.fail("no signal");
    const environ = environFor("GET /", { environ: { "wsgix.signal": signal } });
    assert.equal((await expire(t, never, environ)).status, "503 Service Unavailable");
  });

  it("closes once what comes late twice", async (t) => {
    const body = closable("too late");
    let settle = (_body: Body): void => {};
    // oxlint-disable-next-line unicorn/no-thenable -- a thenable is what it is about
    const twice = { then: (resolve: (body: Body) => void) => void (settle = resolve) };
    await expire(t, () => twice as unknown as Promise<Body>);
    settle(body);
    settle(body);
    await new Promise<void>((resolve) => void setImmediate(resolve));
    assert.equal(body.timesClosed, 1);
  });

  it("closes what comes late, and does not read it", async (t) => {
    const { promise, resolve } = deferred<Body>();
    const body = closable("too late");
    await expire(t, () => promise);
    resolve(body);
    await promise;
    assert.equal(body.taken, 0);
    assert.equal(body.timesClosed, 1);
  });

  it("reports what is thrown late, but not what the signal has told", async (t) => {
    const environ = environFor("GET /");
    const aborted = new Promise<AbortSignal>((resolve) => {
      void expire(
        t,
        async (inner) => {
          const signal = signalOf(inner);
          await new Promise((abort) => signal.addEventListener("abort", abort));
          resolve(signal);
          throw signal.reason;
        },
        environ,
      );
    });
    await aborted;
    assert.equal(environ["wsgi.errors"].text.match(/TimeoutError/g)?.length, 1);
  });

  it("lets nothing be started or written when the time is up", async (t) => {
    const outcome = deferred<string[]>();
    const app: Application = async (environ, startResponse) => {
      const write = startResponse("200 OK", []);
      await new Promise((abort) => signalOf(environ).addEventListener("abort", abort));
      const names: string[] = [];
      for (const act of [() => startResponse("200 OK", []), () => write("late")]) {
        try {
          void act();
        } catch (error) {
          names.push((error as Error).name);
        }
      }
      outcome.resolve(names);
      return [];
    };
    assert.equal((await expire(t, app)).text(), "503 Service Unavailable\n");
    assert.deepEqual(await outcome.promise, ["TimeoutError", "TimeoutError"]);
  });

  it("gives a response that has begun the time it takes", async (t) => {
    const go = deferred();
    const app: Application = async function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "Hello, ";
      await go.promise;
      yield "world!";
    };
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const body = (await timeout({ after: 1_000 })(app)(
      environFor("GET /"),
      () => () => {},
    )) as AsyncIterable<string> & Body;
    const steps = body[Symbol.asyncIterator]();
    await steps.next();
    t.mock.timers.tick(5_000);
    go.resolve();
    assert.deepEqual(await steps.next(), { done: false, value: "world!" });
  });

  it("gives a response that was written the time it takes", async (t) => {
    const go = deferred();
    const app: Application = async (_environ, startResponse) => {
      const write = startResponse("200 OK", []);
      await write("");
      await go.promise;
      return ["Hello"];
    };
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const response = call(timeout({ after: 1_000 })(app), "GET /");
    t.mock.timers.tick(5_000);
    go.resolve();
    assert.equal((await response).text(), "Hello");
  });

  it("makes neither timer nor promise for a synchronous application", (t) => {
    const timer = t.mock.method(globalThis, "setTimeout");
    const app = timeout()(respond(["Hello"]));
    const stream = timeout()(late("Hello"));
    const promises = countPromises(() => {
      app(environFor("GET /"), () => () => {});
      const body = stream(environFor("GET /"), () => () => {});
      assert.deepEqual([...(body as Iterable<string>)], ["", "Hello"]);
    });
    assert.equal(promises, 0);
    assert.equal(timer.mock.callCount(), 0);
  });

  it("leaves no timer behind", async () => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    await call(timeout()(slow("Hello")), "GET /");
    await call(timeout()(slow()), "GET /");
    await call(timeout()(slow("Hello")), "HEAD /");
    await call(
      timeout()(async (...args) => respond(["Hello"])(...args)),
      "GET /",
    );
    await assert.rejects(
      call(
        timeout()(() => Promise.reject(new Error("oops"))),
        "GET /",
      ),
    );
    assert.equal(timers(), before);
  });

  it("hands a synchronous body on as it is", () => {
    const body = ["Hello"];
    assert.equal(
      timeout()(respond(body))(environFor("GET /"), () => () => {}),
      body,
    );
  });

  it("reads a stream no faster than it is asked to", async () => {
    let taken = 0;
    const app: Application = async function* (_environ, startResponse) {
      startResponse("200 OK", []);
      for (;;) yield String(++taken);
    };
    await call(timeout()(app), "GET /", { leaveAfter: 2 });
    assert.equal(taken, 2);
  });

  it("ends the iteration of a stream that is left", async () => {
    let returned = false;
    const app: Application = async function* (_environ, startResponse) {
      try {
        startResponse("200 OK", []);
        for (;;) yield "Hello";
      } finally {
        returned = true;
      }
    };
    await call(timeout()(app), "GET /", { leaveAfter: 1 });
    assert.equal(returned, true);
  });

  it("closes once", async () => {
    const body = closable("Hello");
    await call(timeout()(respond(body)), "GET /");
    assert.equal(body.timesClosed, 1);
  });

  it("lets out what the application throws, in any phase", async () => {
    await assert.rejects(call(timeout()(failing("call")), "GET /"), /Failed in call/);
    await assert.rejects(call(timeout()(failing("body")), "GET /"), /Failed in body/);
    const rejecting: Application = () => Promise.reject(new Error("rejected"));
    await assert.rejects(call(timeout()(rejecting), "GET /"), /rejected/);
  });

  it("passes what is written on", async () => {
    const response = await call(timeout()(writing(["Hello, "], ["world!"])), "GET /");
    assert.equal(response.text(), "Hello, world!");
  });

  it("forwards excInfo", async () => {
    const app: Application = async (_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("500 Internal Server Error", [], new Error("oops"));
      return ["Sorry"];
    };
    assert.equal((await call(timeout()(app), "GET /")).code, 500);
  });

  it("refuses a time that is none", () => {
    const wanted = /^RangeError: Cannot set a timeout: after is .*; wanted whole milliseconds/;
    assert.throws(() => timeout({ after: 0 }), wanted);
    assert.throws(() => timeout({ after: NaN }), wanted);
    assert.throws(() => timeout({ after: 2 ** 31 }), wanted);
    assert.throws(() => timeout({ after: "1s" as unknown as number }), wanted);
  });
});
