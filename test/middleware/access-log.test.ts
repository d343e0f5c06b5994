import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { type Application } from "@wsgi/core";
import { accessLog, type AccessLogOptions } from "@wsgi/middleware/access-log";
import {
  call,
  closable,
  environFor,
  failing,
  late,
  respond,
  slow,
  writing,
  type TestEnviron,
} from "@wsgi/testing";

/** Logs to an array, at a fixed time. */
function logTo(lines: string[], options: AccessLogOptions = {}): AccessLogOptions {
  return {
    destination: { write: (line) => lines.push(line) },
    now: () => 0,
    date: () => new Date("2026-11-21T07:59:04.506Z"),
    ...options,
  };
}

/** Calls an application under a log in the short form, and gives the log. */
async function logged(app: Application, request: TestEnviron | string): Promise<string> {
  const lines: string[] = [];
  await call(accessLog(logTo(lines, { format: "dev" }))(app), request).catch(() => {});
  return lines.join("");
}

/** Sets NO_COLOR for one test; empty is the same as unset. */
function setNoColor(t: TestContext, value: string): void {
  const before = process.env.NO_COLOR ?? "";
  t.after(() => void (process.env.NO_COLOR = before));
  process.env.NO_COLOR = value;
}

describe("accessLog()", () => {
  it("writes the common format", async () => {
    const lines: string[] = [];
    const app = accessLog(logTo(lines, { format: "common" }))(respond(["Hello, world!"]));
    await call(app, "GET /Ann?x=1");
    assert.deepEqual(lines, [
      '127.0.0.1 - - [21/Nov/2026:07:59:04 +0000] "GET /Ann?x=1 HTTP/1.1" 200 13\n',
    ]);
  });

  it("writes the second in which the request came", async () => {
    const lines: string[] = [];
    const times = ["07:59:04.999", "07:59:05.000", "07:59:05.999"];
    const date = (): Date => new Date(`2026-11-01T${times.shift()}Z`);
    const app = accessLog(logTo(lines, { format: "common", date }))(respond([]));
    await call(app, "GET /");
    await call(app, "GET /");
    await call(app, "GET /");
    assert.match(lines[0]!, / \[01\/Nov\/2026:07:59:04 \+0000\] /);
    assert.match(lines[1]!, / \[01\/Nov\/2026:07:59:05 \+0000\] /);
    assert.match(lines[2]!, / \[01\/Nov\/2026:07:59:05 \+0000\] /);
  });

  it("adds the referer and the user agent in the combined format", async () => {
    const lines: string[] = [];
    const app = accessLog(logTo(lines, { format: "combined" }))(respond(["Hello"]));
    const headers = { Referer: "http://a.example/", "User-Agent": "curl/8.0 (x)" };
    await call(app, environFor("GET /", { headers }));
    assert.match(lines[0]!, / 200 5 "http:\/\/a\.example\/" "curl\/8\.0 \(x\)"\n$/);
  });

  it("writes - for what is empty", async () => {
    const lines: string[] = [];
    const app = accessLog(logTo(lines, { format: "combined" }))(respond([]));
    await call(app, environFor("GET /", { remoteAddr: "" }));
    assert.equal(lines[0], '- - - [21/Nov/2026:07:59:04 +0000] "GET / HTTP/1.1" 200 - "-" "-"\n');
  });

  it("writes a short form for a terminal", async () => {
    const lines: string[] = [];
    const ticks = [1000, 1001.24];
    const options = logTo(lines, { format: "dev", now: () => ticks.shift()! });
    await call(accessLog(options)(respond(["Hello, world!"])), "GET /Ann");
    assert.deepEqual(lines, ["GET /Ann 200 13 B 1.2 ms\n"]);
  });

  it("writes one JSON object a line", async () => {
    const lines: string[] = [];
    const ticks = [1000, 1001.23456];
    const options = logTo(lines, { format: "json", now: () => ticks.shift()! });
    const headers = { Referer: "/", "User-Agent": "curl" };
    const environ = { REMOTE_USER: "ann", "wsgix.request_id": "42" };
    const request = environFor("PUT /x?y", { headers, environ });
    await call(accessLog(options)(respond(["Hello"])), request);
    assert.deepEqual(JSON.parse(lines.join("")), {
      time: "2026-11-21T07:59:04.506Z",
      remoteAddr: "127.0.0.1",
      user: "ann",
      method: "PUT",
      target: "/x?y",
      protocol: "HTTP/1.1",
      status: 200,
      bytes: 5,
      cut: false,
      duration: 1.235,
      referer: "/",
      userAgent: "curl",
      requestId: "42",
    });
  });

  it("takes a function for the format", async () => {
    const lines: string[] = [];
    const options = logTo(lines, { format: ({ method, status }) => `${method}: ${status}` });
    await call(accessLog(options)(respond([])), "GET /");
    assert.deepEqual(lines, ["GET: 200\n"]);
  });

  it("writes the combined format unless told otherwise", async () => {
    const lines: string[] = [];
    await call(accessLog(logTo(lines))(respond([])), "GET /");
    assert.match(lines[0]!, /"-" "-"\n$/);
  });

  it("writes the short form to a terminal unless told otherwise", async () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line), isTTY: true };
    await call(accessLog(logTo(lines, { destination, colour: false }))(respond([])), "GET /");
    assert.deepEqual(lines, ["GET / 200 0 B 0.0 ms\n"]);
  });

  it("colours the status on demand", async () => {
    const lines: string[] = [];
    const options = logTo(lines, { format: "dev", colour: true });
    await call(accessLog(options)(respond([], { status: "404 Not Found" })), "GET /");
    assert.deepEqual(lines, ["GET / \x1b[33m404\x1b[0m 0 B 0.0 ms\n"]);
  });

  it("colours the status at a terminal", async (t) => {
    setNoColor(t, "");
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line), isTTY: true };
    await call(accessLog(logTo(lines, { destination }))(respond([])), "GET /");
    assert.deepEqual(lines, ["GET / \x1b[32m200\x1b[0m 0 B 0.0 ms\n"]);
  });

  it("does not colour the status if NO_COLOR is set", async (t) => {
    setNoColor(t, "1");
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line), isTTY: true };
    await call(accessLog(logTo(lines, { destination }))(respond([])), "GET /");
    assert.deepEqual(lines, ["GET / 200 0 B 0.0 ms\n"]);
  });

  it("does not colour the other formats", async () => {
    const lines: string[] = [];
    await call(accessLog(logTo(lines, { format: "common", colour: true }))(respond([])), "GET /");
    assert.match(lines[0]!, /" 200 -\n$/);
  });
});

