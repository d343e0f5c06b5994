import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  concat,
  isSync,
  toBytes,
  type Application,
  type Body,
  type Chunk,
  type Environ,
} from "@wsgi/core";
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

async function bodyOf(environ: TestEnviron): Promise<string> {
  return new TextDecoder().decode(await environ["wsgi.input"].read());
}

describe("an application that needs keys", () => {
  interface NameEnviron {
    "test.name": string;
  }
  const named: Application<Environ & NameEnviron> = (environ, startResponse) => {
    startResponse("200 OK", []);
    return [environ["test.name"]];
  };

  it("is called with an environ that has them", async () => {
    const environ = environFor("GET /", { environ: { "test.name": "Ann" } });
    assert.equal((await call(named, environ)).text(), "Ann");
  });

  it("is not called with a mere string", async () => {
    // @ts-expect-error -- the name is missing
    await assert.rejects(call(named, "GET /"), /body-chunk/);
  });
});

describe("environFor()", () => {
  it("drops a header field with an underscore, as a server does", () => {
    const environ = environFor("GET /", { headers: { X_Forwarded_For: "6.6.6.6" } });
    assert.equal("HTTP_X_FORWARDED_FOR" in environ, false);
  });

  it("makes an environ of a method and a target", () => {
    const environ = environFor("PUT /wiki/H%C3%B6me?a=1?b");
    assert.equal(environ.REQUEST_METHOD, "PUT");
    assert.equal(environ.SCRIPT_NAME, "");
    assert.equal(environ.PATH_INFO, "/wiki/Höme");
    assert.equal(environ.QUERY_STRING, "a=1?b");
    assert.equal(environ.REQUEST_URI, "/wiki/H%C3%B6me?a=1?b");
  });

  it("takes GET for a target alone", () => {
    const environ = environFor("/");
    assert.equal(environ.REQUEST_METHOD, "GET");
    assert.equal(environ.PATH_INFO, "/");
    assert.equal(environ.QUERY_STRING, "");
  });

  it("speaks HTTP/1.1, from the same machine", () => {
    const environ = environFor("/");
    assert.equal(environ.SERVER_PROTOCOL, "HTTP/1.1");
    assert.equal(environ.REMOTE_ADDR, "127.0.0.1");
    assert.equal(environ.HTTP_HOST, "127.0.0.1");
  });

  it("takes any method, and the target of OPTIONS *", () => {
    assert.equal(environFor("PROPFIND /").REQUEST_METHOD, "PROPFIND");
    assert.equal(environFor("OPTIONS *").PATH_INFO, "*");
  });

  it("refuses what is no request", () => {
    assert.throws(() => environFor("GET"), {
      name: "TypeError",
      message: 'Cannot make an environ: the request is "GET"; wanted a method and a path, "GET /"',
    });
    assert.throws(() => environFor(""), TypeError);
    assert.throws(() => environFor("GET http://a/"), TypeError);
    assert.throws(() => environFor("GET /a b"), TypeError);
    assert.throws(() => environFor("G:T /"), TypeError);
  });

  it("names the headers as CGI does", () => {
    const environ = environFor("/", {
      headers: { Host: "example.com", "x-test": "1", "Content-Type": "text/csv" },
    });
    assert.equal(environ.HTTP_HOST, "example.com");
    assert.equal(environ.HTTP_X_TEST, "1");
    assert.equal(environ.CONTENT_TYPE, "text/csv");
    assert.equal("HTTP_CONTENT_TYPE" in environ, false);
  });

  it("joins repeated headers, cookies by a semicolon", () => {
    const environ = environFor("/", { headers: { Accept: ["a", "b"], cookie: ["a=1", "b=2"] } });
    assert.equal(environ.HTTP_ACCEPT, "a, b");
    assert.equal(environ.HTTP_COOKIE, "a=1; b=2");
  });

  it("carries a body and its length in bytes", async () => {
    const environ = environFor("POST /", { body: "世" });
    assert.equal(environ.CONTENT_LENGTH, "3");
    assert.equal("CONTENT_TYPE" in environ, false);
    assert.equal(await bodyOf(environ), "世");
  });

  it("carries bytes", async () => {
    const environ = environFor("POST /", { body: toBytes("abc") });
    assert.equal(environ.CONTENT_LENGTH, "3");
    assert.equal(await bodyOf(environ), "abc");
  });

  it("carries pieces without a length, and leaves their list as it is", async () => {
    const body = Object.freeze(["a", toBytes("b")]);
    const environ = environFor("POST /", { body });
    assert.equal("CONTENT_LENGTH" in environ, false);
    assert.equal(environ["wsgi.input_terminated"], true);
    assert.equal(await bodyOf(environ), "ab");
  });

  it("carries a form", async () => {
    const environ = environFor("POST /", { form: { name: "Ann Lee", "a&b": "1" } });
    assert.equal(environ.CONTENT_TYPE, "application/x-www-form-urlencoded");
    assert.equal(environ.CONTENT_LENGTH, "20");
    assert.equal(await bodyOf(environ), "name=Ann+Lee&a%26b=1");
  });

  it("carries JSON, null too", async () => {
    const environ = environFor("POST /", { json: { name: "Ann" } });
    assert.equal(environ.CONTENT_TYPE, "application/json");
    assert.equal(await bodyOf(environ), '{"name":"Ann"}');
    assert.equal(await bodyOf(environFor("POST /", { json: null })), "null");
  });

  it("lets a header win over the type of a form or JSON", () => {
    const headers = { "Content-Type": "application/problem+json" };
    const environ = environFor("POST /", { json: {}, headers });
    assert.equal(environ.CONTENT_TYPE, "application/problem+json");
  });

  it("has no body by default", async () => {
    const environ = environFor("POST /");
    assert.equal("CONTENT_LENGTH" in environ, false);
    assert.equal(await bodyOf(environ), "");
  });

  it("refuses two bodies", () => {
    assert.throws(() => environFor("POST /", { body: "", json: {} }), {
      name: "TypeError",
      message: "Cannot make an environ: more than one of body, form and json; wanted one",
    });
  });

  it("takes the client's address", () => {
    assert.equal(environFor("/", { remoteAddr: "2001:db8::1" }).REMOTE_ADDR, "2001:db8::1");
  });

  it("takes the place where the application is mounted", () => {
    const environ = environFor("/wiki/Home", { scriptName: "/wiki" });
    assert.equal(environ.SCRIPT_NAME, "/wiki");
    assert.equal(environ.PATH_INFO, "/Home");
    assert.equal(environ.REQUEST_URI, "/wiki/Home");
    assert.equal(environFor("/wiki", { scriptName: "/wiki" }).PATH_INFO, "");
  });

  it("refuses a path that only begins with the same letters", () => {
    assert.throws(() => environFor("/wikipedia", { scriptName: "/wiki" }), TypeError);
  });

  it("refuses a path outside that place", () => {
    assert.throws(() => environFor("/blog", { scriptName: "/wiki" }), {
      name: "TypeError",
      message:
        'Cannot make an environ: the path "/blog" is outside "/wiki"; wanted a path that begins with scriptName',
    });
  });

  it("lets given keys win", () => {
    const environ = environFor("/", { environ: { SERVER_NAME: "a", "my.key": 1 } });
    assert.equal(environ.SERVER_NAME, "a");
    assert.equal(environ["my.key"], 1);
  });

  it("derives the rest from given keys", () => {
    const environ = environFor("/", { environ: { "wsgi.url_scheme": "https" } });
    assert.equal(environ.SERVER_PORT, "443");
  });

  it("keeps what is written to wsgi.errors, for each request its own", () => {
    const [one, two] = [environFor("/"), environFor("/")];
    one["wsgi.errors"].write("odd\n");
    one["wsgi.errors"].writelines(["and ", "odder\n"]);
    assert.equal(one["wsgi.errors"].text, "odd\nand odder\n");
    assert.equal(two["wsgi.errors"].text, "");
  });
});

