import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { promisify } from "node:util";
import type { Application, Environ } from "@wsgi/core";
import fc from "fast-check";
import { certificate } from "../support/certificate.ts";
import { onSockets } from "../support/property.ts";
import { get, RawClient, serving } from "../support/serving.ts";

/** Sends the same header fields several times on one connection; returns what each environ has of text. */
async function environsOf(fields: string, times = 5): Promise<string[][][]> {
  const environs: string[][][] = [];
  await using server = await serving((environ, startResponse) => {
    environs.push(textOf(environ));
    startResponse("200 OK", []);
    return [];
  });
  using client = await RawClient.connect(server);
  client.send(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`.repeat(times) + get);
  await client.closed;
  return environs.slice(0, times);
}

function textOf(environ: Environ): string[][] {
  return Object.entries(environ).filter((entry): entry is [string, string] => {
    return typeof entry[1] === "string";
  });
}

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,12}$/);
const value = fc.stringMatching(/^[!-~]{0,8}$/);
const reserved =
  /^(?:host|content-.*|transfer-encoding|connection|upgrade|expect|te|trailer|authorization)$/i;

describe("an environ for header fields that come again and again", () => {
  it("is the same every time, and has its keys in the same order", async () => {
    const field = fc.tuple(
      name.filter((name) => !reserved.test(name)),
      value,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(field, { maxLength: 12 }), async (fields) => {
        const head = fields.map((field) => `${field.join(": ")}\r\n`).join("");
        const [first, ...others] = await environsOf(head);
        for (const other of others) assert.deepEqual(other, first);
      }),
      onSockets,
    );
  });

  it("has the values of its own request", async () => {
    const seen: unknown[] = [];
    await using server = await serving((environ, startResponse) => {
      seen.push(environ.HTTP_X_NUMBER);
      startResponse("200 OK", []);
      return [];
    });
    using client = await RawClient.connect(server);
    for (const n of [1, 2, 3, 4, 5])
      client.send(`GET / HTTP/1.1\r\nHost: a\r\nX-Number: ${n}\r\n\r\n`);
    await client.send(get).closed;
    assert.deepEqual(seen.slice(0, 5), ["1", "2", "3", "4", "5"]);
  });

  it("tells other names of the same lengths apart", async () => {
    await environsOf("X-One: 1\r\n");
    const [environ] = await environsOf("X-Two: 2\r\n", 1);
    assert.ok(environ!.some(([key]) => key === "HTTP_X_TWO"));
    assert.ok(environ!.every(([key]) => key !== "HTTP_X_ONE"));
  });

  it("is a plain object", async () => {
    const prototypes: unknown[] = [];
    await using server = await serving((environ, startResponse) => {
      prototypes.push(Object.getPrototypeOf(environ));
      startResponse("200 OK", []);
      return [];
    });
    using client = await RawClient.connect(server);
    await client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Plain: 1\r\n\r\n".repeat(5) + get).closed;
    assert.ok(prototypes.every((prototype) => prototype === Object.prototype));
  });

  it("refuses a field that is given twice every time", async () => {
    const twice = "GET / HTTP/1.1\r\nHost: a\r\nContent-Type: a\r\nContent-Type: a\r\n\r\n";
    await using server = await serving(() => assert.fail("called"));
    for (let i = 0; i < 5; i++) {
      using client = await RawClient.connect(server);
      assert.match(await client.send(twice).closed, /^HTTP\/1\.1 400 /);
    }
  });

  it("says HTTPS also when the fields are known from HTTP", async () => {
    await environsOf("X-Scheme: 1\r\n");
    const app: Application = (environ, startResponse) => {
      startResponse("200 OK", []);
      return [String(environ.HTTPS)];
    };
    await using server = await serving(app, { tls: certificate });
    const socket = connect({ port: server.port, ca: certificate.cert, servername: "localhost" });
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nX-Scheme: 1\r\n\r\n${get}`);
    assert.match(await text(socket), /\r\n\r\non(?:HTTP|$)/);
  });

  it("is made where code must not be made of text", async () => {
    const program = `
      import { serve } from "@wsgi/server";
      const seen = [];
      const server = await serve((environ, startResponse) => {
        seen.push(environ.HTTP_X_FIELD);
        startResponse("200 OK", []);
        return [];
      }, { port: 0 });
      for (let i = 0; i < 5; i++) await fetch(server.url, { headers: { "X-Field": String(i) } });
      console.log(seen.join());
      await server.close();`;
    const flags = ["--disallow-code-generation-from-strings", "--input-type=module", "-e", program];
    const { stdout } = await promisify(execFile)(process.execPath, flags);
    assert.equal(stdout, "0,1,2,3,4\n");
  });
});

describe("the request of node:http beneath", () => {
  it("has all its header fields for who asks", async () => {
    await using server = await serving((_environ, startResponse) => {
      startResponse("200 OK", []);
      return [];
    });
    const headers: unknown[] = [];
    server.server.httpServer.on("request", (req) => headers.push(req.headers["x-field"]));
    using client = await RawClient.connect(server);
    await client.send(
      `GET / HTTP/1.1\r\nX-Field: here\r\n${get.split("\r\n").slice(1).join("\r\n")}`,
    ).closed;
    assert.deepEqual(headers, ["here"]);
  });

  it("has them also for who takes an upgrade", async () => {
    await using server = await serving(() => assert.fail("called"));
    const headers: unknown[] = [];
    server.server.httpServer.on("upgrade", (req, socket) => {
      headers.push(req.headers["x-field"]);
      socket.end();
    });
    using client = await RawClient.connect(server);
    await client.send(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\nX-Field: here\r\n\r\n",
    ).closed;
    assert.deepEqual(headers, ["here"]);
  });
});
