import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { folderOf, startServing, urlOf } from "../support/command.ts";

/** Is the source of an application with one layer. */
function under(layer: string): string {
  return `import { stack } from "@wsgi/core";
    ${layer}
    function hello(environ, startResponse) {
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return ["Hello"][Symbol.iterator]();
    }
    export const app = stack(layer)(hello);\n`;
}

const same = `const layer = (app) => (environ, startResponse) => app(environ, startResponse);`;
const drains = `function layer(app) {
  return (environ, startResponse) => [...app(environ, startResponse)];
}`;

describe("wsgi serve --validate", () => {
  it("serves what keeps the contract", async () => {
    using folder = folderOf({ "app.mjs": under(same) });
    await using command = startServing(folder, "app.mjs", "--validate");
    const response = await fetch(await urlOf(command));
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "Hello");
  });

  it("names the layer that breaks it, the clause and the request", async () => {
    using folder = folderOf({ "app.mjs": under(drains) });
    await using command = startServing(folder, "app.mjs", "--validate");
    const response = await fetch(`${await urlOf(command)}/path?secret=1`);
    assert.equal(response.status, 500);
    const line = await command.errorLine("Contract broken");
    assert.match(
      line,
      /^Contract broken by GET \/path: server layer: Cannot take a step: .* \[layer-lazy\]$/,
    );
  });

  it("tells of what the application catches itself", async () => {
    using folder = folderOf({
      "app.mjs": `export function app(environ, startResponse) {
        try {
          startResponse("200", []);
        } catch {}
        startResponse("200 OK", [], new Error("Caught"));
        return [];
      }`,
    });
    await using command = startServing(folder, "app.mjs", "--validate");
    assert.equal((await fetch(await urlOf(command))).status, 200);
    assert.match(
      await command.errorLine("Contract broken"),
      /: application app: .*\[status-form\]$/,
    );
  });

  it("warns on standard error too", async () => {
    using folder = folderOf({
      "app.mjs": `export function app(environ, startResponse) {
        startResponse("200 OK", []);
        return ["Hello"];
      }`,
    });
    await using command = startServing(folder, "app.mjs", "--validate");
    await fetch(await urlOf(command));
    assert.match(
      await command.errorLine("Warning"),
      /^Warning: application app: a body has no Content-Type/,
    );
  });

  it("looks at the application again when it is saved", async () => {
    using folder = folderOf({ "app.mjs": under(same) });
    await using command = startServing(folder, "app.mjs", "--validate", "--reload");
    const url = await urlOf(command);
    folder.write("app.mjs", under(drains));
    await command.line("Reloaded");
    assert.equal((await fetch(url)).status, 500);
    assert.match(await command.errorLine("Contract broken"), /\[layer-lazy\]$/);
  });

  it("is asked for: without it nothing is looked at", async () => {
    using folder = folderOf({ "app.mjs": under(drains) });
    await using command = startServing(folder, "app.mjs");
    const response = await fetch(await urlOf(command));
    assert.equal(await response.text(), "Hello");
  });
});