describe("accessLog() counting", () => {
  it("counts bytes, not characters", async () => {
    assert.equal(
      await logged(respond(["世界", new Uint8Array(2)]), "GET /"),
      "GET / 200 8 B 0.0 ms\n",
    );
  });

  it("counts what is written and what is yielded", async () => {
    const app = writing(["Hello, "], closable("wor", "", "ld!"));
    assert.equal(await logged(app, "GET /"), "GET / 200 13 B 0.0 ms\n");
  });

  it("counts the chunks of an asynchronous body", async () => {
    assert.equal(await logged(slow("Hello, ", "world!"), "GET /"), "GET / 200 13 B 0.0 ms\n");
  });

  it("counts only what a client takes before it leaves", async () => {
    const lines: string[] = [];
    const app = accessLog(logTo(lines, { format: "dev" }))(
      respond(closable("one", "two", "three")),
    );
    await call(app, "GET /", { leaveAfter: 2 });
    assert.deepEqual(lines, ["GET / 200 6 B and cut 0.0 ms\n"]);
  });

  it("counts no more than Content-Length declares", async () => {
    const app = respond(["Hello, world!"], { headers: [["content-length", "5"]] });
    assert.equal(await logged(app, "GET /"), "GET / 200 5 B 0.0 ms\n");
  });

  it("counts nothing for HEAD", async () => {
    assert.equal(await logged(respond(["Hello"]), "HEAD /"), "HEAD / 200 0 B 0.0 ms\n");
  });

  it("counts nothing for a status without a body", async () => {
    const app = respond(["Hello"], { status: "304 Not Modified" });
    assert.equal(await logged(app, "GET /"), "GET / 304 0 B 0.0 ms\n");
  });
});

