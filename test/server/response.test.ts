import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application, Header, HeaderList } from "@wsgi/core";
import { closable, late, respond, writing } from "@wsgi/testing";
import {
  answer,
  bodyOf,
  deferred,
  get,
  lastHeaders,
  RawClient,
  serving,
  turn,
} from "../support/serving.ts";

const head = `HEAD / HTTP/1.1\r\n${lastHeaders}`;

describe("the server calling an application", () => {
  it("calls it once for a request, whatever the method (P01)", async () => {
    let calls = 0;
    const app: Application = (_environ, startResponse) => {
      calls += 1;
      startResponse("200 OK", []);
      return [];
    };
    await answer(app, `PURGE / HTTP/1.1\r\n${lastHeaders}`);
    assert.equal(calls, 1);
  });

  it("passes two arguments, by position (P03)", async () => {
    let count = 0;
    await answer((...args: Parameters<Application>) => {
      count = args.length;
      args[1]("200 OK", []);
      return [];
    }, get);
    assert.equal(count, 2);
  });

  it("calls what is callable, without looking at it: a bound method with odd length (P02)", async () => {
    const object = {
      text: "bound",
      app(this: { text: string }, ...[, startResponse]: Parameters<Application>) {
        startResponse("200 OK", []);
        return [this.text];
      },
    };
    const { response } = await answer(object.app.bind(object), get);
    assert.equal(bodyOf(response), "bound");
  });

  it("takes a promise of a body (P05)", async () => {
    const app: Application = async (_environ, startResponse) => {
      startResponse("200 OK", []);
      return ["later"];
    };
    assert.equal(bodyOf((await answer(app, get)).response), "later");
  });

  it("lets calls overlap (P04)", async () => {
    const names: string[] = [];
    const app: Application = async (environ, startResponse) => {
      names.push(environ.PATH_INFO);
      if (names.length === 1) await new Promise<void>((go) => void (second = go));
      else second();
      startResponse("200 OK", []);
      return [environ.PATH_INFO];
    };
    let second = (): void => {};
    await using server = await serving(app);
    const texts = await Promise.all(
      ["/a", "/b"].map(async (path) => await (await fetch(server.url + path)).text()),
    );
    assert.deepEqual(texts, ["/a", "/b"]);
  });
});

