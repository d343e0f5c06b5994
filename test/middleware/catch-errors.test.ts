import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import {
  ClientDisconnected,
  stack,
  WsgiError,
  type Application,
  type Body,
  type StartResponse,
} from "@wsgi/core";
import { catchErrors, httpError } from "@wsgi/middleware/catch-errors";
import { mount } from "@wsgi/middleware/mount";
import {
  call,
  closable,
  environFor,
  failing,
  late,
  respond,
  slow,
  writing,
  type CallResult,
} from "@wsgi/testing";
import { countPromises } from "../support/count-promises.ts";

const secret = new Error("The password is swordfish");

/** Throws when it is called. */
const broken: Application = () => {
  throw secret;
};

/** Starts its response, and throws when the first chunk is asked for. */
const brokenBody: Application = function* brokenBody(_environ, startResponse) {
  startResponse("200 OK", [["X-From", "the application"]]);
  yield "";
  throw secret;
};

/** Is given to an application that is called without a test client. */
const ignore: StartResponse = () => () => {};

/** Throws an error when it is called. */
function throwing(error: unknown): Application {
  return function throwing() {
    throw error;
  };
}

function callAs(app: Application, accept: string): Promise<CallResult> {
  return call(app, environFor("GET /", { headers: { Accept: accept } }));
}

