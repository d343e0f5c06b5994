import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application, Environ } from "@wsgi/core";
import type { ServeOptions } from "@wsgi/server";
import { serving, exchange, get, lastHeaders } from "../support/serving.ts";

/** Sends a raw request and returns the environ that the application saw. */
async function environOf(request: string, options: ServeOptions = {}): Promise<Environ> {
  let seen: Environ | undefined;
  const app: Application = (environ, startResponse) => {
    seen = environ;
    startResponse("200 OK", []);
    return [];
  };
  await using server = await serving(app, options);
  const response = await exchange(server, request);
  assert.ok(seen, response);
  return seen;
}

const requestFor = (target: string, headers = ""): string =>
  `GET ${target} HTTP/1.1\r\n${headers}${lastHeaders}`;

describe("environ", () => {
  it("is a plain object of data that the application may change (P16)", async () => {
    const environ = await environOf(get);
    assert.equal(Object.getPrototypeOf(environ), Object.prototype);
    assert.ok(Object.isExtensible(environ));
    const descriptors = Object.values(Object.getOwnPropertyDescriptors(environ));
    assert.ok(descriptors.every((property) => "value" in property && property.writable));
  });

  it("is not read back: the response survives an application that empties it (P17)", async () => {
    const app: Application = (environ, startResponse) => {
      for (const key of Object.keys(environ)) delete environ[key];
      startResponse("200 OK", []);
      return ["alive"];
    };
    await using server = await serving(app);
    assert.match(await exchange(server, get), /alive$/);
  });

  it("is new for each request (P17)", async () => {
    const app: Application = (environ, startResponse) => {
      startResponse("200 OK", []);
      const before = String(environ["test.mark"]);
      environ["test.mark"] = "left behind";
      return [before];
    };
    await using server = await serving(app);
    await exchange(server, get);
    assert.match(await exchange(server, get), /undefined$/);
  });

  it("has a string for each CGI variable, and none that is null (P18, P19)", async () => {
    const environ = await environOf(get);
    for (const [key, value] of Object.entries(environ)) {
      if (!key.includes(".")) assert.equal(typeof value, "string", key);
      assert.notEqual(value, null, key);
    }
  });

  it("has keys of its own in lower case with a prefix (P37)", async () => {
    const own = Object.keys(await environOf(get)).filter((key) => key.includes("."));
    assert.deepEqual(
      own.filter((key) => !/^wsgix?\.[a-z_]+$/.test(key)),
      [],
    );
  });

  it("has the method, the paths, the query and the protocol (P20, P21, P22, P23, P26)", async () => {
    const environ = await environOf(requestFor("/foo/?a=1?b"));
    assert.equal(environ.REQUEST_METHOD, "GET");
    assert.equal(environ.SCRIPT_NAME, "");
    assert.equal(environ.PATH_INFO, "/foo/");
    assert.equal(environ.QUERY_STRING, "a=1?b");
    assert.equal(environ.SERVER_PROTOCOL, "HTTP/1.1");
    assert.equal(environ.REQUEST_URI, "/foo/?a=1?b");
  });

  it("has an empty query where there is none (P23)", async () => {
    assert.equal((await environOf(requestFor("/?"))).QUERY_STRING, "");
    assert.equal((await environOf(requestFor("/"))).QUERY_STRING, "");
  });

  it("names HTTP/1.0 where the client speaks it (P26)", async () => {
    assert.equal((await environOf("GET / HTTP/1.0\r\n\r\n")).SERVER_PROTOCOL, "HTTP/1.0");
  });

  it("decodes the path once, as UTF-8", async () => {
    const environ = await environOf(requestFor("/%E4%B8%96%E7%95%8C/a%252Fb%2Cc"));
    assert.equal(environ.PATH_INFO, "/世界/a%2Fb,c");
    assert.equal(environ.REQUEST_URI, "/%E4%B8%96%E7%95%8C/a%252Fb%2Cc");
  });

  it("keeps what is no UTF-8 and what is no escape as it came", async () => {
    assert.equal((await environOf(requestFor("/%zz/%ff/%"))).PATH_INFO, "/%zz/%ff/%");
  });

  it("leaves slashes as they are: //evil is a path", async () => {
    const environ = await environOf(requestFor("//evil///x"));
    assert.equal(environ.PATH_INFO, "//evil///x");
    assert.equal(environ.HTTP_HOST, "localhost");
  });

  it("takes host and path from an absolute target, without the user's name", async () => {
    const environ = await environOf(requestFor("http://user@example.com:81/x?y"));
    assert.equal(environ.HTTP_HOST, "example.com:81");
    assert.equal(environ.PATH_INFO, "/x");
    assert.equal(environ.QUERY_STRING, "y");
  });

  it("has the server's and the client's address (P25, P28)", async () => {
    let seen: Environ | undefined;
    await using server = await serving((environ, startResponse) => {
      seen = environ;
      startResponse("200 OK", []);
      return [];
    });
    await exchange(server, get);
    assert.equal(seen?.SERVER_NAME, "127.0.0.1");
    assert.equal(seen?.SERVER_PORT, String(server.port));
    assert.equal(seen?.REMOTE_ADDR, "127.0.0.1");
    assert.equal("HTTPS" in seen, false);
  });

  it("has the contract's own keys (P31, P32, P35, P36)", async () => {
    const environ = await environOf(get);
    assert.deepEqual(environ["wsgi.version"], [1, 0]);
    assert.equal(environ["wsgi.url_scheme"], "http");
    assert.equal(environ["wsgi.multithread"], false);
    assert.equal(environ["wsgi.multiprocess"], false);
    assert.equal(environ["wsgi.run_once"], false);
    assert.equal(environ["wsgi.input_terminated"], true);
  });

  it("has nothing of the process's environment (P30)", async () => {
    assert.equal("PATH" in (await environOf(get)), false);
  });

  it("takes more keys from whoever deploys it (P92)", async () => {
    const environ = await environOf(get, { environ: { "example.database": "db1" } });
    assert.equal(environ["example.database"], "db1");
  });
});