describe("the server sending a head", () => {
  it("sends nothing while the body yields empty chunks, and the head with the first other (P54)", async () => {
    const { promise: asked, resolve: ask } = deferred();
    const app: Application = async function* (_environ, startResponse) {
      startResponse("500 Too Early", []);
      yield "";
      await asked;
      startResponse("200 OK", [["X-Late", "1"]], new Error("replaced"));
      yield "text";
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send(get);
    ask();
    const response = await client.closed;
    assert.match(response, /^HTTP\/1\.1 200 OK\r\nX-Late: 1\r\n/);
  });

  it("takes a response that starts with the first chunk (P14)", async () => {
    const { response } = await answer(late("Hello"), get);
    assert.match(response, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(response, /\r\n5\r\nHello\r\n0\r\n\r\n$/);
  });

  it("sends status, reason and headers as they are, in order and repeated (P84, X3)", async () => {
    const headers: HeaderList = [
      ["x-b", "2"],
      ["Set-Cookie", "a=1"],
      ["x-a", "1"],
      ["Set-Cookie", "b=2"],
    ];
    const { response } = await answer(respond([], { status: "299 Odd Reason", headers }), get);
    assert.match(
      response,
      /^HTTP\/1\.1 299 Odd Reason\r\nx-b: 2\r\nSet-Cookie: a=1\r\nx-a: 1\r\nSet-Cookie: b=2\r\n/,
    );
  });

  it("leaves a shared header list as it is (P47)", async () => {
    const headers: HeaderList = Object.freeze([Object.freeze(["X-A", "1"] as const)]);
    await answer(respond(["x"], { headers }), get);
    assert.deepEqual(headers, [["X-A", "1"]]);
  });

  it("sends the headers as they were checked, whatever becomes of the list", async () => {
    const headers: [string, string][] = [["X-A", "1"]];
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", headers);
      headers.push(["Transfer-Encoding", "chunked"], ["Content-Length", "9"]);
      headers[0]![1] = "2";
      return ["x"];
    };
    const { response } = await answer(app, get);
    assert.match(
      response,
      /^HTTP\/1\.1 200 OK\r\nX-A: 1\r\nContent-Length: 1\r\n(?:(?:Connection|Date): .*\r\n){2}\r\nx$/,
    );
  });

  it("adds Date unless the application gives one (P50)", async () => {
    const own = await answer(respond([], { headers: [["date", "today"]] }), get);
    assert.deepEqual(own.response.match(/^date: .*$/gim), ["date: today"]);
    const added = await answer(respond([]), get);
    assert.match(added.response, /^Date: \w{3}, /m);
  });

  it("sends Latin-1 headers as Latin-1 beside a body in UTF-8 (P77)", async () => {
    const { response } = await answer(respond(["é"], { headers: [["X-Name", "\xe9"]] }), get);
    assert.match(response, /\r\nX-Name: \xe9\r\n/);
    assert.equal(bodyOf(response), "\xc3\xa9");
  });

  it("sends Latin-1 headers as Latin-1 before the first of many chunks", async () => {
    const app: Application = function* (_environ, startResponse) {
      startResponse("200 OK", [
        ["X-Name", "\xe9"],
        ["Content-Length", "2"],
      ]);
      yield "é";
    };
    assert.match((await answer(app, get)).response, /\r\nX-Name: \xe9\r\n/);
  });

  it("sends Latin-1 headers as Latin-1 before a body that is longer than declared", async () => {
    const name: Header = ["X-Name", "\xe9"];
    const app = respond(["é", "é"], { headers: [name, ["Content-Length", "2"]] });
    assert.match((await answer(app, get)).response, /\r\nX-Name: \xe9\r\n/);
  });

  it("replaces the head with that of an error, and all of it (P55)", async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", [["X-First", "1"]]);
      startResponse("503 Service Unavailable", [["X-Second", "1"]], new Error("full"));
      return ["sorry"];
    };
    const { response } = await answer(app, get);
    assert.match(response, /^HTTP\/1\.1 503 Service Unavailable\r\nX-Second: 1\r\n/);
    assert.doesNotMatch(response, /X-First/);
  });

  it("throws the very error when the head has left (P56)", async () => {
    const error = new Error("late");
    let thrown: unknown;
    const app: Application = function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "sent";
      try {
        startResponse("500 Internal Server Error", [], error);
      } catch (again) {
        thrown = again;
        throw again;
      }
    };
    const { response } = await answer(app, get);
    assert.equal(thrown, error);
    assert.match(response, /4\r\nsent\r\n$/);
  });

  it("refuses a second call without an error, also after a first that threw (P58)", async () => {
    let message = "";
    const app: Application = (_environ, startResponse) => {
      try {
        startResponse("nonsense", []);
      } catch {
        // Going on as if nothing had happened is what the clause forbids.
      }
      try {
        startResponse("200 OK", []);
      } catch (error) {
        message = (error as Error).message;
      }
      return ["x"];
    };
    const { response } = await answer(app, get);
    assert.match(message, /\[start-once\]$/);
    assert.match(response, /^HTTP\/1\.1 500 /);
  });

  it("takes a falsy error for an error (P58)", async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("500 Internal Server Error", [], 0);
      return [];
    };
    assert.match((await answer(app, get)).response, /^HTTP\/1\.1 500 /);
  });

  it("refuses what breaks the head, in the application's own frame (P53)", async () => {
    let stack = "";
    const app: Application = function injecting(_environ, startResponse) {
      try {
        startResponse("200 OK", [["X-Evil", "a\r\nSet-Cookie: b=1"]]);
      } catch (error) {
        stack = (error as Error).stack!;
        throw error;
      }
      return [];
    };
    const { response } = await answer(app, get);
    assert.match(stack, /injecting/);
    assert.doesNotMatch(response, /Set-Cookie/);
  });

  it("refuses hop-by-hop headers (P52)", async () => {
    const { response, reports } = await answer(
      respond(["x"], { headers: [["Connection", "keep-alive"]] }),
      get,
    );
    assert.match(response, /^HTTP\/1\.1 500 /);
    assert.match(reports, /\[header-hop-by-hop\]/);
  });
});

