import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application, Header } from "@wsgi/core";
import { append } from "@wsgi/middleware/append";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";

const plainText: Header = ["Content-Type", "text/plain"];

describe("append()", () => {
  it("adds text after the body", async () => {
    const response = await call(append("Goodbye!")(respond(["Hello! "])), "GET /");
    assert.deepEqual(response.chunks, ["Hello! ", "Goodbye!"]);
  });

  it("adds bytes", async () => {
    const response = await call(append(new Uint8Array([33]))(respond(["Hello"])), "GET /");
    assert.equal(response.text(), "Hello!");
  });

  it("adds what a function makes of the environ", async () => {
    const app = append(({ PATH_INFO }) => ` from ${PATH_INFO}`)(respond(["Hello"]));
    assert.equal((await call(app, "GET /Ann")).text(), "Hello from /Ann");
  });

  it("adds nothing if there is nothing to add", async () => {
    const headers: Header[] = [plainText, ["ETag", '"1"']];
    const response = await call(append(() => "")(respond(closable("Hello"), { headers })), "GET /");
    assert.deepEqual([response.chunks, response.headers], [["Hello"], headers]);
  });

  it("adds after what is written, and after what is yielded", async () => {
    const app = append("!")(writing(["Hello, "], closable("wor", "ld")));
    assert.deepEqual((await call(app, "GET /")).chunks, ["Hello, ", "wor", "ld", "!"]);
  });

  it("adds when the iteration ends, not when a client leaves", async () => {
    const body = closable("one", "two");
    const response = await call(append("three")(respond(body)), "GET /", { leaveAfter: 1 });
    assert.deepEqual([response.chunks, body.returned, body.timesClosed], [["one"], true, 1]);
  });
});

describe("append() and the header fields", () => {
  it("lengthens Content-Length by bytes", async () => {
    const headers: Header[] = [plainText, ["content-length", "5"]];
    const response = await call(append(" 世界")(respond(["Hello"], { headers })), "GET /");
    assert.equal(response.header("Content-Length"), "12");
    assert.equal(response.bytes().byteLength, 12);
  });

  it("leaves a wrong Content-Length for the server to refuse", async () => {
    const headers: Header[] = [plainText, ["Content-Length", "five"]];
    const app = append("!")(respond(["Hello"], { headers }));
    await assert.rejects(call(app, "GET /"), { clause: "header-length", message: /"five"/ });
  });

  it("weakens a strong ETag", async () => {
    const app = append("!")(respond(["Hello"], { headers: [plainText, ["ETag", '"1"']] }));
    assert.equal((await call(app, "GET /")).header("ETag"), 'W/"1"');
  });

  it("leaves a weak ETag as it is", async () => {
    const app = append("!")(respond(["Hello"], { headers: [plainText, ["ETag", 'W/"1"']] }));
    assert.equal((await call(app, "GET /")).header("ETag"), 'W/"1"');
  });

  it("drops what only fits the old bytes, and nothing else", async () => {
    const headers: Header[] = [
      ["Content-MD5", "x"],
      ["Digest", "x"],
      ["Content-Digest", "x"],
      ["Repr-Digest", "x"],
      ["Accept-Ranges", "bytes"],
      plainText,
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ];
    const response = await call(append("!")(respond(["Hello"], { headers })), "GET /");
    assert.deepEqual(response.headers, headers.slice(5));
  });

  it("hands on the list itself if no field in it tells of the bytes", () => {
    const headers: Header[] = [plainText];
    const app = append("!")(respond(["Hello"], { headers }));
    app(environFor("GET /"), (_status, passed) => {
      assert.equal(passed, headers);
      return () => {};
    });
  });

  it("does not touch a list or an array that other requests may share", async () => {
    const headers = Object.freeze([plainText, ["Content-Length", "5"]] as Header[]);
    const shared = Object.freeze(["Hello"]) as string[];
    const app = append("!")(respond(shared, { headers }));
    await call(app, "GET /");
    assert.equal((await call(app, "GET /")).header("Content-Length"), "6");
  });
});