describe("call()", () => {
  it("gives the response as a client has it", async () => {
    const headers = [["Content-Type", "application/json"]] as const;
    const app = respond(['{"a"', toBytes(":1}")], { status: "201 Created", headers });
    const response = await call(app, "GET /");
    assert.equal(response.status, "201 Created");
    assert.equal(response.code, 201);
    assert.equal(response.headers, headers);
    assert.equal(response.header("content-type"), "application/json");
    assert.equal(response.header("X-A"), undefined);
    assert.deepEqual(response.chunks, ['{"a"', toBytes(":1}")]);
    assert.deepEqual(response.bytes(), toBytes('{"a":1}'));
    assert.equal(response.text(), '{"a":1}');
    assert.deepEqual(response.json(), { a: 1 });
  });

  it("takes an environ, and hands on that very one", async () => {
    const environ = environFor("POST /", { body: "abc" });
    const app: Application = async (given, startResponse) => {
      assert.equal(given, environ);
      startResponse("200 OK", []);
      return [await given["wsgi.input"].read()];
    };
    assert.equal((await call(app, environ)).text(), "abc");
  });

  it("calls with two arguments", async () => {
    let count = 0;
    await call((...given) => {
      count = given.length;
      given[1]("200 OK", []);
      return [];
    }, "GET /");
    assert.equal(count, 2);
  });

  it("keeps chunks apart, empty ones too", async () => {
    const { chunks } = await call(respond(["a", "", "b"]), "GET /");
    assert.deepEqual(chunks, ["a", "", "b"]);
  });

  it("puts what was written before what was returned", async () => {
    const { chunks } = await call(writing(["a", "b"], ["c"]), "GET /");
    assert.deepEqual(chunks, ["a", "b", "c"]);
  });

  it("closes the body once, and says so", async () => {
    const body = closable("a");
    assert.equal((await call(respond(body), "GET /")).closed, 1);
    assert.equal(body.timesClosed, 1);
  });

  it("says 0 for a body without close()", async () => {
    assert.equal((await call(respond(["a"]), "GET /")).closed, 0);
  });

  it("counts the close() of an array", async () => {
    const body = Object.assign(["a"], { close: () => {} });
    const { closed, text } = await call(respond(body), "GET /");
    assert.equal(closed, 1);
    assert.equal(text(), "a");
  });

  it("waits for an asynchronous close()", async () => {
    let closed = false;
    const close = async (): Promise<void> => {
      await Promise.resolve();
      closed = true;
    };
    await call(respond(Object.assign(["a"], { close })), "GET /");
    assert.equal(closed, true);
  });

  it("closes, and does not read, the body of HEAD, 204 and 304", async () => {
    const [head, none, same] = [closable("a"), closable("a"), closable("a")];
    await call(respond(head), "HEAD /");
    await call(respond(none, { status: "204 No Content" }), "GET /");
    await call(respond(same, { status: "304 Not Modified" }), "GET /");
    assert.deepEqual([head.taken, none.taken, same.taken], [0, 0, 0]);
    assert.deepEqual([head.timesClosed, none.timesClosed, same.timesClosed], [1, 1, 1]);
  });

  it("iterates a body that has a then()", async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- database queries have both
    const body = Object.assign(["a"], { then: () => assert.fail("then() was called") });
    assert.equal((await call(respond(body), "GET /")).text(), "a");
  });

  it("leaves after as many chunks as it is told, not counting empty ones", async () => {
    const body = closable("", "a", "b", "c");
    const { chunks } = await call(respond(body), "GET /", { leaveAfter: 2 });
    assert.deepEqual(chunks, ["", "a", "b"]);
    assert.equal(body.taken, 3);
    assert.equal(body.returned, true);
    assert.equal(body.timesClosed, 1);
  });

  it("can leave at once", async () => {
    const body = closable("a");
    const { chunks } = await call(respond(body), "GET /", { leaveAfter: 0 });
    assert.deepEqual(chunks, []);
    assert.equal(body.taken, 0);
    assert.equal(body.timesClosed, 1);
  });

  it("leaves an asynchronous body too", async () => {
    const { chunks } = await call(slow("a", "b", "c"), "GET /", { leaveAfter: 1 });
    assert.deepEqual(chunks, ["a"]);
  });

  it("rejects with what the application throws, in any of its phases", async () => {
    await assert.rejects(call(failing("call"), "GET /"), /^Error: Failed in call$/);
    await assert.rejects(call(failing("start"), "GET /"), /^Error: Failed in start$/);
    await assert.rejects(call(failing("body"), "GET /"), /^Error: Failed in body$/);
    await assert.rejects(call(failing("close"), "GET /"), /^Error: Failed in close$/);
  });

  it("closes a body that fails", async () => {
    const body = closable("a");
    const app = respond(() => concat(body, { [Symbol.iterator]: () => assert.fail("Odd") }));
    await assert.rejects(call(app, "GET /"), /Odd/);
    assert.equal(body.timesClosed, 1);
  });

  it("keeps the error of a body whose close() fails too", async () => {
    const body = {
      [Symbol.iterator]: () => assert.fail("First"),
      close: () => assert.fail("Second"),
    };
    await assert.rejects(call(respond(body), "GET /"), /First/);
  });

  it("takes no more than the declared length", async () => {
    const body = closable("Hello", "World", "!");
    const headers = [["Content-Length", "5"]] as const;
    assert.equal((await call(respond(body, { headers }), "GET /")).text(), "Hello");
    assert.equal(body.taken, 1);
    assert.equal(body.timesClosed, 1);
  });

  it("refuses a body that is longer than declared, or shorter", async () => {
    const headers = [["Content-Length", "7"]] as const;
    const long = closable("Hello", "World");
    const short = closable("Hello");
    const app = (body: Body): Application => respond(body, { headers });
    await assert.rejects(call(app(long), "GET /"), { clause: "length-exceeded" });
    await assert.rejects(call(app(short), "GET /"), { clause: "length-short" });
    assert.deepEqual([long.timesClosed, short.timesClosed], [1, 1]);
  });

  it("counts what is written towards the declared length", async () => {
    const app: Application = (_environ, startResponse) => {
      const write = startResponse("200 OK", [["Content-Length", "5"]]);
      void write("Hello");
      assert.throws(() => void write("!"), { clause: "length-exceeded" });
      return [];
    };
    await assert.doesNotReject(call(app, "GET /"));
  });

  it("refuses what is written when the response has ended", async () => {
    const app: Application = (_environ, startResponse) => {
      const write = startResponse("200 OK", []);
      return Object.assign(["Hello"], { close: () => void write("more") });
    };
    await assert.rejects(call(app, "GET /"), { clause: "write-in-time" });
  });

  it("takes a declared length as it is for HEAD, and after leaving", async () => {
    const app = respond(["Hello"], { headers: [["Content-Length", "10"]] });
    assert.equal((await call(app, "HEAD /")).header("Content-Length"), "10");
    assert.equal((await call(app, "GET /", { leaveAfter: 1 })).text(), "Hello");
  });

  it("waits for no promise in a synchronous body", async () => {
    const promises = respond([Promise.resolve("a") as never]);
    await assert.rejects(call(promises, "GET /"), { clause: "body-chunk" });
  });

  it("refuses what breaks the contract", async () => {
    await assert.rejects(call((() => "Hello") as never, "GET /"), { clause: "body-iterable" });
    await assert.rejects(call((() => undefined) as never, "GET /"), { clause: "body-iterable" });
    const closeOnly = (() => ({ close() {} })) as never;
    await assert.rejects(call(closeOnly, "GET /"), { clause: "body-iterable" });
    await assert.rejects(
      call(() => ["a"], "GET /"),
      { clause: "start-before-body" },
    );
    await assert.rejects(call(respond([42 as never]), "GET /"), { clause: "body-chunk" });
    await assert.rejects(call(respond([], { status: "200" }), "GET /"), { clause: "status-form" });
  });
});

