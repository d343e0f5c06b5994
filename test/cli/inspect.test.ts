import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Recording } from "@wsgi/inspector";
import { folderOf, wsgi } from "../support/command.ts";

const hello = `
  import { stack } from "@wsgi/core";
  const signed = function signed(app) {
    return (environ, startResponse) =>
      app(environ, (status, headers, excInfo) =>
        startResponse(status, [...headers, ["X-Signed", "yes"]], excInfo));
  };
  export const app = stack(signed)(function hello(environ, startResponse) {
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    return ["Hello, ", environ.PATH_INFO.slice(1), "!"];
  });`;

/** Takes the times out of a drawing. */
function timeless(text: string): string {
  return text.replace(/[\d.]+ ms/g, "0 ms");
}

describe("wsgi inspect", () => {
  it("prints the layers with what each did", async () => {
    using folder = folderOf({ "a.mjs": hello });
    const { code, stdout } = await wsgi(folder, ["inspect", "a.mjs", "GET", "/Ann"]);
    assert.equal(
      timeless(stdout),
      `GET /Ann  200 OK  11 bytes  0 ms

signed    0 ms
│   header + X-Signed: yes
└─ hello  0 ms
       status   200 OK
       header + Content-Type: text/plain
       body     3 chunks, 11 bytes
`,
    );
    assert.equal(code, 0);
  });

  it("prints the recording as JSON with --json", async () => {
    using folder = folderOf({ "a.mjs": hello });
    const { stdout } = await wsgi(folder, ["inspect", "a.mjs", "GET", "/Ann", "--json"]);
    const { target, events } = JSON.parse(stdout) as Recording;
    assert.deepEqual([target, events.at(-1)?.kind], ["/Ann", "returned"]);
  });

  it("prints the steps with --steps", async () => {
    using folder = folderOf({ "a.mjs": hello });
    const { stdout } = await wsgi(folder, ["inspect", "a.mjs", "GET", "/Ann", "--steps"]);
    assert.match(
      stdout,
      /^ +0\.000 {2}The server calls signed with GET \/Ann: \d+ keys of environ\. \[call-once\]\n/,
    );
    assert.match(
      stdout,
      /signed passes it on to the server, with X-Signed added\. \[layer-start\]\n/,
    );
  });

  it("sends header fields with -H and a body with -d, and hides what is secret", async () => {
    using folder = folderOf({
      "a.mjs": `export async function app(environ, startResponse) {
        startResponse("200 OK", [["X-Type", environ.CONTENT_TYPE], ["X-Pin", environ.HTTP_COOKIE]]);
        return [await environ["wsgi.input"].read()];
      }`,
    });
    const args = ["inspect", "a.mjs", "POST", "/", "-H", "Cookie: sid=swordfish", "-d", "a=1"];
    const { stdout } = await wsgi(folder, args);
    assert.match(stdout, /X-Type: application\/x-www-form-urlencoded\n/);
    assert.match(stdout, /X-Pin: sid=\(hidden\)\n/);
    assert.match(stdout, /body {5}1 chunk, 3 bytes\n/);
  });

  it("prints what led to an error, and where an application throws", async () => {
    using folder = folderOf({
      "a.mjs": `export function app() {\n  throw new Error("Out of order");\n}`,
    });
    const { code, stdout, stderr } = await wsgi(folder, ["inspect", "a.mjs", "GET", "/"]);
    assert.match(stdout, /^GET \/ {2}no status [^]*threw Error: Out of order\n$/);
    assert.match(stderr, /Error: Out of order\n +at app \(.*a\.mjs:2:/);
    assert.equal(code, 1);
  });

  it("shows that its application never settles, by ending with a word", async () => {
    using folder = folderOf({ "a.mjs": "export const app = () => new Promise(() => {});" });
    const { code, stderr } = await wsgi(folder, ["inspect", "a.mjs", "GET", "/"]);
    assert.equal(stderr, "Cannot go on: the file waits for something that never happens\n");
    assert.equal(code, 1);
  });

  it("asks for a method and a path, and refuses what is none", async () => {
    using folder = folderOf({ "a.mjs": hello });
    const { stderr, code } = await wsgi(folder, ["inspect", "a.mjs"]);
    assert.deepEqual([stderr, code], ["Provide METHOD and PATH too\n", 2]);
    const refused = await wsgi(folder, ["inspect", "a.mjs", "GET", "nowhere"]);
    assert.match(refused.stderr, /^Cannot make an environ: the request is "GET nowhere"/);
  });

  it("says what it takes", async () => {
    using folder = folderOf({});
    const { stdout } = await wsgi(folder, ["inspect", "--help"]);
    assert.match(stdout, /^Usage: wsgi inspect FILE\[:NAME\] METHOD PATH .*--steps .*--json /s);
  });
});
