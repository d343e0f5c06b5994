import assert from "node:assert/strict";
import process from "node:process";
import type { Environ } from "@wsgi/core";
import { respond } from "../applications.ts";
import { last, request, serverCase, whole, type Host, type ServerCase } from "./host.ts";

const always = [
  "REQUEST_METHOD",
  "SCRIPT_NAME",
  "PATH_INFO",
  "QUERY_STRING",
  "REQUEST_URI",
  "SERVER_NAME",
  "SERVER_PORT",
  "SERVER_PROTOCOL",
  "REMOTE_ADDR",
  "wsgi.version",
  "wsgi.url_scheme",
  "wsgi.input",
  "wsgi.errors",
  "wsgi.multithread",
  "wsgi.multiprocess",
  "wsgi.run_once",
  "wsgi.input_terminated",
];

async function path(host: Host, target: string): Promise<string> {
  return (await host.environ(last(`GET ${target}`))).PATH_INFO;
}

/** Is the cases about the call of the application and the request that it is given. */
export const environCases: readonly ServerCase[] = [
  serverCase("call-once", "calls the application once, whatever the method", async (host) => {
    const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"];
    const called: string[] = [];
    const client = await host.serve((environ, startResponse) => {
      called.push(environ.REQUEST_METHOD);
      startResponse("200 OK", []);
      return ["Hello"];
    });
    for (const method of methods) {
      client.send(request(`${method} /`));
      assert.equal((await client.response()).code, 200, `the answer to ${method}`);
    }
    assert.deepEqual(called, methods);
  }),
  serverCase(
    "call-callable",
    "only calls what it serves, and looks at nothing of it",
    async (host) => {
      const seen: (string | symbol)[] = [];
      const app = new Proxy(respond(["Hello"]), {
        get: (target, key) => (seen.push(key), Reflect.get(target, key)),
        construct: () => assert.fail("the application was called with new"),
      });
      const client = await host.serve(app);
      // What it does with it before there is a request is its own affair.
      seen.length = 0;
      assert.equal(whole(await client.send(last("GET /")).finish()).text(), "Hello");
      assert.deepEqual(seen, []);
    },
  ),
  serverCase(
    "call-arguments",
    "passes environ and startResponse, and nothing else",
    async (host) => {
      let types: string[] = [];
      await host.answer((...given) => {
        types = given.map((value) => typeof value);
        given[1]("200 OK", []);
        return [];
      }, last("GET /"));
      assert.deepEqual(types, ["object", "function"]);
    },
  ),
  serverCase("environ-plain", "gives a plain object of data", async (host) => {
    const environ = await host.environ(last("GET /"));
    assert.equal(Object.getPrototypeOf(environ), Object.prototype);
    assert.ok(Object.isExtensible(environ), "environ is to be extensible");
    const odd = Object.entries(Object.getOwnPropertyDescriptors(environ))
      .filter(([, property]) => !property.enumerable || !property.writable)
      .map(([key]) => key);
    assert.deepEqual(odd, [], "each property is to be data, enumerable and writable");
  }),
  serverCase("environ-owned/new", "gives each request an environ of its own", async (host) => {
    const seen: Environ[] = [];
    const client = await host.serve((environ, startResponse) => {
      seen.push({ ...environ });
      Object.assign(environ, { "suite.mark": "left by the request before", HTTP_X: "y" });
      startResponse("200 OK", []);
      return [];
    });
    await client.send(request("GET /")).response();
    await client.send(request("GET /")).response();
    assert.equal(seen.length, 2);
    assert.equal(seen[1]!["suite.mark"], undefined);
    assert.equal(seen[1]!.HTTP_X, undefined);
  }),
  serverCase("environ-owned/emptied", "reads nothing back from environ", async (host) => {
    const client = await host.serve((environ, startResponse) => {
      for (const key of Object.keys(environ)) delete environ[key];
      environ.REQUEST_METHOD = "GET";
      startResponse("200 OK", [["Content-Length", "5"]]);
      return ["Hello"];
    });
    assert.equal((await client.send(request("HEAD /")).response()).header("Content-Length"), "5");
    assert.equal((await client.send(request("GET /")).response()).text(), "Hello");
  }),
  serverCase(
    "environ-complete",
    "gives what every request has, and nothing that is null",
    async (host) => {
      const environ = await host.environ(last("GET /"));
      assert.deepEqual(
        always.filter((key) => !(key in environ)),
        [],
        "these are missing",
      );
      const empty = Object.keys(environ).filter((key) => environ[key] == null);
      assert.deepEqual(empty, [], "these are null or undefined");
    },
  ),
  serverCase("environ-strings", "gives strings for CGI variables", async (host) => {
    const environ = await host.environ(last("POST /x?y", ["X-Y: z"], "Hello"));
    const odd = Object.keys(environ).filter(
      (key) => !key.includes(".") && typeof environ[key] !== "string",
    );
    assert.deepEqual(odd, []);
  }),
  serverCase("environ-keys", "names its own keys in lower case, after a prefix", async (host) => {
    const keys = Object.keys(await host.environ(last("GET /")));
    const odd = keys.filter(
      (key) => key.includes(".") && !/^[a-z0-9_]+(?:\.[a-z0-9_]+)+$/.test(key),
    );
    assert.deepEqual(odd, []);
  }),
  serverCase("environ-process", "keeps the variables of its process to itself", async (host) => {
    process.env.WSGI_SUITE = "secret";
    try {
      assert.equal((await host.environ(last("GET /"))).WSGI_SUITE, undefined);
    } finally {
      delete process.env.WSGI_SUITE;
    }
  }),
  serverCase("environ-method", "gives the method as it was sent", async (host) => {
    assert.equal((await host.environ(last("PURGE /"))).REQUEST_METHOD, "PURGE");
  }),
  serverCase("environ-path/decoded", "decodes the path", async (host) => {
    assert.equal(await path(host, "/foo/bar%2cbaz%20"), "/foo/bar,baz ");
  }),
  serverCase("environ-path/once", "decodes the path once only", async (host) => {
    assert.equal(await path(host, "/foo/bar%252cbaz"), "/foo/bar%2cbaz");
  }),
  serverCase("environ-path/text", "decodes the path as UTF-8", async (host) => {
    assert.equal(await path(host, "/%E4%B8%96%E7%95%8C"), "/世界");
  }),
  serverCase(
    "environ-path/odd",
    "leaves what is no UTF-8 and no escape as it came",
    async (host) => {
      assert.equal(await path(host, "/%FF/%zz/100%"), "/%FF/%zz/100%");
    },
  ),
  serverCase("environ-split/root", "serves the root as / under an empty name", async (host) => {
    const { SCRIPT_NAME, PATH_INFO } = await host.environ(last("GET /"));
    assert.deepEqual([SCRIPT_NAME, PATH_INFO], ["", "/"]);
  }),
  serverCase("environ-split/slashes", "leaves the slashes of a path alone", async (host) => {
    assert.equal(await path(host, "//foo///bar/../baz/"), "//foo///bar/../baz/");
  }),
  serverCase("environ-target", "gives the target letter by letter", async (host) => {
    const target = "/foo/bar%20baz%73?x=%61";
    assert.equal((await host.environ(last(`GET ${target}`))).REQUEST_URI, target);
  }),
  serverCase("environ-query", "gives the query as it came", async (host) => {
    assert.equal((await host.environ(last("GET /?a=1?b=%20+"))).QUERY_STRING, "a=1?b=%20+");
  }),
  serverCase("environ-query/empty", "gives an empty query where there is none", async (host) => {
    assert.equal((await host.environ(last("GET /?"))).QUERY_STRING, "");
  }),
  serverCase("environ-protocol", "gives the version that the client uses", async (host) => {
    const seen: string[] = [];
    const client = await host.serve((environ, startResponse) => {
      seen.push(environ.SERVER_PROTOCOL);
      startResponse("200 OK", []);
      return [];
    });
    await client.send(last("GET /")).finish();
    await (await host.connect()).send("GET / HTTP/1.0\r\n\r\n").finish();
    assert.deepEqual(seen, ["HTTP/1.1", "HTTP/1.0"]);
  }),
  serverCase("environ-header", "gives a field exactly if it was sent", async (host) => {
    const environ = await host.environ(last("GET /", ["X-Foo: bar", "X-Empty:"]));
    const { HTTP_X_FOO, HTTP_X_EMPTY } = environ;
    assert.deepEqual([HTTP_X_FOO, HTTP_X_EMPTY, "HTTP_X_OTHER" in environ], ["bar", "", false]);
  }),
  serverCase("environ-header/private", "gives Authorization like any other field", async (host) => {
    const environ = await host.environ(last("GET /", ["Authorization: Basic YTpi"]));
    assert.equal(environ.HTTP_AUTHORIZATION, "Basic YTpi");
  }),
  serverCase(
    "environ-latin",
    "gives a value octet by octet, without spaces around it",
    async (host) => {
      const environ = await host.environ(
        last("GET /", ["X: \t \xe9  \xff \t", `Y: ${"y".repeat(2_000)}`]),
      );
      assert.equal(environ.HTTP_X, "\xe9  \xff");
      assert.equal(environ.HTTP_Y, "y".repeat(2_000));
    },
  ),
  serverCase(
    "environ-content",
    "gives Content-Type and -Length under their own names",
    async (host) => {
      const environ = await host.environ(last("POST /", ["Content-Type: text/css"], "Hello"));
      assert.equal(environ.CONTENT_TYPE, "text/css");
      assert.equal(environ.CONTENT_LENGTH, "5");
      assert.ok(!("HTTP_CONTENT_TYPE" in environ) && !("HTTP_CONTENT_LENGTH" in environ));
    },
  ),
  serverCase(
    "environ-content/none",
    "leaves Content-Type and -Length out where they were",
    async (host) => {
      const environ = await host.environ(last("GET /"));
      const { CONTENT_TYPE = "", CONTENT_LENGTH = "" } = environ;
      assert.deepEqual([CONTENT_TYPE, CONTENT_LENGTH], ["", ""]);
    },
  ),
  serverCase("environ-joined", "joins repeated fields with a comma, in order", async (host) => {
    const environ = await host.environ(last("GET /", ["X: bar", "Y: 1", "x: baz"]));
    assert.equal(environ.HTTP_X, "bar, baz");
  }),
  serverCase("environ-joined/cookie", "joins repeated Cookies with a semicolon", async (host) => {
    const environ = await host.environ(last("GET /", ["Cookie: a=1", "Cookie: b=2"]));
    assert.equal(environ.HTTP_COOKIE, "a=1; b=2");
    assert.ok(!("COOKIE" in environ), "there is no such variable as COOKIE");
  }),
  serverCase("environ-underscore", "drops a field with _ in its name", async (host) => {
    const environ = await host.environ(last("GET /", ["X-Auth: good", "X_Auth: bad", "Y_Z: bad"]));
    assert.equal(environ.HTTP_X_AUTH, "good");
    assert.ok(!("HTTP_Y_Z" in environ), "HTTP_Y_Z is to be absent");
  }),
  serverCase("environ-server", "gives its name and port", async (host) => {
    const { SERVER_NAME, SERVER_PORT } = await host.environ(last("GET /"));
    assert.notEqual(SERVER_NAME, "");
    assert.match(SERVER_PORT, /^[0-9]+$/);
    const port = host.url.startsWith("unix:") ? "" : new URL(host.url).port;
    if (port !== "") assert.equal(SERVER_PORT, port);
  }),
  serverCase("environ-cgi/client", "gives the client's address", async (host) => {
    let seen: string | undefined;
    const client = await host.serve((environ, startResponse) => {
      seen = environ.REMOTE_ADDR;
      startResponse("200 OK", []);
      return [];
    });
    const address = client.address ?? "";
    await client.send(last("GET /")).finish();
    assert.equal(seen, address.replace(/^::ffff:/, ""));
  }),
  serverCase(
    "environ-cgi/tls",
    "sets HTTPS if the connection is encrypted, and only then",
    async (host) => {
      const environ = await host.environ(last("GET /"));
      assert.equal(environ.HTTPS, host.url.startsWith("https:") ? "on" : undefined);
    },
  ),
  serverCase("environ-version", "gives the version [1, 0]", async (host) => {
    assert.deepEqual((await host.environ(last("GET /")))["wsgi.version"], [1, 0]);
  }),
  serverCase("environ-scheme", "gives the scheme of the URL", async (host) => {
    const scheme = (await host.environ(last("GET /")))["wsgi.url_scheme"];
    assert.equal(scheme, host.url.startsWith("https:") ? "https" : "http");
  }),
  serverCase("environ-threads", "says that no other thread calls the function", async (host) => {
    const environ = await host.environ(last("GET /"));
    assert.equal(environ["wsgi.multithread"], false);
    assert.equal(typeof environ["wsgi.multiprocess"], "boolean");
  }),
  serverCase(
    "environ-run-once",
    "does not expect to make one call only, if it makes more",
    async (host) => {
      assert.equal((await host.environ(last("GET /")))["wsgi.run_once"], false);
    },
  ),
];
