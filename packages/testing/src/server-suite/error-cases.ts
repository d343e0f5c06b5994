import assert from "node:assert/strict";
import type { Application, Body, Environ, FileLike } from "@wsgi/core";
import { failing } from "../applications.ts";
import { last, request, serverCase, signal, withCanary, type Host } from "./host.ts";
import type { ServerCase } from "./host.ts";

const secret = "The password is swordfish";
const oops = (): never => {
  throw new Error(secret);
};

/** Serves an application that fails, and then another request. */
async function contains(host: Host, app: Application): Promise<string | undefined> {
  const client = await host.serve(withCanary(app));
  await client.send(last("GET /")).finish();
  await host.turn();
  if (host.reports === undefined) return "the server does not give its reports";
  assert.ok(host.reports.includes(secret), "the error is to be reported");
  return undefined;
}

async function hides(host: Host, app: Application): Promise<void> {
  const response = await host.answer(app, last("GET /"));
  assert.equal(response.code, 500);
  assert.ok(!response.text().includes(secret), "the error is not to be shown");
  assert.equal(response.header("X-Started"), undefined, "what was started is to be replaced");
}

/** Serves a file by the server's wrapper; a reason why not, if it has none. */
async function serveFile(
  host: Host,
  file: FileLike,
  use: (body: Body) => Body,
): Promise<string | undefined> {
  let text: string | undefined;
  const response = await host.answer((environ: Environ, startResponse) => {
    const wrap = environ["wsgi.file_wrapper"] as ((file: FileLike) => Body) | undefined;
    startResponse("200 OK", []);
    if (wrap === undefined) return [];
    text = "wrapped";
    return use(wrap(file));
  }, last("GET /"));
  return text === undefined ? undefined : response.text();
}

const noWrapper = "the server offers no wsgi.file_wrapper";

function fileOf(...blocks: readonly string[]): FileLike & { closed: number } {
  const left = [...blocks];
  const file = {
    closed: 0,
    read: () => new TextEncoder().encode(left.shift() ?? ""),
    close: () => void (file.closed += 1),
  };
  return file;
}

/** Is the cases about errors, `wsgi.errors` and files. */
export const errorCases: readonly ServerCase[] = [
  serverCase("error-contained/call", "reports what the application throws, and goes on", (host) =>
    contains(host, oops),
  ),
  serverCase("error-contained/promise", "reports what its promise rejects with", (host) =>
    contains(host, async () => oops()),
  ),
  serverCase("error-contained/body", "reports what its body throws", (host) =>
    contains(host, failing("body", new Error(secret))),
  ),
  serverCase("error-contained/async", "reports what its async body throws", (host) =>
    contains(host, async function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "Hello";
      oops();
    }),
  ),
  serverCase("error-contained/close", "reports what close throws", (host) =>
    contains(host, failing("close", new Error(secret))),
  ),
  serverCase("error-contained/own", "reports it, whatever became of environ", (host) =>
    contains(host, (environ) => {
      for (const key of Object.keys(environ)) delete environ[key];
      return oops();
    }),
  ),
  serverCase("error-unsent", "answers 500, which says nothing of the error", (host) =>
    hides(host, oops),
  ),
  serverCase("error-unsent/started", "answers 500 in place of what was started", (host) =>
    hides(host, (_environ, startResponse) => {
      startResponse("200 OK", [
        ["X-Started", "yes"],
        ["Content-Length", "300"],
      ]);
      return oops();
    }),
  ),
  serverCase("error-unsent/promise", "answers 500 for a promise that is rejected", (host) =>
    hides(host, async () => oops()),
  ),
  serverCase("error-unsent/body", "answers 500 if the first step of the body throws", (host) =>
    hides(host, function* (_environ, startResponse) {
      startResponse("200 OK", [["X-Started", "yes"]]);
      yield "";
      oops();
    }),
  ),
  serverCase("error-cut", "cuts a response off that fails half-way", async (host) => {
    const client = await host.serve(failing("body", new Error(secret)));
    const [response] = await client.send(request("GET /")).finish();
    assert.deepEqual([response?.code, response?.complete, response?.text()], [200, false, "Hello"]);
  }),
  serverCase("error-cut/written", "cuts off what was written before the error", async (host) => {
    const client = await host.serve((_environ, startResponse) => {
      void startResponse("200 OK", [["Content-Length", "300"]])("Hello");
      return oops();
    });
    const [response] = await client.send(request("GET /")).finish();
    assert.deepEqual([response?.code, response?.complete], [200, false]);
  }),
  serverCase("errors-methods", "offers write, writelines and flush", async (host) => {
    const errors = (await host.environ(last("GET /")))["wsgi.errors"];
    const types = [typeof errors.write, typeof errors.writelines, typeof errors.flush];
    assert.deepEqual(types, ["function", "function", "function"]);
  }),
  serverCase("errors-text", "takes any text on wsgi.errors", async (host) => {
    const response = await host.answer((environ, startResponse) => {
      const errors = environ["wsgi.errors"];
      errors.write("snow: \u2603\n");
      errors.writelines(["half: \ud83d\n", "nothing: \0\n"]);
      errors.flush();
      startResponse("200 OK", []);
      return ["written"];
    }, last("GET /"));
    assert.equal(response.text(), "written");
    if (host.reports === undefined) return "the server does not give its reports";
    assert.match(host.reports, /snow: \u2603\nhalf: /);
    return undefined;
  }),
  serverCase("file-read", "sends a file from where it stands", async (host) => {
    const text = await serveFile(host, fileOf("one,", "two"), (body) => body);
    if (text === undefined) return noWrapper;
    assert.equal(text, "one,two");
    return undefined;
  }),
  serverCase("file-close", "closes a file with the body", async (host) => {
    const file = fileOf("one");
    const closed = signal();
    const close = (): void => {
      file.close!();
      closed.happen();
    };
    const text = await serveFile(host, { read: (size) => file.read(size), close }, (body) => body);
    if (text === undefined) return noWrapper;
    await host.wait(closed.happened, "the file to be closed");
    assert.equal(file.closed, 1);
    return undefined;
  }),
  serverCase("file-lazy", "sends nothing of a file that is not returned", async (host) => {
    const text = await serveFile(host, fileOf("one"), () => ["another"]);
    if (text === undefined) return noWrapper;
    assert.equal(text, "another");
    return undefined;
  }),
];
