import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { signalKey, toFetch, type FetchEnviron } from "@wsgi/bridge/fetch";
import {
  ClientDisconnected,
  stack,
  type Application,
  type Environ,
  type StartResponse,
} from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import { closable, failing, late, respond, slow, writing } from "@wsgi/testing";
import { deferred, turn } from "../support/serving.ts";

const secret = "The password is swordfish";

/** Calls an application with a Request, and keeps what it reports. */
async function fetched(
  app: Application<FetchEnviron>,
  request: Request | string = "http://localhost/",
): Promise<{ response: Response; reports: () => string }> {
  let reports = "";
  const errors = { write: (text: string) => void (reports += text) };
  const handler = toFetch(app, { errors });
  const response = await handler(typeof request === "string" ? new Request(request) : request);
  return { response, reports: () => reports };
}

/** Gives the environ that a Request reaches an application with. */
async function environOf(request: Request): Promise<Environ> {
  let seen: Environ | undefined;
  await toFetch((environ, startResponse) => {
    seen = environ;
    startResponse("200 OK", []);
    return [];
  })(request);
  return seen!;
}

describe("toFetch()", () => {
  it("keeps the contract, as the validator sees it", async () => {
    const app = stack(validator())(respond(["Hello"]));
    const request = new Request("http://localhost/a?b", { headers: { "Accept-Language": "de" } });
    const { response, reports } = await fetched(app, request);
    assert.deepEqual([response.status, await response.text(), reports()], [200, "Hello", ""]);
  });

  it("sends status, reason and repeated cookies", async () => {
    const headers = [
      ["Set-Cookie", "a=1"],
      ["X-Name", "Jos\xe9"],
      ["Set-Cookie", "b=2"],
    ] as const;
    const { response } = await fetched(respond([], { status: "299 Odd Reason", headers }));
    assert.deepEqual([response.status, response.statusText], [299, "Odd Reason"]);
    assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.equal(response.headers.get("X-Name"), "Jos\xe9");
  });

  it("declares the length of an array, and adds no type", async () => {
    const { response } = await fetched(respond(["世", new Uint8Array([33])], { headers: [] }));
    assert.deepEqual([...response.headers], [["content-length", "4"]]);
    assert.equal(await response.text(), "世!");
  });

  it("streams a body as it is read, one chunk ahead at most", async () => {
    const body = closable("one", "two", "three");
    const { response } = await fetched(respond(body));
    assert.equal(body.taken, 1);
    const reader = response.body!.getReader();
    await reader.read();
    await turn();
    assert.deepEqual([body.taken, body.timesClosed], [1, 0]);
    await reader.read();
    assert.equal(body.taken, 2);
    await reader.read();
    assert.equal((await reader.read()).done, true);
    assert.equal(body.timesClosed, 1);
  });

  it("takes a body of promises, and a start that comes late", async () => {
    assert.equal(await (await fetched(slow("a", "b"))).response.text(), "ab");
    assert.equal(await (await fetched(late("a", "b"))).response.text(), "ab");
  });

  it("leaves a buffer that is yielded twice where it is", async () => {
    const bytes = new TextEncoder().encode("again");
    const { response } = await fetched(respond(new Set([bytes, "-", bytes.subarray(0)])));
    assert.equal(await response.text(), "again-again");
    assert.equal(bytes.byteLength, 5);
  });

  it("sends what is written before what is yielded", async () => {
    const { response } = await fetched(writing(["a", "b"], ["c"]));
    assert.equal(await response.text(), "abc");
  });

  it("sends the head at the first write, although nothing is written", async () => {
    const go = deferred();
    const { response } = await fetched(async (_environ, startResponse) => {
      void startResponse("202 Accepted", [])("");
      await go.promise;
      return ["done"];
    });
    assert.equal(response.status, 202);
    go.resolve();
    assert.equal(await response.text(), "done");
  });

  it("asks who writes to wait once much is unread, until it is read", async () => {
    const { response } = await fetched(async (_environ, startResponse) => {
      const write = startResponse("200 OK", []);
      assert.equal(write("small"), undefined);
      await write("x".repeat(100_000));
      return ["more"];
    });
    assert.equal((await response.text()).length, 100_009);
  });

  it("lets others have a turn while a body is read without end", async () => {
    const { response } = await fetched(function* (_environ, startResponse) {
      startResponse("200 OK", []);
      for (;;) yield "more";
    });
    let others = false;
    setImmediate(() => void (others = true));
    const reader = response.body!.getReader();
    for (let taken = 0; !others && taken < 10_000; taken++) await reader.read();
    await reader.cancel();
    assert.ok(others);
  });

  it("answers HEAD, 204 and 304 without a body, and closes it unread", async () => {
    const body = closable("Hello");
    const head = new Request("http://localhost/", { method: "HEAD" });
    const { response } = await fetched(respond(body, { headers: [["Content-Length", "5"]] }), head);
    assert.deepEqual([response.body, response.headers.get("Content-Length")], [null, "5"]);
    const length = [["Content-Length", "5"]] as const;
    const none = await fetched(respond(body, { status: "204 No Content", headers: length }));
    assert.deepEqual([...none.response.headers], []);
    const modified = await fetched(respond(body, { status: "304 Not Modified" }));
    assert.deepEqual([body.taken, body.timesClosed, modified.response.body], [0, 3, null]);
  });

  it("drops the body of a 205, which no Response has", async () => {
    const { response } = await fetched(respond(["form"], { status: "205 Reset Content" }));
    assert.deepEqual([response.status, response.body], [205, null]);
  });

  it("stops at the declared length", async () => {
    const body = closable("Hello", "world", "never");
    const headers = [["Content-Length", "8"]] as const;
    const { response, reports } = await fetched(respond(body, { headers }));
    assert.equal(await response.text(), "Hellowor");
    assert.deepEqual([body.taken, body.timesClosed], [2, 1]);
    assert.match(reports(), /\[length-exceeded\]/);
  });

  it("fails a body that is shorter than declared", async () => {
    const headers = [["Content-Length", "8"]] as const;
    const { response, reports } = await fetched(respond(closable("Hello"), { headers }));
    await assert.rejects(response.text(), /its body failed/);
    assert.match(reports(), /the body has 5 bytes; wanted 8.*\[length-short\]/);
    const whole = await fetched(respond(["Hello"], { headers }));
    assert.equal(whole.response.status, 500);
  });

  it("keeps the length of a stream where the host has a stream for that", async () => {
    const lengths: number[] = [];
    const globals = globalThis as { FixedLengthStream?: unknown };
    globals.FixedLengthStream = class extends TransformStream {
      constructor(length: number) {
        super();
        lengths.push(length);
      }
    };
    try {
      const headers = [["Content-Length", "6"]] as const;
      const { response } = await fetched(respond(closable("abc", "def"), { headers }));
      assert.deepEqual([await response.text(), lengths], ["abcdef", [6]]);
    } finally {
      delete globals.FixedLengthStream;
    }
  });
});

