import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { posix } from "node:path";
import { describe, it } from "node:test";
import { importsOf, type Import } from "../support/imports.ts";
import {
  assertNone,
  entries,
  lineAt,
  packages,
  read,
  root,
  runAlone,
} from "../support/repository.ts";
import type { Package, Source } from "../support/repository.ts";

const tracked = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" })
  .trim()
  .split("\n");

describe("imports", () => {
  it("point down to core", () => {
    assertNone(packages.flatMap(upwardImports));
  });

  it("stay inside their package, or name another", () => {
    assertNone(packages.flatMap(strayImports));
  });

  it("are of declared packages, and each declared package is imported", () => {
    assertNone(packages.flatMap(wrongDependencies));
  });

  it("work for each file alone", async () => {
    const faults: string[] = [];
    for (const path of packages.flatMap(modules)) {
      const fault = await runAlone(built(path));
      if (fault !== undefined) faults.push(`${path}: imported alone, it ${fault}`);
    }
    assertNone(faults);
  });
});

describe("entry points", () => {
  it("are files with types, and commands that a shell can start", () => {
    assertNone(packages.flatMap(wrongTargets));
  });

  it("are all the layers of middleware, and each is in a table of its README", () => {
    const middleware = packages.filter(({ manifest }) => manifest.name === "@wsgi/middleware");
    assertNone(middleware.flatMap(hiddenLayers));
  });
});

describe("repository", () => {
  it("holds nothing unexpected at its top level", () => {
    const expected =
      /^(?:\..*|packages|test|examples|(?:package|package-lock|tsconfig)\.json|(?:README|SECURITY|CHANGELOG)\.md|LICENSE)$/;
    const top = new Set(tracked.map((path) => path.split("/", 1).join()));
    assertNone([...top].filter((name) => !expected.test(name)));
  });

  it("holds nothing that the build makes", () => {
    assertNone(tracked.filter((path) => /(?:^|\/)dist\/|\.tsbuildinfo$|\.tgz$/.test(path)));
  });

  it("has each test in a folder of test/, where the build and `npm test` look", () => {
    const tests = tracked.filter((path) => path.endsWith(".test.ts"));
    assertNone(tests.filter((path) => !/^test\/[^/]+\/[^/]+$/.test(path)));
  });

  it("has no source file of more than 300 lines", () => {
    assertNone(packages.flatMap(longSources));
  });

  it("locks versions, and not the addresses that they came from", () => {
    const lock = JSON.parse(read("package-lock.json")) as {
      packages: Record<string, { resolved?: string; link?: boolean }>;
    };
    const locked = Object.entries(lock.packages);
    assertNone(
      locked
        .filter(([, { resolved, link }]) => resolved !== undefined && link !== true)
        .map(([name, { resolved }]) => `${name}: ${resolved}`),
    );
  });
});

/**
 * Core is below every package and the command above; between them none is above another, but for the bridge,
 * which needs a server.
 */
function level(name: string): number {
  if (name === "@wsgi/core") return 0;
  if (name === "wsgi") return 3;
  return name === "@wsgi/bridge" ? 2 : 1;
}

function upwardImports({ manifest, sources }: Package): string[] {
  const ours = new Set(packages.map((pkg) => pkg.manifest.name));
  const isUpward = ({ from }: Import): boolean => {
    if (from === undefined) return false;
    // What carries all the others imports nothing, not even node: modules.
    if (level(manifest.name) === 0) return true;
    return ours.has(from) && level(from) >= level(manifest.name);
  };
  return sources
    .flatMap(importsOf)
    .filter(isUpward)
    .map(({ name, place }) => `${place}: ${manifest.name} must not import ${name}`);
}

function strayImports({ folder, sources }: Package): string[] {
  return sources
    .flatMap(importsOf)
    .filter(({ from, target }) => from === undefined && !target.startsWith(`${folder}/`))
    .map(({ name, place }) => `${place}: ${name} is outside ${folder}`);
}

