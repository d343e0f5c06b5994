import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { layerSuite, type LayerSuiteOptions } from "@wsgi/testing/layer-suite";
import { serverSuite, type StartServer } from "@wsgi/testing/server-suite";
import { root } from "../support/repository.ts";

// Inside the repository, so that its packages are found by their names.
const folder = `${root}test/dist/suites/`;
mkdirSync(folder, { recursive: true });

/** Runs a suite for a layer in a process of its own, and gives what it prints. */
function report(name: string, layer: string, options: string): string {
  const file = `${folder}${name}.mjs`;
  writeFileSync(
    file,
    `import { layerSuite } from "@wsgi/testing/layer-suite";
     layerSuite(${layer}, ${options});`,
  );
  // Without this, the other process would report to this one's runner, in bytes.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return spawnSync(process.execPath, ["--test-reporter=tap", file], { encoding: "utf8", env })
    .stdout;
}

const same = "(app) => app";
const numbering = `(app) => (environ, startResponse) => app({ ...environ, REMOTE_PORT: 5 }, startResponse)`;
const stuck = "(app) => () => new Promise(() => {})";

describe("a suite", () => {
  it("passes where every test does", () => {
    assert.match(report("same", same, "{}"), /^# fail 0$/m);
  });

  it("fails where one does, and names the clause", () => {
    const output = report("numbering", numbering, "{}");
    assert.match(output, /not ok \d+ - hands down strings for CGI variables \[environ-strings\]/);
    assert.match(output, /^# fail 1$/m);
  });

  it("shows what is excepted as todo, with the reason", () => {
    const output = report(
      "excepted",
      numbering,
      `{ except: { "environ-strings": "Ports count" } }`,
    );
    assert.match(output, /ok \d+ - .*\[environ-strings\] # TODO Ports count/);
    assert.match(output, /^# fail 0$/m);
  });

  it("fails where what is excepted passes", () => {
    const output = report("pardoned", same, `{ except: { "environ-strings": "Ports count" } }`);
    assert.match(
      output,
      /Cannot except \[environ-strings\]: it passes; wanted it to fail, because/,
    );
    assert.match(output, /^# fail 1$/m);
  });

  it("shows what cannot be seen as skipped, with the reason", () => {
    const output = report("shouting", same, "{ body: (text) => text }");
    assert.match(output, /\[body-opaque\] # SKIP the layer changes bodies/);
  });

  it("waits for nothing longer than it is told to", () => {
    const output = report("stuck", stuck, "{ timeout: 1 }");
    assert.match(output, /Nothing more happened in 1 ms; wanted a response/);
  });

  it("has the name of the layer, or another", () => {
    assert.match(report("named", "function signed(app) { return app; }", "{}"), /^ok 1 - signed$/m);
    assert.match(report("renamed", same, '{ name: "Signatures" }'), /^ok 1 - Signatures$/m);
  });
});

describe("layerSuite() refuses", () => {
  const refuses = (options: LayerSuiteOptions, message: RegExp): void =>
    assert.throws(() => layerSuite((app) => app, options), { name: "TypeError", message });

  it("what is no layer", () => {
    assert.throws(() => layerSuite("gzip" as never), /it is of type string; wanted a middleware/);
  });

  it("an exception for a test that is not there", () =>
    refuses({ except: { "close-twice": "so" } }, /except names "close-twice"; wanted the id/));

  it("an exception without a reason", () =>
    refuses({ except: { "close-waited": "" } }, /the reason to except close-waited is ""/));

  it("a time that is none", () =>
    refuses({ timeout: 0 }, /timeout is 0; wanted a positive number/));

  it("a name that is none", () => refuses({ name: 5 as never }, /name is 5; wanted a string/));
});

describe("serverSuite() refuses", () => {
  it("what starts no server", () => {
    assert.throws(
      () => serverSuite({} as StartServer),
      /start is of type object; wanted a function/,
    );
  });
});