describe("catchErrors()", () => {
  it("passes a response on as it is", async () => {
    const response = await call(
      catchErrors()(respond(["Hello"], { status: "201 Created" })),
      "GET /",
    );
    assert.equal(response.status, "201 Created");
    assert.deepEqual(response.headers, [["Content-Type", "text/plain"]]);
    assert.equal(response.text(), "Hello");
  });

  it("passes on what an application writes", async () => {
    const response = await call(catchErrors()(writing(["Hello, "], ["world!"])), "GET /");
    assert.equal(response.text(), "Hello, world!");
  });

  it("passes on a response that starts late", async () => {
    const response = await call(catchErrors()(late("Hello")), "GET /");
    assert.equal(response.status, "200 OK");
    assert.deepEqual(response.chunks, ["", "Hello"]);
  });

  it("answers an error in the call", async () => {
    const response = await call(catchErrors()(broken), "GET /");
    assert.equal(response.status, "500 Internal Server Error");
    assert.equal(response.text(), "500 Internal Server Error\n");
  });

  it("answers an error after startResponse, in place of what was started", async () => {
    const response = await call(catchErrors()(failing("start")), "GET /");
    assert.equal(response.code, 500);
    assert.equal(response.header("Content-Type"), "text/plain; charset=utf-8");
  });

  it("answers an error before the first byte of a body", async () => {
    const response = await call(catchErrors()(brokenBody), "GET /");
    assert.equal(response.code, 500);
    assert.equal(response.header("X-From"), undefined);
    assert.deepEqual(response.chunks, ["", "500 Internal Server Error\n"]);
  });

  it("answers an error before a late startResponse", async () => {
    const app: Application = function* () {
      yield "";
      throw secret;
    };
    const response = await call(catchErrors()(app), "GET /");
    assert.equal(response.code, 500);
  });

  it("answers a rejection", async () => {
    const response = await call(
      catchErrors()(() => Promise.reject(secret)),
      "GET /",
    );
    assert.equal(response.code, 500);
  });

  it("answers an error before the first byte of an asynchronous body", async () => {
    const app: Application = async (_environ, startResponse) => {
      startResponse("200 OK", []);
      return (async function* () {
        yield "";
        throw secret;
      })();
    };
    const response = await call(catchErrors()(app), "GET /");
    assert.deepEqual(response.chunks, ["", "500 Internal Server Error\n"]);
  });

  it("answers an error in startResponse itself", async () => {
    const app = respond(["Hello"], { headers: [["X-Bad", "one\r\ntwo"]] });
    const response = await call(catchErrors()(app), "GET /");
    assert.equal(response.code, 500);
  });

  it("answers for an application that returns no body", async () => {
    const environ = environFor("GET /");
    const app = respond("Hello" as unknown as Body);
    assert.equal((await call(catchErrors()(app), environ)).code, 500);
    assert.match(environ["wsgi.errors"].text, /wanted an iterable of chunks: return \[text\]/);
  });

  it("passes the error to startResponse as excInfo", () => {
    let excInfo: unknown;
    void catchErrors()(broken)(environFor("GET /"), (_status, _headers, error) => {
      excInfo = error;
      return () => {};
    });
    assert.equal(excInfo, secret);
  });

  it("passes excInfo that is an Error even if undefined was thrown", async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      throw undefined;
    };
    assert.equal((await call(catchErrors()(app), "GET /")).code, 500);
  });

  it("passes on the excInfo of an application that catches its own errors", async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("503 Service Unavailable", [], new Error("The database is away"));
      return ["Come back later"];
    };
    assert.equal((await call(catchErrors()(app), "GET /")).code, 503);
  });

  it("answers for a stream that begins with what is no chunk, and ends it", async () => {
    let returned = false;
    const steps = {
      next: () => ({ done: false as const, value: 42 as unknown as string }),
      return: () => ((returned = true), { done: true as const, value: undefined }),
    };
    const app = respond({ [Symbol.iterator]: () => steps });
    assert.equal((await call(catchErrors()(app), "GET /")).code, 500);
    assert.equal(returned, true);
  });

  it("lets an error go on its way after the first byte, for its server to report", async () => {
    const environ = environFor("GET /");
    await assert.rejects(call(catchErrors()(failing("body")), environ), /^Error: Failed in body$/);
    assert.equal(environ["wsgi.errors"].text, "");
  });

  it("lets an error go on its way after the first byte of an asynchronous body", async () => {
    const app: Application = async (_environ, startResponse) => {
      startResponse("200 OK", []);
      return (async function* () {
        yield "Hello";
        throw secret;
      })();
    };
    const environ = environFor("GET /");
    await assert.rejects(call(catchErrors()(app), environ), secret);
    assert.equal(environ["wsgi.errors"].text, "");
  });

  it("starts no answer after the first byte, even if its server would let it", () => {
    let starts = 0;
    const app = catchErrors()(failing("body"));
    const body = app(environFor("GET /"), () => {
      starts += 1;
      return () => {};
    });
    assert.throws(() => [...(body as Iterable<string>)], /Failed in body/);
    assert.equal(starts, 1);
  });

  it("lets an error go on its way after write()", async () => {
    const app: Application = (_environ, startResponse) => {
      void startResponse("200 OK", [])("");
      throw secret;
    };
    const environ = environFor("GET /");
    await assert.rejects(call(catchErrors()(app), environ), secret);
    assert.equal(environ["wsgi.errors"].text, "");
  });

  it("keeps a response whose close() fails, and reports that", async () => {
    const environ = environFor("GET /");
    const response = await call(catchErrors()(failing("close")), environ);
    assert.equal(response.text(), "Hello");
    assert.match(environ["wsgi.errors"].text, /Failed in close/);
  });

  it("keeps a response whose close() is rejected, and reports that", async () => {
    const environ = environFor("GET /");
    const body = Object.assign(["Hello"], { close: () => Promise.reject(secret) });
    assert.equal((await call(catchErrors()(respond(body)), environ)).text(), "Hello");
    assert.match(environ["wsgi.errors"].text, /swordfish/);
  });

  it("closes a body once", async () => {
    const body = closable("one", "two");
    await call(catchErrors()(respond(body)), "GET /");
    assert.equal(body.timesClosed, 1);
  });

  it("closes a body once that it replaces", async () => {
    let timesClosed = 0;
    const body = {
      [Symbol.iterator](): Iterator<string> {
        throw secret;
      },
      close: () => void (timesClosed += 1),
    };
    assert.equal((await call(catchErrors()(respond(body)), "GET /")).code, 500);
    assert.equal(timesClosed, 1);
  });

  it("closes a body once that fails on the way", async () => {
    let timesClosed = 0;
    const body = {
      *[Symbol.iterator]() {
        yield "Hello";
        throw secret;
      },
      close: () => void (timesClosed += 1),
    };
    await assert.rejects(call(catchErrors()(respond(body)), "GET /"), secret);
    assert.equal(timesClosed, 1);
  });

  it("tells the body when the client leaves", async () => {
    const body = closable("one", "two");
    await call(catchErrors()(respond(body)), "GET /", { leaveAfter: 1 });
    assert.equal(body.returned, true);
    assert.equal(body.taken, 1);
  });

  it("reports what the body throws when the client leaves", async () => {
    const environ = environFor("GET /");
    const steps = {
      next: () => ({ done: false as const, value: "Hello" }),
      return(): never {
        throw secret;
      },
    };
    const app = respond({ [Symbol.iterator]: () => steps });
    await call(catchErrors()(app), environ, { leaveAfter: 1 });
    assert.match(environ["wsgi.errors"].text, /swordfish/);
  });

  it("reads a body no faster than it is asked to", () => {
    const body = closable("one", "two");
    const guarded = catchErrors()(respond(body))(environFor("GET /"), ignore);
    assert.equal(body.taken, 0);
    (guarded as Iterable<string>)[Symbol.iterator]().next();
    assert.equal(body.taken, 1);
  });

  it("returns an array that cannot fail as it is", () => {
    const body = ["Hello"];
    assert.equal(catchErrors()(respond(body))(environFor("GET /"), ignore), body);
  });

  it("returns an array for an array that has to be closed", () => {
    const body = Object.assign(["Hello"], { close() {} });
    const guarded = catchErrors()(respond(body))(environFor("GET /"), ignore);
    assert.ok(Array.isArray(guarded));
    assert.notEqual(guarded, body);
  });

  it("makes no promise for a synchronous application", () => {
    const app = catchErrors()(brokenBody);
    let chunks: string[] = [];
    const promises = countPromises(() => {
      chunks = [...(app(environFor("GET /"), ignore) as Iterable<string>)];
    });
    assert.equal(promises, 0);
    assert.equal(chunks.length, 2);
  });

  it("passes an asynchronous response on", async () => {
    const response = await call(catchErrors()(slow("one", "two")), "GET /");
    assert.deepEqual(response.chunks, ["one", "two"]);
  });

  it("goes through an asynchronous body that throws where it should reject", async () => {
    const next = (): never => {
      throw secret;
    };
    const app = respond({ [Symbol.asyncIterator]: () => ({ next }) });
    assert.equal((await call(catchErrors()(app), "GET /")).code, 500);
  });

  it("rejects where an asynchronous body throws after its first byte", async () => {
    let steps = 0;
    const next = (): Promise<IteratorResult<string>> => {
      if (steps++ > 0) throw secret;
      return Promise.resolve({ done: false, value: "Hello" });
    };
    const app = catchErrors()(respond({ [Symbol.asyncIterator]: () => ({ next }) }));
    const body = app(environFor("GET /"), ignore) as AsyncIterable<string>;
    const iterator = body[Symbol.asyncIterator]();
    await iterator.next();
    const second = iterator.next();
    await assert.rejects(second, secret);
  });

  it("refuses options that are not of their type", () => {
    assert.throws(() => catchErrors({ development: "yes" as never }), {
      name: "TypeError",
      message:
        'Cannot catch errors: development is "yes"; wanted a boolean or a function (environ) => boolean',
    });
    assert.throws(() => catchErrors({ report: null as never }), {
      name: "TypeError",
      message: "Cannot catch errors: report is null; wanted a function (error, environ) => void",
    });
  });
});

