import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application, HeaderList, Middleware } from "@wsgi/core";
import { stack } from "@wsgi/core";
import { drawTree, steps, type Recording } from "@wsgi/inspector";
import { closable, respond } from "@wsgi/testing";
import fc from "fast-check";
import { pure } from "../support/property.ts";
import { see } from "./inspecting.ts";

/** Is text that is found nowhere by chance. */
const secret = fc.stringMatching(/^[A-Za-z0-9._~-]{12,40}$/);

/** Finds all that can be read of a recording. */
function allOf(recording: Recording): string {
  return [JSON.stringify(recording), drawTree(recording), JSON.stringify(steps(recording))].join();
}

/** Makes a layer that adds keys to environ. */
function adding(keys: Readonly<Record<string, unknown>>): Middleware {
  return function adding(app) {
    return function adding(environ, startResponse) {
      return app(Object.assign(environ, keys), startResponse);
    };
  };
}

describe("secrets", () => {
  it("of requests are in no recording", () =>
    fc.assert(
      fc.asyncProperty(secret, secret, async (one, other) => {
        const target = `/?token=${one}&next=${encodeURIComponent(`/in?api_key=${other}`)}`;
        const headers = {
          Authorization: `Bearer ${one}`,
          "Proxy-Authorization": `Basic ${other}`,
          Cookie: `sid=${one}; theme=${other}`,
          "X-Api-Key": one,
          Referer: `https://ann:${other}@example.com/?session=${one}#x`,
        };
        const { recording } = await see(respond(["Hello"]), `GET ${target}`, { headers });
        assert.doesNotMatch(allOf(recording), new RegExp(`${escape(one)}|${escape(other)}`));
        assert.match(allOf(recording), /sid=\(hidden\); theme=\(hidden\)/);
      }),
      { ...pure, numRuns: pure.numRuns! / 5 },
    ));

  it("of responses, environ and errors are in no recording", () =>
    fc.assert(
      fc.asyncProperty(secret, secret, async (one, other) => {
        const headers: HeaderList = [
          ["Set-Cookie", `sid=${one}; Path=/; HttpOnly`],
          ["Location", `/next?signature=${other}`],
          ["X-Auth-Token", one],
        ];
        const app: Application = (_environ, startResponse) => {
          startResponse("302 Found", headers);
          throw new Error(`Cannot sign in with password=${other}`);
        };
        const keys = {
          "wsgix.session": { user: one },
          "app.settings": { db: { password: other, list: [{ secretKey: one }] } },
        };
        const { recording } = await see(stack(adding(keys))(app));
        assert.doesNotMatch(allOf(recording), new RegExp(`${escape(one)}|${escape(other)}`));
        assert.match(allOf(recording), /sid=\(hidden\); Path=\/; HttpOnly/);
      }),
      { ...pure, numRuns: pure.numRuns! / 5 },
    ));

  it("are hidden wherever they turn up again: in bodies, errors and keys of other names", () =>
    fc.assert(
      fc.asyncProperty(secret, fc.nat(90), async (value, at) => {
        const app: Application = (environ, startResponse) => {
          const text = `${".".repeat(at)}${value}`;
          startResponse("200 OK", [["X-Echo", environ.HTTP_AUTHORIZATION!.slice(7)]])(text);
          return closable(text, Buffer.from(text), `{"access_token": "${value}"}`);
        };
        const keys = { "app.echo": value, "app.deep": [{ echo: `<${value}>` }] };
        const headers = { Authorization: `Bearer ${value}` };
        const { recording } = await see(stack(adding(keys))(app), "GET /", { headers });
        assert.doesNotMatch(allOf(recording), new RegExp(escape(value)));
        // Nor a part of it, where a text was cut.
        assert.doesNotMatch(allOf(recording), new RegExp(escape(value.slice(0, 10))));
      }),
      { ...pure, numRuns: pure.numRuns! / 5 },
    ));

  it("are the user and the password in a URL", async () => {
    const { recording } = await see(respond(["Hello"]), "GET /", {
      headers: { Referer: "http://ann:swordfish@example.com:80/x@y" },
    });
    assert.match(JSON.stringify(recording), /"http:\/\/\(hidden\)@example.com:80\/x@y"/);
  });

  it("are hidden in the encoding that they came in, and decoded", async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      return ["Your token is swordfish & chips"];
    };
    const { recording } = await see(app, "GET /?token=swordfish%20%26+chips");
    assert.doesNotMatch(JSON.stringify(recording), /swordfish|chips/);
  });

  it("keep the names of cookies, and the attributes, but nothing that only looks like one", async () => {
    const headers: HeaderList = [["Set-Cookie", "a=1; Path=/x; Max-Age=5; secret-thing; Secure"]];
    const { recording } = await see(respond([], { headers }), "GET /", {
      headers: { Cookie: "a=1; nameless" },
    });
    assert.match(JSON.stringify(recording), /"HTTP_COOKIE":"a=\(hidden\);\(hidden\)"/);
    assert.match(
      JSON.stringify(recording),
      /"a=\(hidden\); Path=\/x; Max-Age=5; \(hidden\); Secure"/,
    );
  });

  it("have the names that the recorder is told, in any spelling", async () => {
    const { recording } = await see(respond(["Hello"]), "GET /?pin=1234&my_x=5678&plain=90", {
      headers: { "X-Door": "4321" },
      secrets: ["x-door", "PIN", /^my_/g],
    });
    assert.equal(recording.target, "/?pin=(hidden)&my_x=(hidden)&plain=90");
    assert.match(JSON.stringify(recording), /"HTTP_X_DOOR":"\(hidden\)"/);
  });

  it("are not looked for where values are short, which would be found by chance", async () => {
    const { recording } = await see(respond(["12345"]), "GET /", {
      headers: { Cookie: "a=12345" },
    });
    assert.match(JSON.stringify(recording), /"text":"12345"/);
  });

  it("do not take time that grows with the square of a hostile text", async () => {
    const text = ['"\\"'.repeat(8_000), "//:".repeat(8_000), "a=%25".repeat(8_000)];
    const { recording } = await see(respond(["Hello"]), "GET /", {
      headers: { "X-One": text[0]!, "X-Two": `//${":".repeat(30_000)}`, "X-Three": text[2]! },
    });
    assert.ok(JSON.stringify(recording).length < 10_000);
  });
});

function escape(text: string): string {
  return text.replace(/[.~-]/g, "\\$&");
}