describe("append() to HEAD", () => {
  it("gives the header fields of GET and no body", async () => {
    const app = append("!")(respond(closable(), { headers: [plainText, ["Content-Length", "5"]] }));
    const body = app(environFor("HEAD /"), (_status, headers) => {
      assert.deepEqual(headers, [plainText, ["Content-Length", "6"]]);
      return () => {};
    });
    assert.deepEqual([...(body as Iterable<string>)], []);
  });

  it("leaves an empty array empty", () => {
    const body = append("!")(respond([]))(environFor("HEAD /"), () => () => {});
    assert.deepEqual(body, []);
  });

  it("leaves an array without a byte as it is", () => {
    const body = append("!")(respond([""]))(environFor("HEAD /"), () => () => {});
    assert.deepEqual(body, [""]);
  });

  it("adds to an array if the response to GET was written before it", () => {
    const body = append("!")(writing(["Hello"]))(environFor("HEAD /"), () => () => {});
    assert.deepEqual(body, ["!"]);
  });

  it("keeps an array that was made for GET as long as GET's, for layers that measure it", () => {
    const body = append("!")(respond(["Hello"]))(environFor("HEAD /"), () => () => {});
    assert.deepEqual(body, ["Hello", "!"]);
  });
});

describe("append() where it must not", () => {
  const unchanged = async (status: string, ...fields: Header[]): Promise<void> => {
    const headers: Header[] = [["Content-Length", "5"], ["ETag", '"1"'], ...fields];
    const response = await call(append("!")(respond(["Hello"], { status, headers })), "GET /");
    assert.deepEqual(response.headers, headers);
    assert.doesNotMatch(response.text(), /!/);
  };

  it("leaves 204 alone", () => unchanged("204 No Content", plainText));

  it("leaves 205 alone", () => unchanged("205 Reset Content", plainText));

  it("leaves 206 alone", () => unchanged("206 Partial Content", plainText));

  it("leaves 304 alone", () => unchanged("304 Not Modified", plainText));

  it("leaves Content-Range alone", () =>
    unchanged("200 OK", plainText, ["Content-Range", "bytes 0-4/9"]));

  it("leaves an encoded body alone", () =>
    unchanged("200 OK", plainText, ["Content-Encoding", "gzip"]));

  it("leaves no-transform alone, in any of the fields", () =>
    unchanged(
      "200 OK",
      plainText,
      ["Cache-Control", "private"],
      ["cache-control", "max-age=60, No-Transform"],
    ));

  it("leaves other types alone", () => unchanged("200 OK", ["Content-Type", "application/json"]));

  it("leaves a response without a type alone", () => unchanged("200 OK"));

  it("leaves a body alone whose second Content-Encoding is one", () =>
    unchanged("200 OK", plainText, ["Content-Encoding", "identity"], ["Content-Encoding", "br"]));

  it("returns an array that it leaves alone as it is", () => {
    const body = ["{}"];
    const json = respond(body, { headers: [["Content-Type", "application/json"]] });
    assert.equal(
      append("!")(json)(environFor("GET /"), () => () => {}),
      body,
    );
  });
});

