import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { interleave, isThenable, stack, WsgiError, type Application } from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";
import { deferred } from "../support/serving.ts";
import { ignore, makeJudge } from "../support/validating.ts";

const silent = { warn: () => {} };

describe("validator()", () => {
  it("passes a response on", async () => {
    const response = await call(validator()(respond(["Hello"])), "GET /");
    assert.equal(response.status, "200 OK");
    assert.deepEqual(response.headers, [["Content-Type", "text/plain"]]);
    assert.equal(response.text(), "Hello");
  });

  it("keeps an array an array, with its length", () => {
    const body = validator()(respond(["one", "two"]))(environFor("GET /"), ignore);
    assert.ok(Array.isArray(body));
    assert.equal(body.length, 2);
  });

  it("keeps what is synchronous synchronous", () => {
    const body = validator()(late("one"))(environFor("GET /"), ignore) as Iterable<string>;
    assert.deepEqual([...body], ["", "one"]);
  });

  it("keeps a promise a promise, and an async iterable one", async () => {
    const body = validator()(slow("one"))(environFor("GET /"), ignore);
    assert.ok(isThenable(body));
    assert.ok(Symbol.asyncIterator in (await body));
  });

  it("reads nothing before it is asked", () => {
    const body = closable("one", "two");
    void validator()(respond(body))(environFor("GET /"), ignore);
    assert.equal(body.taken, 0);
  });

  it("closes the body once", async () => {
    const body = closable("one");
    await call(validator()(respond(body)), "GET /");
    assert.equal(body.timesClosed, 1);
  });

  it("ends an iteration that its server leaves", async () => {
    const body = closable("one", "two");
    await call(validator()(respond(body)), "GET /", { leaveAfter: 1 });
    assert.equal(body.returned, true);
  });

  it("lets what the application throws through", async () => {
    await assert.rejects(call(validator()(failing("call")), "GET /"), /^Error: Failed in call$/);
    await assert.rejects(call(validator()(failing("body")), "GET /"), /^Error: Failed in body$/);
    await assert.rejects(call(validator()(failing("close")), "GET /"), /^Error: Failed in close$/);
  });

  it("passes on what is written, before what is yielded", async () => {
    const response = await call(validator()(writing(["one "], ["two"])), "GET /");
    assert.equal(response.text(), "one two");
  });

  it("passes the promise of a full write() on", () => {
    const full = Promise.resolve();
    let taken: unknown;
    const app: Application = (_environ, startResponse) => {
      taken = startResponse("200 OK", [["Content-Type", "text/plain"]])("one");
      return [];
    };
    void validator()(app)(environFor("GET /"), () => () => full);
    assert.equal(taken, full);
  });

  it("hands excInfo to the server, and two arguments where there are two", () => {
    const calls: unknown[][] = [];
    const error = new Error("Failed");
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("500 Internal Server Error", [], error);
      return [];
    };
    void validator()(app)(environFor("GET /"), (...args) => {
      calls.push(args);
      return () => {};
    });
    assert.deepEqual(calls, [
      ["200 OK", []],
      ["500 Internal Server Error", [], error],
    ]);
  });

  it("lets layers outside see what those inside leave in environ", async () => {
    const environ = environFor("GET /");
    const app: Application = (inside, startResponse) => {
      inside.REMOTE_USER = "Ann";
      delete inside.HTTP_HOST;
      return respond(["Hello"])(inside, startResponse);
    };
    await call(validator()(app), environ);
    assert.equal(environ.REMOTE_USER, "Ann");
    assert.equal("HTTP_HOST" in environ, false);
  });

  it("lets layers outside see at the start what was left in environ by then", () => {
    const environ = environFor("GET /");
    let seen: unknown;
    const app: Application = (inside, startResponse) => {
      inside.REMOTE_USER = "Ann";
      return respond(["Hello"])(inside, startResponse);
    };
    void validator()(app)(environ, () => {
      seen = environ.REMOTE_USER;
      return () => {};
    });
    assert.equal(seen, "Ann");
  });

  it("lets layers outside see what was left by the call, by its failure and by close()", async () => {
    const environ = environFor("GET /");
    const returning = validator()((inside, startResponse) => {
      startResponse("200 OK", []);
      inside.returned = "yes";
      return Object.assign([], { close: () => void (inside.closed = "yes") });
    });
    const body = await returning(environ, ignore);
    assert.equal(environ.returned, "yes");
    await body.close?.();
    assert.equal(environ.closed, "yes");
    const throwing = validator()((inside) => {
      inside.failed = "yes";
      throw new Error("Failed");
    });
    assert.throws(() => throwing(environ, ignore));
    assert.equal(environ.failed, "yes");
  });

  it("lets layers outside see what was left by a close() that fails", async () => {
    const environ = environFor("GET /");
    const app = validator()((inside, startResponse) => {
      startResponse("200 OK", []);
      const close = (): never => {
        inside.closed = "yes";
        throw new Error("Failed");
      };
      return Object.assign([], { close });
    });
    const body = await app(environ, ignore);
    assert.throws(() => body.close?.());
    assert.equal(environ.closed, "yes");
  });

  it("leaves the streams of its server as they are", async () => {
    const environ = environFor("GET /");
    const { "wsgi.input": input, "wsgi.errors": errors } = environ;
    await call(validator()(respond(["Hello"])), environ);
    assert.equal(environ["wsgi.input"], input);
    assert.equal(environ["wsgi.errors"], errors);
  });

  it("refuses what cannot be called, when it is wrapped", () => {
    assert.throws(() => validator()(undefined as never), {
      name: "TypeError",
      message: /^Cannot validate: the application is undefined; wanted a function/,
    });
  });

  it("refuses options that are not of their types", () => {
    const wrong = { strict: "yes" } as never;
    assert.throws(() => validator(wrong), {
      name: "TypeError",
      message: 'Cannot make a validator: strict is "yes"; wanted a boolean',
    });
  });
});