function wrongDependencies({ folder, manifest, sources }: Package): string[] {
  const imports = sources
    .flatMap(importsOf)
    .filter(({ from }) => from !== undefined && !from.startsWith("node:"));
  const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }));
  const unused = sources.every(isEmpty) ? new Set<string>() : new Set(declared);
  for (const { from } of imports) unused.delete(from!);
  // What a dependency leaves to its users to bring is brought, and not imported.
  for (const peer of packages.filter((pkg) => declared.has(pkg.manifest.name)).flatMap(peersOf)) {
    unused.delete(peer);
  }
  return [
    ...imports
      .filter(({ from }) => !declared.has(from!))
      .map(({ from, place }) => `${place}: ${from} is not declared in ${folder}/package.json`),
    ...[...unused].map((name) => `${folder}/package.json: ${name} is never imported`),
  ];
}

function peersOf({ manifest }: Package): string[] {
  return Object.keys(manifest.peerDependencies ?? {});
}

function isEmpty({ text }: Source): boolean {
  return text.trim() === "export {};";
}

function built(path: string): string {
  return path.replace("/src/", "/dist/").replace(/\.tsx?$/, ".js");
}

function commands({ folder, manifest }: Package): string[] {
  return Object.values(manifest.bin ?? {}).map((path) => posix.join(folder, path));
}

/** Lists the sources that are there to be imported, and not to be started. */
function modules(pkg: Package): string[] {
  // Sources import each other as .ts; one that is named as it is built runs in a process of its own.
  const named = pkg.sources
    .flatMap(importsOf)
    .map(({ target }) => target.replace("/src/", "/dist/"));
  // The page's own begins in a browser.
  const programs = new Set([...commands(pkg), ...named, "packages/inspector/dist/page/main.js"]);
  return pkg.sources
    .map(({ path }) => path)
    .filter((path) => !path.endsWith(".d.ts") && !programs.has(built(path)));
}

function wrongTargets(pkg: Package): string[] {
  const { folder, manifest } = pkg;
  const targets = Object.values(manifest.exports);
  const modules = [
    ...targets.map((target) => target.default),
    ...Object.values(manifest.bin ?? {}),
  ];
  const types = [
    ...targets.map((target) => target.types ?? "types"),
    ...targets.map((target) => target.default.replace(/\.js$/, ".d.ts")),
  ];
  const files = [...modules, ...types].map((path) => posix.join(folder, path));
  // The sources too, because a build leaves behind what it made of those that are gone.
  const wanted = new Set([...files, ...entries(pkg)]);
  const missing = [...wanted].filter((path) => !existsSync(root + path));
  const mute = commands(pkg)
    .filter((path) => !missing.includes(path))
    .filter((path) => !read(path).startsWith("#!/usr/bin/env node\n"));
  return [
    ...missing.map((path) => `${folder}/package.json: ${path} does not exist`),
    ...mute.map((path) => `${folder}/package.json: ${path} does not begin with #!`),
  ];
}

/** The end of a signature, on the line of its export or on a line of its own. */
const makesLayer = /^(?:export function .*)?\): Middleware\b/m;

function hiddenLayers(pkg: Package): string[] {
  const parts = new Set(pkg.sources.flatMap(importsOf).map(({ target }) => target));
  const exported = new Set(entries(pkg));
  const isReadable = existsSync(`${root}${pkg.folder}/README.md`);
  const rows = isReadable ? read(`${pkg.folder}/README.md`).match(/^\|[^|]*/gm) : null;
  return pkg.sources.flatMap((source) => {
    if (!exported.has(source.path)) {
      // What others of the package import is a part of them, unless it makes a layer.
      const isPart = parts.has(source.path) && !makesLayer.test(source.text);
      return isPart ? [] : [`${source.path}: is not in exports`];
    }
    const name = posix.basename(source.path, ".ts");
    const called = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const inTable = rows?.some((row) => new RegExp(`\\b(?:${name}|${called})\\b`).test(row));
    return inTable || isEmpty(source) ? [] : [`${source.path}: is in no table of the README`];
  });
}

function longSources({ sources }: Package): string[] {
  return sources
    .map(({ path, text }) => ({ path, lines: lineAt(text, text.length) - 1 }))
    .filter(({ lines }) => lines > 300)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
}
