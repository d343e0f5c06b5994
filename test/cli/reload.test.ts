import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { folderOf, makeGate, startServing, urlOf } from "../support/command.ts";
import { get, RawClient } from "../support/serving.ts";

/** Is the source of an application that answers with a text. */
function says(text: string): string {
  return `export function app(environ, startResponse) {
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    return [${JSON.stringify(text)}];
  }\n`;
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

function connect(url: string): Promise<RawClient> {
  return RawClient.connect({ port: Number(new URL(url).port) });
}

describe("wsgi serve --reload", () => {
  it("serves what it finds", async () => {
    using folder = folderOf({ "app.ts": says("old") });
    await using command = startServing(folder, "app.ts", "--reload");
    const line = await command.line("");
    assert.match(line, /^Serving app\.ts:app on http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(await textOf(line.split(" on ")[1]!), "old");
  });

  it("serves the new code when the file is saved", async () => {
    using folder = folderOf({ "app.ts": says("old") });
    await using command = startServing(folder, "app.ts", "--reload");
    const url = await urlOf(command);
    folder.write("app.ts", says("new"));
    assert.equal(await command.line(""), "Reloaded app.ts:app");
    assert.equal(await textOf(url), "new");
  });

  it("serves the new code when a file that it imports is saved", async () => {
    using folder = folderOf({
      "app.js": 'export { app } from "./other.js";',
      "other.js": says("old"),
    });
    await using command = startServing(folder, "app.js", "--reload");
    const url = await urlOf(command);
    folder.write("other.js", says("new"));
    await command.line("Reloaded");
    assert.equal(await textOf(url), "new");
  });

  it("lets a request wait while the new code is loaded", async () => {
    await using gate = await makeGate();
    using folder = folderOf({ "app.mjs": says("old") });
    await using command = startServing(folder, "app.mjs", "--reload");
    const url = await urlOf(command);
    folder.write("app.mjs", `await fetch("${gate.url}");\n${says("new")}`);
    await gate.reached;
    using client = await connect(url);
    client.send(get);
    gate.open();
    assert.match(await client.closed, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nnew$/);
  });

  it("lets a request that is under way end with the old code", async () => {
    await using gate = await makeGate();
    using folder = folderOf({
      "app.js": `export async function app(environ, startResponse) {
        await fetch("${gate.url}");
        startResponse("200 OK", []);
        return ["old"];
      }`,
    });
    await using command = startServing(folder, "app.js", "--reload");
    const response = textOf(await urlOf(command));
    await gate.reached;
    folder.write("app.js", says("new"));
    await command.line("Reloaded");
    gate.open();
    assert.equal(await response, "old");
  });

  it("answers one request on each connection", async () => {
    using folder = folderOf({ "app.js": says("Hello") });
    await using command = startServing(folder, "app.js", "--reload");
    using client = await connect(await urlOf(command));
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert.match(await client.closed, /\r\nConnection: close\r\n/);
  });

  it("tells the application the addresses of the connection", async () => {
    using folder = folderOf({
      "app.js": `export function app({ REMOTE_ADDR, SERVER_NAME, SERVER_PORT }, startResponse) {
        startResponse("200 OK", []);
        return [\`\${REMOTE_ADDR} http://\${SERVER_NAME}:\${SERVER_PORT}\`];
      }`,
    });
    await using command = startServing(folder, "app.js", "--reload");
    const url = await urlOf(command);
    assert.equal(await textOf(url), `127.0.0.1 ${url}`);
  });

  it("shows the error of a broken file, in the browser and in the terminal", async () => {
    using folder = folderOf({ "app.js": says("old") });
    await using command = startServing(folder, "app.js", "--reload");
    const url = await urlOf(command);
    folder.write("app.js", 'throw new Error("Broken");');
    await command.errorLine("Error: Broken");
    assert.match(await command.errorLine("waiting"), /^app\.js ended with exit code 1; /);
    const response = await fetch(url);
    assert.equal(response.status, 500);
    assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.match(
      await response.text(),
      /^app\.js ended with exit code 1\n[^]*Error: Broken\n +at /,
    );
  });

  it("shows the error to a request that waited too", async () => {
    await using gate = await makeGate();
    using folder = folderOf({ "app.mjs": says("old") });
    await using command = startServing(folder, "app.mjs", "--reload");
    const url = await urlOf(command);
    folder.write("app.mjs", `await fetch("${gate.url}");\nthrow new Error("Broken");`);
    await gate.reached;
    using client = await connect(url);
    client.send(get);
    gate.open();
    assert.match(await client.closed, /^HTTP\/1\.1 500 [^]*Error: Broken/);
  });

  it("recovers when a broken file is saved again", async () => {
    using folder = folderOf({ "app.js": "export const app = ;" });
    await using command = startServing(folder, "app.js", "--reload");
    const url = await urlOf(command);
    await command.errorLine("waiting for a change");
    folder.write("app.js", says("mended"));
    assert.equal(await command.line(""), "Reloaded app.js:app");
    assert.equal(await textOf(url), "mended");
  });

  it("shows in a line what is no application", async () => {
    using folder = folderOf({ "app.js": "export const other = 1;" });
    await using command = startServing(folder, "app.js", "--reload");
    const text = await textOf(await urlOf(command));
    assert.match(text, /\n\nCannot load "app\.js": it exports other; wanted app or default\n$/);
  });

  it("shows that the application has ended, and starts it when it is saved", async () => {
    using folder = folderOf({ "app.js": "export const app = () => process.exit(3);" });
    await using command = startServing(folder, "app.js", "--reload");
    const url = await urlOf(command);
    await assert.rejects(fetch(url));
    assert.match(await command.errorLine("waiting"), /^app\.js ended with exit code 3; /);
    assert.match(await textOf(url), /^app\.js ended with exit code 3\n/);
    folder.write("app.js", says("mended"));
    await command.line("Reloaded");
    assert.equal(await textOf(url), "mended");
  });

  it("lets a request wait until it is known how the application ended", async () => {
    await using gate = await makeGate();
    using folder = folderOf({
      "app.js": `import { spawn } from "node:child_process";
        // What it writes may be of interest, and so its end is waited for.
        spawn(process.execPath, ["-e", "fetch('${gate.url}').then((r) => r.text())"], { stdio: "inherit" });
        export const app = () => process.exit(3);`,
    });
    await using command = startServing(folder, "app.js", "--reload");
    const url = await urlOf(command);
    await gate.reached;
    await assert.rejects(fetch(url));
    using client = await connect(url);
    client.send(get);
    gate.open();
    assert.match(await client.closed, /\r\n\r\napp\.js ended with exit code 3\n/);
  });

  it("gives up a file that is still loading when it is saved again", async () => {
    await using gate = await makeGate();
    using folder = folderOf({
      "app.mjs": `process.on("exit", () => console.error("given up"));
        await fetch("${gate.url}");`,
    });
    await using command = startServing(folder, "app.mjs", "--reload");
    await gate.reached;
    folder.write("app.mjs", says("new"));
    await command.errorLine("given up");
    assert.equal(await textOf(await urlOf(command)), "new");
  });

  it("ends when it is told to, with the requests that are under way", async () => {
    await using gate = await makeGate();
    using folder = folderOf({
      "app.js": `process.on("exit", () => console.log("ended"));
        export async function app(environ, startResponse) {
          await fetch("${gate.url}");
          startResponse("200 OK", []);
          return ["done"];
        }`,
    });
    await using command = startServing(folder, "app.js", "--reload");
    const response = textOf(await urlOf(command));
    await gate.reached;
    command.signal("SIGINT");
    gate.open();
    assert.equal(await response, "done");
    await command.line("ended");
    assert.equal(await command.ended, 0);
  });

  it("leaves no process behind if it is killed", async () => {
    await using gate = await makeGate();
    using folder = folderOf({ "app.js": `void fetch("${gate.url}");\n${says("Hello")}` });
    await using command = startServing(folder, "app.js", "--reload");
    await command.line("Serving");
    await gate.reached;
    command.signal("SIGKILL");
    await gate.left;
  });

  it("refuses a file that is not there", async () => {
    using folder = folderOf({});
    await using command = startServing(folder, "app.js", "--reload");
    assert.match(await command.errorLine(""), /^Cannot load "app\.js": there is no such file; /);
    assert.equal(await command.ended, 1);
  });
});