describe("toFetch(), when the application fails", () => {
  it("answers 500 that says nothing, and reports the error", async () => {
    const { response, reports } = await fetched(failing("call", new Error(secret)));
    assert.deepEqual([response.status, await response.text()], [500, "Internal Server Error"]);
    assert.match(reports(), /^GET \/: Error: The password is swordfish\n {4}at /);
  });

  it("answers 500 but once, and says so to who starts later", async () => {
    let start: StartResponse | undefined;
    const app: Application = (_environ, startResponse) => {
      start = startResponse;
      throw new Error("This cannot be");
    };
    await toFetch(app, { errors: { write() {} } })(new Request("http://localhost/"));
    assert.throws(() => start!("200 OK", []), { clause: "start-before-body" });
  });

  it("answers 500 in place of what was started", async () => {
    const { response } = await fetched(async (_environ, startResponse) => {
      startResponse("200 OK", [["X-Started", "yes"]]);
      throw new Error(secret);
    });
    assert.deepEqual([response.status, response.headers.get("X-Started")], [500, null]);
  });

  it("answers 500 where the first step of the body throws, and closes it", async () => {
    let closed = 0;
    const { response } = await fetched((_environ, startResponse) => {
      startResponse("200 OK", []);
      return {
        *[Symbol.iterator]() {
          yield "";
          throw new Error(secret);
        },
        close: () => void (closed += 1),
      };
    });
    assert.deepEqual([response.status, closed], [500, 1]);
  });

  it("answers 500 for what is no body and for what never starts", async () => {
    const text = await fetched(respond("Hello" as never));
    assert.equal(text.response.status, 500);
    assert.match(text.reports(), /\[body-iterable\]/);
    const silent = await fetched(() => ["Hello"]);
    assert.equal(silent.response.status, 500);
    assert.match(silent.reports(), /\[start-before-body\]/);
  });

  it("fails the stream of a response that has begun, after what was yielded", async () => {
    const { response, reports } = await fetched(failing("body", new Error(secret)));
    const reader = response.body!.getReader();
    const first = await reader.read();
    assert.equal(new TextDecoder().decode(first.value), "Hello");
    await assert.rejects(reader.read(), {
      message: "Cannot complete the response: its body failed",
    });
    assert.match(reports(), /swordfish/);
  });

  it("hands on what was written before the failure", async () => {
    const { response } = await fetched((_environ, startResponse) => {
      void startResponse("200 OK", [])("written");
      throw new Error(secret);
    });
    const reader = response.body!.getReader();
    assert.equal(new TextDecoder().decode((await reader.read()).value), "written");
    await assert.rejects(reader.read());
  });

  it("leaves the response as it is if close throws, and reports it", async () => {
    const { response, reports } = await fetched(failing("close", new Error(secret)));
    assert.equal(await response.text(), "Hello");
    assert.match(reports(), /swordfish/);
  });

  it("throws the error of a second start once the head has left", async () => {
    const oops = new Error("Oops");
    let thrown: unknown;
    const { response } = await fetched(function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "part";
      try {
        startResponse("500 Internal Server Error", [], oops);
      } catch (error) {
        thrown = error;
        throw error;
      }
    });
    await assert.rejects(response.text());
    assert.equal(thrown, oops);
  });

  it("answers 500 if an error cannot be shown", async () => {
    const odd = Object.defineProperty(new Error(), "stack", {
      get() {
        throw new Error("No stack");
      },
    });
    const { response, reports } = await fetched(failing("call", odd));
    assert.deepEqual([response.status, reports()], [500, "GET /: an error that cannot be shown\n"]);
  });
});

