import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClientDisconnected, WsgiError } from "@wsgi/core";

describe("WsgiError", () => {
  it("names the side and the clause, and puts the clause behind the message", () => {
    const error = new WsgiError("server", "close-once", "Cannot close the body: it is closed");
    assert.equal(error.side, "server");
    assert.equal(error.clause, "close-once");
    assert.equal(String(error), "WsgiError: Cannot close the body: it is closed [close-once]");
    assert.ok(error instanceof Error);
  });
});

describe("ClientDisconnected", () => {
  it("has a message of its own", () => {
    assert.equal(
      String(new ClientDisconnected()),
      "ClientDisconnected: Cannot go on: the client has closed the connection",
    );
  });

  it("takes another", () => {
    assert.equal(new ClientDisconnected("Cannot read").message, "Cannot read");
  });
});