describe("the error page", () => {
  it("is text for clients that take anything", async () => {
    const response = await callAs(catchErrors()(broken), "*/*");
    assert.deepEqual(response.headers, [
      ["Content-Type", "text/plain; charset=utf-8"],
      ["Content-Length", "26"],
      ["X-Content-Type-Options", "nosniff"],
      ["Vary", "Accept"],
      ["Cache-Control", "no-store"],
    ]);
  });

  it("is HTML for browsers", async () => {
    const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    const response = await callAs(catchErrors()(broken), accept);
    assert.equal(response.header("Content-Type"), "text/html; charset=utf-8");
    assert.match(response.text(), /<h1>500 Internal Server Error<\/h1>/);
  });

  it("is problem+json for clients that ask for it", async () => {
    const response = await callAs(catchErrors()(broken), "application/problem+json");
    assert.equal(response.header("Content-Type"), "application/problem+json");
    assert.deepEqual(response.json(), { title: "Internal Server Error", status: 500 });
  });

  it("is JSON for clients that name it first", async () => {
    const app = catchErrors()(throwing(httpError(409, "It was sold")));
    const response = await callAs(app, "application/json, text/plain, */*");
    assert.equal(response.header("Content-Type"), "application/json");
    assert.deepEqual(response.json(), { title: "Conflict", status: 409, detail: "It was sold" });
  });

  it("is what the client weighs most", async () => {
    const response = await callAs(catchErrors()(broken), "text/plain;q=0.5, TEXT/HTML;Q=0.501");
    assert.equal(response.header("Content-Type"), "text/html; charset=utf-8");
  });

  it("is what the client names, rather than what it takes too", async () => {
    const response = await callAs(catchErrors()(broken), "*/*, text/html");
    assert.equal(response.header("Content-Type"), "text/html; charset=utf-8");
  });

  it("is nothing that the client excludes", async () => {
    const response = await callAs(catchErrors()(broken), "text/plain;q=0, */*");
    assert.equal(response.header("Content-Type"), "text/html; charset=utf-8");
  });

  it("is chosen by the narrowest range", async () => {
    const accept = "text/html;level=1;q=0, text/*;q=0.4, text/html;q=0.7, */*;q=0.5";
    const response = await callAs(catchErrors()(broken), accept);
    assert.equal(response.header("Content-Type"), "text/html; charset=utf-8");
  });

  it("is chosen by wildcards too", async () => {
    const response = await callAs(catchErrors()(broken), "application/json;q=0.1, text/*;q=0.2");
    assert.equal(response.header("Content-Type"), "text/plain; charset=utf-8");
  });

  it("is chosen in spite of commas in quotes", async () => {
    const accept = 'text/html;x=", text/plain, \\", ";q=0.9, text/plain;q=0.5';
    const response = await callAs(catchErrors()(broken), accept);
    assert.equal(response.header("Content-Type"), "text/html; charset=utf-8");
  });

  it("is chosen in spite of malformed elements", async () => {
    const response = await callAs(catchErrors()(broken), "text, text/plain;q=7,, text/html;q=0.1");
    assert.equal(response.header("Content-Type"), "text/html; charset=utf-8");
  });

  it("is text for clients that take none of its types", async () => {
    const response = await callAs(catchErrors()(broken), "image/png, text/html;q=0");
    assert.equal(response.text(), "500 Internal Server Error\n");
  });

  it("escapes what it shows", async () => {
    const app = catchErrors()(throwing(httpError(400, `<script>"&'`)));
    const response = await callAs(app, "text/html");
    assert.match(response.text(), /<p>&lt;script&gt;&quot;&amp;&#39;<\/p>/);
  });

  it("declares its length in bytes", async () => {
    const response = await call(catchErrors()(throwing(httpError(404, "No 世界"))), "GET /");
    assert.equal(response.header("Content-Length"), String(response.bytes().byteLength));
  });

  it("has the headers of GET for HEAD, and no body", async () => {
    const response = await call(catchErrors()(broken), "HEAD /");
    assert.equal(response.header("Content-Length"), "26");
    assert.deepEqual(response.chunks, []);
  });

  it("tells nothing of an error, wherever it is thrown", async () => {
    const rejecting: Application = () => Promise.reject(secret);
    const apps = [
      broken,
      brokenBody,
      rejecting,
      failing("start", secret),
      failing("close", secret),
      throwing(httpError(503, secret.message)),
      throwing(Object.assign(new Error(secret.message), { status: 404, headers: { "X-A": "1" } })),
      throwing(secret.message),
    ];
    const accepts = ["text/html", "application/json", "text/plain"];
    const texts = apps.flatMap((app) =>
      accepts.map(async (accept) => {
        const response = await callAs(catchErrors()(app), accept);
        return `${response.headers.join()} ${response.text()}`;
      }),
    );
    assert.doesNotMatch((await Promise.all(texts)).join(), /swordfish|X-A|at |\.ts|\.js/);
  });
});

describe("reporting", () => {
  it("tells the hook the error and the request", async () => {
    const told: unknown[] = [];
    const environ = environFor("GET /");
    await call(catchErrors({ report: (...all) => void told.push(...all) })(broken), environ);
    assert.deepEqual(told, [secret, environ]);
    assert.equal(environ["wsgi.errors"].text, "");
  });

  it("writes the stack to wsgi.errors without a hook, with causes and without secrets", async () => {
    const environ = environFor("GET /list?token=abc&page=2");
    const cause = new AggregateError([new Error("one"), 2], "Both failed");
    await call(catchErrors()(throwing(new Error("It failed", { cause }))), environ);
    const { text } = environ["wsgi.errors"];
    assert.match(text, /^GET \/list\?token=\(hidden\)&page=2: Error: It failed\n {4}at .*\n/);
    assert.match(text, /\[cause\]: AggregateError: Both failed\n[^]*Error: one\n[^]*2\n/);
  });

  it("writes no control characters", async () => {
    const environ = environFor("GET /");
    await call(catchErrors()(throwing(new Error("\u001b[2J\u0007"))), environ);
    assert.match(environ["wsgi.errors"].text, /^GET \/: Error: \\x1b\[2J\\x07\n/);
  });

  it("runs nothing that was thrown", async () => {
    const ran: string[] = [];
    const thrown = Object.assign(new Error("It failed"), {
      [inspect.custom]: () => ran.push("inspect.custom"),
      toJSON: () => ran.push("toJSON"),
    });
    Object.defineProperty(thrown, "more", { get: () => ran.push("get"), enumerable: true });
    const environ = environFor("GET /", { headers: { Accept: "application/json" } });
    await call(catchErrors({ development: true })(throwing(thrown)), environ);
    assert.deepEqual(ran, []);
  });

  it("goes on if the hook throws", async () => {
    const environ = environFor("GET /");
    const report = (): never => {
      throw new Error("The line is down");
    };
    assert.equal((await call(catchErrors({ report })(broken), environ)).code, 500);
    assert.match(environ["wsgi.errors"].text, /^Cannot report an error: Error: The line is down\n/);
    assert.match(environ["wsgi.errors"].text, /\nGET \/: Error: The password is swordfish\n/);
  });

  it("goes on if the hook is rejected", async () => {
    const environ = environFor("GET /");
    const report = (): Promise<void> => Promise.reject(new Error("The line is down"));
    assert.equal((await call(catchErrors({ report })(broken), environ)).code, 500);
    assert.match(environ["wsgi.errors"].text, /^Cannot report an error: Error: The line is down\n/);
  });

  it("leaves out answers below 500", async () => {
    const environ = environFor("GET /");
    await call(catchErrors()(throwing(httpError(404))), environ);
    assert.equal(environ["wsgi.errors"].text, "");
  });

  it("includes answers from 500", async () => {
    const environ = environFor("GET /");
    await call(catchErrors()(throwing(httpError(503))), environ);
    assert.match(environ["wsgi.errors"].text, /HttpError\]: Service Unavailable/);
  });

  it("tells the hook answers that come too late", async () => {
    const told: unknown[] = [];
    const error = httpError(404);
    const report = (late: unknown): void => void told.push(late);
    await assert.rejects(call(catchErrors({ report })(failing("body", error)), "GET /"));
    assert.deepEqual(told, [error]);
  });

  it("tells the hook what is thrown after write()", async () => {
    const told: unknown[] = [];
    const app: Application = (_environ, startResponse) => {
      void startResponse("200 OK", [])("");
      throw secret;
    };
    const report = (late: unknown): void => void told.push(late);
    await assert.rejects(call(catchErrors({ report })(app), "GET /"));
    assert.deepEqual(told, [secret]);
  });

  it("leaves out a client that has left, and passes its error on", async () => {
    const environ = environFor("GET /");
    const gone = new ClientDisconnected();
    await assert.rejects(call(catchErrors()(throwing(gone)), environ), gone);
    assert.equal(environ["wsgi.errors"].text, "");
  });

  it("leaves out a client that leaves on the way", async () => {
    const environ = environFor("GET /");
    const gone = new ClientDisconnected();
    await assert.rejects(call(catchErrors()(failing("body", gone)), environ), gone);
    assert.equal(environ["wsgi.errors"].text, "");
  });

  it("leaves out what the leaving client aborted", async () => {
    const { signal } = { signal: AbortSignal.abort() };
    const environ = environFor("GET /", { environ: { "wsgix.signal": () => signal } });
    await assert.rejects(call(catchErrors()(throwing(signal.reason)), environ), signal.reason);
    assert.equal(environ["wsgi.errors"].text, "");
  });

  it("includes what the application aborted itself", async () => {
    const { signal } = new AbortController();
    const environ = environFor("GET /", { environ: { "wsgix.signal": () => signal } });
    const app = catchErrors()(throwing(AbortSignal.abort().reason));
    assert.equal((await call(app, environ)).code, 500);
    assert.match(environ["wsgi.errors"].text, /AbortError/);
  });
});

describe("httpError()", () => {
  it("makes the answer", async () => {
    const error = httpError(405, "Only GET", { headers: [["Allow", "GET"]] });
    const response = await call(catchErrors()(throwing(error)), "POST /");
    assert.equal(response.status, "405 Method Not Allowed");
    assert.equal(response.header("Allow"), "GET");
    assert.equal(response.text(), "405 Method Not Allowed\n\nOnly GET\n");
  });

  it("makes the answer before the first byte of a body too", async () => {
    const app: Application = function* (environ) {
      yield "";
      if (environ.PATH_INFO === "/") throw httpError(404);
    };
    assert.equal((await call(catchErrors()(app), "GET /")).text(), "404 Not Found\n");
  });

  it("keeps its message to itself from 500, unless it is exposed", async () => {
    const hidden = await call(catchErrors()(throwing(httpError(503, "Disk 2"))), "GET /");
    assert.equal(hidden.text(), "503 Service Unavailable\n");
    const exposed = httpError(503, "Back at six", { expose: true });
    const shown = await call(catchErrors()(throwing(exposed)), "GET /");
    assert.equal(shown.text(), "503 Service Unavailable\n\nBack at six\n");
  });

  it("lets its own headers win but for those of the page", async () => {
    const headers = [
      ["Cache-Control", "max-age=60"],
      ["content-length", "7"],
    ] as const;
    const error = httpError(404, "Not here", { headers });
    const response = await call(catchErrors()(throwing(error)), "GET /");
    assert.equal(response.header("Cache-Control"), "max-age=60");
    assert.equal(response.header("Content-Length"), String(response.bytes().byteLength));
  });

  it("is an Error that begins where it was made, with its cause", () => {
    const error = httpError(400, "Bad date", { cause: secret });
    assert.ok(error instanceof Error);
    assert.equal(error.cause, secret);
    assert.match(error.stack!, /^HttpError: Bad date\n.*catch-errors\.test/);
  });

  it("refuses a status that is not of an error, and headers that cannot be sent", () => {
    assert.throws(() => httpError(200), {
      name: "RangeError",
      message: "Cannot make an error: the status is 200; wanted a code from 400 to 599",
    });
    assert.throws(() => httpError(404, "", { headers: [["Bad name", ""]] }), WsgiError);
  });

  it("is not needed for the errors of http-errors", async () => {
    const error = Object.assign(new Error("Slow down"), {
      statusCode: 429,
      expose: true,
      headers: { "Retry-After": 5, "Set-Cookie": ["a=1", "b=2"] },
    });
    const response = await call(catchErrors()(throwing(error)), "GET /");
    assert.equal(response.text(), "429 Too Many Requests\n\nSlow down\n");
    assert.deepEqual(response.headers.slice(0, 3), [
      ["Retry-After", "5"],
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ]);
  });

  it("is not imitated by an error with another server's status", async () => {
    const error = Object.assign(new Error("Bad API key abc"), { status: 401 });
    const response = await call(catchErrors()(throwing(error)), "GET /");
    assert.equal(response.text(), "500 Internal Server Error\n");
  });

  it("is not imitated by an error whose headers cannot be sent", async () => {
    const error = Object.assign(new Error("No"), {
      status: 400,
      expose: true,
      headers: { a: "\n" },
    });
    assert.equal((await call(catchErrors()(throwing(error)), "GET /")).code, 500);
  });
});

describe("catchErrors() and wsgi.errors", () => {
  it("reports to the server's, also if the application has put another in its place", async () => {
    const environ = environFor("GET /");
    const errors = environ["wsgi.errors"];
    const app: Application = (inner) => {
      inner["wsgi.errors"] = { ...errors, write: () => assert.fail("the application's own") };
      throw new Error("It broke");
    };
    assert.equal((await call(catchErrors()(app), environ)).code, 500);
    assert.match(errors.text, /It broke/);
  });

  it("answers what throws when it is looked at", async () => {
    const hostile = new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new Error("trap");
        },
      },
    );
    assert.equal((await call(catchErrors()(throwing(hostile)), "GET /")).code, 500);
  });
});

