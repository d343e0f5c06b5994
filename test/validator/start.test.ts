import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application, HeaderList, StartResponse } from "@wsgi/core";
import { respond, writing } from "@wsgi/testing";
import { ignore, judge, judgeServer } from "../support/validating.ts";

const plain: HeaderList = [["Content-Type", "text/plain"]];

/** Is an application that starts its response in some way. */
function starts(start: (startResponse: StartResponse) => unknown, body = ["Hello"]): Application {
  return (_environ, startResponse) => {
    start(startResponse);
    return body;
  };
}

/** Calls startResponse with whatever it is given. */
function startWith(...args: readonly unknown[]): Application {
  return starts((start) => (start as (...given: readonly unknown[]) => unknown)(...args));
}

describe("a validator on startResponse", () => {
  it("takes two arguments, and three with an error", async () => {
    const twice = starts((start) => {
      start("200 OK", plain);
      start("500 Internal Server Error", plain, new Error("Failed"));
    });
    const { faults, warnings } = await judge(twice);
    assert.deepEqual(faults, []);
    assert.deepEqual(warnings, []);
  });

  it("refuses one argument", async () => {
    assert.deepEqual((await judge(startWith("200 OK"))).faults, ["application start-arguments"]);
  });

  it("refuses four arguments", async () => {
    const { faults } = await judge(startWith("200 OK", plain, undefined, 1));
    assert.deepEqual(faults, ["application start-arguments"]);
  });

  it("refuses a second call without an error", async () => {
    const twice = starts((start) => {
      start("200 OK", plain);
      start("200 OK", plain);
    });
    assert.deepEqual((await judge(twice)).faults, ["application start-once"]);
  });

  it("refuses a second call without an error after one that threw", async () => {
    const twice = starts((start) => {
      assert.throws(() => start("nonsense", plain));
      start("200 OK", plain);
    });
    const { faults } = await judge(twice);
    assert.deepEqual(faults, ["application status-form", "application start-once"]);
  });

  it("refuses a status that is a number", async () => {
    assert.deepEqual((await judge(startWith(200, plain))).faults, ["application status-form"]);
  });

  it("refuses headers that are no list", async () => {
    const { faults } = await judge(startWith("200 OK", { "Content-Type": "text/plain" }));
    assert.deepEqual(faults, ["application headers-list"]);
  });

  it("refuses a header that is no pair", async () => {
    const { faults } = await judge(startWith("200 OK", [["Content-Type"]]));
    assert.deepEqual(faults, ["application headers-list"]);
  });

  it("refuses a name that is no token", async () => {
    const { faults } = await judge(startWith("200 OK", [["Content Type", "text/plain"]]));
    assert.deepEqual(faults, ["application header-name"]);
  });

  it("refuses a header named Status", async () => {
    const { faults } = await judge(startWith("200 OK", [["Status", "200"]]));
    assert.deepEqual(faults, ["application header-name"]);
  });

  it("refuses a value with a line end", async () => {
    const { faults } = await judge(startWith("200 OK", [["X-A", "1\r\nX-B: 2"]]));
    assert.deepEqual(faults, ["application header-value"]);
  });

  it("refuses a value beyond Latin-1, and takes one within it", async () => {
    const { faults } = await judge(startWith("200 OK", [["X-A", "世界"]]));
    assert.deepEqual(faults, ["application header-value"]);
    const latin = startWith("200 OK", [...plain, ["X-A", "é"]]);
    assert.deepEqual((await judge(latin)).faults, []);
  });

  it("refuses a header of the connection", async () => {
    const { faults } = await judge(startWith("200 OK", [["Transfer-Encoding", "chunked"]]));
    assert.deepEqual(faults, ["application header-hop-by-hop"]);
  });

  it("refuses a Content-Length that is given twice", async () => {
    const length = ["Content-Length", "5"];
    const { faults } = await judge(startWith("200 OK", [length, length]));
    assert.deepEqual(faults, ["application header-length"]);
  });

  it("refuses a list that the application changes afterwards", async () => {
    const headers: [string, string][] = [["Content-Type", "text/plain"]];
    const { faults } = await judge((_environ: unknown, startResponse: StartResponse) => {
      startResponse("200 OK", headers);
      headers.push(["X-Late", "1"]);
      return ["Hello"];
    });
    assert.deepEqual(faults, ["application headers-list"]);
  });

  it("refuses a list that the server changes", async () => {
    const { faults } = await judgeServer(async (app, environ) => {
      const body = await app(environ, (_status, headers) => {
        (headers as [string, string][]).push(["Server", "odd"]);
        return () => {};
      });
      await body.close?.();
    });
    assert.deepEqual(faults, ["server headers-list"]);
  });

  it("keeps the list of the application from a server that changes it", async () => {
    const headers: HeaderList = [["Content-Type", "text/plain"]];
    await judgeServer(
      (app, environ) =>
        app(environ, (_status, given) => {
          (given as [string, string][]).length = 0;
          return () => {};
        }),
      respond([], { headers }),
    );
    assert.deepEqual(headers, [["Content-Type", "text/plain"]]);
  });

  it("refuses a server that returns no write", async () => {
    const { faults } = await judgeServer((app, environ) => app(environ, () => undefined as never));
    assert.deepEqual(faults, ["server start-write"]);
  });

  it("refuses to go on when what the server threw for an error is caught", async () => {
    const gone = new Error("The head has left");
    const { faults } = await judgeServer(
      (app, environ) =>
        app(environ, (_status, _headers, excInfo) => {
          if (excInfo !== undefined) throw gone;
          return () => {};
        }),
      starts((start) => {
        start("200 OK", plain);
        assert.throws(() => start("500 Internal Server Error", plain, new Error("Failed")), gone);
      }),
    );
    assert.deepEqual(faults, ["application start-untrapped"]);
  });

  it("refuses the same within the iteration", async () => {
    const { faults } = await judgeServer(
      (app, environ) => {
        const body = app(environ, (_status, _headers, excInfo) => {
          if (excInfo !== undefined) throw excInfo;
          return () => {};
        });
        return [...(body as Iterable<string>)];
      },
      function* trapping(_environ, startResponse) {
        startResponse("200 OK", plain);
        yield "one";
        assert.throws(() => startResponse("500 Oh", plain, new Error("Failed")));
        yield "two";
      },
    );
    assert.deepEqual(faults, ["application start-untrapped"]);
  });

  it("lets what the server throws for an error through", async () => {
    const failing = starts((start) => {
      start("200 OK", plain);
      start("500 Oh", plain, new Error("Failed"));
    });
    const { faults } = await judgeServer(
      (app, environ) =>
        assert.throws(() =>
          app(environ, (_status, _headers, excInfo) => {
            if (excInfo !== undefined) throw excInfo;
            return () => {};
          }),
        ),
      failing,
    );
    assert.deepEqual(faults, []);
  });
});