describe("respond()", () => {
  it("answers 200 in plain text by default", async () => {
    const response = await call(respond(["Hello"]), "GET /");
    assert.equal(response.status, "200 OK");
    assert.deepEqual(response.headers, [["Content-Type", "text/plain"]]);
  });

  it("answers every request alike", async () => {
    const app = respond(["Hello"]);
    assert.equal((await call(app, "GET /a")).text(), "Hello");
    assert.equal((await call(app, "POST /b")).text(), "Hello");
  });

  it("makes a body for each request where it is given a function", async () => {
    const app = respond(() => closable("Hello"));
    assert.equal((await call(app, "GET /")).text(), "Hello");
    assert.equal((await call(app, "GET /")).text(), "Hello");
  });
});

describe("closable()", () => {
  it("counts what is done with it", () => {
    const body = closable("a", "b");
    assert.ok(isSync(body));
    assert.deepEqual([...(body as Iterable<Chunk>)], ["a", "b"]);
    body.close();
    body.close();
    assert.equal(body.taken, 2);
    assert.equal(body.timesClosed, 2);
    assert.equal(body.returned, false);
  });

  it("sees that it is left early", () => {
    const body = closable("a", "b");
    for (const chunk of body) if (chunk === "a") break;
    assert.equal(body.taken, 1);
    assert.equal(body.returned, true);
  });
});

