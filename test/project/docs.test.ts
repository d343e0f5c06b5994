import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, it } from "node:test";
import {
  assertNone,
  lineAt,
  packages,
  read,
  root,
  runAlone,
  type Package,
} from "../support/repository.ts";
import { docAbove, exportedNames, signature, type Declaration } from "./doc-comments.ts";

// Inside the repository, so that its packages are found by their names.
const folder = "test/dist/doc-examples/";
rmSync(root + folder, { recursive: true, force: true });
mkdirSync(root + folder, { recursive: true });

describe("doc comments", () => {
  it("are looked for at every name that can be imported", async () => {
    const faults = await Promise.all(packages.map(overlookedNames));
    assertNone(faults.flat());
  });

  it("say in a sentence what each exported name does", () => {
    assertNone(exported().flatMap((name) => located(name, missingSentence(name))));
  });

  it("name the parameters, the result, an example and a source", () => {
    assertNone(exported().flatMap((name) => located(name, missingTags(name))));
  });

  it("describe each property of an options interface", () => {
    assertNone(exported().flatMap(undescribedProperties));
  });
});

describe("examples", () => {
  it("in doc comments run", async () => {
    const sources = packages.flatMap((pkg) => pkg.sources);
    // Without the stars of the comments, their fences stand as they do in a README.
    const examples = sources.flatMap(({ path, text }) =>
      examplesIn(path, text.replace(/^ *\* ?/gm, "")),
    );
    assertNone(await faultsWhenRun(examples));
  });

  it("in READMEs run if they import something, but for excerpts", async () => {
    const readmes = ["README.md", ...packages.map(({ folder }) => `${folder}/README.md`)];
    const examples = readmes
      .filter((path) => existsSync(root + path))
      .flatMap((path) => examplesIn(path, read(path)))
      .filter(({ code }) => /^import\b/m.test(code) && !code.startsWith("// excerpt"));
    assertNone(await faultsWhenRun(examples));
  });
});

function exported(): Declaration[] {
  return packages.flatMap(exportedNames);
}

async function overlookedNames(pkg: Package): Promise<string[]> {
  // A package may hand on what another declares, which has its comment there.
  const found = new Set(exported().map(({ name }) => name));
  const { name, exports } = pkg.manifest;
  const modules = await Promise.all(
    Object.keys(exports).map((path) => import(posix.join(name, path)) as Promise<object>),
  );
  return modules
    .flatMap(Object.keys)
    .filter((imported) => !found.has(imported))
    .map((imported) => `${pkg.folder}: ${imported} is declared in no sources`);
}

function located({ path, line, name }: Declaration, missing: readonly string[]): string[] {
  return missing.map((what) => `${path}:${line}: ${name} ${what}`);
}

/** A verb in the third person, which ends in "s", and a full stop somewhere in the first paragraph. */
const sentence = /^(?!This\b|Options\b)[A-Z][a-z]*s\s[^]*?\.(?:\s|$)/;

function missingSentence({ doc }: Declaration): string[] {
  if (doc === undefined) return ["has no doc comment directly above it"];
  const [paragraph = ""] = doc.split(/\n\n|^@/m);
  if (sentence.test(paragraph)) return [];
  const found = JSON.stringify(paragraph.slice(0, 50));
  return [`begins ${found}; wanted a sentence like "Makes a body." with verb and full stop`];
}

function missingTags({ kind, doc = "", code }: Declaration): string[] {
  if (kind === "function") {
    return [...wrongParams(doc, code), ...missingReturns(doc, code), ...missingExample(doc)];
  }
  if (kind !== "class") return [];
  const [body = ""] = code.split(/^\}/m);
  const at = body.search(/^ {2}constructor\(/m);
  const params = at === -1 ? [] : wrongParams(docAbove(body.slice(0, at)) ?? "", body.slice(at));
  return [...params, ...missingExample(doc)];
}

function wrongParams(doc: string, code: string): string[] {
  const found = [...doc.matchAll(/^@param (\S+) - \S/gm)].map(([, name]) => name!);
  const wanted = signature(code).parameters.map((name, i) => name || (found[i] ?? "options"));
  if (found.join() === wanted.join()) return [];
  return [`has "@param name - text" for (${found.join(", ")}); wanted (${wanted.join(", ")})`];
}

function missingReturns(doc: string, code: string): string[] {
  const nothing = /^: (?:void|never|Promise<void>|asserts\b[^{]*?) ?[{;]/;
  const fine = /^@returns \S/m.test(doc) || nothing.test(signature(code).rest);
  return fine ? [] : ["has no @returns"];
}

function missingExample(doc: string): string[] {
  const missing = /^@example\b[^@]*^```ts$/m.test(doc) ? [] : ["has no @example with a ts fence"];
  return /^@see \S/m.test(doc) ? missing : [...missing, "has no @see"];
}

function undescribedProperties({ path, line, kind, name, code }: Declaration): string[] {
  if (kind !== "interface" || !name.endsWith("Options")) return [];
  const [body = ""] = code.split(/\{\}$|^\}/m);
  return [...body.matchAll(/^ {2}(?:readonly )?("[^"]+"|[\w$]+|\[.*?\])\??[:(<]/gm)]
    .filter(({ index }) => docAbove(body.slice(0, index)) === undefined)
    .map(({ 1: property, index }) => {
      const place = `${path}:${line + lineAt(body, index) - 1}`;
      return `${place}: ${name}.${property} has no doc comment directly above it`;
    });
}

interface Example {
  /** Where it stands, `"packages/core/src/body.ts:8"`. */
  place: string;
  /** The file that is made of it, `"core-body-1.mjs"`. */
  file: string;
  code: string;
}

function examplesIn(path: string, text: string): Example[] {
  const prefix = path
    .replace(/^packages\//, "")
    .replace("/src/", "/")
    .replace(/\.\w+$/, "")
    .replaceAll("/", "-");
  return [...text.matchAll(/^ *```(?:ts|js)\n([^]*?)^ *```$/gm)].map(({ 1: code, index }, i) => ({
    place: `${path}:${lineAt(text, index)}`,
    file: `${prefix}-${i + 1}.mjs`,
    code: code!,
  }));
}

async function faultsWhenRun(examples: readonly Example[]): Promise<string[]> {
  const faults: string[] = [];
  for (const { place, file, code } of examples) {
    writeFileSync(root + folder + file, code);
    const fault = await runAlone(folder + file);
    if (fault !== undefined) faults.push(`${place}: the example ${fault}`);
  }
  return faults;
}
