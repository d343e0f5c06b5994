import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkHeaders, getHeader, isHopByHop, ResponseHeaders, type HeaderList } from "@wsgi/core";

/** Makes a list with one pair, which need not be one. */
function pair(name: unknown, value: unknown): HeaderList {
  return [[name, value]] as HeaderList;
}

describe("isHopByHop()", () => {
  it("is true for wsgiref's eight and Proxy-Connection, in any case", () => {
    const wsgiref = ["Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization"];
    const names = [...wsgiref, "TE", "Trailers", "Transfer-Encoding", "Upgrade"];
    const written = [...names, "Proxy-Connection"].flatMap((name) => [
      name,
      name.toLowerCase(),
      name.toUpperCase(),
    ]);
    assert.deepEqual(
      written.filter((name) => !isHopByHop(name)),
      [],
    );
  });

  it("is false for the fields that go all the way", () => {
    const names = ["Accept", "Cache-Control", "Date", "Pragma", "Trailer", "Via", "Warning"];
    assert.deepEqual(names.filter(isHopByHop), []);
  });
});

describe("checkHeaders()", () => {
  it("returns -1 where no length is declared", () => {
    assert.equal(checkHeaders([]), -1);
    assert.equal(checkHeaders([["Content-Type", "text/plain"]]), -1);
  });

  it("returns the declared length, whatever the case of its name", () => {
    assert.equal(checkHeaders([["Content-Length", "5"]]), 5);
    assert.equal(checkHeaders([["content-LENGTH", "0"]]), 0);
  });

  it("takes no other name of 14 letters for Content-Length", () => {
    assert.equal(checkHeaders([["X-Same-Length0", "5 bytes"]]), -1);
  });

  it("accepts a frozen list, and repeated names", () => {
    const cookie = Object.freeze(["Set-Cookie", "a=1"] as const);
    assert.equal(checkHeaders(Object.freeze([cookie, cookie])), -1);
  });

  it("accepts every character of a token", () => {
    const name = "!#$%&'*+-.^_`|~0123456789AZaz";
    assert.equal(checkHeaders(pair(name, "x")), -1);
  });

  it("accepts an empty value, and all of Latin-1 but control characters", () => {
    assert.equal(checkHeaders(pair("X-A", "")), -1);
    assert.equal(checkHeaders(pair("X-A", " ~\x80\x9f\xa0\xff")), -1);
  });

  it("refuses what is no array", () => {
    assert.throws(() => checkHeaders({ "X-A": "1" } as never), {
      clause: "headers-list",
      message:
        'Cannot start the response: the headers are no array; wanted a list of pairs, [["Content-Type", "text/plain"]] [headers-list]',
    });
    assert.throws(() => checkHeaders(undefined as never), { clause: "headers-list" });
  });

  it("refuses what is no pair, and says which", () => {
    const good = ["X-A", "1"] as const;
    assert.throws(() => checkHeaders([good, ["X-B"] as never]), /headers\[1\] is no pair/);
    assert.throws(() => checkHeaders(["X-A: 1" as never]), { clause: "headers-list" });
    assert.throws(() => checkHeaders([["X-A", "1", "2"] as never]), { clause: "headers-list" });
    assert.throws(() => checkHeaders([null as never]), { clause: "headers-list" });
  });

  it("refuses a name that is no token", () => {
    assert.throws(() => checkHeaders(pair("Foo:", "1")), {
      clause: "header-name",
      message:
        'Cannot start the response: a header name is "Foo:"; wanted an HTTP token [header-name]',
    });
    assert.throws(() => checkHeaders(pair("", "1")), { clause: "header-name" });
    assert.throws(() => checkHeaders(pair("Foo\n", "1")), { clause: "header-name" });
    assert.throws(() => checkHeaders(pair("F o", "1")), { clause: "header-name" });
    assert.throws(() => checkHeaders(pair("Fóo", "1")), { clause: "header-name" });
  });

  it("refuses a name that is no string", () => {
    assert.throws(() => checkHeaders(pair(1, "1")), { clause: "header-name" });
    assert.throws(() => checkHeaders(pair(undefined, "1")), { clause: "header-name" });
    assert.throws(() => checkHeaders(pair(Symbol("a"), "1")), { clause: "header-name" });
  });

  it("refuses a header named Status", () => {
    assert.throws(() => checkHeaders(pair("status", "200 OK")), { clause: "header-name" });
  });

  it("refuses what concerns the connection, every time", () => {
    const list = pair("Transfer-Encoding", "chunked");
    assert.throws(() => checkHeaders(list), { clause: "header-hop-by-hop" });
    assert.throws(() => checkHeaders(list), {
      message:
        "Cannot start the response: the header Transfer-Encoding concerns the connection; leave it to the server [header-hop-by-hop]",
    });
  });

  it("refuses control characters in a value, TAB and DEL among them", () => {
    const controls = [
      ...Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)),
      "\x7f",
    ];
    const refused = controls.filter((control) => {
      try {
        checkHeaders(pair("X-A", `a${control}b`));
        return false;
      } catch {
        return true;
      }
    });
    assert.deepEqual(refused, controls);
  });

  it("refuses a value that ends in a line break", () => {
    assert.throws(() => checkHeaders(pair("X-A", "a\r\n")), {
      clause: "header-value",
      message:
        'Cannot start the response: the value of X-A is "a\\r\\n"; wanted a string of Latin-1 characters without control characters [header-value]',
    });
  });

  it("refuses a value beyond Latin-1, and one that is no string", () => {
    assert.throws(() => checkHeaders(pair("X-A", "ŝ")), { clause: "header-value" });
    assert.throws(() => checkHeaders(pair("X-A", "\ud800")), { clause: "header-value" });
    assert.throws(() => checkHeaders(pair("X-A", 42)), { clause: "header-value" });
    assert.throws(() => checkHeaders(pair("X-A", undefined)), { clause: "header-value" });
    assert.throws(() => checkHeaders(pair("Content-Length", 5n)), { clause: "header-value" });
  });

  it("refuses two lengths, even if they agree", () => {
    const list: HeaderList = [
      ["Content-Length", "5"],
      ["content-length", "5"],
    ];
    assert.throws(() => checkHeaders(list), { clause: "header-length" });
  });

  it("refuses a length that is no number of bytes", () => {
    assert.throws(() => checkHeaders(pair("Content-Length", "")), { clause: "header-length" });
    assert.throws(() => checkHeaders(pair("Content-Length", "-1")), { clause: "header-length" });
    assert.throws(() => checkHeaders(pair("Content-Length", "1e3")), { clause: "header-length" });
    assert.throws(() => checkHeaders(pair("Content-Length", "5, 5")), { clause: "header-length" });
    assert.throws(() => checkHeaders(pair("Content-Length", "9".repeat(16))), {
      clause: "header-length",
    });
  });

  it("stays right after more names than it remembers", () => {
    const names = Array.from({ length: 600 }, (_, i) => `X-Test-${i}`);
    assert.equal(checkHeaders(names.map((name) => [name, "1"] as const)), -1);
    assert.throws(() => checkHeaders(pair("X-Test-600:", "1")), { clause: "header-name" });
    assert.equal(checkHeaders(pair("X-Test-600", "1")), -1);
  });
});

