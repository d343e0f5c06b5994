import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { assertNone, read, root } from "../support/repository.ts";
import { goalTable } from "./goals.ts";
import { median, ratio, table } from "./benchmark.ts";
import { startServer } from "./server-process.ts";

const files = readdirSync(`${root}test/bench`, { recursive: true, encoding: "utf8" }).filter(
  (path) => /\.[jt]s$/.test(path) && !/^(?:node_modules|results)\b/.test(path),
);

describe("bench", () => {
  it("imports only packages that are here, or that its package.json has", () => {
    const { dependencies } = JSON.parse(read("test/bench/package.json")) as {
      dependencies: Record<string, string>;
    };
    const known = new RegExp(
      `^(?:[.#]|node:|@wsgi/|(?:${Object.keys(dependencies).join("|")})(?:/|$))`,
    );
    const imported = files.flatMap((path) =>
      [...read(`test/bench/${path}`).matchAll(/(?:from |import\()"([^"]+)"/g)].map(([, name]) => ({
        path,
        name: name!,
      })),
    );
    assertNone(
      imported.filter(({ name }) => !known.test(name)).map(({ path, name }) => `${path}: ${name}`),
    );
  });

  it("serves what needs no other packages", async () => {
    const answers = ["hello/wsgi", "hello/plain", "stack/wsgi", "hello/bare"].map(async (name) => {
      await using server = await startServer(name, "2");
      const response = await fetch(`http://127.0.0.1:${server.port}/`);
      return `${response.status} ${(await server.usage()).cpu > 0}`;
    });
    assert.deepEqual(await Promise.all(answers), ["200 true", "200 true", "404 true", "200 true"]);
  });

  it("says whether goals are reached", () => {
    const lines = goalTable([
      { "streams.layers4": 7 },
      { "streams.layers4": 2 },
      { "streams.layers4": 3 },
    ]);
    assert.match(lines, /4 KiB add +at most 5 % +3 +2 to 7 +reached$/m);
  });
});

describe("median()", () => {
  it("is the middle number, or between the two in the middle", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
  });
});

describe("ratio()", () => {
  it("compares within each round", () => {
    assert.equal(ratio([10, 200, 30], [5, 100, 10]), 2);
  });
});

describe("table()", () => {
  it("has the first column on the left and numbers on the right", () => {
    assert.equal(
      table(
        ["a", "b"],
        [
          ["long", 1_234.5],
          ["x", 0.123],
        ],
      ),
      "a         b\n----  -----\nlong  1,235\nx     0.123",
    );
  });
});
