import { posix } from "node:path";
import { describe, it } from "node:test";
import { importsOf } from "../support/imports.ts";
import { assertNone, entries, packages, read } from "../support/repository.ts";

const middleware = packages.find(({ manifest }) => manifest.name === "@wsgi/middleware")!;
const sources = new Map(middleware.sources.map((source) => [source.path, source]));

/** Counts the lines of a layer, and of the files that are there for it, without blanks and comments. */
function linesOfCode(path: string, counted = new Set<string>()): number {
  const source = sources.get(path)!;
  counted.add(path);
  const own = source.text.split("\n").filter((line) => !/^\s*(?:$|\/\/|\/?\*)/.test(line)).length;
  const parts = importsOf(source)
    .map(({ target }) => target)
    .filter((target) => sources.has(target) && !entries(middleware).includes(target));
  return parts.reduce(
    (lines, part) => (counted.has(part) ? lines : lines + linesOfCode(part, counted)),
    own,
  );
}

describe("README.md", () => {
  it("has a row for each middleware, with its lines of code", () => {
    const readme = read("README.md");
    assertNone(
      entries(middleware)
        .map((path) => {
          const name = posix.basename(path, ".ts");
          return {
            name,
            row: new RegExp(`^\\| \\[\`${name}\`\\].*\\| ${linesOfCode(path)} +\\|$`, "m"),
          };
        })
        .filter(({ row }) => !row.test(readme))
        .map(({ name, row }) => `${name}: wanted a row like ${row.source}`),
    );
  });
});