describe("accessLog() in the onion", () => {
  it("passes the response through", async () => {
    const app = accessLog(logTo([]))(respond(["Hello"], { status: "201 Created" }));
    const { status, headers, chunks } = await call(app, "GET /");
    assert.deepEqual(
      [status, headers, chunks],
      ["201 Created", [["Content-Type", "text/plain"]], ["Hello"]],
    );
  });

  it("returns an array for an array, at once", () => {
    const body = accessLog(logTo([]))(respond(["Hello"]))(environFor("GET /"), () => () => {});
    assert.ok(Array.isArray(body));
  });

  it("does not touch an array that other requests may share", async () => {
    const shared = Object.freeze(["Hello"]) as string[];
    assert.equal(await logged(respond(shared), "GET /"), "GET / 200 5 B 0.0 ms\n");
  });

  it("writes when the response has ended, after the application's close()", async () => {
    const events: string[] = [];
    const destination = { write: () => events.push("logged") };
    const body = Object.assign(["Hello"], { close: () => void events.push("closed") });
    await call(accessLog({ destination })(respond(body)), "GET /");
    assert.deepEqual(events, ["closed", "logged"]);
  });

  it("keeps streaming lazy", () => {
    const body = closable("one", "two");
    const app = accessLog(logTo([]))(respond(body));
    const steps = app(environFor("GET /"), () => () => {}) as Iterable<string>;
    assert.equal(body.taken, 0);
    assert.equal(steps[Symbol.iterator]().next().value, "one");
    assert.equal(body.taken, 1);
  });

  it("closes once", async () => {
    const body = closable("Hello");
    const { closed } = await call(accessLog(logTo([]))(respond(body)), "GET /");
    assert.deepEqual([body.timesClosed, closed], [1, 1]);
  });

  it("returns what the server's write() returns", () => {
    const pending = Promise.resolve();
    const results: unknown[] = [];
    const app = accessLog(logTo([]))((_environ, startResponse) => {
      results.push(startResponse("200 OK", [])("Hello"));
      return [];
    });
    void app(environFor("GET /"), () => () => pending);
    assert.deepEqual(results, [pending]);
  });

  it("leaves it to the server to refuse what is no chunk", async () => {
    const app = accessLog(logTo([]))(respond(closable(null as unknown as string)));
    await assert.rejects(call(app, "GET /"), { clause: "body-chunk" });
  });

  it("ends the iteration of a body that the client leaves", async () => {
    const body = closable("one", "two");
    await call(accessLog(logTo([]))(respond(body)), "GET /", { leaveAfter: 1 });
    assert.deepEqual([body.returned, body.timesClosed], [true, 1]);
  });

  it("ends the iteration of an asynchronous body that the client leaves", async () => {
    let returned = 0;
    const steps: AsyncIterator<string> = {
      next: () => Promise.resolve({ value: "one", done: false }),
      return: () => Promise.resolve({ value: (returned += 1), done: true }),
    };
    const app = accessLog(logTo([]))(respond({ [Symbol.asyncIterator]: () => steps }));
    await call(app, "GET /", { leaveAfter: 1 });
    assert.equal(returned, 1);
  });

  it("sees a response that starts late", async () => {
    assert.equal(await logged(late("Hello"), "GET /"), "GET / 200 5 B 0.0 ms\n");
  });

  it("hands an error on as excInfo, and logs the answer to it", async () => {
    const error = new Error("late");
    const seen: unknown[] = [];
    const lines: string[] = [];
    const app = accessLog(logTo(lines, { format: "dev" }))((_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("503 Service Unavailable", [], error);
      return [];
    });
    const body = app(environFor("GET /"), (_status, _headers, excInfo) => {
      seen.push(excInfo);
      return () => {};
    });
    (body as unknown[] & { close(): void }).close();
    assert.deepEqual([seen, lines], [[undefined, error], ["GET / 503 0 B 0.0 ms\n"]]);
  });

  it("refuses a body that is none, and logs that", async () => {
    const app = accessLog(logTo([]))(respond("Hello" as unknown as string[]));
    await assert.rejects(call(app, "GET /"), { clause: "body-iterable" });
    assert.equal(
      await logged(respond("" as unknown as string[]), "GET /"),
      "GET / 500 0 B 0.0 ms\n",
    );
  });

  it("shows the request as it came, and the user whom a layer found", async () => {
    const lines: string[] = [];
    const app = accessLog(logTo(lines, { format: "common" }))((environ, startResponse) => {
      Object.assign(environ, { REQUEST_METHOD: "PUT", REQUEST_URI: "/new", REMOTE_USER: "ann" });
      return respond([])(environ, startResponse);
    });
    await call(app, "POST /old");
    assert.match(lines[0]!, /^127\.0\.0\.1 - ann \[.*\] "POST \/old /);
  });
});

describe("accessLog() and responses that are cut", () => {
  it("marks a stream that the client leaves", async () => {
    const lines: string[] = [];
    const app = accessLog(logTo(lines, { format: "dev" }))(respond(closable("Hello", "more")));
    await call(app, "GET /", { leaveAfter: 1 });
    assert.deepEqual(lines, ["GET / 200 5 B and cut 0.0 ms\n"]);
  });

  it("marks a stream that ends before its declared length", async () => {
    const app = respond(closable("Hello"), { headers: [["Content-Length", "10"]] });
    assert.equal(await logged(app, "GET /"), "GET / 200 5 B and cut 0.0 ms\n");
  });

  it("does not mark what was written beyond the declared length", async () => {
    const app: Application = (_environ, startResponse) => {
      void startResponse("200 OK", [["Content-Length", "5"]])("Hello, world!");
      return [];
    };
    assert.equal(await logged(app, "GET /"), "GET / 200 5 B 0.0 ms\n");
  });

  it("does not mark a stream of which the declared length was sent", async () => {
    const lines: string[] = [];
    const headers = [["Content-Length", "5"]] as const;
    const app = respond(closable("Hello", "more"), { headers });
    await call(accessLog(logTo(lines, { format: "dev" }))(app), "GET /", { leaveAfter: 1 });
    assert.deepEqual(lines, ["GET / 200 5 B 0.0 ms\n"]);
  });
});

describe("accessLog() and errors", () => {
  it("logs 500 when the application throws, and throws the same", async () => {
    const lines: string[] = [];
    const error = new Error("Broken");
    const app = accessLog(logTo(lines, { format: "dev" }))(failing("call", error));
    await assert.rejects(call(app, "GET /"), error);
    assert.deepEqual(lines, ["GET / 500 0 B 0.0 ms\n"]);
  });

  it("logs 500 when the application throws after starting a response that was not sent", async () => {
    assert.equal(await logged(failing("start"), "GET /"), "GET / 500 0 B 0.0 ms\n");
  });

  it("logs 500 when the application's promise is rejected, and rejects with the same", async () => {
    const lines: string[] = [];
    const error = new Error("Broken");
    const app = accessLog(logTo(lines, { format: "dev" }))(() => Promise.reject(error));
    await assert.rejects(call(app, "GET /"), error);
    assert.deepEqual(lines, ["GET / 500 0 B 0.0 ms\n"]);
  });

  it("logs 500 when the body fails before its first byte", async () => {
    const app: Application = function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "";
      throw new Error("Broken");
    };
    assert.equal(await logged(app, "GET /"), "GET / 500 0 B 0.0 ms\n");
  });

  it("logs what was sent when the body fails after that", async () => {
    assert.equal(await logged(failing("body"), "GET /"), "GET / 200 5 B and cut 0.0 ms\n");
  });

  it("logs 500 when an asynchronous body fails before its first byte", async () => {
    const app: Application = async function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "";
      throw new Error("Broken");
    };
    assert.equal(await logged(app, "GET /"), "GET / 500 0 B 0.0 ms\n");
  });

  it("logs the status that write() has sent, even if the application fails", async () => {
    const app: Application = (_environ, startResponse) => {
      void startResponse("200 OK", [])("");
      throw new Error("Broken");
    };
    assert.equal(await logged(app, "GET /"), "GET / 200 0 B and cut 0.0 ms\n");
  });

  it("logs once when close() throws", async () => {
    assert.equal(await logged(failing("close"), "GET /"), "GET / 200 5 B 0.0 ms\n");
  });

  it("reports a destination that throws on wsgi.errors, and spares the response", async () => {
    const write = (): never => {
      throw new Error("The disk is full");
    };
    const environ = environFor("GET /");
    const response = await call(accessLog({ destination: { write } })(respond(["Hello"])), environ);
    assert.equal(response.text(), "Hello");
    assert.match(
      environ["wsgi.errors"].text,
      /^Cannot write the access log: Error: The disk is full/,
    );
  });

  it("reports a destination whose promise is rejected", async () => {
    const write = (): Promise<never> => Promise.reject(new Error("The disk is full"));
    const environ = environFor("GET /");
    await call(accessLog({ destination: { write } })(respond(["Hello"])), environ);
    assert.match(environ["wsgi.errors"].text, /The disk is full/);
  });

  it("outlives a destination that is a stream and fails", async () => {
    const destination = new Writable({
      write: (_chunk, _encoding, done) => done(new Error("full")),
    });
    const app = accessLog({ destination })(respond(["Hello"]));
    assert.equal((await call(app, "GET /")).text(), "Hello");
    await new Promise<void>((resolve) => void destination.once("close", resolve));
    assert.equal((await call(app, "GET /")).text(), "Hello");
  });

  it("reports a format that throws", async () => {
    const format = (): never => {
      throw new Error("No such field");
    };
    const environ = environFor("GET /");
    await call(accessLog(logTo([], { format }))(respond(["Hello"])), environ);
    assert.match(environ["wsgi.errors"].text, /No such field/);
  });

  it("skips what it is told to skip", async () => {
    const lines: string[] = [];
    const skip: AccessLogOptions["skip"] = ({ target }) => target === "/health";
    const app = accessLog(logTo(lines, { format: "dev", skip }))(respond([]));
    await call(app, "GET /health");
    await call(app, "GET /");
    assert.deepEqual(lines, ["GET / 200 0 B 0.0 ms\n"]);
  });
});