describe("environ's header fields", () => {
  it("are there exactly when the request has them (P27)", async () => {
    const environ = await environOf(requestFor("/", "X-Empty:\r\n"));
    assert.equal(environ.HTTP_X_EMPTY, "");
    assert.equal("HTTP_AUTHORIZATION" in environ, false);
  });

  it("keep Content-Type and Content-Length under their own names (P24)", async () => {
    const environ = await environOf(
      `POST / HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n${lastHeaders}ok`,
    );
    assert.equal(environ.CONTENT_TYPE, "text/plain");
    assert.equal(environ.CONTENT_LENGTH, "2");
    assert.equal("HTTP_CONTENT_TYPE" in environ, false);
    assert.equal("HTTP_CONTENT_LENGTH" in environ, false);
  });

  it("are joined by a comma where they are repeated, and cookies by a semicolon (X3)", async () => {
    const environ = await environOf(
      requestFor("/", "X-A: 1\r\nx-a: 2\r\nCookie: a=1\r\nCookie: b=2\r\n"),
    );
    assert.equal(environ.HTTP_X_A, "1, 2");
    assert.equal(environ.HTTP_COOKIE, "a=1; b=2");
  });

  it("lose spaces and tabs around their values, and nothing else (S26)", async () => {
    const environ = await environOf(requestFor("/", "X-A: \t admin\t \r\nX-B: \xa0admin\r\n"));
    assert.equal(environ.HTTP_X_A, "admin");
    assert.equal(environ.HTTP_X_B, "\xa0admin");
  });

  it("are dropped where a name has an underscore (X4)", async () => {
    const environ = await environOf(
      requestFor(
        "/",
        "X-Forwarded-For: 10.0.0.1\r\nX_Forwarded_For: 6.6.6.6\r\nContent_Length: 9\r\n",
      ),
    );
    assert.equal(environ.HTTP_X_FORWARDED_FOR, "10.0.0.1");
    assert.equal("HTTP_CONTENT_LENGTH" in environ, false);
  });

  it("are plain data whatever their name is", async () => {
    const environ = await environOf(requestFor("/", "constructor: x\r\n__proto__: y\r\n"));
    assert.equal(environ.HTTP_CONSTRUCTOR, "x");
    assert.equal(Object.getPrototypeOf(environ), Object.prototype);
  });

  it("do not hold trailers, not even after the body was read (S11)", async () => {
    let keys: string[][] = [];
    const app: Application = async (environ, startResponse) => {
      const before = Object.keys(environ);
      await environ["wsgi.input"].read();
      keys = [before, Object.keys(environ)];
      startResponse("200 OK", []);
      return [];
    };
    await using server = await serving(app);
    await exchange(
      server,
      `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${lastHeaders}2\r\nok\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n`,
    );
    assert.deepEqual(keys[1], keys[0]);
    assert.equal(keys[0]?.includes("HTTP_X_FORWARDED_FOR"), false);
  });

  it("survive in thousands, none of them dropped (S12)", async () => {
    const many = "a:\r\n".repeat(1_500);
    const limits = { headerCount: 2_000 };
    const environ = await environOf(requestFor("/", `${many}X-Last: here\r\n`), { limits });
    assert.equal(environ.HTTP_X_LAST, "here");
  });
});

describe("wsgi.errors", () => {
  it("takes text of every kind without throwing (P34, P42)", async () => {
    const app: Application = (environ, startResponse) => {
      const errors = environ["wsgi.errors"];
      errors.write("snow \u2603\n");
      errors.writelines(["lone \ud800\n", "last\n"]);
      errors.flush();
      startResponse("200 OK", []);
      return [];
    };
    await using server = await serving(app);
    assert.match(await exchange(server, get), /200 OK/);
    assert.equal(server.reports, "snow \u2603\nlone \ud800\nlast\n");
  });
});
