import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { interleave, stack, type AnyMiddleware, type Application, type Environ } from "@wsgi/core";
import { validator, type Validator } from "@wsgi/core/validator";
import { cookies, cookiesKey, type CookieEnviron } from "@wsgi/cookies";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { cascade } from "@wsgi/middleware/cascade";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { contentLength } from "@wsgi/middleware/content-length";
import { head } from "@wsgi/middleware/head";
import { mount } from "@wsgi/middleware/mount";
import { requestId } from "@wsgi/middleware/request-id";
import { timeout } from "@wsgi/middleware/timeout";
import { when } from "@wsgi/middleware/when";
import { router } from "@wsgi/router";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";
import { packages } from "../support/repository.ts";

/** Is an application that reads its request, starts anew with an error, and streams. */
const thorough: Application = async function* (environ, startResponse) {
  for await (const line of environ["wsgi.input"]) yield line.subarray(0, 0);
  startResponse("200 OK", [["Content-Type", "text/html"]]);
  startResponse("500 Internal Server Error", [["Content-Type", "text/html"]], new Error("Oh"));
  yield "one";
  yield new Uint8Array(2);
};

const sized = respond(["Hello"], {
  headers: [
    ["Content-Type", "text/plain"],
    ["Content-Length", "5"],
  ],
});

/** Is every way to answer: at once and later, written and yielded, with and without a body, and failing. */
const applications: readonly Application[] = [
  respond([]),
  respond(["one", "two"]),
  respond(() => closable("one", "two")),
  respond(() => Object.assign(["one"], { close: () => {} })),
  respond([], { status: "204 No Content", headers: [] }),
  respond([], { status: "304 Not Modified", headers: [] }),
  respond(["No"], { status: "404 Not Found" }),
  sized,
  late("one", "two"),
  slow("one", "two"),
  writing(["one", ""], ["two"]),
  thorough,
  failing("call"),
  failing("start"),
  failing("body"),
  failing("close"),
];

/** Tells what validators between a layer and every such application say, for each kind of client. */
async function judgeThoroughly(make: (app: Application) => Application): Promise<string[]> {
  const said: string[] = [];
  const validators: Validator[] = [];
  for (const app of applications) {
    const checked = interleave(make(app), (boundary) => {
      const made = validator({
        ...boundary,
        report: ({ message }) => void said.push(message),
        // What is allowed and seldom meant is the matter of the applications.
        warn: ({ clause, message }) => clause.startsWith("layer-") && void said.push(message),
      });
      validators.push(made);
      return made;
    });
    const forget = (): void => {};
    await call(checked, "GET /app/x").catch(forget);
    await call(checked, "HEAD /app/x").catch(forget);
    await call(checked, environFor("POST /app/x", { body: "one\ntwo" })).catch(forget);
    await call(checked, "GET /app/x", { leaveAfter: 1 }).catch(forget);
    await call(checked, "GET /", { leaveAfter: 0 }).catch(forget);
  }
  const open = validators.filter((made) => made.open !== 0);
  return [...said, ...open.map(() => "a body is still open")];
}

function under(...layers: readonly AnyMiddleware[]): (app: Application) => Application {
  return stack(...layers) as (app: Application) => Application;
}

const silent = { destination: { write: () => {} } };

describe("validators between all layers", () => {
  it("say nothing of access-log", async () => {
    assert.deepEqual(await judgeThoroughly(under(accessLog(silent))), []);
  });

  it("say nothing of append", async () => {
    assert.deepEqual(await judgeThoroughly(under(append("!"))), []);
  });

  it("say nothing of cascade", async () => {
    assert.deepEqual(await judgeThoroughly((app) => cascade(app, app)), []);
  });

  it("say nothing of catch-errors", async () => {
    assert.deepEqual(await judgeThoroughly(under(catchErrors())), []);
    const development = catchErrors({ development: () => true });
    assert.deepEqual(await judgeThoroughly(under(development)), []);
  });

  it("say nothing of content-length", async () => {
    assert.deepEqual(await judgeThoroughly(under(contentLength())), []);
  });

  it("say nothing of head", async () => {
    assert.deepEqual(await judgeThoroughly(under(head())), []);
  });

  it("say nothing of mount", async () => {
    assert.deepEqual(await judgeThoroughly((app) => mount({ "/app": app })), []);
    assert.deepEqual(await judgeThoroughly((app) => mount({ "/else": app })(app)), []);
  });

  it("say nothing of request-id", async () => {
    assert.deepEqual(await judgeThoroughly(under(requestId())), []);
  });

  it("say nothing of timeout", async () => {
    assert.deepEqual(await judgeThoroughly(under(timeout())), []);
    const stuck = (app: Application): Application =>
      under(timeout({ after: 1 }))((environ, startResponse) =>
        environ.REQUEST_METHOD === "HEAD" ? new Promise(() => {}) : app(environ, startResponse),
      );
    assert.deepEqual(await judgeThoroughly(stuck), []);
  });

  it("say nothing of when", async () => {
    const isGet = (environ: Environ): boolean => environ.REQUEST_METHOD === "GET";
    assert.deepEqual(await judgeThoroughly(under(when(isGet, append("!")))), []);
    const isGetLater = async (environ: Environ): Promise<boolean> => isGet(environ);
    assert.deepEqual(await judgeThoroughly(under(when(isGetLater, append("!")))), []);
  });

  it("say nothing of the router", async () => {
    const routed = (app: Application): Application => {
      const routes = router();
      routes.get("/app/:name", app);
      routes.use("/app", app);
      return routes;
    };
    assert.deepEqual(await judgeThoroughly(routed), []);
    assert.deepEqual(await judgeThoroughly(under(router())), []);
  });

  it("say nothing of cookies", async () => {
    const sets = (app: Application): Application<Environ & CookieEnviron> =>
      function sets(environ, startResponse) {
        environ[cookiesKey].set("a", "1");
        return app(environ, startResponse);
      };
    assert.deepEqual(await judgeThoroughly((app) => stack(cookies())(sets(app))), []);
  });

  it("say nothing of all of them together", async () => {
    const all = stack(
      accessLog(silent),
      catchErrors(),
      requestId(),
      timeout(),
      head(),
      contentLength(),
      cookies(),
      when(() => true, append("!")),
    );
    const inside = (app: Application): Application =>
      mount({ "/app": cascade(respond([], { status: "404 Not Found" }), app) });
    assert.deepEqual(await judgeThoroughly((app) => all(inside(app))), []);
  });

  it("were put around every layer there is", () => {
    const middleware = packages.find(({ manifest }) => manifest.name === "@wsgi/middleware")!;
    const known =
      /^\.\/(?:access-log|append|cascade|catch-errors|content-length|head|mount|request-id|timeout|when)$/;
    const others = Object.keys(middleware.manifest.exports).filter((name) => !known.test(name));
    assert.deepEqual(others, []);
  });
});