describe("the development page", () => {
  const development = catchErrors({ development: true });
  const html = environFor("GET /", { headers: { Accept: "text/html" } });

  it("is shown where the server says that it is for developers", async () => {
    const environ = environFor("GET /", { environ: { "wsgix.development": true } });
    assert.match((await call(catchErrors()(broken), environ)).text(), /swordfish/);
  });

  it("is not shown to other machines, or where the layer is told not to, all the same", async () => {
    const served = { environ: { "wsgix.development": true } };
    const away = environFor("GET /", { ...served, remoteAddr: "10.0.0.1" });
    assert.doesNotMatch((await call(catchErrors()(broken), away)).text(), /swordfish/);
    const never = catchErrors({ development: false })(broken);
    assert.doesNotMatch((await call(never, environFor("GET /", served))).text(), /swordfish/);
  });

  it("shows the stack as text", async () => {
    const response = await call(development(broken), "GET /");
    assert.match(
      response.text(),
      /^500 .*\n\nError: The password is swordfish\n +at .*catch-errors/,
    );
  });

  it("shows the stack as JSON", async () => {
    const response = await callAs(development(broken), "application/json");
    const { status, stack: lines } = response.json() as { status: number; stack: string[] };
    assert.equal(status, 500);
    assert.equal(lines[0], "Error: The password is swordfish");
  });

  it("shows the source as HTML, without waiting to be asked by an asynchronous application", async () => {
    const response = await call(development(brokenBody), { ...html });
    assert.equal(response.header("Content-Type"), "text/html; charset=utf-8");
    assert.match(response.text(), /The password is swordfish/);
    assert.match(response.text(), /class="stack-frame-source">\s*<pre>/);
    assert.equal(response.header("Content-Length"), String(response.bytes().byteLength));
  });

  it("shows the layers inside", async () => {
    const app = stack(catchErrors({ development: true }), mount({ "/x": broken }));
    const response = await call(app(broken), "GET /");
    assert.match(
      response.text(),
      /\nLayers\n {2}mount\n {2}├─ \/x {2}broken\n {2}└─ otherwise {2}broken\n/,
    );
  });

  it("shows the causes", async () => {
    const cause = new AggregateError([new Error("one")], "Some failed");
    const app = development(throwing(new Error("It failed", { cause })));
    const response = await call(app, { ...html });
    assert.match(response.text(), /\[cause\]: AggregateError: Some failed\n[^]*Error: one\n/);
  });

  it("shows the request without its secrets", async () => {
    const headers = {
      Host: "localhost",
      Cookie: "id=1",
      Authorization: "Basic 2",
      "X-Api-Key": "3",
    };
    const environ = environFor("GET /?api_key=4&name=Ann", { headers });
    environ["wsgix.session"] = { user: "5" };
    environ["wsgix.user"] = { password: "6" };
    const text = (await call(development(broken), environ)).text();
    assert.match(text, /\n {2}HTTP_COOKIE: \(hidden\)\n {2}HTTP_AUTHORIZATION: \(hidden\)\n/);
    assert.match(text, /\n {2}HTTP_X_API_KEY: \(hidden\)\n/);
    assert.match(text, /\n {2}QUERY_STRING: api_key=\(hidden\)&name=Ann\n/);
    assert.match(text, /\n {2}wsgix\.session: \(hidden\)\n {2}wsgix\.user: \[Object\]\n/);
  });

  it("escapes everything, and lets no other script run", async () => {
    const error = new Error('<img src=x onerror="alert(1)">');
    error.stack = `${error}\n    at "onfocus="alert(2) (file:///a"onclick="alert(3).js:1:1)`;
    Object.assign(error, { hint: "<b>hint</b>", pattern: /<i>/, [Symbol("<u>")]: 1 });
    const response = await call(development(throwing(error)), { ...html, "<s>": "<q>" });
    assert.doesNotMatch(response.text(), /<img|<[^>]*"on(?:focus|click)=|<b>|<i>|<u>|<s>|<q>/);
    assert.match(
      response.header("Content-Security-Policy")!,
      /^default-src 'none';.*script-src 'nonce-/,
    );
  });

  it("shows what is no Error", async () => {
    const response = await call(development(throwing({ reason: "none" })), { ...html });
    assert.match(response.text(), /\{ reason: 'none' \}/);
  });

  it("survives an error that cannot be looked at", async () => {
    const fail = (): never => {
      throw new Error("Do not look at me");
    };
    const hostile = Object.defineProperties(new Error("No"), {
      stack: { get: fail },
      status: { get: fail },
    });
    assert.equal((await call(development(throwing(hostile)), { ...html })).code, 500);
  });

  it("is not shown for answers below 500", async () => {
    const response = await call(development(throwing(httpError(404))), "GET /");
    assert.equal(response.text(), "404 Not Found\n");
  });

  it("is not shown to other machines", async () => {
    const response = await call(
      development(broken),
      environFor("GET /", { remoteAddr: "10.0.0.7" }),
    );
    assert.equal(response.text(), "500 Internal Server Error\n");
  });

  it("is not shown under a name that only resolves to this machine", async () => {
    const environ = environFor("GET /", { headers: { Host: "rebound.example:8000" } });
    assert.equal((await call(development(broken), environ)).text(), "500 Internal Server Error\n");
  });

  it("is not shown through a proxy on this machine", async () => {
    const environ = environFor("GET /", {
      headers: { Host: "localhost", "X-Forwarded-For": "10.0.0.7" },
    });
    assert.equal((await call(development(broken), environ)).text(), "500 Internal Server Error\n");
  });

  it("is not shown because the application changed environ", async () => {
    const app: Application = (environ) => {
      environ.REMOTE_ADDR = "127.0.0.1";
      throw secret;
    };
    const environ = environFor("GET /", { remoteAddr: "10.0.0.7" });
    assert.equal((await call(development(app), environ)).text(), "500 Internal Server Error\n");
  });

  it("is shown on every loopback address and name", async () => {
    const headers = { Host: "app.localhost:8000" };
    const environ = environFor("GET /", { remoteAddr: "::ffff:127.0.0.1", headers });
    assert.match((await call(development(broken), environ)).text(), /swordfish/);
  });

  it("is shown to those whom a function names", async () => {
    const isColleague = (environ: { REMOTE_ADDR: string }): boolean =>
      environ.REMOTE_ADDR === "10.0.0.7";
    const app = catchErrors({ development: isColleague })(broken);
    assert.match(
      (await call(app, environFor("GET /", { remoteAddr: "10.0.0.7" }))).text(),
      /swordfish/,
    );
    assert.equal((await call(app, "GET /")).text(), "500 Internal Server Error\n");
  });

  it("is not shown because a function returns a promise", async () => {
    const development = (async () => false) as unknown as () => boolean;
    const response = await call(catchErrors({ development })(broken), "GET /");
    assert.equal(response.text(), "500 Internal Server Error\n");
  });

  it("is text if youch cannot be loaded, and says so", () => {
    const hooks = `export function resolve(name, context, next) {
      if (name === "youch") throw new Error("Cannot find package 'youch'");
      return next(name, context);
    }`;
    const script = `
      import { register } from "node:module";
      register("data:text/javascript," + encodeURIComponent(${JSON.stringify(hooks)}));
      const { catchErrors } = await import("@wsgi/middleware/catch-errors");
      const { call, environFor } = await import("@wsgi/testing");
      const broken = () => { throw new Error("It broke"); };
      const environ = environFor("GET /", { headers: { Host: "localhost", Accept: "text/html" } });
      const response = await call(catchErrors({ development: true })(broken), environ);
      console.log(response.header("Content-Type"), response.text(), environ["wsgi.errors"].text);
    `;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--no-deprecation", "--input-type=module", "--eval", script],
      { encoding: "utf8" },
    );
    assert.equal(stderr, "");
    assert.match(
      stdout,
      /^text\/plain; charset=utf-8 500 Internal Server Error\n\nError: It broke\n/,
    );
    assert.match(stdout, /Cannot draw the development page: Error: Cannot find package 'youch'/);
  });
});