describe("toFetch(), when the client leaves", () => {
  it("closes the body of a Response that is cancelled", async () => {
    const body = closable("one", "two");
    const { response } = await fetched(respond(body));
    await response.body!.cancel();
    assert.deepEqual([body.timesClosed, body.returned], [1, true]);
  });

  it("closes it though a step is pending, and only once", async () => {
    let closed = 0;
    const body = {
      async *[Symbol.asyncIterator]() {
        yield "first";
        await new Promise(() => {});
      },
      close: () => void (closed += 1),
    };
    const client = new AbortController();
    const request = new Request("http://localhost/", { signal: client.signal });
    const { response } = await fetched(respond(body), request);
    const reader = response.body!.getReader();
    await reader.read();
    const pending = reader.read();
    client.abort();
    await assert.rejects(pending, ClientDisconnected);
    await reader.cancel().catch(() => {});
    assert.equal(closed, 1);
  });

  it("settles, and closes the body that comes later", async () => {
    const body = closable("late");
    const go = deferred();
    const client = new AbortController();
    const request = new Request("http://localhost/", { signal: client.signal });
    const answer = fetched(async (_environ, startResponse) => {
      await go.promise;
      startResponse("200 OK", []);
      return body;
    }, request);
    client.abort();
    const { response, reports } = await answer;
    assert.equal(response.status, 499);
    go.resolve();
    await turn();
    assert.deepEqual([body.timesClosed, body.taken, reports()], [1, 0, ""]);
  });

  it("aborts the signal of environ, and fails write and read", async () => {
    const client = new AbortController();
    const body = new ReadableStream({ pull: () => new Promise(() => {}) });
    const init = { method: "POST", body, duplex: "half", signal: client.signal };
    const go = deferred();
    const seen: unknown[] = [];
    const answer = fetched(
      async (environ, startResponse) => {
        const signal = environ[signalKey](environ);
        const write = startResponse("200 OK", []);
        const reading = Promise.resolve(environ["wsgi.input"].read());
        signal.addEventListener("abort", () => go.resolve());
        await go.promise;
        seen.push(signal.reason);
        seen.push(await reading.catch((error: unknown) => error));
        try {
          await write("more");
        } catch (error) {
          seen.push(error);
          throw error;
        }
        return [];
      },
      new Request("http://localhost/", init as RequestInit),
    );
    client.abort();
    const { reports } = await answer;
    await turn();
    assert.deepEqual(
      seen.map((error) => (error as Error).name),
      ["ClientDisconnected", "ClientDisconnected", "ClientDisconnected"],
    );
    assert.equal(reports(), "");
  });

  it("listens no longer than the response takes", async () => {
    const request = new Request("http://localhost/", { signal: new AbortController().signal });
    const before = getEventListeners(request.signal, "abort").length;
    const { response } = await fetched(slow("one", "two"), request);
    await response.text();
    assert.equal(getEventListeners(request.signal, "abort").length, before);
  });

  it("aborts nothing after the response has ended", async () => {
    const client = new AbortController();
    const request = new Request("http://localhost/", { signal: client.signal });
    let signal: AbortSignal | undefined;
    const { response } = await fetched((environ, startResponse) => {
      signal = environ[signalKey](environ);
      startResponse("200 OK", []);
      return ["Hello"];
    }, request);
    await response.text();
    client.abort();
    assert.equal(signal!.aborted, false);
  });

  it("calls the application of a Request that is aborted already, and closes its body", async () => {
    const body = closable("Hello");
    const request = new Request("http://localhost/", { signal: AbortSignal.abort() });
    await fetched(respond(body), request);
    assert.equal(body.timesClosed, 1);
  });
});

