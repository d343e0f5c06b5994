import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import process from "node:process";
import { describe, it } from "node:test";
import { respond } from "@wsgi/testing";
import { folderOf, makeGate, startServing, urlOf, wsgi } from "../support/command.ts";
import { get, RawClient, serving } from "../support/serving.ts";
import { startClients } from "./keep-alive.ts";

/** Is the source of an application that answers with a text. */
function says(text: string): string {
  return answers(JSON.stringify(text));
}

/** Is the source of an application that answers with the value of an expression. */
function answers(expression: string, before = ""): string {
  return `export async function app(environ, startResponse) {
    ${before};
    startResponse("200 OK", []);
    return [String(${expression})];
  }\n`;
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: "close" } })).text();
}

function connect(url: string): Promise<RawClient> {
  return RawClient.connect({ port: Number(new URL(url).port) });
}

const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

describe("wsgi serve --workers", () => {
  it("serves, and says with how many workers", async () => {
    using folder = folderOf({ "a.js": says("Hello") });
    await using command = startServing(folder, "a.js", "--workers", "2");
    const line = await command.line("");
    assert.match(line, /^Serving a\.js:app with 2 workers on http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(await textOf(line.split(" on ")[1]!), "Hello");
  });

  it("takes as many as suit the machine for auto", async () => {
    using folder = folderOf({ "a.js": says("Hello") });
    await using command = startServing(folder, "a.js", "--workers", "auto");
    const many = availableParallelism();
    assert.match(await command.line(""), new RegExp(` with ${many} workers? on `));
  });

  it("serves TypeScript, with more than types", async () => {
    using folder = folderOf({
      "a.ts": `enum Greeting { Hello = "Hello" }\n${answers("Greeting.Hello as string")}`,
    });
    await using command = startServing(folder, "a.ts", "--workers", "1");
    assert.equal(await textOf(await urlOf(command)), "Hello");
  });

  it("gives connections to the workers in turn", async () => {
    using folder = folderOf({ "a.js": answers("process.pid") });
    await using command = startServing(folder, "a.js", "--workers", "2");
    const url = await urlOf(command);
    const first = await textOf(url);
    const second = await textOf(url);
    assert.notEqual(first, second);
    assert.equal(await textOf(url), first);
  });

  it("keeps connections for more than one request", async () => {
    using folder = folderOf({ "a.js": says("Hello") });
    await using command = startServing(folder, "a.js", "--workers", "1");
    using client = await connect(await urlOf(command));
    await client.send(request).until("Hello");
    client.received = "";
    await client.send(request).until("Hello");
  });

  it("tells the application that it has others beside it, even if there is one worker", async () => {
    using folder = folderOf({ "a.js": answers('environ["wsgi.multiprocess"]') });
    await using command = startServing(folder, "a.js", "--workers", "1");
    assert.equal(await textOf(await urlOf(command)), "true");
  });

  it("tells the application the addresses of the connection", async () => {
    const expression = "`${environ.REMOTE_ADDR} ${environ.SERVER_PORT}`";
    using folder = folderOf({ "a.js": answers(expression) });
    await using command = startServing(folder, "a.js", "--workers", "1");
    const url = await urlOf(command);
    assert.equal(await textOf(url), `127.0.0.1 ${new URL(url).port}`);
  });

  it("refuses a port that is taken, in one line", async () => {
    await using server = await serving(respond(["Hello"]));
    using folder = folderOf({ "a.js": says("Hello") });
    const args = ["serve", "a.js", "--workers", "2", "--port", String(server.port)];
    const { code, stderr } = await wsgi(folder, args);
    assert.match(stderr, /^Cannot listen on .*: the address is in use; .*\n$/);
    assert.equal(code, 1);
  });

  it("refuses a file that is not there, in one line", async () => {
    using folder = folderOf({});
    const { code, stderr } = await wsgi(folder, ["serve", "a.js", "--workers", "2"]);
    assert.match(stderr, /^Cannot load "a\.js": there is no such file; .*\n$/);
    assert.equal(code, 1);
  });

  it("ends if the application cannot be loaded, and tells why once", async () => {
    using folder = folderOf({ "a.js": "export const other = 1;" });
    const { code, stderr } = await wsgi(folder, ["serve", "a.js", "--workers", "2", "--port", "0"]);
    assert.equal(
      stderr,
      'Cannot load "a.js": it exports other; wanted app or default\n' +
        "A worker ended with exit code 1 while it started\n",
    );
    assert.equal(code, 1);
  });

  it("refuses a number that is none", async () => {
    using folder = folderOf({ "a.js": says("Hello") });
    const { code, stderr } = await wsgi(folder, ["serve", "a.js", "--workers", "0"]);
    assert.match(stderr, /^Cannot serve: the workers are "0"; wanted a whole number from 1 .*\n$/);
    assert.equal(code, 2);
  });

  it("refuses to watch files too", async () => {
    using folder = folderOf({ "a.js": says("Hello") });
    const { code, stderr } = await wsgi(folder, ["serve", "a.js", "--workers", "2", "--reload"]);
    assert.match(stderr, /^Cannot serve: both workers and reload are given; wanted one, .*\n$/);
    assert.equal(code, 2);
  });
});

describe("a worker", () => {
  it("is replaced when it is killed", async () => {
    using folder = folderOf({ "a.js": answers("process.pid") });
    await using command = startServing(folder, "a.js", "--workers", "1");
    const url = await urlOf(command);
    const pid = await textOf(url);
    process.kill(Number(pid), "SIGKILL");
    assert.equal(await command.errorLine("ended"), `Worker ${pid} ended with SIGKILL`);
    assert.notEqual(await textOf(url), pid);
  });

  it("does not take the others with it", async () => {
    using folder = folderOf({ "a.js": answers("`<${process.pid}>`") });
    await using command = startServing(folder, "a.js", "--workers", "2");
    const url = await urlOf(command);
    const pid = (await textOf(url)).slice(1, -1);
    using client = await connect(url);
    const before = await client.send(request).until(">");
    process.kill(Number(pid), "SIGKILL");
    await command.errorLine(`Worker ${pid} ended`);
    client.received = "";
    assert.equal((await client.send(request).until(">")).split("<")[1], before.split("<")[1]);
  });

  it("is replaced when it is stuck, and the connection that it was to have is not lost", async () => {
    const stick = 'if (environ.PATH_INFO === "/stick") { console.log("stuck"); for (;;); }';
    using folder = folderOf({ "a.js": answers('"moves"', stick) });
    await using command = startServing(folder, "a.js", "--workers=1", "--worker-timeout=1");
    const url = await urlOf(command);
    using stuck = await connect(url);
    stuck.send("GET /stick HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await command.line("stuck");
    assert.equal(await textOf(url), "moves");
    assert.match(await command.errorLine("stuck"), /^Worker \d+ has been stuck for 1 s$/);
    assert.equal(await stuck.closed, "");
  });

  it("ends after an error that nobody caught, but not before its requests", async () => {
    await using gate = await makeGate();
    const wait = `if (environ.PATH_INFO === "/wait") await fetch("${gate.url}");
      else if (environ.PATH_INFO === "/late") setTimeout(() => { throw new Error("Late"); })`;
    using folder = folderOf({ "a.js": answers("process.pid", wait) });
    await using command = startServing(folder, "a.js", "--workers", "1");
    const url = await urlOf(command);
    const waiting = textOf(`${url}/wait`);
    await gate.reached;
    const pid = await textOf(`${url}/late`);
    await command.errorLine("nobody caught");
    assert.notEqual(await textOf(url), pid);
    gate.open();
    assert.equal(await waiting, pid);
  });

  it("is not replaced for ever", async () => {
    using folder = folderOf({ "a.js": `setTimeout(() => process.exit(3));\n${says("Hello")}` });
    await using command = startServing(folder, "a.js", "--workers=1", "--restart-delay=0");
    assert.match(
      await command.errorLine("Giving up"),
      /: 8 workers in a row ended soon, and none /,
    );
    assert.equal(await command.ended, 1);
  });

  it("is not replaced for ever either if it cannot be loaded any more", async () => {
    using folder = folderOf({ "a.js": answers("process.pid") });
    await using command = startServing(folder, "a.js", "--workers=1", "--restart-delay=0");
    const pid = await textOf(await urlOf(command));
    folder.write("a.js", "export const other = 1;");
    process.kill(Number(pid), "SIGKILL");
    await command.errorLine("A worker ended with exit code 1 while it started");
    await command.errorLine("Giving up");
    assert.equal(await command.ended, 1);
  });

  it("is replaced as often as clients find a way to end it", async () => {
    using folder = folderOf({
      "a.js": answers("process.pid", "setTimeout(() => process.exit(3))"),
    });
    await using command = startServing(folder, "a.js", "--workers=1", "--restart-delay=0");
    const url = await urlOf(command);
    const pids = new Set<string>();
    // The one that is just ending may cut a request off, but somebody is always there to connect to.
    const cutOff = ({ cause }: { cause: { code: string } }): string => {
      assert.notEqual(cause.code, "ECONNREFUSED");
      return "nobody";
    };
    while (pids.size < 12) pids.add(await textOf(url).catch(cutOff));
  });

  it("ends its requests and itself when the process above it is killed", async () => {
    await using gate = await makeGate();
    using folder = folderOf({ "a.js": answers('"done"', `await fetch("${gate.url}")`) });
    await using command = startServing(folder, "a.js", "--workers", "1");
    const response = textOf(await urlOf(command));
    await gate.reached;
    command.signal("SIGKILL");
    gate.open();
    assert.equal(await response, "done");
    await command.ended;
  });
});

describe("SIGHUP", () => {
  it("replaces the workers by new ones with new code", async () => {
    using folder = folderOf({ "a.js": says("old") });
    await using command = startServing(folder, "a.js", "--workers", "2");
    const url = await urlOf(command);
    folder.write("a.js", says("new"));
    command.signal("SIGHUP");
    assert.equal(await command.line("Reloaded"), "Reloaded a.js:app");
    assert.equal(await textOf(url), "new");
    assert.equal(await textOf(url), "new");
  });

  it("loses no request of clients that keep their connections", async () => {
    using folder = folderOf({ "a.js": says("old") });
    await using command = startServing(folder, "a.js", "--workers", "2", "--log", "off");
    const clients = startClients(await urlOf(command), 8, ({ text }) => text === "new");
    await clients.begun;
    folder.write("a.js", says("new"));
    command.signal("SIGHUP");
    await clients.ended;
  });

  it("lets a request that is under way end with the old code", async () => {
    await using gate = await makeGate();
    using folder = folderOf({ "a.js": answers('"old"', `await fetch("${gate.url}")`) });
    await using command = startServing(folder, "a.js", "--workers", "1");
    const response = textOf(await urlOf(command));
    await gate.reached;
    folder.write("a.js", says("new"));
    command.signal("SIGHUP");
    await command.line("Reloaded");
    gate.open();
    assert.equal(await response, "old");
  });

  it("leaves the old workers if the new code cannot be loaded, and tells so", async () => {
    using folder = folderOf({ "a.js": says("old") });
    await using command = startServing(folder, "a.js", "--workers", "2");
    const url = await urlOf(command);
    folder.write("a.js", 'throw new Error("Broken");');
    command.signal("SIGHUP");
    await command.errorLine("Error: Broken");
    assert.match(await command.errorLine("Cannot reload"), /; the workers that there are go on$/);
    assert.equal(await textOf(url), "old");
    assert.equal(await textOf(url), "old");
  });

  it("is one reload for all signals that come while one waits", async () => {
    const crewFile = import.meta.resolve("../../../packages/cli/dist/crew.js");
    const { Crew } = (await import(crewFile)) as {
      Crew: new (settings: object) => { reload(): Promise<void>; stop(): Promise<number> };
    };
    const crew = new Crew({});
    await crew.stop();
    const first = crew.reload();
    assert.equal(crew.reload(), first);
    await first;
    assert.notEqual(crew.reload(), first);
  });

  it("brings the mended code the next time", async () => {
    using folder = folderOf({ "a.js": says("old") });
    await using command = startServing(folder, "a.js", "--workers", "2");
    const url = await urlOf(command);
    folder.write("a.js", 'throw new Error("Broken");');
    command.signal("SIGHUP");
    await command.errorLine("Cannot reload");
    folder.write("a.js", says("mended"));
    command.signal("SIGHUP");
    await command.line("Reloaded");
    assert.equal(await textOf(url), "mended");
  });
});

describe("SIGTERM with workers", () => {
  it("lets the requests that are under way end", async () => {
    await using gate = await makeGate();
    using folder = folderOf({ "a.js": answers('"done"', `await fetch("${gate.url}")`) });
    await using command = startServing(folder, "a.js", "--workers", "2");
    const response = textOf(await urlOf(command));
    await gate.reached;
    command.signal("SIGTERM");
    gate.open();
    assert.equal(await response, "done");
    assert.equal(await command.ended, 0);
  });

  it("loses no request of clients that keep their connections", async () => {
    using folder = folderOf({ "a.js": says("Hello") });
    await using command = startServing(folder, "a.js", "--workers", "2", "--log", "off");
    const clients = startClients(await urlOf(command), 8, ({ last }) => last);
    await clients.begun;
    command.signal("SIGTERM");
    await clients.ended;
    assert.equal(await command.ended, 0);
  });

  it("tells the application, which is asked for a while yet", async () => {
    using folder = folderOf({
      "a.js": `process.on("message", (message) => message === "warn" && console.log("told"));
        ${answers('environ["wsgix.draining"]')}`,
    });
    await using command = startServing(folder, "a.js", "--workers", "1", "--drain-delay", "60");
    const url = await urlOf(command);
    assert.equal(await textOf(url), "undefined");
    command.signal("SIGTERM");
    await command.line("told");
    assert.equal(await textOf(url), "true");
  });

  it("tells how many requests took too long", async () => {
    await using gate = await makeGate();
    using folder = folderOf({ "a.js": answers('"done"', `await fetch("${gate.url}")`) });
    await using command = startServing(folder, "a.js", "--workers=1", "--graceful-timeout=0");
    const response = textOf(await urlOf(command));
    await gate.reached;
    command.signal("SIGTERM");
    await assert.rejects(response);
    assert.match(await command.errorLine("cut off"), /: 1$/);
    assert.equal(await command.ended, 1);
  });

  it("waits for nothing when it comes again", async () => {
    await using gate = await makeGate();
    using folder = folderOf({ "a.js": answers('"done"', `await fetch("${gate.url}")`) });
    await using command = startServing(folder, "a.js", "--workers", "2");
    using client = await connect(await urlOf(command));
    client.send(get);
    await gate.reached;
    command.signal("SIGTERM");
    command.signal("SIGINT");
    assert.ok([130, 143].includes((await command.ended)!));
    assert.equal(await client.closed, "");
  });

  it("ends also what has not begun to serve", async () => {
    await using gate = await makeGate();
    using folder = folderOf({ "a.mjs": `await fetch("${gate.url}");\n${says("Hello")}` });
    await using command = startServing(folder, "a.mjs", "--workers", "2");
    await gate.reached;
    command.signal("SIGTERM");
    assert.equal(await command.ended, 0);
  });
});