describe("what a validator finds", () => {
  const odd: Application = (_environ, startResponse) => {
    startResponse("200", []);
    return [];
  };

  it("is thrown as an error that names side, clause, state found and state wanted", async () => {
    const error = await call(validator()(odd), "GET /").catch((caught: unknown) => caught);
    assert.ok(error instanceof WsgiError);
    assert.equal(error.side, "application");
    assert.equal(error.clause, "status-form");
    assert.match(
      error.message,
      /^application: Cannot start the response: the status is "200"; wanted .* \[status-form\]$/,
    );
  });

  it("names the layers on both sides", async () => {
    const app = interleave(stack()(odd), validator);
    await assert.rejects(call(app, "GET /"), /^WsgiError: application odd: Cannot start/);
    const named = validator({ outer: "accessLog" })(respond([]));
    assert.throws(() => named({} as never, ignore), /^WsgiError: server accessLog: Cannot call/);
  });

  it("is reported with the request, also where a layer catches it", async () => {
    const found: string[] = [];
    const layer = validator({
      report: ({ clause }, { PATH_INFO }) => void found.push(`${PATH_INFO} ${clause}`),
    });
    const catching: Application = (environ, startResponse) => {
      try {
        return layer(odd)(environ, startResponse);
      } catch {
        return respond(["Sorry"])(environ, startResponse);
      }
    };
    assert.equal((await call(catching, "GET /x")).text(), "Sorry");
    assert.deepEqual(found, ["/x status-form"]);
  });

  it("is reported with an object, even where there is no environ", () => {
    const seen: unknown[] = [];
    const layer = validator({ report: (_error, environ) => void seen.push(environ) });
    assert.throws(() => layer(odd)(null as never, ignore), { clause: "environ-plain" });
    assert.deepEqual(seen, [{}]);
  });

  it("is reported once, however many validators it passes", async () => {
    const verdict = makeJudge();
    const app = stack(verdict.validator(), verdict.validator())(odd);
    await assert.rejects(call(app, "GET /"));
    assert.deepEqual(verdict.faults, ["application status-form"]);
  });

  it("warns on wsgi.errors, in a line", async () => {
    const environ = environFor("GET /");
    await call(validator()(respond(["Hello"], { headers: [] })), environ);
    assert.equal(
      environ["wsgi.errors"].text,
      "Warning: application: a body has no Content-Type; wanted one that says how it is read [body-format]\n",
    );
  });

  it("warns whoever asks to be warned", async () => {
    const warnings: unknown[] = [];
    const environ = environFor("GET /");
    const layer = validator({ warn: (warning) => void warnings.push(warning) });
    await call(layer(respond(["Hello"], { headers: [] })), environ);
    assert.deepEqual(warnings, [
      {
        side: "application",
        clause: "body-format",
        message:
          "application: a body has no Content-Type; wanted one that says how it is read [body-format]",
      },
    ]);
    assert.equal(environ["wsgi.errors"].text, "");
  });

  it("is a warning once, from the validator that is nearest to its cause", async () => {
    const verdict = makeJudge();
    const bare = respond(["Hello"], { headers: [] });
    const environ = environFor("GET /", { environ: { HTTPS: "off" } });
    await call(stack(verdict.validator(), verdict.validator())(bare), environ);
    assert.deepEqual(verdict.warnings, ["server environ-cgi", "application body-format"]);
  });
});

