import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { folderOf, makeGate, startServing, urlOf, wsgi, type Gate } from "../support/command.ts";
import { startClients } from "./keep-alive.ts";

const says = `export function app(environ, startResponse) {
  startResponse("200 OK", []);
  return ["Hello"];
}`;

/** Is the source of an application whose requests wait at a gate, but for one that does something. */
function waitsAt(gate: Gate, path = "", action = ""): string {
  return `export async function app(environ, startResponse) {
    startResponse("200 OK", []);
    if (environ.PATH_INFO === "${path}") {
      ${action};
      return ["did it"];
    }
    await fetch("${gate.url}");
    return ["done"];
  }`;
}

describe("SIGTERM", () => {
  it("loses no request of clients that keep their connections", async () => {
    using folder = folderOf({ "a.js": says });
    await using command = startServing(folder, "a.js", "--log", "off");
    const clients = startClients(await urlOf(command), 8, ({ last }) => last);
    await clients.begun;
    command.signal("SIGTERM");
    await clients.ended;
    assert.equal(await command.ended, 0);
  });

  it("tells the application, which is asked for a while yet", async () => {
    using folder = folderOf({
      "a.js": `export function app(environ, startResponse) {
        startResponse(environ["wsgix.draining"] ? "503 Service Unavailable" : "200 OK", []);
        return [];
      }
      process.on("SIGTERM", () => console.log("told"));`,
    });
    await using command = startServing(folder, "a.js", "--drain-delay", "60");
    const url = await urlOf(command);
    assert.equal((await fetch(url)).status, 200);
    command.signal("SIGTERM");
    await command.line("told");
    assert.equal((await fetch(url)).status, 503);
  });

  it("gives requests only so much time, and tells how many took longer", async () => {
    await using gate = await makeGate();
    using folder = folderOf({ "a.js": waitsAt(gate) });
    await using command = startServing(folder, "a.js", "--graceful-timeout", "0");
    const response = fetch(await urlOf(command));
    await gate.reached;
    command.signal("SIGTERM");
    await assert.rejects(response);
    assert.match(await command.errorLine("cut off"), /: 1$/);
    assert.equal(await command.ended, 1);
  });
});

describe("SIGQUIT", () => {
  it("waits for nothing", async () => {
    await using gate = await makeGate();
    using folder = folderOf({ "a.js": waitsAt(gate) });
    await using command = startServing(folder, "a.js");
    const response = fetch(await urlOf(command));
    await gate.reached;
    command.signal("SIGQUIT");
    await assert.rejects(response);
    assert.equal(await command.ended, 131);
  });
});

describe("an error that nobody caught", () => {
  it("ends the server, but not the requests that are under way", () =>
    endsWhatFails('setTimeout(() => { throw new Error("Late") })'));

  it("may be a rejection", () => endsWhatFails('void Promise.reject(new Error("Late"))'));

  it("ends everything at once in development", async () => {
    await using gate = await makeGate();
    const action = 'setTimeout(() => { throw new Error("Late") })';
    using folder = folderOf({ "a.js": waitsAt(gate, "/late", action) });
    await using command = startServing(folder, "a.js", "--development");
    const url = await urlOf(command);
    const response = fetch(url);
    await gate.reached;
    const late = fetch(`${url}/late`).catch(() => {});
    await assert.rejects(response);
    await late;
    await command.errorLine("Error: Late");
    assert.equal(await command.ended, 1);
  });
});

describe("an output that nobody reads any more", () => {
  it("does not end the server", async () => {
    using folder = folderOf({
      "a.js": says.replace("{", '{\n environ["wsgi.errors"].write("x\\n");'),
    });
    await using command = startServing(folder, "a.js");
    const url = await urlOf(command);
    command.closeOutput();
    command.closeErrors();
    assert.equal(await (await fetch(url)).text(), "Hello");
    assert.equal(await (await fetch(url)).text(), "Hello");
    command.signal("SIGTERM");
    assert.equal(await command.ended, 0);
  });
});

describe("a time", () => {
  it("is refused if it is none", async () => {
    using folder = folderOf({ "a.js": says });
    assert.deepEqual(await wsgi(folder, ["serve", "a.js", "--graceful-timeout", "1s"]), {
      code: 2,
      stdout: "",
      stderr: 'Cannot serve: the graceful timeout is "1s"; wanted seconds from 0 to 86400\n',
    });
  });
});

/** Sees that an error ends the server, and that a request which is under way gets its answer before. */
async function endsWhatFails(action: string): Promise<void> {
  await using gate = await makeGate();
  using folder = folderOf({ "a.js": waitsAt(gate, "/late", action) });
  await using command = startServing(folder, "a.js");
  const url = await urlOf(command);
  const response = fetch(url);
  await gate.reached;
  await fetch(`${url}/late`);
  assert.match(await command.errorLine("nobody caught"), /Error: Late$/);
  gate.open();
  assert.equal(await (await response).text(), "done");
  assert.equal(await command.ended, 1);
}
