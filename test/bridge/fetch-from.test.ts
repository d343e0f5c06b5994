import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromFetch, toFetch } from "@wsgi/bridge/fetch";
import { stack, type Environ, type StartResponse } from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import { append } from "@wsgi/middleware/append";
import { mount } from "@wsgi/middleware/mount";
import { call, environFor } from "@wsgi/testing";
import { deferred, serving } from "../support/serving.ts";

const showUrl = fromFetch((request) => new Response(request.url));

/** Gives the Request that a handler is given for an environ. */
async function requestFor(environ: Environ): Promise<Request> {
  let seen: Request | undefined;
  const app = fromFetch((request) => {
    seen = request;
    return new Response(null);
  });
  await call(app, environ);
  return seen!;
}

/** Makes a body of which each chunk is made when it is asked for, and that notes what becomes of it. */
function source(...chunks: readonly string[]): {
  stream: ReadableStream<Uint8Array>;
  events: string[];
} {
  const events: string[] = [];
  const left = [...chunks];
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = left.shift();
        events.push(chunk ?? "end");
        if (chunk === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(chunk));
      },
      cancel: () => void events.push("cancelled"),
    },
    { highWaterMark: 0 },
  );
  return { stream, events };
}

describe("fromFetch()", () => {
  it("keeps the contract, as the validator sees it", async () => {
    const app = stack(validator())(
      fromFetch(async (request) => new Response(await request.text(), { status: 201 })),
    );
    const response = await call(app, environFor("POST /", { body: "Hello" }));
    assert.deepEqual([response.status, response.text()], ["201 Created", "Hello"]);
  });

  it("gives status, reason, fields and each cookie", async () => {
    const headers = new Headers([
      ["set-cookie", "a=1"],
      ["x-b", "1"],
      ["set-cookie", "b=2"],
      ["x-tab", "a\tb"],
    ]);
    const app = fromFetch(() => new Response(null, { status: 418, statusText: "Teapot", headers }));
    const response = await call(app, "GET /");
    assert.equal(response.status, "418 Teapot");
    assert.deepEqual(response.headers, [
      ["x-b", "1"],
      ["x-tab", "a b"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
  });

  it("leaves out what concerns another connection", async () => {
    const headers = {
      Connection: "close",
      Status: "200 OK",
      "Transfer-Encoding": "chunked",
      "X-A": "1",
    };
    const response = await call(
      fromFetch(() => new Response(null, { headers })),
      "GET /",
    );
    assert.deepEqual(response.headers, [["x-a", "1"]]);
  });

  it("answers a handler without a promise without one", () => {
    const app = fromFetch(() => new Response("Hello"));
    const body = app(environFor("GET /"), () => () => {});
    assert.ok(Symbol.asyncIterator in body);
  });

  it("reads a body only as it is asked, and cancels the rest once", async () => {
    const { stream, events } = source("one", "two", "three");
    const response = await call(
      fromFetch(() => new Response(stream)),
      "GET /",
      { leaveAfter: 2 },
    );
    assert.equal(response.closed, 1);
    assert.deepEqual(events, ["one", "two", "cancelled"]);
  });

  it("cancels a body that nobody reads", async () => {
    const { stream, events } = source("one");
    await call(
      fromFetch(() => new Response(stream)),
      "HEAD /",
    );
    assert.deepEqual(events, ["cancelled"]);
  });

  it("hands on the error of a body, and does not tell it again in close", async () => {
    const stream = new ReadableStream({
      pull: (controller) => controller.error(new Error("Half-way")),
    });
    const app = fromFetch(() => new Response(stream));
    const body = await app(environFor("GET /"), () => () => {});
    const iterator = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    await assert.rejects(async () => iterator.next(), /Half-way/);
    assert.equal(body.close?.(), undefined);
  });

  it("works under layers that change the body", async () => {
    const app = stack(
      validator(),
      append("!"),
      validator(),
    )(fromFetch(async () => new Response(source("Hello, ", "world").stream, textual)));
    assert.equal((await call(app, "GET /")).text(), "Hello, world!");
  });

  it("hands the environ on as a second argument", async () => {
    const app = fromFetch((_request, environ) => new Response(environ.REMOTE_ADDR));
    assert.equal((await call(app, "GET /")).text(), "127.0.0.1");
  });

  it("throws what the handler throws, before the response starts", async () => {
    const app = fromFetch(async () => {
      throw new Error("Oops");
    });
    await assert.rejects(call(app, "GET /"), /^Error: Oops$/);
  });

  it("says what a handler returned that is no Response", async () => {
    const app = fromFetch(() => undefined as never);
    await assert.rejects(call(app, "GET /"), {
      name: "TypeError",
      message: "Cannot answer with what the handler returned: it is undefined; wanted a Response",
    });
  });

  it("says that the body of a Response was read before", async () => {
    const once = new Response("Hello");
    const app = fromFetch(() => once);
    assert.equal((await call(app, "GET /")).text(), "Hello");
    await assert.rejects(call(app, "GET /"), /somebody has read its body/);
  });

  it("cancels the body of a Response that cannot be started", async () => {
    let cancelled = 0;
    const stream = new ReadableStream({ cancel: () => void (cancelled += 1) });
    const app = fromFetch(() => new Response(stream, { headers: { "X-A": "1" } }));
    const failing: StartResponse = () => {
      throw new Error("This cannot be");
    };
    assert.throws(() => app(environFor("GET /"), failing), { message: "This cannot be" });
    assert.equal(cancelled, 1);
  });

  it("refuses a handler and options that are none", () => {
    assert.throws(() => fromFetch({ fetch: () => {} } as never), {
      message:
        "Cannot host the handler: it is an object of type Object; wanted a function (request) => Response, such as app.fetch",
    });
    const handler = (): Response => new Response(null);
    assert.throws(() => fromFetch(handler, { path: "all" as never }), {
      message: 'Cannot host the handler: path is "all"; wanted "full" or "inside"',
    });
  });
});

const textual = { headers: { "Content-Type": "text/plain" } };

describe("fromFetch()'s Request", () => {
  it("has the URL letter by letter, if nobody has rewritten the path", async () => {
    const text = async (target: string): Promise<string> =>
      (await call(showUrl, `GET ${target}`)).text();
    assert.equal(await text("/a%2Fb;c=%20d//e?q=%41"), "http://127.0.0.1/a%2Fb;c=%20d//e?q=%41");
    assert.equal(await text("/100%/%FF"), "http://127.0.0.1/100%/%FF");
  });

  it("has the path that a layer has set, escaped", async () => {
    const environ = { ...environFor("GET /old%2Fpath?q"), PATH_INFO: "/neu/für?" };
    assert.equal((await call(showUrl, environ)).text(), "http://127.0.0.1/neu/f%C3%BCr%3F?q");
  });

  it("has the whole path within a mount, or only the path inside", async () => {
    const app = mount({
      "/full": showUrl,
      "/inside": fromFetch((request) => new Response(request.url), { path: "inside" }),
    });
    const text = async (target: string): Promise<string> =>
      (await call(app, `GET ${target}`)).text();
    assert.equal(await text("/full/a%2Fb"), "http://127.0.0.1/full/a%2Fb");
    assert.equal(await text("/inside/a%2Fb?q"), "http://127.0.0.1/a%2Fb?q");
    assert.equal(await text("/inside"), "http://127.0.0.1/");
    assert.equal(await text("/%69nside/%C3%A9"), "http://127.0.0.1/%C3%A9");
    assert.equal(await text("/inside%2Fa"), "http://127.0.0.1/a");
  });

  it("is refused where a URL would lead elsewhere", async () => {
    const status = async (environ: Environ): Promise<string> =>
      (await call(showUrl, environ)).status;
    assert.equal(await status(environFor("GET /public/../admin")), "400 Bad Request");
    assert.equal(await status(environFor("GET /public/%2e%2E/admin")), "400 Bad Request");
    assert.equal(await status(environFor("GET /public\\admin")), "400 Bad Request");
    assert.equal(await status({ ...environFor("GET /"), HTTP_HOST: "a/admin" }), "400 Bad Request");
    assert.equal(await status({ ...environFor("GET /"), HTTP_HOST: "u@h" }), "400 Bad Request");
    assert.equal(await status({ ...environFor("GET /"), HTTP_HOST: "[" }), "400 Bad Request");
    assert.equal(await status({ ...environFor("GET /"), HTTP_HOST: "h?" }), "400 Bad Request");
  });

  it("is refused for a method that no Request has", async () => {
    const response = await call(showUrl, environFor("TRACE /"));
    assert.deepEqual(
      [response.status, response.text()],
      ["501 Not Implemented", "Not Implemented: no handler here can be given TRACE"],
    );
    assert.equal((await call(showUrl, environFor("CONNECT /"))).code, 501);
  });

  it("has the header fields, but for those of the connection", async () => {
    const headers = { "X-A": ["1", "2"], Cookie: "c=d", Connection: "close", TE: "trailers" };
    const request = await requestFor(environFor("GET /", { headers }));
    assert.deepEqual(
      [...request.headers],
      [
        ["cookie", "c=d"],
        ["host", "127.0.0.1"],
        ["x-a", "1, 2"],
      ],
    );
  });

  it("has no body for GET, nor its length, whatever the client has sent", async () => {
    const request = await requestFor(environFor("GET /", { body: "odd" }));
    assert.deepEqual([request.body, request.headers.get("Content-Length")], [null, null]);
  });

  it("has no body where the request has none", async () => {
    const request = await requestFor(environFor("POST /"));
    assert.equal(request.body, null);
  });

  it("has the body as it arrives", async () => {
    const app = fromFetch(async (request) => {
      const reader = request.body!.getReader();
      const sizes: number[] = [];
      for (let step = await reader.read(); !step.done; step = await reader.read()) {
        sizes.push(step.value.byteLength);
      }
      return Response.json(sizes);
    });
    const response = await call(app, environFor("POST /", { body: ["Hello, ", "world!"] }));
    assert.deepEqual(response.json(), [7, 6]);
  });

  it("aborts with the server's signal", async () => {
    const client = new AbortController();
    const environ = environFor("GET /", {
      environ: { "wsgix.signal": () => client.signal },
    });
    const request = await requestFor(environ);
    assert.equal(request.signal.aborted, false);
    client.abort();
    assert.equal(request.signal.aborted, true);
  });
});

describe("fromFetch() and toFetch()", () => {
  it("are each other's inverse", async () => {
    const handler = toFetch(
      fromFetch(
        async (request) =>
          new Response(request.body, {
            status: 203,
            headers: [
              ["set-cookie", "a=1"],
              ["set-cookie", "b=2"],
              ["x-url", request.url],
            ],
          }),
      ),
    );
    const url = "http://example.com:81/a%2Fb?q";
    const response = await handler(new Request(url, { method: "POST", body: "Hello" }));
    assert.deepEqual([response.status, response.headers.get("x-url")], [203, url]);
    assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.equal(await response.text(), "Hello");
  });

  it("cancel the source, and abort the Request's signal, when a client leaves", async () => {
    const aborted = deferred();
    const cancelled = deferred();
    const app = fromFetch((request) => {
      request.signal.addEventListener("abort", () => aborted.resolve());
      const start = (controller: ReadableStreamDefaultController): void =>
        controller.enqueue(new TextEncoder().encode("first"));
      return new Response(new ReadableStream({ start, cancel: () => cancelled.resolve() }));
    });
    await using server = await serving(app);
    const client = new AbortController();
    const response = await fetch(server.url, { signal: client.signal });
    await response.body!.getReader().read();
    client.abort();
    await Promise.all([aborted.promise, cancelled.promise]);
  });
});
