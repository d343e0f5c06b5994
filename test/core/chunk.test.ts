import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { byteLength, checkChunk, isChunk, joinBytes, toBytes } from "@wsgi/core";

describe("isChunk()", () => {
  it("is true for text and bytes", () => {
    assert.equal(isChunk(""), true);
    assert.equal(isChunk(new Uint8Array(0)), true);
    assert.equal(isChunk(Buffer.from("a")), true);
  });

  it("is false for everything else", () => {
    assert.equal(isChunk(42), false);
    assert.equal(isChunk(null), false);
    assert.equal(isChunk(["a"]), false);
    assert.equal(isChunk(new Uint16Array(1)), false);
  });
});

describe("toBytes()", () => {
  it("encodes text as UTF-8", () => {
    assert.deepEqual([...toBytes("世")], [0xe4, 0xb8, 0x96]);
  });

  it("returns bytes as they are", () => {
    const bytes = Uint8Array.of(1, 2);
    assert.equal(toBytes(bytes), bytes);
  });
});

describe("byteLength()", () => {
  it("counts one to four bytes for a character", () => {
    assert.equal(byteLength("a"), 1);
    assert.equal(byteLength("é"), 2);
    assert.equal(byteLength("世"), 3);
    assert.equal(byteLength("😀"), 4);
  });

  it("counts a lone surrogate as the U+FFFD that it becomes", () => {
    assert.equal(byteLength("\ud83d"), 3);
    assert.equal(byteLength("\ude00"), 3);
    assert.equal(byteLength("\ude00\ud83d"), 6);
    assert.equal(byteLength("\ud83d\ud83d\ude00"), 7);
  });

  it("counts the bytes of a view, not of its buffer", () => {
    assert.equal(byteLength(new Uint8Array(8).subarray(2, 5)), 3);
  });

  it("agrees with node at every edge of the encoding", () => {
    const edges = ["\0", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ud800", "\udbff"];
    const units = [...edges, "\udc00", "\udfff", "\ue000", "\uffff"];
    const texts = units.flatMap((a) => units.flatMap((b) => units.map((c) => a + b + c)));
    assert.deepEqual(
      texts.map(byteLength),
      texts.map((text) => Buffer.byteLength(text)),
    );
  });
});

describe("joinBytes()", () => {
  it("puts the pieces together in order", () => {
    const joined = joinBytes([toBytes("Hello, "), toBytes(""), toBytes("world!")]);
    assert.equal(new TextDecoder().decode(joined), "Hello, world!");
  });

  it("returns the only piece itself", () => {
    const piece = toBytes("Hello");
    assert.equal(joinBytes([piece]), piece);
  });

  it("makes no bytes of no pieces", () => {
    assert.equal(joinBytes([]).byteLength, 0);
  });
});

describe("checkChunk()", () => {
  it("returns a chunk", () => {
    assert.equal(checkChunk("Hello"), "Hello");
  });

  it("returns empty chunks", () => {
    const nothing = new Uint8Array(0);
    assert.equal(checkChunk(""), "");
    assert.equal(checkChunk(nothing), nothing);
  });

  it("refuses bytes that were transferred, which look empty", () => {
    const bytes = new Uint8Array(5);
    structuredClone(bytes, { transfer: [bytes.buffer] });
    assert.throws(() => checkChunk(bytes), { name: "WsgiError", clause: "body-chunk" });
  });

  it("refuses everything else by its type", () => {
    assert.throws(() => checkChunk(42), {
      clause: "body-chunk",
      message: "Cannot send a chunk: it is a number; wanted a string or a Uint8Array [body-chunk]",
    });
    assert.throws(() => checkChunk(Promise.resolve("a")), /it is an object of type Promise;/);
  });
});