describe("toFetch()'s environ", () => {
  it("decodes the path once, and keeps the target", async () => {
    const environ = await environOf(new Request("http://localhost/%E4%B8%96%2Fa%25FF?q=%20#part"));
    assert.deepEqual(
      [environ.PATH_INFO, environ.QUERY_STRING, environ.REQUEST_URI],
      ["/世/a%FF", "q=%20", "/%E4%B8%96%2Fa%25FF?q=%20"],
    );
  });

  it("takes the server's name, port and scheme from the URL", async () => {
    const secure = await environOf(new Request("https://[::1]:8443/"));
    assert.deepEqual(
      [secure.SERVER_NAME, secure.SERVER_PORT, secure["wsgi.url_scheme"], secure.HTTPS],
      ["::1", "8443", "https", "on"],
    );
    const plain = await environOf(new Request("http://example.com"));
    assert.deepEqual(
      [plain.SERVER_NAME, plain.SERVER_PORT, plain.HTTPS, plain.REQUEST_URI],
      ["example.com", "80", undefined, "/"],
    );
  });

  it("has the header fields, but for those with an underscore", async () => {
    const headers = { "X-A": "1", x_user: "root", "Content-Type": "a/b", Cookie: "c=d" };
    const environ = await environOf(new Request("http://localhost/", { headers }));
    assert.deepEqual(
      [environ.HTTP_X_A, environ.HTTP_X_USER, environ.CONTENT_TYPE, environ.HTTP_COOKIE],
      ["1", undefined, "a/b", "c=d"],
    );
  });

  it("gives the body as it comes", async () => {
    const request = new Request("http://localhost/", { method: "POST", body: "one\ntwo" });
    const { response } = await fetched(async (environ, startResponse) => {
      startResponse("200 OK", []);
      const lines: Uint8Array[] = [];
      for await (const line of environ["wsgi.input"]) lines.push(line, new Uint8Array([124]));
      return lines;
    }, request);
    assert.equal(await response.text(), "one\n|two|");
  });

  it("says clearly that the body of a Request was read before", async () => {
    const request = new Request("http://localhost/", { method: "POST", body: "gone" });
    await request.text();
    const app: Application = async (environ) => [await environ["wsgi.input"].read()];
    const { response, reports } = await fetched(app, request);
    assert.equal(response.status, 500);
    assert.match(reports(), /Cannot read the request body: somebody has read it; wanted a Request/);
  });

  it("has no more to read when the request is over", async () => {
    let input: Environ["wsgi.input"] | undefined;
    const request = new Request("http://localhost/", { method: "POST", body: "Hello" });
    await fetched((environ, startResponse) => {
      input = environ["wsgi.input"];
      startResponse("200 OK", []);
      return [];
    }, request);
    assert.throws(() => input!.read(), ClientDisconnected);
  });

  it("has what the host adds", async () => {
    const app: Application<FetchEnviron & { "my.env": string }> = (environ, startResponse) => {
      startResponse("200 OK", []);
      return [environ.REMOTE_ADDR, " ", environ["my.env"]];
    };
    const handler = toFetch(app, {
      environ: (_request, { address }: { address: string }) => ({
        REMOTE_ADDR: address,
        "my.env": "production",
      }),
    });
    const response = await handler(new Request("http://localhost/"), { address: "192.0.2.1" });
    assert.equal(await response.text(), "192.0.2.1 production");
    // @ts-expect-error -- nobody adds the key that the application needs
    toFetch(app);
  });
});