describe("getHeader()", () => {
  const headers: HeaderList = [
    ["Content-Type", "text/plain"],
    ["Set-Cookie", "a=1"],
    ["set-cookie", "b=2"],
  ];

  it("finds the first value, in any case", () => {
    assert.equal(getHeader(headers, "CONTENT-type"), "text/plain");
    assert.equal(getHeader(headers, "Set-Cookie"), "a=1");
  });

  it("finds nothing where there is nothing", () => {
    assert.equal(getHeader(headers, "X-A"), undefined);
  });
});

describe("ResponseHeaders", () => {
  const two: HeaderList = Object.freeze([
    ["Set-Cookie", "a=1"],
    ["X-A", "1"],
    ["set-cookie", "b=2"],
  ] as const);

  it("is empty by default", () => {
    const headers = new ResponseHeaders();
    assert.equal(headers.size, 0);
    assert.deepEqual(headers.items(), []);
  });

  it("refuses what is no array", () => {
    assert.throws(() => new ResponseHeaders({} as never), {
      name: "TypeError",
      message: "Cannot view headers: got object; wanted an array of pairs",
    });
  });

  it("keeps the given list until something changes", () => {
    const headers = new ResponseHeaders(two).delete("X-B");
    assert.equal(headers.list, two);
    assert.notEqual(headers.append("X-B", "1").list, two);
    assert.equal(two.length, 3);
  });

  it("finds values by name, in any case", () => {
    const headers = new ResponseHeaders(two);
    assert.equal(headers.get("SET-COOKIE"), "a=1");
    assert.deepEqual(headers.getAll("Set-Cookie"), ["a=1", "b=2"]);
    assert.equal(headers.get("X-B"), undefined);
    assert.deepEqual(headers.getAll("X-B"), []);
    assert.equal(headers.has("x-a"), true);
    assert.equal(headers.has("x-b"), false);
  });

  it("lists names, values and pairs in order", () => {
    const headers = new ResponseHeaders(two);
    assert.deepEqual(headers.keys(), ["Set-Cookie", "X-A", "set-cookie"]);
    assert.deepEqual(headers.values(), ["a=1", "1", "b=2"]);
    assert.deepEqual([...headers], two);
    assert.equal(headers.size, 3);
  });

  it("gives its pairs as a copy", () => {
    const headers = new ResponseHeaders([["X-A", "1"]]);
    headers.items().pop();
    assert.equal(headers.size, 1);
  });

  it("sets a field in the place of its first, and drops its others", () => {
    assert.deepEqual(new ResponseHeaders(two).set("SET-Cookie", "c=3").list, [
      ["SET-Cookie", "c=3"],
      ["X-A", "1"],
    ]);
  });

  it("sets a new field at the end", () => {
    const headers = new ResponseHeaders([["X-A", "1"]]).set("X-B", "2");
    assert.deepEqual(headers.keys(), ["X-A", "X-B"]);
  });

  it("sets a default only where there is no value", () => {
    const headers = new ResponseHeaders([["X-A", "1"]]);
    assert.equal(headers.setDefault("x-a", "2"), "1");
    assert.equal(headers.setDefault("X-B", "3"), "3");
    assert.deepEqual(headers.values(), ["1", "3"]);
  });

  it("keeps an empty value as a value", () => {
    const headers = new ResponseHeaders([["X-A", ""]]);
    assert.equal(headers.setDefault("X-A", "1"), "");
  });

  it("deletes every value of a field", () => {
    assert.deepEqual(new ResponseHeaders(two).delete("set-cookie").keys(), ["X-A"]);
  });

  it("appends parameters", () => {
    const headers = new ResponseHeaders();
    headers.append("foo", "bar").append("foo", "bar", { baz: "spam" });
    headers.append("foo", "bar", { cheese: null, max_age: "1" });
    assert.deepEqual(headers.values(), ["bar", 'bar; baz="spam"', 'bar; cheese; max-age="1"']);
  });

  it("escapes quotes and backslashes in a parameter", () => {
    const headers = new ResponseHeaders().append("foo", "bar", { name: 'a"\\b' });
    assert.equal(headers.get("foo"), 'bar; name="a\\"\\\\b"');
  });

  it("writes the fields as they stand in a message", () => {
    assert.equal(new ResponseHeaders().toString(), "\r\n");
    assert.equal(
      String(new ResponseHeaders(two)),
      "Set-Cookie: a=1\r\nX-A: 1\r\nset-cookie: b=2\r\n\r\n",
    );
  });

  it("writes bytes in Latin-1", () => {
    const bytes = new ResponseHeaders([["X", "\xe4"]]).toBytes();
    assert.deepEqual([...bytes], [...Buffer.from("X: \xe4\r\n\r\n", "latin1")]);
  });
});
