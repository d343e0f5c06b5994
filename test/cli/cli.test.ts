import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { respond } from "@wsgi/testing";
import { folderOf, makeGate, start, startServing, urlOf, wsgi } from "../support/command.ts";
import { get, RawClient, serving } from "../support/serving.ts";

/** Is the source of an application that answers with a text, under the name `app`. */
function says(text: string): string {
  return `export function app(environ, startResponse) {
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    return [${JSON.stringify(text)}];
  }\n`;
}

describe("wsgi", () => {
  it("says what it can do", async () => {
    using folder = folderOf({});
    const { code, stdout } = await wsgi(folder, ["--help"]);
    assert.match(stdout, /wsgi serve .*wsgi layers .*wsgi routes .*wsgi request .*wsgi inspect /s);
    assert.equal(code, 0);
  });

  it("asks for an application if it is told nothing, and says how", async () => {
    using folder = folderOf({});
    const { code, stderr } = await wsgi(folder, []);
    assert.match(stderr, /^Provide a WSGI application as FILE:NAME\n\nUsage: wsgi COMMAND/);
    assert.equal(code, 2);
  });

  it("says what a command takes", async () => {
    using folder = folderOf({});
    const { code, stdout } = await wsgi(folder, ["serve", "--help"]);
    assert.match(stdout, /^Usage: wsgi serve FILE\[:NAME\] .*--host HOST .*--reload /s);
    assert.equal(code, 0);
  });

  it("prints its version", async () => {
    using folder = folderOf({});
    const { stdout } = await wsgi(folder, ["--version"]);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it("refuses a command that it does not know", async () => {
    using folder = folderOf({});
    assert.deepEqual(await wsgi(folder, ["sreve"]), {
      code: 2,
      stdout: "",
      stderr: 'Unknown command "sreve"; wanted serve, layers, routes, request, inspect\n',
    });
  });

  it("refuses an option that it does not know", async () => {
    using folder = folderOf({});
    assert.deepEqual(await wsgi(folder, ["serve", "hello.js", "--prot", "1"]), {
      code: 2,
      stdout: "",
      stderr: "Unknown option '--prot'\n",
    });
  });

  it("refuses an option without its value", async () => {
    using folder = folderOf({});
    const { code, stderr } = await wsgi(folder, ["serve", "hello.js", "--port", "--reload"]);
    assert.equal(stderr, "Option '--port' argument is ambiguous\n");
    assert.equal(code, 2);
  });

  it("refuses more arguments than it takes", async () => {
    using folder = folderOf({});
    const { code, stderr } = await wsgi(folder, ["layers", "hello.js", "bye.js"]);
    assert.equal(stderr, 'Unknown argument "bye.js"\n');
    assert.equal(code, 2);
  });
});

describe("FILE:NAME", () => {
  it("is TypeScript with more than types, on every line of node", async () => {
    using folder = folderOf({
      "a.ts": `enum Greeting { Hello = "Hello" }
        export default (environ: object, startResponse: Function) => {
          startResponse("200 OK", []);
          return [Greeting.Hello];
        };`,
    });
    assert.equal((await wsgi(folder, ["request", "a.ts", "GET", "/"])).stdout, "Hello");
  });

  it("is JavaScript that imports TypeScript, on every line of node", async () => {
    using folder = folderOf({
      "text.ts": `export const text: string = "Hello";`,
      "a.mjs": `import { text } from "./text.ts";
        export const app = (environ, startResponse) => {
          startResponse("200 OK", []);
          return [text];
        };`,
    });
    assert.equal((await wsgi(folder, ["request", "a.mjs", "GET", "/"])).stdout, "Hello");
  });

  it("ends with a word if the file never finishes loading", async () => {
    using folder = folderOf({ "a.mjs": "await new Promise(() => {}); export const app = 1;" });
    const { code, stderr } = await wsgi(folder, ["serve", "a.mjs"]);
    assert.equal(stderr, "Cannot go on: the file waits for something that never happens\n");
    assert.equal(code, 1);
  });

  it("is asked for", async () => {
    using folder = folderOf({});
    assert.deepEqual(await wsgi(folder, ["serve"]), {
      code: 2,
      stdout: "",
      stderr: "Provide a WSGI application as FILE:NAME\n",
    });
  });

  it("names an export", async () => {
    using folder = folderOf({ "a.js": says("app") + says("other").replace("app", "other") });
    const { stdout } = await wsgi(folder, ["request", "a.js:other", "GET", "/"]);
    assert.equal(stdout, "other");
  });

  it("means app without a name", async () => {
    using folder = folderOf({ "a.js": `${says("app")} export default () => ["default"];` });
    const { stdout } = await wsgi(folder, ["request", "a.js", "GET", "/"]);
    assert.equal(stdout, "app");
  });

  it("means the default export if there is no app", async () => {
    using folder = folderOf({
      "a.js": says("default").replace("function app", "default function"),
    });
    const { stdout } = await wsgi(folder, ["request", "a.js", "GET", "/"]);
    assert.equal(stdout, "default");
  });

  it("may be a CommonJS module", async () => {
    using folder = folderOf({ "a.cjs": `module.exports = { app };${says("CJS").slice(6)}` });
    const { stdout } = await wsgi(folder, ["request", "a.cjs", "GET", "/"]);
    assert.equal(stdout, "CJS");
  });

  it("may be TypeScript, with types, other files and await, without a package.json", async () => {
    using folder = folderOf({
      "app.ts": `import type { Application } from "@wsgi/core";
        import { greeting } from "./greeting.ts";
        const text: string = await Promise.resolve(greeting);
        export const app: Application = (environ, startResponse) => {
          startResponse("200 OK", []);
          return [text];
        };`,
      "greeting.ts": 'export const greeting = "Hello" as const;',
    });
    const { stdout, stderr } = await wsgi(folder, ["request", "app.ts", "GET", "/"]);
    assert.equal(stdout, "Hello", stderr);
  });

  it("may be TypeScript in a package of CommonJS modules", async () => {
    const source = says("Hello").replace("environ,", "environ: object,");
    using folder = folderOf({ "app.mts": source, "package.json": '{ "type": "commonjs" }' });
    const { stdout } = await wsgi(folder, ["request", "app.mts", "GET", "/"]);
    assert.equal(stdout, "Hello");
  });

  it("takes only a name at the end for one", async () => {
    using folder = folderOf({ "C:a:b.js": says("colons") });
    const { stdout } = await wsgi(folder, ["request", "C:a:b.js", "GET", "/"]);
    assert.equal(stdout, "colons");
  });

  it("takes the last colon of several", async () => {
    using folder = folderOf({ "C:a:b.js": says("colons") });
    const { stdout } = await wsgi(folder, ["request", "C:a:b.js:app", "GET", "/"]);
    assert.equal(stdout, "colons");
  });

  it("refuses a file that is not there", async () => {
    using folder = folderOf({});
    assert.deepEqual(await wsgi(folder, ["serve", "hello.ts:app"]), {
      code: 1,
      stdout: "",
      stderr:
        'Cannot load "hello.ts": there is no such file; wanted a WSGI application as FILE:NAME\n',
    });
  });

  it("refuses a folder", async () => {
    using folder = folderOf({});
    const { code, stderr } = await wsgi(folder, ["layers", "."]);
    assert.match(stderr, /^Cannot load "\.": EISDIR: .*; wanted .*\n$/);
    assert.equal(code, 1);
  });

  it("refuses a name that is not there", async () => {
    using folder = folderOf({ "a.js": `${says("")} export const other = 1;` });
    const { code, stderr } = await wsgi(folder, ["layers", "a.js:hello"]);
    assert.equal(stderr, 'Cannot load "a.js": it exports app, other; wanted hello\n');
    assert.equal(code, 1);
  });

  it("refuses a file without app and default export", async () => {
    using folder = folderOf({ "a.js": "export {};" });
    const { code, stderr } = await wsgi(folder, ["layers", "a.js"]);
    assert.equal(stderr, 'Cannot load "a.js": it exports nothing; wanted app or default\n');
    assert.equal(code, 1);
  });

  it("refuses what is no function", async () => {
    using folder = folderOf({ "a.js": 'export const app = ["Hello"];' });
    const { code, stderr } = await wsgi(folder, ["layers", "a.js"]);
    assert.equal(
      stderr,
      'Cannot load "a.js:app": it is ["Hello"]; wanted a function (environ, startResponse) => body\n',
    );
    assert.equal(code, 1);
  });

  it("shows where its own code throws", async () => {
    using folder = folderOf({ "a.js": '\nthrow new Error("Broken"); export const app = 1;' });
    const { code, stderr } = await wsgi(folder, ["layers", "a.js"]);
    assert.match(stderr, /Error: Broken\n +at .*a\.js:2:7/);
    assert.equal(code, 1);
  });

  it("shows where its own code is no JavaScript", async () => {
    using folder = folderOf({ "a.js": "\n\nexport const app = ;" });
    const { code, stderr } = await wsgi(folder, ["layers", "a.js"]);
    assert.match(stderr, /a\.js:3\n[^]*SyntaxError: /);
    assert.equal(code, 1);
  });

  it("ends if its own code throws and has a handler for that", async () => {
    using folder = folderOf({
      "a.js": 'process.on("unhandledRejection", () => console.log("seen")); throw 1; export {};',
    });
    const { code, stdout } = await wsgi(folder, ["layers", "a.js"]);
    assert.equal(stdout, "seen\n");
    assert.equal(code, 1);
  });
});

describe("wsgi serve", () => {
  it("serves a function that knows nothing of this project", async () => {
    using folder = folderOf({ "hello.js": says("Hello") });
    await using command = startServing(folder, "hello.js", "--log", "off");
    const response = await fetch(await urlOf(command));
    assert.equal(await response.text(), "Hello");
  });

  it("prints one line when it listens", async () => {
    using folder = folderOf({ "hello.ts": says("Hello") });
    await using command = startServing(folder, "hello.ts");
    assert.match(await command.line(""), /^Serving hello\.ts:app on http:\/\/127\.0\.0\.1:\d+$/);
  });

  it("listens where it is told to", async () => {
    using folder = folderOf({ "hello.js": says("Hello") });
    await using command = startServing(folder, "hello.js", "--host", "localhost");
    assert.match(await command.line(""), / on http:\/\/localhost:\d+$/);
  });

  it("logs requests, in short", async () => {
    using folder = folderOf({ "hello.js": says("Hello") });
    await using command = startServing(folder, "hello.js");
    await fetch(`${await urlOf(command)}/Ann`);
    assert.match(await command.line(""), /^GET \/Ann 200 5 B /);
  });

  it("logs requests in the format it is told", async () => {
    using folder = folderOf({ "hello.js": says("Hello") });
    await using command = startServing(folder, "hello.js", "--log", "common");
    await fetch(await urlOf(command));
    assert.match(await command.line(""), /^127\.0\.0\.1 - - \[.*\] "GET \/ HTTP\/1\.1" 200 5$/);
  });

  it("logs nothing if it is told so", async () => {
    using folder = folderOf({ "hello.js": says("Hello") });
    await using command = startServing(folder, "hello.js", "--log", "off");
    await fetch(await urlOf(command));
    command.signal("SIGTERM");
    await assert.rejects(command.line(""), /printed only \[\]/);
  });

  it("shows errors in development", async () => {
    using folder = folderOf({ "a.js": 'export function app() { throw new Error("Broken"); }' });
    await using command = startServing(folder, "a.js", "--development");
    const response = await fetch(await urlOf(command));
    assert.equal(response.status, 500);
    assert.match(await response.text(), /Broken/);
  });

  it("shows in development what the application's own catchErrors would hide", async () => {
    using folder = folderOf({
      "a.mjs": `import { catchErrors } from "@wsgi/middleware/catch-errors";
        export const app = catchErrors()(() => { throw new Error("Broken"); });`,
    });
    await using command = startServing(folder, "a.mjs", "--development");
    assert.match(await (await fetch(await urlOf(command))).text(), /Broken/);
  });

  it("shows no errors otherwise, but in the terminal", async () => {
    using folder = folderOf({ "a.js": 'export function app() { throw new Error("Broken"); }' });
    await using command = startServing(folder, "a.js");
    const response = await fetch(await urlOf(command));
    assert.doesNotMatch(await response.text(), /Broken/);
    assert.match(await command.errorLine("Error"), /Broken/);
  });

  it("lets the requests that are under way end when it is told to", async () => {
    await using gate = await makeGate();
    using folder = folderOf({
      "a.js": `export async function app(environ, startResponse) {
        await fetch("${gate.url}");
        startResponse("200 OK", []);
        return ["done"];
      }`,
    });
    await using command = startServing(folder, "a.js");
    const response = fetch(await urlOf(command));
    await gate.reached;
    command.signal("SIGTERM");
    gate.open();
    assert.equal(await (await response).text(), "done");
    assert.equal(await command.ended, 0);
  });

  it("does not wait when it is told twice", async () => {
    await using gate = await makeGate();
    using folder = folderOf({ "a.js": `export const app = () => fetch("${gate.url}");` });
    await using command = startServing(folder, "a.js");
    const { port } = new URL(await urlOf(command));
    using client = await RawClient.connect({ port: Number(port) });
    client.send(get);
    await gate.reached;
    command.signal("SIGTERM");
    command.signal("SIGINT");
    assert.ok([130, 143].includes((await command.ended)!));
  });

  it("ends although the application has more to do", async () => {
    using folder = folderOf({ "a.js": `setInterval(() => {}, 1000);\n${says("Hello")}` });
    await using command = startServing(folder, "a.js");
    await command.line("Serving ");
    command.signal("SIGINT");
    assert.equal(await command.ended, 0);
  });

  it("refuses a port that is none", async () => {
    using folder = folderOf({ "hello.js": says("Hello") });
    assert.deepEqual(await wsgi(folder, ["serve", "hello.js", "--port", "65536"]), {
      code: 2,
      stdout: "",
      stderr: 'Cannot serve: the port is "65536"; wanted a whole number from 0 to 65535\n',
    });
  });

  it("refuses a port that is taken", async () => {
    await using server = await serving(respond(["Hello"]));
    using folder = folderOf({ "hello.js": says("Hello") });
    const port = String(server.port);
    const { code, stderr } = await wsgi(folder, ["serve", "hello.js", "--port", port]);
    assert.match(stderr, /^Cannot listen on .*: the address is in use; .*\n$/);
    assert.equal(code, 1);
  });

  it("refuses a log format that there is not", async () => {
    using folder = folderOf({ "hello.js": says("Hello") });
    const { code, stderr } = await wsgi(folder, ["serve", "hello.js", "--log", "xml"]);
    assert.equal(
      stderr,
      'Cannot serve: the log is "xml"; wanted dev, common, combined, json, tree, off\n',
    );
    assert.equal(code, 2);
  });
});

describe("wsgi layers", () => {
  it("prints the layers as a tree", async () => {
    using folder = folderOf({
      "a.js": `import { stack } from "@wsgi/core";
        function shout(app) { return (environ, startResponse) => app(environ, startResponse); }
        export const app = stack(shout)(function hello() {});`,
    });
    const { code, stdout } = await wsgi(folder, ["layers", "a.js"]);
    assert.equal(stdout, "shout\n└─ hello\n");
    assert.equal(code, 0);
  });
});

describe("wsgi routes", () => {
  it("prints method, pattern and name of each route", async () => {
    using folder = folderOf({
      "a.js": `import { router } from "@wsgi/router";
        function same(app) { return (environ, startResponse) => app(environ, startResponse); }
        export const app = router();
        app.get("/users", function listUsers() {});
        app.all("{/:language}/about", function about() {});
        app.delete("/users/:id", same, function removeUser() {});`,
    });
    const { code, stdout } = await wsgi(folder, ["routes", "a.js"]);
    assert.equal(
      stdout,
      "GET     /users              listUsers\n" +
        "ALL     {/:language}/about  about\n" +
        "DELETE  /users/:id          removeUser\n",
    );
    assert.equal(code, 0);
  });

  it("goes through stacks, mounts and routers", async () => {
    using folder = folderOf({
      "a.js": `import { stack } from "@wsgi/core";
        import { cascade } from "@wsgi/middleware/cascade";
        import { mount } from "@wsgi/middleware/mount";
        import { router } from "@wsgi/router";
        function same(app) { return (environ, startResponse) => app(environ, startResponse); }
        const users = router();
        users.get("/", function list() {});
        const api = router();
        api.use("/users", stack(same)(users));
        const places = mount({ "admin.example.com/api": api, "/wiki": function wiki() {} });
        const site = cascade(function files() {}, function pages() {});
        export const app = stack(same, places)(site);`,
    });
    const { stdout, stderr } = await wsgi(folder, ["routes", "a.js"]);
    assert.equal(
      stdout,
      "ALL  /wiki/*                       wiki\n" +
        "GET  admin.example.com/api/users/  list\n" +
        "ALL  /*                            files\n" +
        "ALL  /*                            pages\n",
      stderr,
    );
  });

  it("takes a plain application for a route", async () => {
    using folder = folderOf({ "a.js": "export function app() {}" });
    const { stdout } = await wsgi(folder, ["routes", "a.js"]);
    assert.equal(stdout, "ALL  /*  app\n");
  });
});

/** Is the source of an application that answers with what it was sent. */
const echo = `export async function app(environ, startResponse) {
  startResponse("200 OK", [["Content-Type", environ.CONTENT_TYPE ?? ""], ["X-Length", environ.CONTENT_LENGTH ?? ""]]);
  return [await environ["wsgi.input"].read()];
}`;

describe("wsgi request", () => {
  it("prints the body, byte for byte", async () => {
    using folder = folderOf({
      "a.js": `export function* app(environ, startResponse) {
        startResponse("200 OK", []);
        yield "世";
        yield Uint8Array.of(0, 13, 10, 255);
      }`,
    });
    const { code, stdout } = await wsgi(folder, ["request", "a.js", "GET", "/"], {
      encoding: "latin1",
    });
    assert.equal(stdout, "\xe4\xb8\x96\0\r\n\xff");
    assert.equal(code, 0);
  });

  it("sends the method and the path", async () => {
    using folder = folderOf({
      "a.js": `export function app(environ, startResponse) {
        startResponse("200 OK", []);
        return [environ.REQUEST_METHOD, environ.PATH_INFO, environ.QUERY_STRING];
      }`,
    });
    const { stdout } = await wsgi(folder, ["request", "a.js", "PUT", "/%E4%B8%96?x=1"]);
    assert.equal(stdout, "PUT/世x=1");
  });

  it("prints the status and the header fields too with -i", async () => {
    using folder = folderOf({ "a.js": says("Hello") });
    const { stdout } = await wsgi(folder, ["request", "a.js", "GET", "/", "-i"]);
    assert.equal(stdout, "200 OK\nContent-Type: text/plain\n\nHello");
  });

  it("prints header fields byte for byte", async () => {
    using folder = folderOf({ "a.js": says("").replace("text/plain", "\\xe9") });
    const args = ["request", "a.js", "GET", "/", "--include"];
    const { stdout } = await wsgi(folder, args, { encoding: "latin1" });
    assert.equal(stdout, "200 OK\nContent-Type: \xe9\n\n");
  });

  it("lets who reads the body stop", async () => {
    using folder = folderOf({
      "a.js": `export function* app(environ, startResponse) {
        startResponse("200 OK", []);
        for (;;) yield "Hello\\n";
      }`,
    });
    await using command = start(folder, "request", "a.js", "GET", "/");
    await command.line("Hello");
    command.closeOutput();
    assert.equal(await command.ended, 0);
  });

  it("sends header fields with -H, also several of a name", async () => {
    using folder = folderOf({
      "a.js": `export function app(environ, startResponse) {
        startResponse("200 OK", []);
        return [environ.HTTP_X_ONE, " ", environ.CONTENT_TYPE];
      }`,
    });
    const fields = ["-H", "X-One: 1", "-H", "x-one:2", "--header", "Content-Type: text/css"];
    const { stdout } = await wsgi(folder, ["request", "a.js", "GET", "/", ...fields]);
    assert.equal(stdout, "1, 2 text/css");
  });

  it("sends a text with -d", async () => {
    using folder = folderOf({ "a.js": echo });
    const { stdout } = await wsgi(folder, ["request", "a.js", "POST", "/", "-id", "世"]);
    assert.match(stdout, /\nX-Length: 3\n\n世$/);
  });

  it("sends a file with -d @FILE", async () => {
    using folder = folderOf({ "a.js": echo, "data.txt": "from a file" });
    const { stdout } = await wsgi(folder, ["request", "a.js", "POST", "/", "-d", "@data.txt"]);
    assert.equal(stdout, "from a file");
  });

  it("sends standard input with -d @-", async () => {
    using folder = folderOf({ "a.js": echo });
    const { stdout } = await wsgi(folder, ["request", "a.js", "POST", "/", "-d", "@-"], {
      input: "from standard input",
    });
    assert.equal(stdout, "from standard input");
  });

  it("prints no body for HEAD, and closes it all the same", async () => {
    using folder = folderOf({
      "a.js": `export function app(environ, startResponse) {
        startResponse("200 OK", []);
        const close = () => environ["wsgi.errors"].write("closed\\n");
        return Object.assign(["Hello"], { close });
      }`,
    });
    const { stdout, stderr } = await wsgi(folder, ["request", "a.js", "HEAD", "/"]);
    assert.equal(stdout, "");
    assert.equal(stderr, "closed\n");
  });

  it("exits with 22 for an error status if it is told to --fail", async () => {
    using folder = folderOf({ "a.js": says("Gone").replace("200 OK", "410 Gone") });
    const { code, stdout } = await wsgi(folder, ["request", "a.js", "GET", "/", "--fail"]);
    assert.equal(stdout, "Gone");
    assert.equal(code, 22);
  });

  it("exits with 0 for an error status otherwise", async () => {
    using folder = folderOf({ "a.js": says("Gone").replace("200 OK", "410 Gone") });
    const { code } = await wsgi(folder, ["request", "a.js", "GET", "/"]);
    assert.equal(code, 0);
  });

  it("exits with 0 for a good status that may --fail", async () => {
    using folder = folderOf({ "a.js": says("Hello") });
    const { code } = await wsgi(folder, ["request", "a.js", "GET", "/", "--fail"]);
    assert.equal(code, 0);
  });

  it("shows where an application throws", async () => {
    using folder = folderOf({ "a.js": 'export function app() { throw new Error("Broken"); }' });
    const { code, stderr } = await wsgi(folder, ["request", "a.js", "GET", "/"]);
    assert.match(stderr, /Error: Broken\n +at app \(.*a\.js:1:/);
    assert.equal(code, 1);
  });

  it("asks for a method and a path", async () => {
    using folder = folderOf({ "a.js": says("Hello") });
    const { code, stderr } = await wsgi(folder, ["request", "a.js"]);
    assert.equal(stderr, "Provide METHOD and PATH too\n");
    assert.equal(code, 2);
  });

  it("refuses what is no path", async () => {
    using folder = folderOf({ "a.js": says("Hello") });
    const { code, stderr } = await wsgi(folder, ["request", "a.js", "GET", "users"]);
    assert.match(stderr, /^Cannot make an environ: the request is "GET users"; wanted .*\n$/);
    assert.equal(code, 2);
  });

  it("refuses what is no header field", async () => {
    using folder = folderOf({ "a.js": says("Hello") });
    const { code, stderr } = await wsgi(folder, ["request", "a.js", "GET", "/", "-H", "X"]);
    assert.equal(stderr, 'Cannot send the header "X": it has no name; wanted "NAME: VALUE"\n');
    assert.equal(code, 2);
  });

  it("refuses a file that it cannot read", async () => {
    using folder = folderOf({ "a.js": echo });
    const { code, stderr } = await wsgi(folder, ["request", "a.js", "GET", "/", "-d", "@none"]);
    assert.match(stderr, /^Cannot send "none": ENOENT: .*\n$/);
    assert.equal(code, 1);
  });
});