describe("a validator's warnings on startResponse", () => {
  it("look at an excInfo that is no error", async () => {
    const { faults, warnings } = await judge(startWith("200 OK", plain, null));
    assert.deepEqual(faults, []);
    assert.deepEqual(warnings, ["application start-error"]);
  });

  it("look at a name that does not begin with a letter", async () => {
    const { warnings } = await judge(startWith("200 OK", [...plain, ["1st", "1"]]));
    assert.deepEqual(warnings, ["application header-name"]);
  });

  it("look at a name that ends in -", async () => {
    const { warnings } = await judge(startWith("200 OK", [...plain, ["X-", "1"]]));
    assert.deepEqual(warnings, ["application header-name"]);
  });

  it("look at a 204 with a Content-Type", async () => {
    const { warnings } = await judge(respond([], { status: "204 No Content", headers: plain }));
    assert.deepEqual(warnings, ["application body-format"]);
  });

  it("look at a 304 with a Content-Encoding", async () => {
    const headers: HeaderList = [["Content-Encoding", "gzip"]];
    const { warnings } = await judge(respond([], { status: "304 Not Modified", headers }));
    assert.deepEqual(warnings, ["application body-format"]);
  });

  it("look at a 204 with a Content-Length", async () => {
    const headers: HeaderList = [["Content-Length", "0"]];
    const { warnings } = await judge(respond([], { status: "204 No Content", headers }));
    assert.deepEqual(warnings, ["application length-dropped"]);
  });

  it("are none for a 304 with a Content-Length", async () => {
    const headers: HeaderList = [["Content-Length", "5"]];
    const { warnings } = await judge(respond([], { status: "304 Not Modified", headers }));
    assert.deepEqual(warnings, []);
  });

  it("look at an ETag without quotes", async () => {
    const { warnings } = await judge(startWith("200 OK", [...plain, ["ETag", "abc"]]));
    assert.deepEqual(warnings, ["application body-format"]);
  });

  it("look at an ETag that is weak in lower case", async () => {
    const { warnings } = await judge(startWith("200 OK", [...plain, ["ETag", 'w/"abc"']]));
    assert.deepEqual(warnings, ["application body-format"]);
  });

  it("are none for a weak ETag", async () => {
    const { warnings } = await judge(startWith("200 OK", [...plain, ["ETag", 'W/"abc"']]));
    assert.deepEqual(warnings, []);
  });
});

