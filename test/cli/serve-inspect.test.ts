import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Recording } from "@wsgi/inspector";
import { folderOf, startServing, urlOf, wsgi, type Command } from "../support/command.ts";
import { messagesOf, until } from "../support/inspector-page.ts";

/** Answers with what it can see of the inspector. */
const app = `
  import { stack } from "@wsgi/core";
  const signed = function signed(app) {
    return (environ, startResponse) =>
      app(environ, (status, headers, excInfo) =>
        startResponse(status, [...headers, ["X-Signed", "yes"]], excInfo));
  };
  export const app = stack(signed)(function hello(environ, startResponse) {
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    const marks = Object.getOwnPropertySymbols(environ).map(String).filter((key) => /inspector/.test(key));
    const isWrapped = /inspector/.test(new Error().stack);
    return [JSON.stringify([environ["wsgix.inspector"] ?? null, marks.length, isWrapped])];
  });`;

/** Waits for the line with the link, and takes that from it. */
async function linkOf(command: Command): Promise<string> {
  return (await command.line("Inspector on ")).split(" on ")[1]!;
}

/** Opens the page by its link, and gives what asks for its parts. */
async function open(link: string): Promise<(path: string) => Promise<Response>> {
  const opened = await fetch(link, { redirect: "manual" });
  const Cookie = opened.headers.get("Set-Cookie")!.split(";")[0]!;
  return (path) => fetch(new URL(path, link), { headers: { Cookie } });
}

