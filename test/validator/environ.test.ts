import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Environ } from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import { environFor, respond } from "@wsgi/testing";
import { ignore, judge, judgeEnviron, judgeServer } from "../support/validating.ts";

const hello = respond(["Hello"]);

/** Is an environ that lacks a key. */
function without(key: string): Environ {
  const environ = environFor("GET /");
  delete environ[key];
  return environ;
}

describe("a validator on the call of an application", () => {
  it("takes two arguments", async () => {
    const { faults } = await judgeServer((app, environ) => app(environ, ignore));
    assert.deepEqual(faults, []);
  });

  it("refuses a third one", async () => {
    const { faults } = await judgeServer((app, environ) =>
      (app as (...args: unknown[]) => unknown)(environ, ignore, {}),
    );
    assert.deepEqual(faults, ["server call-arguments"]);
  });

  it("refuses one alone", () => {
    const app = validator()(hello) as (environ: Environ) => unknown;
    assert.throws(() => app(environFor("GET /")), { side: "server", clause: "call-arguments" });
  });

  it("refuses a startResponse that is no function", async () => {
    const { faults } = await judgeServer((app, environ) => app(environ, {} as never));
    assert.deepEqual(faults, ["server call-arguments"]);
  });
});

describe("a validator on environ", () => {
  it("takes what a server makes", async () => {
    const { faults, warnings } = await judge(hello, "GET /a/b?c=d");
    assert.deepEqual(faults, []);
    assert.deepEqual(warnings, []);
  });

  it("refuses what is no object", async () => {
    const { faults } = await judgeServer((app) => app(null as never, ignore));
    assert.deepEqual(faults, ["server environ-plain"]);
  });

  it("refuses text", async () => {
    const { faults } = await judgeServer((app) => app("GET /" as never, ignore));
    assert.deepEqual(faults, ["server environ-plain"]);
  });

  it("refuses a prototype of its own", async () => {
    const environ = Object.assign(Object.create({}) as Environ, environFor("GET /"));
    assert.deepEqual((await judge(hello, environ)).faults, ["server environ-plain"]);
  });

  it("refuses a frozen one", async () => {
    const environ = Object.freeze(environFor("GET /"));
    assert.deepEqual((await judge(hello, environ)).faults, ["server environ-plain"]);
  });

  it("refuses a property that is computed", async () => {
    const environ = environFor("GET /");
    Object.defineProperty(environ, "PATH_INFO", { get: () => "/", enumerable: true });
    assert.deepEqual((await judge(hello, environ)).faults, ["server environ-plain"]);
  });

  it("refuses a property that is hidden", async () => {
    const environ = environFor("GET /");
    Object.defineProperty(environ, "PATH_INFO", { enumerable: false });
    assert.deepEqual((await judge(hello, environ)).faults, ["server environ-plain"]);
  });

  it("takes a symbol of the server's own", async () => {
    const environ = Object.assign(environFor("GET /"), { [Symbol("own")]: 1 });
    assert.deepEqual((await judge(hello, environ)).faults, []);
  });

  it("demands REQUEST_METHOD", async () => {
    const { faults } = await judge(hello, without("REQUEST_METHOD"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands SCRIPT_NAME", async () => {
    const { faults } = await judge(hello, without("SCRIPT_NAME"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands PATH_INFO", async () => {
    const { faults } = await judge(hello, without("PATH_INFO"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands QUERY_STRING", async () => {
    const { faults } = await judge(hello, without("QUERY_STRING"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands REQUEST_URI", async () => {
    const { faults } = await judge(hello, without("REQUEST_URI"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands SERVER_NAME", async () => {
    const { faults } = await judge(hello, without("SERVER_NAME"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands SERVER_PORT", async () => {
    const { faults } = await judge(hello, without("SERVER_PORT"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands SERVER_PROTOCOL", async () => {
    const { faults } = await judge(hello, without("SERVER_PROTOCOL"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands REMOTE_ADDR", async () => {
    const { faults } = await judge(hello, without("REMOTE_ADDR"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands wsgi.version", async () => {
    const { faults } = await judge(hello, without("wsgi.version"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands wsgi.url_scheme", async () => {
    const { faults } = await judge(hello, without("wsgi.url_scheme"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands wsgi.input", async () => {
    const { faults } = await judge(hello, without("wsgi.input"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands wsgi.errors", async () => {
    const { faults } = await judge(hello, without("wsgi.errors"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands wsgi.multithread", async () => {
    const { faults } = await judge(hello, without("wsgi.multithread"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands wsgi.multiprocess", async () => {
    const { faults } = await judge(hello, without("wsgi.multiprocess"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands wsgi.run_once", async () => {
    const { faults } = await judge(hello, without("wsgi.run_once"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("demands wsgi.input_terminated", async () => {
    const { faults } = await judge(hello, without("wsgi.input_terminated"));
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("refuses undefined for what is not there", async () => {
    const { faults } = await judgeEnviron({ CONTENT_TYPE: undefined });
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("refuses null for what is not there", async () => {
    const { faults } = await judgeEnviron({ "wsgi.file_wrapper": null });
    assert.deepEqual(faults, ["server environ-complete"]);
  });

  it("takes null from a layer, whose own matter it is", async () => {
    const { faults } = await judgeEnviron({ "example.user": null });
    assert.deepEqual(faults, []);
  });

  it("refuses a variable that is no string", async () => {
    const { faults } = await judgeEnviron({ SERVER_SOFTWARE: 1 });
    assert.deepEqual(faults, ["server environ-strings"]);
  });

  it("refuses a header field that is no string", async () => {
    const { faults } = await judgeEnviron({ HTTP_ACCEPT: [] });
    assert.deepEqual(faults, ["server environ-strings"]);
  });

  it("refuses a method that is no token", async () => {
    const { faults } = await judgeEnviron({ REQUEST_METHOD: "GET /" });
    assert.deepEqual(faults, ["server environ-method"]);
  });

  it("takes any token as a method", async () => {
    const { faults } = await judgeEnviron({ REQUEST_METHOD: "m-search" });
    assert.deepEqual(faults, []);
  });

  it("refuses / as SCRIPT_NAME", async () => {
    const { faults } = await judgeEnviron({ SCRIPT_NAME: "/" });
    assert.deepEqual(faults, ["server environ-split"]);
  });

  it("refuses a SCRIPT_NAME without its slash", async () => {
    const { faults } = await judgeEnviron({ SCRIPT_NAME: "wiki" });
    assert.deepEqual(faults, ["server environ-split"]);
  });

  it("refuses a PATH_INFO without its slash", async () => {
    const { faults } = await judgeEnviron({ PATH_INFO: "home" });
    assert.deepEqual(faults, ["server environ-split"]);
  });

  it("takes an empty PATH_INFO behind a SCRIPT_NAME", async () => {
    const { faults } = await judgeEnviron({ SCRIPT_NAME: "/wiki", PATH_INFO: "" });
    assert.deepEqual(faults, []);
  });

  it("refuses an empty PATH_INFO with an empty SCRIPT_NAME", async () => {
    const { faults } = await judgeEnviron({ SCRIPT_NAME: "", PATH_INFO: "" });
    assert.deepEqual(faults, ["server environ-split"]);
  });

  it("takes * for OPTIONS", async () => {
    const { faults } = await judgeEnviron({ REQUEST_METHOD: "OPTIONS", PATH_INFO: "*" });
    assert.deepEqual(faults, []);
  });

  it("refuses * for another method", async () => {
    const { faults } = await judgeEnviron({ PATH_INFO: "*" });
    assert.deepEqual(faults, ["server environ-split"]);
  });

  it("takes a path beyond Latin-1", async () => {
    const { faults } = await judgeEnviron({ SCRIPT_NAME: "/世", PATH_INFO: "/界" });
    assert.deepEqual(faults, []);
  });

  it("refuses half of a character in PATH_INFO", async () => {
    const { faults } = await judgeEnviron({ PATH_INFO: "/\ud800" });
    assert.deepEqual(faults, ["server environ-path"]);
  });

  it("refuses half of a character in SCRIPT_NAME", async () => {
    const { faults } = await judgeEnviron({ SCRIPT_NAME: "/\ud800" });
    assert.deepEqual(faults, ["server environ-path"]);
  });

  it("refuses a query that was decoded", async () => {
    const { faults } = await judgeEnviron({ QUERY_STRING: "a=b c" });
    assert.deepEqual(faults, ["server environ-query"]);
  });

  it("refuses a target that was decoded", async () => {
    const { faults } = await judgeEnviron({ REQUEST_URI: "/a b" });
    assert.deepEqual(faults, ["server environ-target"]);
  });

  it("refuses an empty target", async () => {
    const { faults } = await judgeEnviron({ REQUEST_URI: "" });
    assert.deepEqual(faults, ["server environ-target"]);
  });

  it("refuses a CONTENT_LENGTH that is no number", async () => {
    const { faults } = await judgeEnviron({ CONTENT_LENGTH: "-1" });
    assert.deepEqual(faults, ["server environ-content"]);
  });

  it("refuses HTTP_CONTENT_TYPE", async () => {
    const { faults } = await judgeEnviron({ HTTP_CONTENT_TYPE: "text/plain" });
    assert.deepEqual(faults, ["server environ-content"]);
  });

  it("refuses HTTP_CONTENT_LENGTH", async () => {
    const { faults } = await judgeEnviron({ HTTP_CONTENT_LENGTH: "5" });
    assert.deepEqual(faults, ["server environ-content"]);
  });

  it("refuses a field's key in lower case", async () => {
    const { faults } = await judgeEnviron({ HTTP_accept: "*/*" });
    assert.deepEqual(faults, ["server environ-header"]);
  });

  it("refuses a field's key with a -", async () => {
    const { faults } = await judgeEnviron({ "HTTP_X-A": "1" });
    assert.deepEqual(faults, ["server environ-header"]);
  });

  it("takes a field's key with a dot", async () => {
    const { faults } = await judgeEnviron({ "HTTP_X.A": "1" });
    assert.deepEqual(faults, []);
  });

  it("refuses a field beyond Latin-1", async () => {
    const { faults } = await judgeEnviron({ HTTP_X_NAME: "世界" });
    assert.deepEqual(faults, ["server environ-latin"]);
  });

  it("refuses a content type beyond Latin-1", async () => {
    const { faults } = await judgeEnviron({ CONTENT_TYPE: "text/世" });
    assert.deepEqual(faults, ["server environ-latin"]);
  });

  it("refuses a space before a field's value", async () => {
    const { faults } = await judgeEnviron({ HTTP_X_NAME: " Ann" });
    assert.deepEqual(faults, ["server environ-latin"]);
  });

  it("refuses a tab behind a field's value", async () => {
    const { faults } = await judgeEnviron({ HTTP_X_NAME: "Ann\t" });
    assert.deepEqual(faults, ["server environ-latin"]);
  });

  it("takes the space before an empty field that was joined", async () => {
    const { faults } = await judgeEnviron({ HTTP_X_NAME: "Ann, " });
    assert.deepEqual(faults, []);
  });

  it("takes a field in Latin-1, and an empty one", async () => {
    const { faults } = await judgeEnviron({ HTTP_X_NAME: "é", HTTP_X_EMPTY: "" });
    assert.deepEqual(faults, []);
  });

  it("refuses an empty SERVER_NAME", async () => {
    const { faults } = await judgeEnviron({ SERVER_NAME: "" });
    assert.deepEqual(faults, ["server environ-server"]);
  });

  it("refuses an empty SERVER_PORT", async () => {
    const { faults } = await judgeEnviron({ SERVER_PORT: "" });
    assert.deepEqual(faults, ["server environ-server"]);
  });

  it("refuses a SERVER_PORT that is no number", async () => {
    const { faults } = await judgeEnviron({ SERVER_PORT: "http" });
    assert.deepEqual(faults, ["server environ-server"]);
  });

  it("refuses a SERVER_PROTOCOL that is no version of HTTP", async () => {
    const { faults } = await judgeEnviron({ SERVER_PROTOCOL: "1.1" });
    assert.deepEqual(faults, ["server environ-protocol"]);
  });

  it("takes HTTP/2", async () => {
    const { faults } = await judgeEnviron({ SERVER_PROTOCOL: "HTTP/2" });
    assert.deepEqual(faults, []);
  });

  it("refuses another version of WSGI", async () => {
    const { faults } = await judgeEnviron({ "wsgi.version": [2, 0] });
    assert.deepEqual(faults, ["server environ-version"]);
  });

  it("refuses a version that is no list", async () => {
    const { faults } = await judgeEnviron({ "wsgi.version": "1,0" });
    assert.deepEqual(faults, ["server environ-version"]);
  });

  it("refuses a scheme in capitals", async () => {
    const { faults } = await judgeEnviron({ "wsgi.url_scheme": "HTTPS" });
    assert.deepEqual(faults, ["server environ-scheme"]);
  });

  it("refuses threads, of which there are none", async () => {
    const { faults } = await judgeEnviron({ "wsgi.multithread": true });
    assert.deepEqual(faults, ["server environ-threads"]);
  });

  it("refuses a multiprocess that is no boolean", async () => {
    const { faults } = await judgeEnviron({ "wsgi.multiprocess": 1 });
    assert.deepEqual(faults, ["server environ-threads"]);
  });

  it("refuses a run_once that is no boolean", async () => {
    const { faults } = await judgeEnviron({ "wsgi.run_once": "no" });
    assert.deepEqual(faults, ["server environ-run-once"]);
  });

  it("refuses an input_terminated that is no boolean", async () => {
    const { faults } = await judgeEnviron({ "wsgi.input_terminated": 1 });
    assert.deepEqual(faults, ["server environ-terminated"]);
  });

  it("refuses a file wrapper that is no function", async () => {
    const { faults } = await judgeEnviron({ "wsgi.file_wrapper": {} });
    assert.deepEqual(faults, ["server file-read"]);
  });

  it("refuses a signal where the function that makes it should be", async () => {
    const { faults } = await judgeEnviron({ "wsgix.signal": new AbortController().signal });
    assert.deepEqual(faults, ["server ext-environ"]);
  });

  it("refuses an input without iteration", async () => {
    const input = { ...methods("read", "readline", "readlines") };
    const { faults } = await judgeEnviron({ "wsgi.input": input });
    assert.deepEqual(faults, ["server input-methods"]);
  });

  it("refuses an input without readlines", async () => {
    const input = { ...methods("read", "readline"), [Symbol.asyncIterator]: () => {} };
    const { faults } = await judgeEnviron({ "wsgi.input": input });
    assert.deepEqual(faults, ["server input-methods"]);
  });

  it("refuses an errors stream without flush", async () => {
    const { faults } = await judgeEnviron({ "wsgi.errors": methods("write", "writelines") });
    assert.deepEqual(faults, ["server errors-methods"]);
  });
});

describe("a validator's warnings on environ", () => {
  it("look at a SERVER_NAME that is no name", async () => {
    const { faults, warnings } = await judgeEnviron({ SERVER_NAME: "a b", HTTP_HOST: "a" });
    assert.deepEqual(faults, []);
    assert.deepEqual(warnings, ["server environ-server"]);
  });

  it("look at a Host that is none", async () => {
    const { faults, warnings } = await judgeEnviron({ HTTP_HOST: "a/b" });
    assert.deepEqual(faults, []);
    assert.deepEqual(warnings, ["server url-host"]);
  });

  it("look at HTTPS that is not on", async () => {
    const { faults, warnings } = await judgeEnviron({ HTTPS: "off" });
    assert.deepEqual(faults, []);
    assert.deepEqual(warnings, ["server environ-cgi"]);
  });

  it("look at a variable in lower case", async () => {
    const { faults, warnings } = await judgeEnviron({ user: "Ann" });
    assert.deepEqual(faults, []);
    assert.deepEqual(warnings, ["server environ-keys"]);
  });

  it("look at a key in capitals", async () => {
    const { faults, warnings } = await judgeEnviron({ "Example.User": "Ann" });
    assert.deepEqual(faults, []);
    assert.deepEqual(warnings, ["server environ-keys"]);
  });

  it("are none for a request without Host, over TLS, with an odd field", async () => {
    const environ = { ...without("HTTP_HOST"), HTTPS: "on", "HTTP_X!A": "1" };
    assert.deepEqual((await judge(hello, environ)).warnings, []);
  });

  it("are none for an IPv6 address", async () => {
    const { warnings } = await judgeEnviron({ SERVER_NAME: "::1", HTTP_HOST: "[::1]:8000" });
    assert.deepEqual(warnings, []);
  });
});

function methods(...names: readonly string[]): Record<string, () => void> {
  return Object.fromEntries(names.map((name) => [name, () => {}]));
}