describe("late()", () => {
  it("starts when it is asked for a chunk, behind an empty one", async () => {
    let started = false;
    const body = await late("a", "b")(environFor("/"), () => {
      started = true;
      return () => {};
    });
    const iterator = (body as Iterable<Chunk>)[Symbol.iterator]();
    assert.deepEqual([iterator.next().value, started], ["", false]);
    assert.deepEqual([iterator.next().value, started], ["a", true]);
    assert.deepEqual(iterator.next().value, "b");
  });
});

describe("slow()", () => {
  it("promises a body, and each of its chunks", async () => {
    const response = slow("a", "b")(environFor("/"), () => () => {});
    assert.ok(response instanceof Promise);
    assert.equal(isSync(await response), false);
    assert.deepEqual((await call(slow("a", "b"), "GET /")).chunks, ["a", "b"]);
  });

  it("gives others a turn before each chunk", async () => {
    let turns = 0;
    const body = await slow("a", "b")(environFor("/"), () => () => {});
    const iterator = (body as AsyncIterable<Chunk>)[Symbol.asyncIterator]();
    setImmediate(() => void (turns += 1));
    await iterator.next();
    assert.equal(turns, 1);
    setImmediate(() => void (turns += 1));
    await iterator.next();
    assert.equal(turns, 2);
  });
});