describe("the server sending a body", () => {
  it("sends every byte as it is (P06)", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const { response } = await answer(respond([bytes, "\r\n\n\r"]), get);
    assert.equal(bodyOf(response), `${String.fromCharCode(...bytes)}\r\n\n\r`);
  });

  it("gives an array its length, counted in bytes (P64)", async () => {
    const { response } = await answer(respond(["世", "界!"]), get);
    assert.match(response, /\r\nContent-Length: 7\r\n/);
  });

  it("keeps the halves of a character in two chunks apart, as in a stream", async () => {
    const { response } = await answer(respond(["\ud83d", "\ude00"]), get);
    assert.match(response, /\r\nContent-Length: 6\r\n/);
    assert.equal(bodyOf(response), "\xef\xbf\xbd".repeat(2));
  });

  it("gives an empty array the length 0", async () => {
    assert.match((await answer(respond([]), get)).response, /\r\nContent-Length: 0\r\n/);
  });

  it("does not trust the length of what is no array (P09, P15)", async () => {
    const body = {
      length: 1,
      *[Symbol.iterator]() {
        yield "two ";
        yield "chunks";
      },
    };
    const { response } = await answer(respond(body), get);
    assert.match(response, /4\r\ntwo \r\n6\r\nchunks\r\n0\r\n\r\n$/);
  });

  it("looks at nothing of the body but its iterator and close (P15)", async () => {
    const looked = new Set<PropertyKey>();
    const body = new Proxy(closable("x"), {
      get(target, key, receiver) {
        looked.add(key);
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    await answer(respond(body), get);
    looked.delete("taken");
    looked.delete("timesClosed");
    assert.deepEqual([...looked], [Symbol.iterator, "close"]);
  });

  it("sends a stream chunked to HTTP/1.1 (P65)", async () => {
    const { response } = await answer(respond(closable("ab", "c")), get);
    assert.match(response, /\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n$/);
  });

  it("sends a stream to HTTP/1.0 as it is, and closes (P65)", async () => {
    const { response } = await answer(respond(closable("ab", "c")), "GET / HTTP/1.0\r\n\r\n");
    assert.doesNotMatch(response, /Transfer-Encoding/);
    assert.equal(bodyOf(response), "abc");
  });

  it("serves nothing behind a stream to HTTP/1.0, which ends with the connection", async () => {
    let calls = 0;
    const app = respond(() => {
      calls += 1;
      return closable("ab", "c");
    });
    const request = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    const { response } = await answer(app, request + request);
    assert.match(response, /Connection: close\r\n[^]*\r\n\r\nabc$/);
    assert.equal(calls, 1);
  });

  it("keeps an HTTP/1.0 connection that asks for it, where the length is known", async () => {
    await using server = await serving(respond(["one"]));
    using client = await RawClient.connect(server);
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    await client.until("one");
    client.received = "";
    client.send("GET / HTTP/1.0\r\n\r\n");
    assert.match(await client.closed, /one$/);
  });

  it("sends an async stream", async () => {
    const app: Application = async function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "a";
      yield new Uint8Array([98]);
    };
    assert.match((await answer(app, get)).response, /\r\na(?:\r\n1\r\n)?b\r\n0\r\n\r\n$/);
  });

  it("refuses a bare string, and says what to write", async () => {
    const app = respond(["x"]);
    const { response, reports } = await answer((environ, startResponse) => {
      void app(environ, startResponse);
      return "text" as unknown as string[];
    }, get);
    assert.match(response, /^HTTP\/1\.1 500 /);
    assert.match(reports, /returned a string; wanted an iterable of chunks: return \[text\]/);
  });

  it("refuses a chunk that is neither text nor bytes", async () => {
    const { reports } = await answer(respond([42 as unknown as string]), get);
    assert.match(reports, /it is a number; wanted a string or a Uint8Array \[body-chunk\]/);
  });

  it("answers 500 if the response was never started (X6)", async () => {
    const { response, reports } = await answer(() => ["x"], get);
    assert.match(response, /^HTTP\/1\.1 500 /);
    assert.match(reports, /\[start-before-body\]/);
  });

  it("answers 500 if a chunk comes before the response was started (P13)", async () => {
    const app: Application = function* (_environ, startResponse) {
      yield "early";
      startResponse("200 OK", []);
    };
    assert.match((await answer(app, get)).response, /^HTTP\/1\.1 500 /);
  });
});

describe("the server and write()", () => {
  it("returns a function from startResponse (P45)", async () => {
    let type = "";
    await answer((_environ, startResponse) => {
      type = typeof startResponse("200 OK", []);
      return [];
    }, get);
    assert.equal(type, "function");
  });

  it("sends what is written before what is returned (P72, P73)", async () => {
    const { response } = await answer(writing(["a", "b"], ["c"]), get);
    assert.match(response, /1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n$/);
  });

  it("sends the head on write(''), and nothing else (P54)", async () => {
    let go = (): void => {};
    const app: Application = async (_environ, startResponse) => {
      void startResponse("200 OK", [["X-Sse", "1"]])("");
      await new Promise<void>((resolve) => void (go = resolve));
      return ["event"];
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send(get);
    assert.match(await client.until("\r\n\r\n"), /X-Sse: 1/);
    go();
    assert.match(await client.closed, /5\r\nevent\r\n0\r\n\r\n$/);
  });

  it("throws when write() goes past the declared length (P62)", async () => {
    let message = "";
    const app: Application = (_environ, startResponse) => {
      const write = startResponse("200 OK", [["Content-Length", "5"]]);
      try {
        void write("Hello, world");
      } catch (error) {
        message = (error as Error).message;
      }
      return [];
    };
    const { response } = await answer(app, get);
    assert.match(message, /\[length-exceeded\]$/);
    assert.equal(bodyOf(response), "Hello");
  });

  it("throws when write() comes after the response has ended", async () => {
    let write = (_chunk: string): void | Promise<void> => {};
    await answer((_environ, startResponse) => {
      write = startResponse("200 OK", []);
      return [];
    }, get);
    assert.throws(() => write("late"), /\[write-in-time\]$/);
  });
});

describe("the server and Content-Length", () => {
  it("never sends more than declared, from an array (P61)", async () => {
    const { response, reports } = await answer(
      respond(["Hello, ", "world"], { headers: [["Content-Length", "5"]] }),
      get,
    );
    assert.equal(bodyOf(response), "Hello");
    assert.match(reports, /\[length-exceeded\]/);
  });

  it("stops asking when the declared length is reached (P62)", async () => {
    const body = closable("Hello", "never", "asked");
    const { response } = await answer(respond(body, { headers: [["content-LENGTH", "5"]] }), get);
    assert.equal(bodyOf(response), "Hello");
    assert.equal(body.taken, 1);
    assert.equal(body.returned, true);
    assert.equal(body.timesClosed, 1);
  });

  it("cuts the connection when a stream is too short, and reports it (P63)", async () => {
    const { response, reports } = await answer(
      respond(closable("abc"), { headers: [["Content-Length", "300"]] }),
      `GET / HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    assert.equal(bodyOf(response), "abc");
    assert.match(reports, /the body has 3 bytes; wanted 300.*\[length-short\]/);
  });

  it("answers 500 when an array is too short, since nothing has left yet (P63)", async () => {
    const { response } = await answer(
      respond(["abc"], { headers: [["Content-Length", "300"]] }),
      get,
    );
    assert.match(response, /^HTTP\/1\.1 500 /);
  });

  it("keeps a declared 0 and asks for nothing (P54)", async () => {
    const body = closable("never");
    const { response } = await answer(respond(body, { headers: [["Content-Length", "0"]] }), get);
    assert.equal(bodyOf(response), "");
    assert.equal(body.taken, 0);
  });
});

describe("the server and responses without a body", () => {
  it("sends no body to HEAD, and keeps the declared length (X1)", async () => {
    const { response } = await answer(
      respond([], { headers: [["Content-Length", "12345"]] }),
      head,
    );
    assert.match(response, /\r\nContent-Length: 12345\r\n/);
    assert.equal(bodyOf(response), "");
  });

  it("invents no length for HEAD (X1)", async () => {
    assert.doesNotMatch((await answer(respond([]), head)).response, /Content-Length/);
  });

  it("gives HEAD the length that GET would have", async () => {
    const { response } = await answer(respond(["Hello"]), head);
    assert.match(response, /\r\nContent-Length: 5\r\n/);
    assert.equal(bodyOf(response), "");
  });

  it("asks a late application until it has started, and no further (X1)", async () => {
    const { response } = await answer(late("Hello"), head);
    assert.match(response, /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(bodyOf(response), "");
  });

  it("does not read a body that HEAD does not get, but closes it (P10)", async () => {
    const body = closable("Hello");
    await answer(respond(body), head);
    assert.equal(body.taken, 0);
    assert.equal(body.timesClosed, 1);
  });

  it("sends 204 without body, length and coding (X2)", async () => {
    const app = respond(["text"], { status: "204 No Content", headers: [["Content-Length", "4"]] });
    const { response } = await answer(app, get);
    assert.doesNotMatch(response, /Content-Length|Transfer-Encoding/);
    assert.equal(bodyOf(response), "");
  });

  it("sends 304 without body, and adds no headers (X1)", async () => {
    const app = respond([], { status: "304 Not Modified", headers: [] });
    const { response } = await answer(app, get);
    assert.doesNotMatch(response, /Content-Length|Transfer-Encoding|Content-Type/);
  });

  it("keeps a connection whose response has no body", async () => {
    await using server = await serving(respond(["Hello"]));
    using client = await RawClient.connect(server);
    client.send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n").send(get);
    const response = await client.closed;
    assert.equal(response.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
    assert.match(response, /\r\n\r\nHello$/);
  });
});

describe("the server and pipelined requests", () => {
  it("answers in order, one at a time", async () => {
    let running = 0;
    let most = 0;
    const app: Application = async (environ, startResponse) => {
      most = Math.max(most, ++running);
      await turn();
      running -= 1;
      startResponse("200 OK", []);
      return [`<${environ.PATH_INFO}>`];
    };
    const paths = ["/1", "/2", "/3"].map(
      (path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    const { response } = await answer(app, paths.join("") + get);
    assert.deepEqual(response.match(/<.*?>/g), ["</1>", "</2>", "</3>", "</>"]);
    assert.equal(most, 1);
  });

  it("takes the last one for the last, with a tab behind its close too (RFC 9112 section 9.3)", async () => {
    const request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: x, Close\t\r\n\r\n";
    const { response } = await answer(respond(["Hello"]), request + get);
    assert.match(response, /^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n[^]*\r\n\r\nHello$/);
  });
});
