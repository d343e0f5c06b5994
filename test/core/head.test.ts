import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ResponseHead, type HeaderList } from "@wsgi/core";

describe("ResponseHead", () => {
  it("is empty at first", () => {
    const { called, sent, status, code, headers, contentLength } = new ResponseHead();
    assert.deepEqual(
      { called, sent, status, code, headers, contentLength },
      { called: false, sent: false, status: "", code: 0, headers: [], contentLength: -1 },
    );
  });

  it("keeps what it is given, and the list itself", () => {
    const list: HeaderList = Object.freeze([["Content-Length", "5"]] as const);
    const head = new ResponseHead();
    head.start("200 OK", list);
    assert.equal(head.status, "200 OK");
    assert.equal(head.code, 200);
    assert.equal(head.headers, list);
    assert.equal(head.contentLength, 5);
    assert.equal(head.called, true);
  });

  it("refuses a second start without an error", () => {
    const head = new ResponseHead();
    head.start("200 OK", []);
    assert.throws(() => head.start("200 OK", []), {
      clause: "start-once",
      message:
        "Cannot start the response: startResponse was called before; call it once, or pass the error as excInfo [start-once]",
    });
  });

  it("refuses a second start without an error even if the first one failed", () => {
    const head = new ResponseHead();
    assert.throws(() => head.start("200", []), { clause: "status-form" });
    assert.throws(() => head.start("200 OK", []), { clause: "start-once" });
  });

  it("replaces status, headers and length for an error", () => {
    const head = new ResponseHead();
    head.start("200 OK", [["Content-Length", "5"]]);
    head.start("500 Internal Server Error", [["X-A", "1"]], new Error("Odd"));
    assert.equal(head.code, 500);
    assert.equal(head.status, "500 Internal Server Error");
    assert.deepEqual(head.headers, [["X-A", "1"]]);
    assert.equal(head.contentLength, -1);
  });

  it("takes anything but undefined for an error", () => {
    const head = new ResponseHead();
    head.start("200 OK", []);
    head.start("500 Internal Server Error", [], null);
    assert.equal(head.code, 500);
  });

  it("accepts an error on the first start", () => {
    const head = new ResponseHead();
    head.start("500 Internal Server Error", [], new Error("Odd"));
    assert.equal(head.code, 500);
  });

  it("throws that very error once the head has left", () => {
    const odd = new Error("Odd");
    const head = new ResponseHead();
    head.start("200 OK", []);
    head.sent = true;
    assert.throws(
      () => head.start("500 Internal Server Error", [], odd),
      (error) => error === odd,
    );
    assert.equal(head.code, 200);
  });

  it("refuses a first start that comes after the server's own head", () => {
    const head = new ResponseHead();
    head.sent = true;
    assert.throws(() => head.start("200 OK", []), { clause: "start-before-body" });
    assert.throws(
      () => head.start("200 OK", [], null),
      (error) => error === null,
    );
  });

  it("keeps the first head whole if the second one is bad", () => {
    const head = new ResponseHead();
    head.start("200 OK", [["Content-Length", "5"]]);
    assert.throws(() => head.start("201 Created", [["Foo:", "1"]], new Error("Odd")));
    assert.equal(head.status, "200 OK");
    assert.equal(head.code, 200);
    assert.equal(head.contentLength, 5);
  });

  it("demands a start", () => {
    const head = new ResponseHead();
    assert.throws(() => head.demand(), { clause: "start-before-body" });
    head.start("200 OK", []);
    head.demand();
  });

  it("demands a start that was good", () => {
    const head = new ResponseHead();
    assert.throws(() => head.start("200 OK", [["Foo:", "1"]]), { clause: "header-name" });
    assert.throws(() => head.demand(), { clause: "start-before-body" });
  });
});
