import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createErrors, setupTestingDefaults } from "@wsgi/core";

describe("createErrors()", () => {
  it("hands the texts on in order", () => {
    const written: string[] = [];
    const errors = createErrors((text) => void written.push(text));
    errors.write("one\n");
    errors.writelines(new Set(["two\n", "three\n"]));
    errors.flush();
    assert.deepEqual(written, ["one\n", "two\n", "three\n"]);
  });

  it("works without its object", () => {
    const written: string[] = [];
    const { write } = createErrors((text) => void written.push(text));
    write("\u2603\ud800\n");
    assert.deepEqual(written, ["\u2603\ud800\n"]);
  });
});

describe("setupTestingDefaults()", () => {
  it("makes a whole request of nothing", () => {
    const environ = setupTestingDefaults();
    const { "wsgi.input": input, "wsgi.errors": errors, ...rest } = environ;
    assert.deepEqual(rest, {
      SERVER_NAME: "127.0.0.1",
      SERVER_PROTOCOL: "HTTP/1.0",
      HTTP_HOST: "127.0.0.1",
      REQUEST_METHOD: "GET",
      PATH_INFO: "/",
      SCRIPT_NAME: "",
      QUERY_STRING: "",
      REQUEST_URI: "/",
      REMOTE_ADDR: "127.0.0.1",
      "wsgi.version": [1, 0],
      "wsgi.url_scheme": "http",
      "wsgi.multithread": false,
      "wsgi.multiprocess": false,
      "wsgi.run_once": false,
      "wsgi.input_terminated": true,
      SERVER_PORT: "80",
    });
    assert.deepEqual(input.read(), new Uint8Array(0));
    errors.write("to nobody\n");
  });

  it("changes and returns the object that it is given", () => {
    const environ = {};
    assert.equal(setupTestingDefaults(environ), environ);
  });

  it("keeps the values that are there, even empty ones", () => {
    const environ = setupTestingDefaults({
      REQUEST_METHOD: "POST",
      SERVER_PORT: "8000",
      REQUEST_URI: "/x?y",
      HTTP_HOST: undefined,
      REMOTE_ADDR: "",
      "wsgi.multithread": true,
    });
    assert.equal(environ.REQUEST_METHOD, "POST");
    assert.equal(environ.SERVER_PORT, "8000");
    assert.equal(environ.REQUEST_URI, "/x?y");
    assert.equal(environ.HTTP_HOST, undefined);
    assert.equal(environ.REMOTE_ADDR, "");
    assert.equal(environ["wsgi.multithread"], true);
  });

  it("derives the host from the server's name", () => {
    assert.equal(setupTestingDefaults({ SERVER_NAME: "example.com" }).HTTP_HOST, "example.com");
  });

  it("derives scheme and port from HTTPS", () => {
    const encrypted = setupTestingDefaults({ HTTPS: "on" });
    assert.equal(encrypted["wsgi.url_scheme"], "https");
    assert.equal(encrypted.SERVER_PORT, "443");
    const plain = setupTestingDefaults({ HTTPS: "foo" });
    assert.equal(plain["wsgi.url_scheme"], "http");
    assert.equal(plain.SERVER_PORT, "80");
  });

  it("derives the port from a scheme that is there", () => {
    assert.equal(setupTestingDefaults({ "wsgi.url_scheme": "https" }).SERVER_PORT, "443");
  });

  it("takes the application's root for the path where only SCRIPT_NAME is given", () => {
    const environ = setupTestingDefaults({ SCRIPT_NAME: "/wiki" });
    assert.equal(environ.PATH_INFO, "");
    assert.equal(environ.REQUEST_URI, "/wiki");
  });
});