describe("wsgi serve --inspect", () => {
  it("prints the link to the page, and then where it serves", async () => {
    using folder = folderOf({ "app.mjs": app });
    await using command = startServing(folder, "app.mjs", "--inspect");
    const link = await command.line("");
    const [, port] = /^Serving app\.mjs:app on http:\/\/127\.0\.0\.1:(\d+)$/.exec(
      await command.line(""),
    )!;
    const form = `^Inspector on http://127\\.0\\.0\\.1:${port}/_inspector/\\?token=[\\w-]{22}$`;
    assert.match(link, new RegExp(form));
  });

  it("shows what each layer did", async () => {
    using folder = folderOf({ "app.mjs": app });
    await using command = startServing(folder, "app.mjs", "--inspect", "--log", "off");
    const ask = await open(await linkOf(command));
    const response = await fetch(`${await urlOf(command)}/Ann`);
    assert.equal(await response.text(), '["/_inspector/",1,true]');
    const { target, events } = (await (await ask("recordings/1")).json()) as Recording;
    const names = events.flatMap((event) => (event.kind === "call" ? [event.name] : []));
    assert.deepEqual([target, names], ["/Ann", ["signed", "hello"]]);
  });

  it("draws each request in the terminal with --log tree", async () => {
    using folder = folderOf({ "app.mjs": app });
    await using command = startServing(folder, "app.mjs", "--inspect", "--log", "tree");
    await fetch(`${await urlOf(command)}/Ann`);
    assert.match(await command.line("└─ hello"), /^└─ hello +[\d.]+ ms$/);
  });

  it("tells of no tree without it", async () => {
    using folder = folderOf({ "app.mjs": app });
    const { code, stderr } = await wsgi(folder, ["serve", "app.mjs", "--log", "tree"]);
    assert.equal(code, 2);
    assert.match(stderr, /the log is "tree", .*; wanted --inspect with it/);
  });

  it("says in Server-Timing what each layer took", async () => {
    using folder = folderOf({ "app.mjs": app });
    await using command = startServing(folder, "app.mjs", "--inspect");
    const response = await fetch(await urlOf(command));
    assert.match(
      response.headers.get("Server-Timing")!,
      /^accessLog;dur=[\d.]+.*, signed;dur=[\d.]+.*, hello;dur=/,
    );
  });

  it("says so to nobody where others than this machine could read it", async () => {
    using folder = folderOf({ "app.mjs": app });
    await using command = startServing(folder, "app.mjs", "--inspect", "--host", "0.0.0.0");
    const { port } = new URL(await urlOf(command));
    const response = await fetch(`http://127.0.0.1:${port}`);
    assert.equal(response.headers.has("Server-Timing"), false);
  });

  it("records nothing, wraps nothing and has no page without it", async () => {
    using folder = folderOf({ "app.mjs": app });
    await using command = startServing(folder, "app.mjs");
    assert.equal(
      await (await fetch(`${await urlOf(command)}/_inspector/`)).text(),
      "[null,0,false]",
    );
  });

  it("has the page at the path that it is told", async () => {
    using folder = folderOf({ "app.mjs": app });
    await using command = startServing(folder, "app.mjs", "--inspect=/look");
    const ask = await open(await linkOf(command));
    assert.match(await (await ask("/look/")).text(), /<title>Inspector/);
  });

  it("logs no requests of the page", async () => {
    using folder = folderOf({ "app.mjs": app });
    await using command = startServing(folder, "app.mjs", "--inspect");
    const ask = await open(await linkOf(command));
    await ask("recordings");
    await fetch(await urlOf(command));
    assert.match(await command.line(""), /^GET \/ 200/);
  });

  it("ends at once although a page is open", async () => {
    using folder = folderOf({ "app.mjs": app });
    await using command = startServing(folder, "app.mjs", "--inspect");
    const messages = messagesOf(await (await open(await linkOf(command)))("events"));
    await until(messages, "hello");
    command.signal("SIGTERM");
    assert.equal((await messages.next()).done, true);
    assert.equal(await command.ended, 0);
  });

  it("ends at once although a page is open, because of an error that nobody caught", async () => {
    const text = `export function app() {
      setImmediate(() => { throw new Error("an error of this test, and expected"); });
      return [];
    }`;
    using folder = folderOf({ "app.mjs": text });
    await using command = startServing(folder, "app.mjs", "--inspect");
    const messages = messagesOf(await (await open(await linkOf(command)))("events"));
    await until(messages, "hello");
    await fetch(await urlOf(command)).catch(() => {});
    await command.errorLine("an error of this test");
    await until(messages, "recorded");
    assert.equal(await command.ended, 1);
  });

  it("keeps its link when it reloads, prints it again, and shows the new process", async () => {
    using folder = folderOf({ "app.mjs": app });
    await using command = startServing(folder, "app.mjs", "--inspect", "--reload", "--log=off");
    const link = await linkOf(command);
    const ask = await open(link);
    const url = await urlOf(command);
    await fetch(url);
    const messages = messagesOf(await ask("events"));
    assert.equal(((await until(messages, "hello")) as unknown[]).length, 1);
    folder.write("app.mjs", app);
    while (!(await messages.next()).done);
    assert.equal(await linkOf(command), link);
    assert.deepEqual(await (await ask("recordings")).json(), []);
  });

  it("shows the layers together with what --validate puts between them", async () => {
    using folder = folderOf({ "app.mjs": app });
    await using command = startServing(folder, "app.mjs", "--inspect", "--validate", "--log=off");
    const ask = await open(await linkOf(command));
    await fetch(await urlOf(command));
    const { events } = (await (await ask("recordings/1")).json()) as Recording;
    const names = events.flatMap((event) => (event.kind === "call" ? [event.name] : []));
    assert.deepEqual(names, ["validator", "signed", "validator", "hello"]);
  });

  it("prints a link for this machine where it listens on all addresses", async () => {
    using folder = folderOf({ "app.mjs": app });
    await using command = startServing(folder, "app.mjs", "--inspect", "--host", "0.0.0.0");
    const ask = await open(await linkOf(command));
    assert.equal((await ask("recordings")).status, 200);
  });

  it("refuses a host that this machine does not reach as itself", async () => {
    using folder = folderOf({ "app.mjs": app });
    const outcome = await wsgi(folder, ["serve", "app.mjs", "--inspect", "--host", "192.0.2.1"]);
    assert.deepEqual(outcome, {
      code: 1,
      stdout: "",
      stderr:
        'Cannot serve with the inspector on "192.0.2.1": it is for this machine only; wanted a host like 127.0.0.1, or 0.0.0.0\n',
    });
  });

  it("refuses workers", async () => {
    using folder = folderOf({ "app.mjs": app });
    const outcome = await wsgi(folder, ["serve", "app.mjs", "--inspect", "--workers", "2"]);
    assert.equal(outcome.code, 2);
    assert.match(outcome.stderr, /^Cannot serve: both workers and inspect are given; wanted one, /);
  });

  it("refuses what is no path", async () => {
    using folder = folderOf({ "app.mjs": app });
    const outcome = await wsgi(folder, ["serve", "app.mjs", "--inspect=look"]);
    assert.equal(outcome.code, 2);
    assert.match(outcome.stderr, /: path is "look"; wanted one like "\/_inspector"/);
  });
});