describe("writing()", () => {
  it("writes at once, and returns the rest", async () => {
    const written: Chunk[] = [];
    const returned = ["c"];
    const body = writing(["a", "b"], returned)(
      environFor("/"),
      () => (chunk) => void written.push(chunk),
    );
    assert.deepEqual(written, ["a", "b"]);
    assert.equal(body, returned);
  });

  it("returns an empty body by default", () => {
    assert.deepEqual(
      writing(["a"])(environFor("/"), () => () => {}),
      [],
    );
  });
});

describe("failing()", () => {
  it("fails in the call before it starts, and after it in start", () => {
    let started = 0;
    const start = () => {
      started += 1;
      return () => {};
    };
    assert.throws(() => failing("call")(environFor("/"), start), /Failed in call/);
    assert.equal(started, 0);
    assert.throws(() => failing("start")(environFor("/"), start), /Failed in start/);
    assert.equal(started, 1);
  });

  it("fails in the body behind its first chunk", () => {
    const body = failing("body")(environFor("/"), () => () => {}) as Iterable<Chunk>;
    const iterator = body[Symbol.iterator]();
    assert.equal(iterator.next().value, "Hello");
    assert.throws(() => iterator.next(), /^Error: Failed in body$/);
  });

  it("throws what it is given", async () => {
    const odd = new TypeError("Odd");
    await assert.rejects(call(failing("close", odd), "GET /"), (error) => error === odd);
  });
});
