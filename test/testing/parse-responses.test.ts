import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  parseResponses,
  type ParsedResponse,
  type ParseOptions,
} from "@wsgi/testing/parse-responses";

function parse(text: string, options?: ParseOptions): ParsedResponse[] {
  return parseResponses(Buffer.from(text, "latin1"), options);
}

function refuses(text: string, reason: RegExp, options?: ParseOptions): void {
  assert.throws(() => parse(text, options), { name: "SyntaxError", message: reason });
}

const hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello";
const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

describe("parseResponses()", () => {
  it("reads the status line, the fields and a body with a length", () => {
    const [response, ...others] = parse(hello);
    const { protocol, status, code, headers, framing, complete } = response!;
    assert.deepEqual(
      { protocol, status, code, headers, framing, complete },
      {
        protocol: "HTTP/1.1",
        status: "200 OK",
        code: 200,
        headers: [["Content-Length", "5"]],
        framing: "length",
        complete: true,
      },
    );
    assert.equal(response!.text(), "Hello");
    assert.equal(others.length, 0);
  });

  it("keeps repeated fields apart and in order, octet by octet, without the spaces around them", () => {
    const [response] = parse(
      "HTTP/1.1 204 No Content\r\nSet-Cookie: a=1\r\nX: \t\xe9 b \t\r\nset-cookie:\r\n\r\n",
    );
    assert.deepEqual(response!.headers, [
      ["Set-Cookie", "a=1"],
      ["X", "\xe9 b"],
      ["set-cookie", ""],
    ]);
    assert.equal(response!.header("SET-COOKIE"), "a=1");
  });

  it("reads a status line without a reason", () => {
    assert.equal(parse("HTTP/1.1 204 \r\n\r\n")[0]!.status, "204 ");
  });

  it("reads a chunked body, chunk by chunk, with its trailers", () => {
    const [response] = parse(
      `${chunked}5;ext="a"\r\nHello\r\n00A\r\n, world!\r\n\r\n0\r\nX: y\r\n\r\n`,
    );
    assert.deepEqual(
      response!.chunks.map((chunk) => Buffer.from(chunk).toString()),
      ["Hello", ", world!\r\n"],
    );
    assert.deepEqual(response!.trailers, [["X", "y"]]);
    assert.equal(response!.complete, true);
  });

  it("reads a body that ends with the connection", () => {
    const [response] = parse("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nHello");
    assert.equal(response!.text(), "Hello");
    assert.equal(response!.framing, "close");
    assert.equal(response!.complete, true);
  });

  it("does not take such a body for complete while the connection is open", () => {
    const [response] = parse("HTTP/1.0 200 OK\r\n\r\nHello", { closed: false });
    assert.equal(response!.text(), "Hello");
    assert.equal(response!.complete, false);
  });

  it("reads no body after HEAD, 204 and 304, whatever their fields say", () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    const notModified = "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n";
    const responses = parse(`${head}${notModified}HTTP/1.1 204 No Content\r\n\r\n${hello}`, {
      methods: ["HEAD", "GET", "GET", "GET"],
    });
    assert.deepEqual(
      responses.map(({ code, framing }) => `${code} ${framing}`),
      ["200 none", "304 none", "204 none", "200 length"],
    );
  });

  it("keeps 100 Continue apart from the response after it", () => {
    const [response] = parse(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n${hello}`,
    );
    assert.deepEqual(
      response!.interim.map(({ status }) => status),
      ["100 Continue", "103 Early Hints"],
    );
    assert.equal(response!.code, 200);
  });

  it("tells whether the connection can be used again", () => {
    const keeps = (head: string): boolean =>
      parse(`${head}\r\nContent-Length: 0\r\n\r\n`)[0]!.keepsOpen;
    assert.equal(keeps("HTTP/1.1 200 OK"), true);
    assert.equal(keeps("HTTP/1.1 200 OK\r\nConnection: x, Close"), false);
    assert.equal(keeps("HTTP/1.0 200 OK"), false);
    assert.equal(keeps("HTTP/1.0 200 OK\r\nConnection: keep-alive"), true);
  });

  it("leaves out a response whose head is not there yet", () => {
    assert.deepEqual(parse("", { closed: false }), []);
    assert.deepEqual(parse("HTT", { closed: false }), []);
    assert.deepEqual(parse("HTTP/1.1 200 OK\r\nX: y\r", { closed: false }), []);
  });

  it("finds the first part of a response wherever the bytes break off", () => {
    const whole = `${chunked}5\r\nHello\r\n0\r\n\r\n`;
    const complete = Array.from(whole, (_, end) => {
      const [response] = parse(whole.slice(0, end), { closed: false });
      return response?.complete ?? false;
    });
    assert.deepEqual(
      complete,
      Array.from(whole, () => false),
    );
    assert.equal(parse(whole)[0]!.complete, true);
  });

  it("shows a body that was cut off as not complete", () => {
    assert.equal(parse(hello.slice(0, -1))[0]!.complete, false);
    assert.equal(parse(`${chunked}5\r\nHel`)[0]!.text(), "Hel");
    assert.equal(parse(`${chunked}5\r\nHello\r\n`)[0]!.complete, false);
    assert.equal(parse(`${chunked}5\r\nHello\r\n0\r\n`)[0]!.complete, false);
  });
});

describe("parseResponses() refuses", () => {
  it("a head that was cut off", () =>
    refuses("HTTP/1.1 200 OK\r\nX: y\r\n", /was closed.*the head/));

  it("a 100 without a response after it", () =>
    refuses("HTTP/1.1 100 Continue\r\n\r\n", /was closed.*the head/));

  it("a line that ends in LF", () =>
    refuses("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", /LF alone/));

  it("a field that ends in LF", () =>
    refuses("HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n", /byte 17, a line ends in LF alone/));

  it("a CR within a line", () => refuses("HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", /CR without LF/));

  it("what is no HTTP, before a line has ended", () =>
    refuses("Hello", /there is "Hello"/, { closed: false }));

  it("another version", () => refuses("HTTP/2.0 200 OK\r\n\r\n", /there is "HTTP\/2\."/));

  it("a status line without a space behind the code", () =>
    refuses("HTTP/1.1 200\r\n\r\n", /wanted a status line/));

  it("a status code beyond 599", () => refuses("HTTP/1.1 600 Odd\r\n\r\n", /wanted a status line/));

  it("two spaces before the code", () =>
    refuses("HTTP/1.1  200 OK\r\n\r\n", /wanted a status line/));

  it("a control character in the reason", () =>
    refuses("HTTP/1.1 200 O\0K\r\n\r\n", /wanted a status line/));

  it("an empty line before the status line", () => refuses(`\r\n${hello}`, /wanted "HTTP\/1\."/));

  it("101, which nobody asked for", () =>
    refuses("HTTP/1.1 101 Switching Protocols\r\n\r\n", /there is a 101/));

  it("a field without a colon", () => refuses("HTTP/1.1 200 OK\r\nX\r\n\r\n", /wanted a field/));

  it("a field with a space before its colon", () =>
    refuses("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", /wanted a field/));

  it("a folded field", () => refuses("HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", /wanted a field/));

  it("a control character in a field", () =>
    refuses("HTTP/1.1 200 OK\r\nX: \x01\r\n\r\n", /wanted a field/));

  it("two Content-Lengths, though they agree", () =>
    refuses("HTTP/1.1 200 OK\r\nContent-Length: 0\r\ncontent-length: 0\r\n\r\n", /given twice/));

  it("a Content-Length that is no number", () =>
    refuses("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nHello", /wanted decimal digits/));

  it("a Content-Length beside Transfer-Encoding", () =>
    refuses(
      `${chunked.slice(0, -2)}Content-Length: 5\r\n\r\n5\r\nHello\r\n0\r\n\r\n`,
      /stands beside/,
    ));

  it("a Transfer-Encoding over HTTP/1.0", () =>
    refuses(`${chunked.replace("1.1", "1.0")}0\r\n\r\n`, /HTTP\/1\.0 has a Transfer-Encoding/));

  it("another transfer coding", () =>
    refuses(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      /wanted "chunked" once/,
    ));

  it("chunked twice", () =>
    refuses(
      `${chunked.slice(0, -2)}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      /"chunked" once/,
    ));

  it("a 204 with a length", () =>
    refuses("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", /a 204 has/));

  it("a 100 with a coding", () =>
    refuses(`HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n${hello}`, /a 100 has/));

  it("the body of a 204", () =>
    refuses("HTTP/1.1 204 No Content\r\n\r\nHello", /5 bytes follow the last response/));

  it("the body of a 304 between two responses", () =>
    refuses(`HTTP/1.1 304 Not Modified\r\n\r\nBody${hello}`, /there is "BodyHTT"/, {
      methods: ["GET", "GET"],
    }));

  it("a body after HEAD", () =>
    refuses(hello, /5 bytes follow the last response/, { methods: ["HEAD"] }));

  it("bytes beyond the declared length", () => refuses(`${hello}!`, /1 bytes follow/));

  it("bytes beyond the last chunk", () => refuses(`${chunked}0\r\n\r\n\r\n`, /2 bytes follow/));

  it("more responses than requests", () => refuses(hello + hello, /43 bytes follow/));

  it("a response after one that ends the connection", () =>
    refuses(`${hello.replace("OK", "OK\r\nConnection: close")}${hello}`, /43 bytes follow/, {
      methods: ["GET", "GET"],
    }));

  it("a chunk whose size is no hexadecimal number", () =>
    refuses(`${chunked}0x5\r\nHello\r\n0\r\n\r\n`, /a chunk begins "0x5"/));

  it("a chunk without a size", () => refuses(`${chunked}\r\n`, /a chunk begins ""/));

  it("a chunk that is longer than it says", () =>
    refuses(`${chunked}4\r\nHello\r\n0\r\n\r\n`, /there is "o\\r"; wanted "\\r\\n"/));

  it("a chunk whose lines end in LF", () => refuses(`${chunked}5\nHello\n0\n\n`, /LF alone/));

  it("a trailer that is no field", () => refuses(`${chunked}0\r\nX\r\n\r\n`, /wanted a field/));
});
