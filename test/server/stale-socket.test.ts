import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { serve } from "@wsgi/server";
import { respond } from "@wsgi/testing";
import { bodyOf, exchange, get } from "../support/serving.ts";

const hello = respond(["Hello"]);

/** Makes a folder for sockets. */
function folder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "wsgi-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

/** Leaves the file of a socket without a server. */
async function abandon(path: string): Promise<void> {
  const server = net.createServer().listen(`${path}.open`);
  await once(server, "listening");
  // A server that ends removes its file, but only where it was made.
  renameSync(`${path}.open`, path);
  server.close();
  await once(server, "close");
}

describe("a Unix socket that is there already", () => {
  it("F41 · is replaced if its server has ended", async () => {
    using at = folder();
    const path = join(at.path, "app.sock");
    await abandon(path);
    await using server = await serve(hello, { path });
    assert.equal(server.url, `unix:${path}`);
    assert.equal(bodyOf(await exchange({ path }, get)), "Hello");
  });

  it("F41 · stays if somebody answers on it", async () => {
    using at = folder();
    const path = join(at.path, "app.sock");
    await using _first = await serve(hello, { path });
    await assert.rejects(serve(respond(["Second"]), { path }), /the address is in use/);
    assert.equal(bodyOf(await exchange({ path }, get)), "Hello");
  });

  it("F41 · stays if it is a file of another kind", async () => {
    using at = folder();
    const path = join(at.path, "notes.txt");
    writeFileSync(path, "Buy milk");
    await assert.rejects(serve(hello, { path }), /^Error: Cannot listen on unix:/);
    assert.equal(readFileSync(path, "utf8"), "Buy milk");
  });

  it("F41 · is removed when its server is closed", async () => {
    using at = folder();
    const path = join(at.path, "app.sock");
    await abandon(path);
    await (await serve(hello, { path })).close();
    assert.equal(existsSync(path), false);
  });
});