describe("a validator on write()", () => {
  it("takes text and bytes", async () => {
    const { faults } = await judge(writing(["one", new Uint8Array(2)], ["two"]));
    assert.deepEqual(faults, []);
  });

  it("refuses what is no chunk", async () => {
    const { faults } = await judge(writing([42 as never]));
    assert.deepEqual(faults, ["application body-chunk"]);
  });

  it("refuses a call from within the iteration", async () => {
    const { faults } = await judge(function* (_environ: unknown, startResponse: StartResponse) {
      const write = startResponse("200 OK", plain);
      yield "one";
      void write("two");
    });
    assert.deepEqual(faults, ["application write-outside"]);
  });

  it("refuses a call while a step is waited for", async () => {
    const { faults } = await judge(async function* (
      _environ: unknown,
      startResponse: StartResponse,
    ) {
      const write = startResponse("200 OK", plain);
      await Promise.resolve();
      void write("two");
      yield "one";
    });
    assert.deepEqual(faults, ["application write-outside"]);
  });

  it("refuses a call after the request has ended", async () => {
    let late = (): unknown => undefined;
    const app: Application = (_environ, startResponse) => {
      const write = startResponse("200 OK", plain);
      late = () => write("late");
      return [];
    };
    const { faults } = await judgeServer(async (checked, environ) => {
      await (await checked(environ, ignore)).close?.();
      late();
    }, app);
    assert.deepEqual(faults, ["application write-in-time"]);
  });

  it("refuses more bytes than declared", async () => {
    const app = starts((start) => start("200 OK", [["Content-Length", "3"]])("four"), []);
    assert.deepEqual((await judge(app)).faults, ["application length-exceeded"]);
  });

  it("counts what is written for the length", async () => {
    const app = starts((start) => start("200 OK", [["Content-Length", "9"]])("four"));
    assert.deepEqual((await judge(app)).faults, []);
  });

  it("warns of a server that returns neither nothing nor a promise", async () => {
    const { faults, warnings } = await judgeServer(
      (app, environ) => app(environ, () => () => true as never),
      writing(["one"]),
    );
    assert.deepEqual(faults, []);
    assert.deepEqual(warnings, ["server write-full"]);
  });

  it("takes a promise", async () => {
    const { warnings } = await judgeServer(
      (app, environ) => app(environ, () => () => Promise.resolve()),
      writing(["one"]),
    );
    assert.deepEqual(warnings, []);
  });
});
