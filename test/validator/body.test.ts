import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closeBody, type Application, type Body, type HeaderList } from "@wsgi/core";
import { closable, late, respond, slow } from "@wsgi/testing";
import { ignore, judge, judgeServer } from "../support/validating.ts";

const streamed = respond(() => closable("one", "two"));

/** Is an application whose body cannot be one. */
function returns(body: unknown): Application {
  return respond(() => body as Body);
}

/** Is an application that declares a length. */
function declares(length: number, body: () => Body, status = "200 OK"): Application {
  const headers: HeaderList = [
    ["Content-Type", "text/plain"],
    ["Content-Length", String(length)],
  ];
  return respond(body, { status, headers });
}

describe("a validator on the body", () => {
  it("takes arrays, iterables and async iterables, at once and later", async () => {
    assert.deepEqual((await judge(respond(["one"]))).faults, []);
    assert.deepEqual((await judge(late("one"))).faults, []);
    assert.deepEqual((await judge(slow("one"))).faults, []);
  });

  it("refuses nothing", async () => {
    assert.deepEqual((await judge(returns(undefined))).faults, ["application body-iterable"]);
  });

  it("refuses false", async () => {
    assert.deepEqual((await judge(returns(false))).faults, ["application body-iterable"]);
  });

  it("refuses a string", async () => {
    assert.deepEqual((await judge(returns("Hello"))).faults, ["application body-iterable"]);
  });

  it("refuses bytes", async () => {
    const { faults } = await judge(returns(new Uint8Array(2)));
    assert.deepEqual(faults, ["application body-iterable"]);
  });

  it("refuses a promise of a string", async () => {
    const { faults } = await judge(returns(Promise.resolve("Hello")));
    assert.deepEqual(faults, ["application body-iterable"]);
  });

  it("refuses a number in an array", async () => {
    assert.deepEqual((await judge(returns(["one", 2]))).faults, ["application body-chunk"]);
  });

  it("refuses a hole in an array", async () => {
    const chunks = ["one"];
    chunks[2] = "three";
    assert.deepEqual((await judge(returns(chunks))).faults, ["application body-chunk"]);
  });

  it("refuses a number that is yielded", async () => {
    const { faults } = await judge(returns(closable(2 as never)));
    assert.deepEqual(faults, ["application body-chunk"]);
  });

  it("refuses a number that is yielded later", async () => {
    assert.deepEqual((await judge(slow(2 as never))).faults, ["application body-chunk"]);
  });

  it("refuses a promise in a synchronous body", async () => {
    const { faults } = await judge(returns([Promise.resolve("one")]));
    assert.deepEqual(faults, ["application body-chunk"]);
  });

  it("ends the iteration of a body that it refuses, and closes it", async () => {
    const body = closable("one", 2 as never);
    await judge(respond(body));
    assert.equal(body.returned, true);
    assert.equal(body.timesClosed, 1);
  });

  it("closes an array that it refuses", async () => {
    let timesClosed = 0;
    const body = Object.assign([2 as never], { close: () => void (timesClosed += 1) });
    await judge(respond(body));
    assert.equal(timesClosed, 1);
  });

  it("refuses an array before the response has started", async () => {
    assert.deepEqual((await judge(() => ["Hello"])).faults, ["application start-before-body"]);
  });

  it("refuses an empty array without a response", async () => {
    assert.deepEqual((await judge(() => [])).faults, ["application start-before-body"]);
  });

  it("refuses a chunk before the response has started", async () => {
    const { faults } = await judge(() => closable("one"));
    assert.deepEqual(faults, ["application start-before-body"]);
  });

  it("refuses a body that ends and has not started the response", async () => {
    assert.deepEqual((await judge(() => closable("", ""))).faults, [
      "application start-before-body",
    ]);
  });

  it("refuses an array that is longer than declared", async () => {
    const { faults } = await judge(declares(4, () => ["Hello"]));
    assert.deepEqual(faults, ["application length-exceeded"]);
  });

  it("refuses an array that is shorter than declared", async () => {
    const { faults } = await judge(declares(6, () => ["Hello"]));
    assert.deepEqual(faults, ["application length-short"]);
  });

  it("refuses a stream that is longer than declared", async () => {
    const { faults } = await judge(declares(4, () => closable("one", "two")));
    assert.deepEqual(faults, ["application length-exceeded"]);
  });

  it("refuses a stream that is shorter than declared", async () => {
    const { faults } = await judge(declares(7, () => closable("one", "two")));
    assert.deepEqual(faults, ["application length-short"]);
  });

  it("counts bytes, not letters", async () => {
    assert.deepEqual((await judge(declares(6, () => ["世界"]))).faults, []);
  });

  it("takes any length for HEAD", async () => {
    assert.deepEqual(
      (
        await judge(
          declares(6, () => []),
          "HEAD /",
        )
      ).faults,
      [],
    );
    assert.deepEqual(
      (
        await judge(
          declares(4, () => ["Hello"]),
          "HEAD /",
        )
      ).faults,
      [],
    );
  });

  it("takes any length for 304", async () => {
    const { faults } = await judge(declares(6, () => [], "304 Not Modified"));
    assert.deepEqual(faults, []);
  });

  it("takes a short body from which the client has gone", async () => {
    const { faults } = await judgeServer(
      async (app, environ) => {
        const body = (await app(environ, ignore)) as AsyncIterable<string> & Body;
        const step = body[Symbol.asyncIterator]().next();
        await closeBody(body);
        await step;
      },
      async function* (_environ, startResponse) {
        startResponse("200 OK", [["Content-Length", "5"]]);
        await Promise.resolve();
        yield* [];
      },
    );
    assert.deepEqual(faults, []);
  });
});

