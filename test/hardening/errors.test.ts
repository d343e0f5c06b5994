import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stack, type Application, type Middleware } from "@wsgi/core";
import { accessLog, type AccessLogFormat } from "@wsgi/middleware/access-log";
import { catchErrors, developmentKey, httpError } from "@wsgi/middleware/catch-errors";
import { mount } from "@wsgi/middleware/mount";
import { requestId } from "@wsgi/middleware/request-id";
import { router } from "@wsgi/router";
import { call, environFor, respond } from "@wsgi/testing";
import { exchange, lastHeaders, serving } from "../support/serving.ts";

describe("a log line", () => {
  it("L1 · is one line for an escaped LF and CR in the path", async () => {
    const line = await logged("common", "GET /a%0Ab%0D%1B[2J");
    assert.match(line, /^127\.0\.0\.1 - - \[.*\] "GET \/a%0Ab%0D%1B\[2J HTTP\/1\.1" 200 2\n$/);
  });

  it("L1 · is one line where a function of the operator logs the decoded path", async () => {
    const line = await logged(({ environ }) => environ.PATH_INFO, "GET /a%0Ab%0D%1B%7F%E2%80%A8");
    assert.equal(line, "/a\\x0ab\\x0d\\x1b\\x7f\\u2028\n");
  });

  it("L1 · keeps its fields apart for quotation marks in User-Agent", async () => {
    const line = await logged("combined", "GET /", 'User-Agent: x" 500 "\\');
    assert.match(line, / 200 2 "-" "x\\x22 500 \\x22\\x5c"\n$/);
  });

  it("L1 · keeps its fields apart for quotation marks in Referer", async () => {
    const line = await logged("combined", "GET /", 'Referer: " "evil');
    assert.match(line, / 200 2 "\\x22 \\x22evil" "-"\n$/);
  });

  it("L1 · is ASCII for a next-line character and others beyond ASCII", async () => {
    const line = await logged("combined", "GET /", "User-Agent: \x85\xa0\xff");
    assert.match(line, / "\\x85\\xa0\\xff"\n$/);
  });

  it("L1 · keeps its fields apart for quotation marks in the target", async () => {
    const line = await logged("common", 'GET /"\\');
    assert.match(line, /"GET \/\\x22\\x5c HTTP\/1\.1"/);
  });

  it("L1 · is one line for a user with LF and spaces", async () => {
    const user: Middleware = (app) => (environ, startResponse) =>
      app(Object.assign(environ, { REMOTE_USER: "ann -\n127.0.0.1" }), startResponse);
    const line = await logged("common", "GET /", "X: y", user);
    assert.match(line, /^127\.0\.0\.1 - ann\\x20-\\x0a127\.0\.0\.1 \[/);
  });

  it("L1 · is a short line without escapes for terminals", async () => {
    const line = await logged("dev", 'GET /%1B[2J"');
    assert.match(line, /^GET \/%1B\[2J\\x22 200 2 B [\d.]+ ms\n$/);
  });

  it("L1 · is JSON that gives back what was sent", async () => {
    const line = await logged("json", 'GET /"\\', 'User-Agent: "\\\x85');
    assert.match(line, /^[\x20-\x7e]+\n$/);
    const { target, userAgent } = JSON.parse(line) as Record<string, string>;
    assert.deepEqual([target, userAgent], ['/"\\', '"\\\x85']);
  });

  it("L1 · of an error has no escapes for terminals, whatever the message holds", async () => {
    await using server = await serving(({ PATH_INFO }) => {
      throw new Error(`No page ${PATH_INFO}`);
    });
    await exchange(server, `GET /%1B[2J%07%C2%9B HTTP/1.1\r\n${lastHeaders}`);
    assert.match(server.reports, /No page \/\\x1b\[2J\\x07\\x9b\n/);
  });

  it("L1 · of an error that a layer caught has no escapes for terminals", async () => {
    await using server = await serving(
      catchErrors()(({ PATH_INFO }) => {
        throw new Error(`No page ${PATH_INFO}`);
      }),
    );
    await exchange(server, `GET /%1B[2J%07%C2%9B HTTP/1.1\r\n${lastHeaders}`);
    assert.match(server.reports, /No page \/\\x1b\[2J\\x07\\x9b\n/);
  });

  it("L1 · of an error hides the parameters that look secret", async () => {
    await using server = await serving(catchErrors()(failing("any")));
    await exchange(server, `GET /?token=swordfish&a=1 HTTP/1.1\r\n${lastHeaders}`);
    assert.match(server.reports, /^GET \/\?token=\(hidden\)&a=1: /);
  });

  it("L1 · has a request id of the server's making, whatever the client sends", async () => {
    const app = requestId({ generate: () => "42" })(respond(["ok"]));
    const environ = environFor("GET /", { headers: { "X-Request-Id": "evil" } });
    assert.equal((await call(app, environ)).header("X-Request-Id"), "42");
  });

  it("L1 · has no request id with other signs than those of an id, even from those it trusts", async () => {
    const app = requestId({ generate: () => "42", trust: true })(respond(["ok"]));
    const environ = environFor("GET /", { headers: { "X-Request-Id": 'evil" 200\x85' } });
    assert.equal((await call(app, environ)).header("X-Request-Id"), "42");
  });
});

/** Serves a request with an access log around the application; returns what was logged. */
async function logged(
  format: AccessLogFormat,
  request: string,
  field = "X: y",
  inside: Middleware = (app) => app,
): Promise<string> {
  let log = "";
  const destination = { write: (line: string) => void (log += line) };
  const app = stack(accessLog({ format, destination }), inside)(respond(["ok"]));
  await using server = await serving(app);
  await exchange(server, `${request} HTTP/1.1\r\n${field}\r\n${lastHeaders}`);
  return log;
}

function failing(message: string): Application {
  return () => {
    throw new Error(message);
  };
}

describe("an error page", () => {
  it("E1 · tells nothing of the error as text", async () => {
    assert.equal(await errorPage("text/plain"), "500 Internal Server Error\n");
  });

  it("E1 · tells nothing of the error as HTML", async () => {
    assert.doesNotMatch(await errorPage("text/html"), /swordfish|\.ts|\.js|at /);
  });

  it("E1 · tells nothing of the error as problem+json", async () => {
    const page = JSON.parse(await errorPage("application/problem+json")) as unknown;
    assert.deepEqual(page, { title: "Internal Server Error", status: 500 });
  });

  it("E1 · tells nothing of the error as JSON", async () => {
    const page = JSON.parse(await errorPage("application/json")) as unknown;
    assert.deepEqual(page, { title: "Internal Server Error", status: 500 });
  });

  it("E1 · tells nothing of another server's error, which has a status too", async () => {
    const app = catchErrors()(() => {
      throw Object.assign(new Error("swordfish"), { status: 404, response: "swordfish" });
    });
    assert.equal((await call(app, "GET /")).text(), "500 Internal Server Error\n");
  });

  it("E1 · tells nothing of an error's message from 500", async () => {
    const app = catchErrors()(() => {
      throw httpError(503, "swordfish");
    });
    assert.doesNotMatch((await call(app, "GET /")).text(), /swordfish/);
  });

  it("H9 · declares its length in bytes", async () => {
    const app = catchErrors()(({ PATH_INFO }) => {
      throw httpError(404, `No page ${PATH_INFO}`);
    });
    const response = await call(app, "GET /%E4%B8%96%E7%95%8C");
    assert.equal(response.header("Content-Length"), String(response.bytes().byteLength));
    assert.match(response.text(), /No page \/世界/);
  });

  it("H11 · escapes what it tells as HTML, and says that it is UTF-8", async () => {
    const app = catchErrors()(({ PATH_INFO }) => {
      throw httpError(404, `No page ${PATH_INFO}`);
    });
    const headers = { Accept: "text/html" };
    const response = await call(app, environFor(`GET /<script>&"'`, { headers }));
    assert.match(response.text(), /No page \/&lt;script&gt;&amp;&quot;&#39;/);
    assert.equal(response.header("Content-Type"), "text/html; charset=utf-8");
    assert.equal(response.header("X-Content-Type-Options"), "nosniff");
  });

  it("H11 · of the server is text that shows nothing of the request", async () => {
    await using server = await serving(respond(["ok"]));
    const response = await exchange(server, `GET /#<script> HTTP/1.1\r\n${lastHeaders}`);
    assert.match(response, /\r\nContent-Type: text\/plain; charset=utf-8\r\n/);
    assert.match(response, /\r\nX-Content-Type-Options: nosniff\r\n/);
    assert.doesNotMatch(response, /script/);
  });

  it("H11 · of a router is text that shows nothing of the request", async () => {
    const response = await call(router(), "GET /<script>");
    assert.equal(response.text(), "404 Not Found\n");
    assert.equal(response.header("Content-Type"), "text/plain; charset=utf-8");
  });

  it("H11 · of a mount is text that shows nothing of the request", async () => {
    const response = await call(mount({ "/a": respond(["a"]) }), "GET /<script>");
    assert.equal(response.text(), "404 Not Found\n");
    assert.equal(response.header("Content-Type"), "text/plain; charset=utf-8");
  });

  it("H1 · does not take a header field that cannot be sent from the error", async () => {
    const app = catchErrors()(() => {
      const headers = { "Retry-After": "1\r\nSet-Cookie: evil=1" };
      throw Object.assign(new Error("x"), { status: 429, expose: true, headers });
    });
    const response = await call(app, "GET /");
    assert.deepEqual([response.code, response.header("Retry-After")], [500, undefined]);
  });
});

async function errorPage(accept: string): Promise<string> {
  const app = catchErrors()(failing("swordfish"));
  return (await call(app, environFor("GET /", { headers: { Accept: accept } }))).text();
}

describe("the development page", () => {
  it("E2 · is shown on this machine where the server says so", async () => {
    assert.match(await developmentPage({}), /swordfish/);
  });

  it("E2 · is not shown unless the server says so", async () => {
    assert.doesNotMatch(await developmentPage({ [developmentKey]: undefined }), /swordfish/);
  });

  it("E2 · is not shown because of a value that is only like true", async () => {
    assert.doesNotMatch(await developmentPage({ [developmentKey]: "true" }), /swordfish/);
  });

  it("E2 · is not shown to another machine", async () => {
    assert.doesNotMatch(await developmentPage({ REMOTE_ADDR: "192.168.0.7" }), /swordfish/);
  });

  it("E2 · is not shown on a Unix socket, behind which may be anybody", async () => {
    assert.doesNotMatch(await developmentPage({ REMOTE_ADDR: "" }), /swordfish/);
  });

  it("E2 · is not shown under a name that only resolves to this machine", async () => {
    assert.doesNotMatch(await developmentPage({ HTTP_HOST: "evil.example" }), /swordfish/);
  });

  it("E2 · is not shown under a name that begins like this machine", async () => {
    assert.doesNotMatch(
      await developmentPage({ HTTP_HOST: "127.0.0.1.evil.example" }),
      /swordfish/,
    );
  });

  it("E2 · is not shown under a name that ends like this machine", async () => {
    assert.doesNotMatch(await developmentPage({ HTTP_HOST: "evillocalhost" }), /swordfish/);
  });

  it("E2 · is not shown without a Host", async () => {
    assert.doesNotMatch(await developmentPage({ HTTP_HOST: undefined }), /swordfish/);
  });

  it("E2 · is not shown through a proxy that says Forwarded", async () => {
    assert.doesNotMatch(await developmentPage({ HTTP_FORWARDED: "for=6.6.6.6" }), /swordfish/);
  });

  it("E2 · is not shown through a proxy that says X-Forwarded-For", async () => {
    assert.doesNotMatch(await developmentPage({ HTTP_X_FORWARDED_FOR: "" }), /swordfish/);
  });

  it("E2 · is not shown through a proxy that says Via", async () => {
    assert.doesNotMatch(await developmentPage({ HTTP_VIA: "1.1 proxy" }), /swordfish/);
  });

  it("E2 · escapes the message and the request, and lets no script of theirs run", async () => {
    const app = catchErrors()(failing("<script>evil()</script>"));
    const environ = environFor("GET /<script>evil()</script>", {
      headers: { Accept: "text/html" },
      environ: { [developmentKey]: true },
    });
    const response = await call(app, Object.assign(environ, { HTTP_HOST: "localhost" }));
    assert.doesNotMatch(response.text(), /<script>evil/);
    assert.match(response.header("Content-Security-Policy")!, /default-src 'none'.*'nonce-/);
  });

  it("E2 · hides what looks secret in the request", async () => {
    const secrets = { HTTP_COOKIE: "sid=bluefish", HTTP_AUTHORIZATION: "Basic bluefish" };
    const page = await developmentPage({ ...secrets, QUERY_STRING: "api_key=bluefish" });
    assert.match(page, /swordfish/);
    assert.doesNotMatch(page, /bluefish/);
  });
});

/** Asks for the page about an error whose message is a secret, from this machine. */
async function developmentPage(environ: Record<string, unknown>): Promise<string> {
  const own = { HTTP_HOST: "localhost:8000", [developmentKey]: true };
  const request = environFor("GET /", { environ: { ...own, ...environ } });
  return (await call(catchErrors()(failing("swordfish")), request)).text();
}