describe("a validator's open bodies", () => {
  it("are counted until they are closed", async () => {
    const layer = validator();
    const body = await layer(respond(closable("Hello")))(environFor("GET /"), ignore);
    assert.equal(layer.open, 1);
    await body.close?.();
    assert.equal(layer.open, 0);
  });

  it("are none if the application fails", async () => {
    const layer = validator();
    await assert.rejects(call(layer(failing("call")), "GET /"));
    assert.equal(layer.open, 0);
  });

  it("are told when they are forgotten", async () => {
    const warned = deferred<string>();
    const layer = validator({ warn: ({ clause }) => warned.resolve(clause) });
    void layer(respond(() => closable("Hello")))(environFor("GET /"), ignore);
    // In later turns, when nothing on the stack holds the body any more.
    const timer = setInterval(() => globalThis.gc!(), 1);
    assert.equal(await warned.promise, "close-once");
    clearInterval(timer);
    assert.equal(layer.open, 1);
  });

  it("are not told when they were closed", async () => {
    const told: string[] = [];
    const forgotten = deferred();
    const layer = validator({
      warn(_warning, { PATH_INFO }) {
        told.push(PATH_INFO);
        if (PATH_INFO === "/forgotten") forgotten.resolve();
      },
    });
    const app = layer(respond(() => closable("Hello")));
    await call(app, "GET /closed");
    void app(environFor("GET /forgotten"), ignore);
    const timer = setInterval(() => globalThis.gc!(), 1);
    await forgotten.promise;
    clearInterval(timer);
    assert.deepEqual(told, ["/forgotten"]);
    assert.equal(layer.open, 1);
  });
});

describe("a strict validator", () => {
  it("refuses text, and takes bytes", async () => {
    const strict = validator({ strict: true, ...silent });
    await assert.rejects(call(strict(respond(["Hello"])), "GET /"), { clause: "body-chunk" });
    await call(strict(respond([new Uint8Array(2)])), "GET /");
  });

  it("warns of read() without a size", async () => {
    const verdict = makeJudge();
    const app: Application = (environ, startResponse) => {
      void environ["wsgi.input"].read();
      void environ["wsgi.input"].read(5);
      return respond([])(environ, startResponse);
    };
    await call(verdict.validator({ strict: true })(app), "GET /");
    await call(verdict.validator()(app), "GET /");
    assert.deepEqual(verdict.warnings, ["application input-size"]);
  });
});
