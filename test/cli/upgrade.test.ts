import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { folderOf, startServing, urlOf } from "../support/command.ts";
import { bodyOf, exchange } from "../support/serving.ts";

const files = {
  "app.mjs": `export function app(environ, startResponse) {
    environ["wsgix.upgrade"]?.(environ).socket.end("taken");
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    return ["declined"];
  }`,
};

/** Asks `wsgi serve` with these arguments for another protocol. */
async function ask(...args: readonly string[]): Promise<string> {
  using folder = folderOf(files);
  await using command = startServing(folder, "app.mjs", "--log=off", ...args);
  const port = Number(new URL(await urlOf(command)).port);
  const fields = "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n";
  return await exchange({ port }, `GET / HTTP/1.1\r\n${fields}\r\n`);
}

describe("wsgi serve --upgrade", () => {
  it("lets the application take a connection over", async () => {
    assert.equal(await ask("--upgrade"), "taken");
  });

  it("does so in workers", async () => {
    assert.equal(await ask("--upgrade", "--workers=1"), "taken");
  });

  it("does so while it reloads", async () => {
    assert.equal(await ask("--upgrade", "--reload"), "taken");
  });

  it("is not on by itself", async () => {
    assert.equal(bodyOf(await ask()), "declined");
  });
});
