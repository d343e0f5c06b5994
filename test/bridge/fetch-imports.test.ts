import { posix } from "node:path";
import { describe, it } from "node:test";
import { importsOf } from "../support/imports.ts";
import { assertNone, packages, read } from "../support/repository.ts";

/** Lists what a built module imports, and what those import, that is not ECMAScript alone. */
function nodeImports(path: string, seen: Set<string> = new Set()): string[] {
  if (seen.has(path)) return [];
  seen.add(path);
  return importsOf({ path, text: read(path) }).flatMap(({ name, from, target, place }) => {
    if (from === undefined) return nodeImports(target, seen);
    const known = packages.find(({ manifest }) => manifest.name === from);
    if (known === undefined) return [`${place}: ${name}`];
    const entry = known.manifest.exports[`.${name.slice(from.length)}`]!.default;
    return nodeImports(posix.join(known.folder, entry), seen);
  });
}

describe("@wsgi/bridge/fetch", () => {
  it("imports nothing that only some engines have, all the way down", () => {
    assertNone(nodeImports("packages/bridge/dist/fetch.js"));
  });
});
