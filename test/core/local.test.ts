import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLocal } from "@wsgi/core";
import { environFor } from "@wsgi/testing";

/** Tells whether a request with this Host, from this address and with these fields is local. */
function local(host: string, remoteAddr = "127.0.0.1", fields: object = {}): boolean {
  return isLocal(environFor("GET /", { remoteAddr, headers: { Host: host, ...fields } }));
}

describe("isLocal()", () => {
  it("takes the names of this machine, with a port or without", () => {
    assert.ok(local("localhost"));
    assert.ok(local("localhost:8000"));
    assert.ok(local("app.LOCALHOST:8000"));
    assert.ok(local("127.0.0.1:8000"));
    assert.ok(local("[::1]:8000"));
  });

  it("takes the addresses of this machine", () => {
    assert.ok(local("localhost", "127.1.2.3"));
    assert.ok(local("localhost", "::1"));
    assert.ok(local("localhost", "::ffff:127.0.0.1"));
  });

  it("refuses other names, which may have been made to lead here", () => {
    assert.ok(!local("example.com"));
    assert.ok(!local("localhost.example.com"));
    assert.ok(!local("127.0.0.1.example.com"));
    assert.ok(!local(""));
  });

  it("refuses other addresses, and a Unix socket, behind which anybody may be", () => {
    assert.ok(!local("localhost", "192.0.2.1"));
    assert.ok(!local("localhost", "::ffff:192.0.2.1"));
    assert.ok(!local("localhost", ""));
  });

  it("refuses what came through a proxy", () => {
    assert.ok(!local("localhost", "::1", { "X-Forwarded-For": "192.0.2.1" }));
    assert.ok(!local("localhost", "::1", { Forwarded: "for=192.0.2.1" }));
    assert.ok(!local("localhost", "::1", { Via: "1.1 proxy" }));
  });

  it("takes the names that it is given too, in any case", () => {
    const environ = environFor("GET /", { headers: { Host: "Dev.Test:8000" } });
    assert.ok(isLocal(environ, new Set(["dev.test"])));
    assert.ok(!isLocal(environ, new Set(["other.test"])));
  });
});