describe("accessLog() against log injection", () => {
  const nasty = 'a b"\\\r\n\x1b[2J\x7f\x9b\u2028\u202eé';
  const environ = {
    REQUEST_METHOD: nasty,
    REQUEST_URI: nasty,
    REMOTE_USER: nasty,
    HTTP_REFERER: nasty,
    HTTP_USER_AGENT: nasty,
  };
  const word = String.raw`a\x20b\x22\x5c\x0d\x0a\x1b[2J\x7f\x9b\u2028\u202e\xe9`;
  const quoted = word.replace("\\x20", " ");

  it("keeps the combined format one line with its fields apart", async () => {
    const lines: string[] = [];
    await call(accessLog(logTo(lines))(respond([])), environFor("GET /", { environ }));
    assert.deepEqual(lines, [
      `127.0.0.1 - ${word} [21/Nov/2026:07:59:04 +0000] "${word} ${word} HTTP/1.1" 200 - "${quoted}" "${quoted}"\n`,
    ]);
  });

  it("keeps the short form one line", async () => {
    const line = await logged(respond([]), environFor("GET /", { environ }));
    assert.equal(line, `${word} ${word} 200 0 B 0.0 ms\n`);
  });

  it("keeps JSON one line of ASCII that gives the same text back", async () => {
    const lines: string[] = [];
    const app = accessLog(logTo(lines, { format: "json" }))(respond([]));
    await call(app, environFor("GET /", { environ }));
    assert.match(lines.join(""), /^[\x20-\x7e]+\n$/);
    assert.equal((JSON.parse(lines[0]!) as { userAgent: string }).userAgent, nasty);
  });

  it("keeps the line of a function one line", async () => {
    const lines: string[] = [];
    const app = accessLog(logTo(lines, { format: ({ target }) => `→ ${target}` }))(respond([]));
    await call(app, environFor("GET /", { environ: { REQUEST_URI: "/\r\n\x1b\x7f\x9b\u2028é" } }));
    assert.deepEqual(lines, [String.raw`→ /\x0d\x0a\x1b\x7f\x9b\u2028é` + "\n"]);
  });
});

describe("accessLog() options", () => {
  it("refuses a format that it does not know", () => {
    assert.throws(() => accessLog({ format: "toString" as "dev" }), {
      name: "TypeError",
      message:
        'Cannot make an access log: format is "toString"; wanted "common", "combined", "dev", "json" or a function',
    });
  });

  it("refuses a destination that cannot be written to", () => {
    assert.throws(() => accessLog({ destination: {} as NodeJS.WriteStream }), {
      name: "TypeError",
      message:
        "Cannot make an access log: destination is an object of type Object; wanted an object with write(line)",
    });
  });

  it("refuses an option of another type", () => {
    assert.throws(() => accessLog({ colour: "always" as unknown as boolean }), {
      name: "TypeError",
      message: 'Cannot make an access log: colour is "always"; wanted a boolean',
    });
  });
});