describe("toFetch()'s options", () => {
  it("mount the application, and answer 404 outside of its mount", async () => {
    const handler = toFetch(
      (environ, startResponse) => {
        startResponse("200 OK", []);
        return [`${environ.SCRIPT_NAME}|${environ.PATH_INFO}`];
      },
      { scriptName: "/api" },
    );
    const get = async (path: string): Promise<[number, string]> => {
      const response = await handler(new Request(`http://localhost${path}`));
      return [response.status, await response.text()];
    };
    assert.deepEqual(await get("/api/users"), [200, "/api|/users"]);
    assert.deepEqual(await get("/api"), [200, "/api|"]);
    assert.deepEqual(await get("/apis"), [404, "Not Found: the path is outside /api"]);
  });

  it("are refused if they are wrong", () => {
    assert.throws(() => toFetch("app" as never), {
      message:
        'Cannot make a fetch handler: the application is "app"; wanted a function (environ, startResponse) => body',
    });
    assert.throws(() => toFetch(respond([]), { scriptName: "api" }), /scriptName is "api"; wanted/);
    assert.throws(() => toFetch(respond([]), { scriptName: "/api/" }), TypeError);
    assert.throws(
      () => toFetch(respond([]), { errors: {} as never }),
      /errors has no write method/,
    );
    assert.throws(() => toFetch(respond([]), { environ: {} as never }), /environ is an object/);
  });

  it("answer 500 if the host's keys cannot be made", async () => {
    let reports = "";
    const handler = toFetch(respond([]), {
      environ: () => {
        throw new Error("No address");
      },
      errors: { write: (text) => void (reports += text) },
    });
    assert.equal((await handler(new Request("http://localhost/"))).status, 500);
    assert.match(reports, /No address/);
  });
});
