import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isBodyless, statusCode, statusLine } from "@wsgi/core";

describe("statusLine()", () => {
  it("adds the standard reason", () => {
    assert.equal(statusLine(200), "200 OK");
    assert.equal(statusLine(404), "404 Not Found");
  });

  it("takes a reason of one's own", () => {
    assert.equal(statusLine(404, "Nothing Here"), "404 Nothing Here");
  });

  it("says Unknown for a code without a reason", () => {
    assert.equal(statusLine(299), "299 Unknown");
  });

  it("refuses what would be no status line", () => {
    assert.throws(() => statusLine(99), { clause: "status-form" });
    assert.throws(() => statusLine(200.5), { clause: "status-form" });
    assert.throws(() => statusLine(200, ""), { clause: "status-form" });
    assert.throws(() => statusLine(200, "OK\r\nX-A: 1"), { clause: "status-form" });
  });
});

describe("statusCode()", () => {
  it("reads the code", () => {
    assert.equal(statusCode("200 OK"), 200);
    assert.equal(statusCode("599 Odd Reason"), 599);
  });

  it("reads it again for a line that it remembers", () => {
    assert.equal(statusCode("404 Not Found"), 404);
    assert.equal(statusCode("404 Not Found"), 404);
  });

  it("stays right after more lines than it remembers", () => {
    const codes = Array.from({ length: 300 }, (_, i) => statusCode(`200 Reason ${i}`));
    assert.deepEqual(new Set(codes), new Set([200]));
    assert.equal(statusCode("201 Reason 300"), 201);
  });

  it("accepts a reason of one character, and one beyond ASCII", () => {
    assert.equal(statusCode("200 K"), 200);
    assert.equal(statusCode("200 \xe9t\xe9"), 200);
  });

  it("says what a status is", () => {
    assert.throws(() => statusCode("200"), {
      side: "application",
      message:
        'Cannot start the response: the status is "200"; wanted a code from 200 to 599, one space and a reason, "200 OK" [status-form]',
    });
  });

  it("refuses other forms", () => {
    assert.throws(() => statusCode(""), { clause: "status-form" });
    assert.throws(() => statusCode("20X OK"), { clause: "status-form" });
    assert.throws(() => statusCode("200OK"), { clause: "status-form" });
    assert.throws(() => statusCode("200  OK"), { clause: "status-form" });
    assert.throws(() => statusCode("200 "), { clause: "status-form" });
    assert.throws(() => statusCode(" 200 OK"), { clause: "status-form" });
    assert.throws(() => statusCode("200 OK "), { clause: "status-form" });
  });

  it("refuses control characters, and what is beyond Latin-1", () => {
    assert.throws(() => statusCode("200 OK\r\n"), { clause: "status-form" });
    assert.throws(() => statusCode("200 O\tK"), { clause: "status-form" });
    assert.throws(() => statusCode("200 O\x7fK"), { clause: "status-form" });
    assert.throws(() => statusCode("200 Öŝ"), { clause: "status-form" });
  });

  it("refuses codes that do not end a request", () => {
    assert.throws(() => statusCode("100 Continue"), { clause: "status-form" });
    assert.throws(() => statusCode("600 Odd"), { clause: "status-form" });
  });

  it("refuses what is no string", () => {
    assert.throws(() => statusCode(200 as never), /the status is 200;/);
    assert.throws(() => statusCode(undefined as never), /the status is undefined;/);
    assert.throws(() => statusCode(200n as never), { clause: "status-form" });
  });
});

describe("isBodyless()", () => {
  it("is true for 1xx, 204 and 304", () => {
    assert.deepEqual([100, 199, 204, 304].filter(isBodyless), [100, 199, 204, 304]);
  });

  it("is false for all others", () => {
    assert.deepEqual([200, 205, 206, 301, 404, 500].filter(isBodyless), []);
  });
});