describe("append() and types", () => {
  const appended = async (types: string[] | undefined, ...headers: Header[]): Promise<string> =>
    (await call(append("!", types && { types })(respond([""], { headers })), "GET /")).text();

  it("knows text/html with parameters and in any case", async () => {
    assert.equal(await appended(undefined, ["Content-Type", "Text/HTML ; charset=utf-8"]), "!");
  });

  it("knows the types that it is given, instead of its own", async () => {
    assert.equal(await appended(["Application/JSON"], ["Content-Type", "application/json"]), "!");
    assert.equal(await appended(["application/json"], plainText), "");
  });

  it("knows ranges of types", async () => {
    assert.equal(await appended(["text/*"], ["Content-Type", "text/css"]), "!");
    assert.equal(await appended(["text/*"], ["Content-Type", "image/png"]), "");
  });

  it("takes neither the beginning nor the end of a type for the whole", async () => {
    assert.equal(await appended(["text/x"], ["Content-Type", "text/xml"]), "");
    assert.equal(await appended(["text/x"], ["Content-Type", "rich-text/x"]), "");
  });

  it("takes a dot and a plus in a type for themselves", async () => {
    assert.equal(await appended(["a/b.c+d"], ["Content-Type", "a/b.c+d"]), "!");
    assert.equal(await appended(["a/b.c+d"], ["Content-Type", "a/bxccd"]), "");
  });

  it("knows no type if it is given none", async () => {
    assert.equal(await appended([]), "");
  });

  it("takes * for every response, even one without a type", async () => {
    assert.equal(await appended(["*"]), "!");
  });

  it("takes identity for no encoding", async () => {
    assert.equal(await appended(undefined, plainText, ["Content-Encoding", "Identity"]), "!");
  });
});

describe("append() in the onion", () => {
  it("keeps streaming lazy", () => {
    const body = closable("one", "two");
    const app = append("three")(respond(body));
    const steps = app(environFor("GET /"), () => () => {}) as Iterable<string>;
    assert.equal(body.taken, 0);
    assert.equal(steps[Symbol.iterator]().next().value, "one");
    assert.equal(body.taken, 1);
  });

  it("closes once", async () => {
    const body = closable("Hello");
    const { closed } = await call(append("!")(respond(body)), "GET /");
    assert.deepEqual([body.timesClosed, closed], [1, 1]);
  });

  it("closes once when the body fails", async () => {
    const body = closable("Hello", 42 as unknown as string);
    await assert.rejects(call(append("!")(respond(body)), "GET /"), { clause: "body-chunk" });
    assert.equal(body.timesClosed, 1);
  });

  it("lets what the application throws through", async () => {
    await assert.rejects(call(append("!")(failing("call")), "GET /"), /Failed in call/);
  });

  it("waits for a response that starts late", async () => {
    const { chunks } = await call(append("!")(late("Hello")), "GET /");
    assert.deepEqual(chunks, ["", "Hello", "!"]);
  });

  it("adds to an asynchronous body", async () => {
    assert.equal((await call(append("!")(slow("Hel", "lo")), "GET /")).text(), "Hello!");
  });

  it("hands an error on as excInfo, and looks at the response that replaces the first", () => {
    const error = new Error("late");
    const calls: unknown[] = [];
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", [plainText, ["Content-Length", "5"]]);
      startResponse("500 Internal Server Error", [["Content-Length", "5"]], error);
      return ["{...}"];
    };
    const body = append("!")(app)(environFor("GET /"), (...head) => {
      calls.push(head);
      return () => {};
    });
    assert.deepEqual(body, ["{...}"]);
    assert.deepEqual(calls, [
      ["200 OK", [plainText, ["Content-Length", "6"]], undefined],
      ["500 Internal Server Error", [["Content-Length", "5"]], error],
    ]);
  });
});

describe("append() options", () => {
  it("refuses to add what is neither text nor bytes", () => {
    assert.throws(() => append(42 as unknown as string), {
      name: "TypeError",
      message: "Cannot append: the addition is 42; wanted text, bytes or a function",
    });
  });

  it("refuses a type that is none", () => {
    assert.throws(() => append("!", { types: ["html"] }), {
      name: "TypeError",
      message: 'Cannot append: types is ["html"]; wanted an array of media types, ["text/html"]',
    });
  });

  it("throws into the application when its function returns no chunk", async () => {
    const app = append(() => undefined as unknown as string)(respond(["Hello"]));
    await assert.rejects(call(app, "GET /"), { clause: "body-chunk" });
  });
});
