import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chunks, emptyInput, stack, statusLine } from "@wsgi/core";
import { cookies } from "@wsgi/cookies";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { cascade } from "@wsgi/middleware/cascade";
import { catchErrors, httpError } from "@wsgi/middleware/catch-errors";
import { mount } from "@wsgi/middleware/mount";
import { requestId } from "@wsgi/middleware/request-id";
import { timeout } from "@wsgi/middleware/timeout";
import { when } from "@wsgi/middleware/when";
import { router } from "@wsgi/router";
import { makeServer, nodeListener, serve as listen } from "@wsgi/server";
import { respond } from "@wsgi/testing";

const app = respond(["ok"]);

/** Hands in what the compiler would refuse. */
function wrong(value: unknown): never {
  return value as never;
}

/** Makes a server that never listens. */
function serve(options: object): unknown {
  return listen(app, options);
}

/** Is a use that has to fail when it is written, and not when a request comes. */
interface WrongUse {
  readonly id: string;
  readonly title: string;
  readonly use: () => unknown;
}

const wrongUses: readonly WrongUse[] = [
  { id: "M10", title: "serve() with a port that is NaN", use: () => serve({ port: NaN }) },
  { id: "M10", title: "serve() with a port that is text", use: () => serve({ port: "8000" }) },
  { id: "M10", title: "serve() with a port that is negative", use: () => serve({ port: -1 }) },
  { id: "M10", title: "serve() with a port beyond 65535", use: () => serve({ port: 65_536 }) },
  { id: "M10", title: "serve() with a port that is a fraction", use: () => serve({ port: 80.5 }) },
  {
    id: "M10",
    title: "serve() with a port that is infinite",
    use: () => serve({ port: Infinity }),
  },
  { id: "M10", title: "serve() with a host that is empty", use: () => serve({ host: "" }) },
  { id: "M10", title: "serve() with a host that is a number", use: () => serve({ host: 0 }) },
  {
    id: "M10",
    title: "serve() with a path of a socket that is empty",
    use: () => serve({ path: "" }),
  },
  {
    id: "M10",
    title: "serve() with a path of a socket beside a port",
    use: () => serve({ path: "/run/a", port: 80 }),
  },
  { id: "M10", title: "serve() with tls that is true", use: () => serve({ tls: true }) },
  {
    id: "M10",
    title: "serve() with a place for errors that is text",
    use: () => serve({ errors: "stderr" }),
  },
  {
    id: "M10",
    title: "serve() with an environ that is text",
    use: () => serve({ environ: "a=1" }),
  },
  {
    id: "M10",
    title: "serve() with an application that is none",
    use: () => makeServer("127.0.0.1", 0, wrong({})),
  },
  {
    id: "M10",
    title: "nodeListener() with an application that is none",
    use: () => nodeListener(wrong(undefined)),
  },
  {
    id: "M10",
    title: "nodeListener() with an environ that is null",
    use: () => nodeListener(app, wrong({ environ: null })),
  },
  { id: "M10", title: "chunks() with a size that is NaN", use: () => chunks(emptyInput, NaN) },
  { id: "M10", title: "chunks() with a size of 0", use: () => chunks(emptyInput, 0) },
  {
    id: "M10",
    title: "serve() with a limit that is NaN",
    use: () => serve({ limits: { body: NaN } }),
  },
  {
    id: "M10",
    title: "serve() with a limit that is text",
    use: () => serve({ limits: { body: "10zb" } }),
  },
  {
    id: "M10",
    title: "serve() with a limit that is negative",
    use: () => serve({ limits: { body: -1 } }),
  },
  {
    id: "M10",
    title: "serve() with a limit that is infinite",
    use: () => serve({ limits: { connections: Infinity } }),
  },
  {
    id: "M10",
    title: "serve() with a limit that is null",
    use: () => serve({ limits: { headerCount: null } }),
  },
  {
    id: "M10",
    title: "serve() with a limit of 0 connections",
    use: () => serve({ limits: { connections: 0 } }),
  },
  {
    id: "M10",
    title: "serve() with a timeout of 0",
    use: () => serve({ limits: { writeTimeout: 0 } }),
  },
  {
    id: "M10",
    title: "serve() with a timeout beyond what timers take",
    use: () => serve({ limits: { requestTimeout: 2 ** 31 } }),
  },
  {
    id: "M10",
    title: "serve() with less time for a request than for its head",
    use: () => serve({ limits: { headersTimeout: 2, requestTimeout: 1 } }),
  },
  {
    id: "M10",
    title: "serve() with a limit that does not exist",
    use: () => serve({ limits: { bodySize: 1 } }),
  },
  {
    id: "M10",
    title: "serve() with a limit that every object has",
    use: () => serve({ limits: { constructor: 1 } }),
  },
  { id: "M10", title: "serve() with limits that are a number", use: () => serve({ limits: 1024 }) },
  {
    id: "M10",
    title: "nodeListener() with a limit that is NaN",
    use: () => nodeListener(app, { limits: { body: NaN } }),
  },
  {
    id: "M10",
    title: "chunks() with a size that is infinite",
    use: () => chunks(emptyInput, Infinity),
  },
  {
    id: "M10",
    title: "chunks() with a size that is text",
    use: () => chunks(emptyInput, wrong("1024")),
  },
  { id: "M10", title: "statusLine() with a code of 100", use: () => statusLine(100) },
  { id: "M10", title: "statusLine() with a code of 999", use: () => statusLine(999) },
  { id: "M10", title: "statusLine() with a code that is NaN", use: () => statusLine(NaN) },
  {
    id: "M10",
    title: "statusLine() with a reason with LF",
    use: () => statusLine(200, "OK\nX: y"),
  },
  { id: "M10", title: "httpError() with a status of 200", use: () => httpError(200) },
  { id: "M10", title: "httpError() with a status that is NaN", use: () => httpError(NaN) },
  {
    id: "M10",
    title: "httpError() with a status that is text",
    use: () => httpError(wrong("404")),
  },
  {
    id: "M10",
    title: "httpError() with header fields that cannot be sent",
    use: () => httpError(404, "", { headers: [["X", "\n"]] }),
  },
  { id: "M10", title: "stack() with a layer that is none", use: () => stack(wrong("gzip"))(app) },
  {
    id: "M10",
    title: "accessLog() with a format that does not exist",
    use: () => accessLog(wrong({ format: "tiny" })),
  },
  {
    id: "M10",
    title: "accessLog() with a format that every object has",
    use: () => accessLog(wrong({ format: "constructor" })),
  },
  {
    id: "M10",
    title: "accessLog() with a destination without write",
    use: () => accessLog(wrong({ destination: {} })),
  },
  {
    id: "M10",
    title: "accessLog() with colour that is text",
    use: () => accessLog(wrong({ colour: "always" })),
  },
  {
    id: "M10",
    title: "accessLog() with skip that is true",
    use: () => accessLog(wrong({ skip: true })),
  },
  {
    id: "M10",
    title: "accessLog() with a clock that is a number",
    use: () => accessLog(wrong({ now: 0 })),
  },
  {
    id: "M10",
    title: "accessLog() with a date that is a Date",
    use: () => accessLog(wrong({ date: new Date() })),
  },
  { id: "M10", title: "append() with an addition that is a number", use: () => append(wrong(42)) },
  {
    id: "M10",
    title: "append() with types that are text",
    use: () => append("", wrong({ types: "text/html" })),
  },
  {
    id: "M10",
    title: "append() with a type that is none",
    use: () => append("", { types: ["html"] }),
  },
  { id: "M10", title: "cascade() with no application", use: () => cascade() },
  {
    id: "M10",
    title: "cascade() with an application that is none",
    use: () => cascade(app, wrong("app")),
  },
  {
    id: "M10",
    title: "cascade() with a status that is text",
    use: () => cascade(app, wrong({ next: ["404"] })),
  },
  {
    id: "M10",
    title: "cascade() with a status that is NaN",
    use: () => cascade(app, { next: [NaN] }),
  },
  {
    id: "M10",
    title: "catchErrors() with development that is text",
    use: () => catchErrors(wrong({ development: "yes" })),
  },
  {
    id: "M10",
    title: "catchErrors() with a report that is true",
    use: () => catchErrors(wrong({ report: true })),
  },
  { id: "M10", title: "mount() with a place without a slash", use: () => mount({ api: app }) },
  {
    id: "M10",
    title: "mount() with a place that ends in a slash",
    use: () => mount({ "/api/": app }),
  },
  {
    id: "M10",
    title: "mount() with one place in two cases",
    use: () => mount({ "a.example/x": app, "A.example/x": app }),
  },
  {
    id: "M10",
    title: "mount() with an application that is none",
    use: () => mount(wrong({ "/api": {} })),
  },
  {
    id: "M10",
    title: "mount() with a host with a user",
    use: () => mount({ "a@b.example:x": app }),
  },
  {
    id: "M10",
    title: "requestId() with a header with CR and LF",
    use: () => requestId({ header: "X\r\nY" }),
  },
  {
    id: "M10",
    title: "requestId() with a header that is empty",
    use: () => requestId({ header: "" }),
  },
  {
    id: "M10",
    title: "requestId() with trust that is text",
    use: () => requestId(wrong({ trust: "yes" })),
  },
  {
    id: "M10",
    title: "requestId() with generate that is an id",
    use: () => requestId(wrong({ generate: "42" })),
  },
  { id: "M10", title: "timeout() with a time that is NaN", use: () => timeout({ after: NaN }) },
  { id: "M10", title: "timeout() with a time of 0", use: () => timeout({ after: 0 }) },
  {
    id: "M10",
    title: "timeout() with a time beyond what timers take",
    use: () => timeout({ after: 2 ** 31 }),
  },
  {
    id: "M10",
    title: "timeout() with a time that is text",
    use: () => timeout(wrong({ after: "30s" })),
  },
  {
    id: "M10",
    title: "when() with a predicate that is true",
    use: () => when(wrong(true), catchErrors()),
  },
  {
    id: "M10",
    title: "when() with a layer that is none",
    use: () => when(() => true, wrong("layer"))(app),
  },
  {
    id: "M10",
    title: "router() with sensitive that is text",
    use: () => router(wrong({ sensitive: "no" })),
  },
  {
    id: "M10",
    title: "router() with trailing that is a number",
    use: () => router(wrong({ trailing: 1 })),
  },
  {
    id: "M10",
    title: "router() with a pattern without a slash",
    use: () => router().get("a", app),
  },
  {
    id: "M10",
    title: "router() with a pattern that is half a group",
    use: () => router().get("/{a", app),
  },
  {
    id: "M10",
    title: "router() with two parameters of one name",
    use: () => router().get("/:id/:id", app),
  },
  {
    id: "M10",
    title: "router() with a method with a space",
    use: () => router().route("GET /", "/", app),
  },
  {
    id: "M10",
    title: "router() with an application that is none",
    use: () => router().get("/", wrong("app")),
  },
  { id: "M10", title: "cookies() with no secret", use: () => cookies({ secrets: [] }) },
  {
    id: "M10",
    title: "cookies() with a secret that is short",
    use: () => cookies({ secrets: ["short"] }),
  },
  {
    id: "M10",
    title: "cookies() with a secret that is undefined",
    use: () => cookies(wrong({ secrets: [undefined] })),
  },
  {
    id: "M10",
    title: "cookies() with secrets that are text",
    use: () => cookies(wrong({ secrets: "x".repeat(32) })),
  },
  {
    id: "M10",
    title: "cookies() with a lifetime that is NaN",
    use: () => cookies({ defaults: { maxAge: NaN } }),
  },
  {
    id: "M10",
    title: "cookies() with a lifetime that is infinite",
    use: () => cookies({ defaults: { maxAge: Infinity } }),
  },
  {
    id: "M10",
    title: "cookies() with a lifetime that is a fraction",
    use: () => cookies({ defaults: { maxAge: 0.5 } }),
  },
  {
    id: "M10",
    title: "cookies() with an end that is no date",
    use: () => cookies({ defaults: { expires: new Date(NaN) } }),
  },
  {
    id: "M10",
    title: "cookies() with a domain with another attribute",
    use: () => cookies({ defaults: { domain: "a; Secure" } }),
  },
  {
    id: "M10",
    title: "cookies() with a path with CR and LF",
    use: () => cookies({ defaults: { path: "/\r\n" } }),
  },
  {
    id: "M10",
    title: "cookies() with a SameSite that does not exist",
    use: () => cookies(wrong({ defaults: { sameSite: "some" } })),
  },
  {
    id: "M10",
    title: "cookies() with a priority that does not exist",
    use: () => cookies(wrong({ defaults: { priority: "top" } })),
  },
  {
    id: "M10",
    title: "cookies() with SameSite=None without Secure",
    use: () => cookies({ defaults: { sameSite: "none", secure: false } }),
  },
  {
    id: "M10",
    title: "cookies() with attributes that are null",
    use: () => cookies(wrong({ defaults: null })),
  },
];

describe("an option that is wrong", () => {
  for (const { id, title, use } of wrongUses) {
    it(`${id} · ${title} is refused when it is given`, async () => {
      await assert.rejects(async () => use(), /^(?:Type|Range|Wsgi)?Error: Cannot .+/);
    });
  }
});
