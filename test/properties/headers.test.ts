import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkHeaders, ResponseHead, statusCode, type HeaderList } from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import { contentLength } from "@wsgi/middleware/content-length";
import { call, respond } from "@wsgi/testing";
import fc from "fast-check";
import { StrictClient } from "../support/strict-client.ts";
import { onSockets, pure } from "../support/property.ts";
import { serving } from "../support/serving.ts";

// RFC 9110, sections 5.1 and 5.6.2: field-name = token = 1*tchar
const fieldName = /^(?:[!#$%&'*+.^_`|~-]|[0-9]|[A-Za-z])+$/;
// Section 5.5: field-value = *( field-vchar / SP / obs-text ); PEP 3333 leaves no control character, tabs too.
const fieldValue = /^(?:[\x21-\x7e]| |[\x80-\xff])*$/;
// RFC 9112, section 4: status-code SP reason-phrase; final ones only, and with a reason: D7.
const statusLine = /^[2-5]\d\d (?! )(?:[\x20-\x7e]|[\x80-\xff])+(?<! )$/;

const forbidden = (
  "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailers " +
  "transfer-encoding upgrade status"
).split(" ");

const odd = fc.constantFrom(
  ...' \t\r\n\0:;,()[]{}<>@"\\/?=\x7f\x80\xff\u0100\u2028世\ud83d\v\f\x1f\x85\xa0',
);
const usual = fc.constantFrom(..."abcXYZ019-_!#$%&'*+.^`|~");

/** Is text of usual characters, with an odd one in it every other time. */
const text = fc.oneof(
  fc.string({ unit: usual, maxLength: 8 }),
  fc.string({
    unit: fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: odd }),
    maxLength: 8,
  }),
  fc.string({ unit: "binary", maxLength: 3 }),
);

const mixedCase = (name: string): fc.Arbitrary<string> => fc.mixedCase(fc.constant(name));

const name = fc.oneof(
  { weight: 8, arbitrary: text },
  { weight: 1, arbitrary: fc.constantFrom(...forbidden).chain(mixedCase) },
  { weight: 1, arbitrary: fc.constantFrom("content-length", "set-cookie").chain(mixedCase) },
);
const digits = fc.constantFrom(
  "0",
  "5",
  "05",
  "-1",
  "+1",
  "1e3",
  " 5",
  "999999999999999",
  "1".repeat(16),
);
const value = fc.oneof({ weight: 6, arbitrary: text }, { weight: 1, arbitrary: digits });
const headers: fc.Arbitrary<HeaderList> = fc.array(fc.tuple(name, value), { maxLength: 3 });

const status = fc.oneof(
  fc.tuple(fc.integer({ min: 100, max: 700 }), text).map(([code, reason]) => `${code} ${reason}`),
  fc.constantFrom(
    "200 OK",
    "200",
    "200 ",
    "200  OK",
    "200 OK ",
    " 200 OK",
    "200\tOK",
    "2OO OK",
    "٢00 OK",
  ),
);

function isRight(list: HeaderList): boolean {
  const lengths = list.filter(([name]) => name.toLowerCase() === "content-length");
  return (
    list.every(([name, value]) => fieldName.test(name) && fieldValue.test(value)) &&
    !list.some(([name]) => forbidden.includes(name.toLowerCase())) &&
    lengths.length < 2 &&
    lengths.every(([, length]) => /^\d{1,15}$/.test(length))
  );
}

/** Tells whether something is done, and not refused by a WsgiError. */
async function succeeds(act: () => unknown): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    assert.equal((error as Error).name, "WsgiError", String(error));
    return false;
  }
}

describe("a header list", () => {
  it("is right in core, in layers and in the test client exactly if its grammar is", () =>
    fc.assert(
      fc.asyncProperty(headers, async (headers) => {
        const right = isRight(headers);
        assert.equal(await succeeds(() => checkHeaders(headers)), right);
        assert.equal(await succeeds(() => new ResponseHead().start("200 OK", headers)), right);
        const app = respond([], { headers });
        assert.equal(await succeeds(() => call(app, "HEAD /")), right);
        assert.equal(await succeeds(() => call(contentLength()(app), "HEAD /")), right);
        assert.equal(await succeeds(() => call(validator()(app), "HEAD /")), right);
      }),
      pure,
    ));

  it("is sent as it is by a server, or answered with 500", async () => {
    let current: HeaderList = [];
    await using server = await serving((_environ, startResponse) => {
      startResponse("200 OK", current);
      return [];
    });
    await fc.assert(
      fc.asyncProperty(headers, async (headers) => {
        current = headers;
        using client = await StrictClient.connect(server);
        const [response] = await client
          .send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
          .responses("HEAD");
        assert.equal(response?.code, isRight(headers) ? 200 : 500);
        if (response?.code === 500) return;
        const trimmed = headers.map(([name, value]) => [name, value.replace(/^ +| +$/g, "")]);
        assert.deepEqual(response?.headers.slice(0, headers.length), trimmed);
      }),
      onSockets,
    );
  });
});

describe("a status line", () => {
  it("is right exactly if its grammar is", () =>
    fc.assert(
      fc.asyncProperty(status, async (status) => {
        const right = statusLine.test(status);
        assert.equal(await succeeds(() => statusCode(status)), right);
        assert.equal(await succeeds(() => call(respond([], { status }), "GET /")), right);
        const checked = validator()(respond([], { status }));
        assert.equal(await succeeds(() => call(checked, "GET /")), right);
      }),
      pure,
    ));

  it("is sent as it is by a server, or answered with 500", async () => {
    let current = "";
    await using server = await serving((_environ, startResponse) => {
      startResponse(current, []);
      return [];
    });
    using client = await StrictClient.connect(server);
    await fc.assert(
      fc.asyncProperty(status, async (status) => {
        current = status;
        client.clear();
        const [response] = await client
          .send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
          .responses("GET");
        const expected = statusLine.test(status) ? status : "500 Internal Server Error";
        assert.equal(response?.status, expected);
      }),
      onSockets,
    );
  });
});