describe("a validator's warnings on the body", () => {
  it("look at a body without a Content-Type", async () => {
    const { warnings } = await judge(respond(["Hello"], { headers: [] }));
    assert.deepEqual(warnings, ["application body-format"]);
  });

  it("look at it once, however many chunks it has", async () => {
    const { warnings } = await judge(respond(["one", "two"], { headers: [] }));
    assert.deepEqual(warnings, ["application body-format"]);
  });

  it("are none for an empty body without one", async () => {
    const { warnings } = await judge(respond([], { headers: [] }));
    assert.deepEqual(warnings, []);
  });

  it("look at the body of a 304", async () => {
    const notModified = { status: "304 Not Modified", headers: [] };
    const { warnings } = await judge(respond(["Hello"], notModified));
    assert.deepEqual(warnings, ["application length-bodyless"]);
  });

  it("look at the body of an answer to HEAD", async () => {
    const { warnings } = await judge(respond(["Hello"]), "HEAD /");
    assert.deepEqual(warnings, ["application length-head"]);
  });
});

describe("a validator on what a server does with the body", () => {
  it("takes one that is not iterated", async () => {
    const { faults } = await judgeServer(
      async (app, environ) => closeBody(await app(environ, ignore)),
      streamed,
    );
    assert.deepEqual(faults, []);
  });

  it("refuses a second iteration", async () => {
    const { faults } = await judgeServer((app, environ) => {
      const body = app(environ, ignore) as Iterable<string>;
      return [...body, ...body];
    }, streamed);
    assert.deepEqual(faults, ["server body-once"]);
  });

  it("refuses a second iteration before the first has begun", async () => {
    const { faults } = await judgeServer((app, environ) => {
      const body = app(environ, ignore) as Iterable<string>;
      return [body[Symbol.iterator](), body[Symbol.iterator]()];
    }, streamed);
    assert.deepEqual(faults, ["server body-once"]);
  });

  it("takes a second iteration of an array", async () => {
    const { faults } = await judgeServer((app, environ) => {
      const body = app(environ, ignore) as Iterable<string>;
      return [...body, ...body];
    });
    assert.deepEqual(faults, []);
  });

  it("refuses an iteration after close()", async () => {
    const { faults } = await judgeServer(async (app, environ) => {
      const body = (await app(environ, ignore)) as Iterable<string> & Body;
      await body.close?.();
      body[Symbol.iterator]();
    }, streamed);
    assert.deepEqual(faults, ["server body-once"]);
  });

  it("refuses a step after close()", async () => {
    const { faults } = await judgeServer((app, environ) => {
      const body = app(environ, ignore) as Iterable<string> & Body;
      const steps = body[Symbol.iterator]();
      steps.next();
      steps.return?.();
      void body.close?.();
      steps.next();
    }, streamed);
    assert.deepEqual(faults, ["server body-once"]);
  });

  it("refuses a step before the one before it has come", async () => {
    const { faults } = await judgeServer(
      async (app, environ) => {
        const body = (await app(environ, ignore)) as AsyncIterable<string>;
        const steps = body[Symbol.asyncIterator]();
        void steps.next();
        await steps.next();
      },
      slow("one", "two"),
    );
    assert.deepEqual(faults, ["server body-once"]);
  });

  it("refuses a second close()", async () => {
    const { faults } = await judgeServer(async (app, environ) => {
      const body = await app(environ, ignore);
      await body.close?.();
      await body.close?.();
    });
    assert.deepEqual(faults, ["server close-once"]);
  });

  it("refuses to close a body whose iteration was left without return()", async () => {
    const body = closable("one", "two");
    const { faults } = await judgeServer((app, environ) => {
      const watched = app(environ, ignore) as Iterable<string> & Body;
      watched[Symbol.iterator]().next();
      void watched.close?.();
    }, respond(body));
    assert.deepEqual(faults, ["server close-return"]);
    assert.equal(body.timesClosed, 1);
  });

  it("takes close() while a step is under way, which nothing can end", async () => {
    const { faults } = await judgeServer(async (app, environ) => {
      const body = (await app(environ, ignore)) as AsyncIterable<string> & Body;
      void body[Symbol.asyncIterator]().next();
      await body.close?.();
    }, slow("one"));
    assert.deepEqual(faults, []);
  });

  it("takes close() after the iteration has failed", async () => {
    const { faults } = await judgeServer(
      (app, environ) => {
        const body = app(environ, ignore) as Iterable<string> & Body;
        assert.throws(() => [...body], /^Error: Failed$/);
        void body.close?.();
      },
      function* failing(_environ, startResponse) {
        startResponse("200 OK", []);
        yield "";
        throw new Error("Failed");
      },
    );
    assert.deepEqual(faults, []);
  });

  it("refuses a change to the array", async () => {
    const { faults } = await judgeServer(async (app, environ) => {
      const body = (await app(environ, ignore)) as string[] & Body;
      body.push("more");
      await body.close?.();
    });
    assert.deepEqual(faults, ["server body-shared"]);
  });

  it("refuses another chunk in the array", async () => {
    const { faults } = await judgeServer(async (app, environ) => {
      const body = (await app(environ, ignore)) as string[] & Body;
      body[0] = "other";
      await body.close?.();
    });
    assert.deepEqual(faults, ["server body-shared"]);
  });
});
