import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setupTestingDefaults, type Environ } from "@wsgi/core";
import { accessLog, type AccessLogFormat } from "@wsgi/middleware/access-log";
import { call, respond } from "@wsgi/testing";
import fc from "fast-check";
import { pure } from "../support/property.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom(...'a \t\r\n"\\x41[]-\0\x7f\x85\xa0é\u2028\u2029世\ud83d') }),
);

/** Is a request whose every word is the client's. */
const request: fc.Arbitrary<Environ> = fc
  .record(
    {
      REQUEST_METHOD: text,
      REQUEST_URI: text,
      SERVER_PROTOCOL: text,
      REMOTE_ADDR: text,
      REMOTE_USER: text,
      HTTP_REFERER: text,
      HTTP_USER_AGENT: text,
      "wsgix.request_id": text,
    },
    { requiredKeys: ["REQUEST_METHOD", "REQUEST_URI", "SERVER_PROTOCOL", "REMOTE_ADDR"] },
  )
  .map((keys) => setupTestingDefaults(keys as Partial<Environ>));

const body = fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 });

/** Logs one request, and gives what was written. */
async function log(format: AccessLogFormat, environ: Environ, chunks: string[]): Promise<string> {
  let written = "";
  const destination = { write: (line: string) => void (written += line) };
  const date = (): Date => new Date(0);
  const layer = accessLog({ format, destination, now: () => 0, date });
  await call(layer(respond(chunks)), environ);
  return written;
}

/** Takes escapes back. */
function unescaped(field: string | undefined): string | undefined {
  return field?.replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4}))/g, (_, two: string, four: string) =>
    String.fromCharCode(Number.parseInt(two ?? four, 16)),
  );
}

/** Says how an absent or empty value is written. */
function orDash(value: unknown): unknown {
  return value === undefined || value === "" ? "-" : value;
}

function bytesOf(environ: Environ, chunks: string[]): number {
  return environ.REQUEST_METHOD === "HEAD" ? 0 : Buffer.byteLength(chunks.join(""));
}

const common =
  /^([!-~]+) - ([!-~]+) \[01\/Jan\/1970:00:00:00 \+0000\] "([!-~]+) ([!-~]+) ([!-~]+)" 200 (\d+|-)/;

function checkCommon(line: string, environ: Environ, bytes: number): void {
  const [, ...fields] = common.exec(line) ?? [];
  assert.deepEqual(fields.slice(0, 5).map(unescaped), [
    orDash(environ.REMOTE_ADDR),
    orDash(environ.REMOTE_USER),
    orDash(environ.REQUEST_METHOD),
    orDash(environ.REQUEST_URI),
    orDash(environ.SERVER_PROTOCOL),
  ]);
  assert.equal(fields[5], bytes === 0 ? "-" : String(bytes));
}

describe("accessLog()", () => {
  it("writes one common line that can be read back", () =>
    fc.assert(
      fc.asyncProperty(request, body, async (environ, chunks) => {
        const line = await log("common", environ, chunks);
        assert.match(line, /^[ -~]+\n$/);
        assert.equal(line.trimEnd(), common.exec(line)?.[0]);
        checkCommon(line, environ, bytesOf(environ, chunks));
      }),
      pure,
    ));

  it("writes one combined line that can be read back", () =>
    fc.assert(
      fc.asyncProperty(request, body, async (environ, chunks) => {
        const line = await log("combined", environ, chunks);
        assert.match(line, /^[ -~]+\n$/);
        checkCommon(line, environ, bytesOf(environ, chunks));
        const [, referer, agent] = /^ "([^"]*)" "([^"]*)"\n$/.exec(line.replace(common, "")) ?? [];
        assert.equal(unescaped(referer), orDash(environ.HTTP_REFERER));
        assert.equal(unescaped(agent), orDash(environ.HTTP_USER_AGENT));
      }),
      pure,
    ));

  it("writes one short line that can be read back", () =>
    fc.assert(
      fc.asyncProperty(request, body, async (environ, chunks) => {
        const line = await log("dev", environ, chunks);
        const [, ...fields] = /^([!-~]+) ([!-~]+) 200 (\d+) B 0\.0 ms\n$/.exec(line) ?? [];
        assert.deepEqual(fields.map(unescaped), [
          orDash(environ.REQUEST_METHOD),
          orDash(environ.REQUEST_URI),
          String(bytesOf(environ, chunks)),
        ]);
      }),
      pure,
    ));

  it("writes one line of JSON that can be read back", () =>
    fc.assert(
      fc.asyncProperty(request, body, async (environ, chunks) => {
        const line = await log("json", environ, chunks);
        assert.match(line, /^[ -~]+\n$/);
        assert.deepEqual(JSON.parse(line), {
          time: "1970-01-01T00:00:00.000Z",
          remoteAddr: environ.REMOTE_ADDR,
          ...optional("user", environ.REMOTE_USER),
          method: environ.REQUEST_METHOD,
          target: environ.REQUEST_URI,
          protocol: environ.SERVER_PROTOCOL,
          status: 200,
          bytes: bytesOf(environ, chunks),
          cut: false,
          duration: 0,
          ...optional("referer", environ.HTTP_REFERER),
          ...optional("userAgent", environ.HTTP_USER_AGENT),
          ...optional("requestId", environ["wsgix.request_id"]),
        });
      }),
      pure,
    ));

  it("keeps what a function makes on one line", () =>
    fc.assert(
      fc.asyncProperty(request, text, async (environ, made) => {
        const line = await log(() => made, environ, []);
        assert.equal(line.split(/[\n\v\f\r\x85\u2028\u2029]/).length, 2);
        assert.ok(line.endsWith("\n"));
      }),
      pure,
    ));
});

function optional(name: string, value: unknown): object {
  return value === undefined ? {} : { [name]: value };
}
