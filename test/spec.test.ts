import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";

const root = new URL("../../", import.meta.url);
const spec = read("packages/core/SPEC.md");
const clauses = clausesOf(spec);
const ids = clauses.map(({ id }) => id);
const rules = rulesOf(spec);
const departures = [...spec.matchAll(/^- \*\*(D\d+)\*\* \S/gm)].map(([, id]) => id!);
const sources = readdirSync(new URL("packages/", root)).flatMap(sourcesOf);

describe("SPEC.md", () => {
  it("defines each clause in a list item of its own", () => {
    assert.equal(clauses.length, spec.split("**[").length - 1);
    assert.deepEqual(repeated(ids), []);
  });

  it("writes an id as an area and one to three words", () => {
    const odd = ids.filter((id) => !/^[a-z]+(-[a-z]+){1,3}$/.test(id));
    assert.deepEqual(odd, []);
  });

  it("says of each clause whom it binds, and how much", () => {
    const form = /^(?:server|application|middleware|all)\. (?:MUST|SHOULD|MAY)\b/;
    const vague = clauses.filter(({ text }) => !form.test(text));
    assert.deepEqual(vague, []);
  });

  it("answers for P01 to P98 and X1 to X6, each once and in order", () => {
    const p = Array.from({ length: 98 }, (_, i) => `P${String(i + 1).padStart(2, "0")}`);
    const x = Array.from({ length: 6 }, (_, i) => `X${i + 1}`);
    const found = rules.map(({ rule }) => rule);
    assert.deepEqual(found, [...p, ...x]);
  });

  it("answers each rule with clauses that are there", () => {
    const open = rules.filter(({ by }) => by.length === 0 || missing(by, ids).length > 0);
    assert.deepEqual(open, []);
  });

  it("calls each rule kept, or departed from with a reason that is there", () => {
    const verdicts = ["kept", ...departures.map((id) => `departed: ${id}`)];
    const unclear = rules.filter(({ verdict }) => !verdicts.includes(verdict));
    assert.deepEqual(unclear, []);
  });

  it("has each reason for departing from a rule once, and needs it", () => {
    const used = rules.map(({ verdict }) => verdict.replace("departed: ", ""));
    assert.deepEqual(repeated(departures), []);
    assert.deepEqual(missing(departures, used), []);
  });

  it("names the same rules at the clauses as in the table", () => {
    const atClauses = clauses.flatMap(({ id, cites }) => cites.map((rule) => `${rule} ${id}`));
    const inTable = rules.flatMap(({ rule, by }) => by.map((id) => `${rule} ${id}`));
    assert.deepEqual(missing(atClauses, inTable), []);
    assert.deepEqual(missing(inTable, atClauses), []);
  });

  it("shows the types as the package declares them", () => {
    const declared = plain(read("packages/core/src/types.ts"));
    const shown = /```ts\n(type [^`]*)```/.exec(spec)?.[1]?.split(/\n(?=type )/) ?? [];
    const different = shown.filter((type) => !declared.includes(plain(type)));
    assert.equal(shown.length, 7);
    assert.deepEqual(different, []);
  });
});

describe("the sources of the packages", () => {
  it("cite clauses that are there", () => {
    const comments = find(sources, /^ *(?:\/\*\*|\*|\/\/).*$/gm);
    const cited = find(comments, /(?<=\[)[a-z]{2,}(?:-[a-z]{2,})+(?=\])/g);
    assert.notEqual(cited.length, 0);
    assert.deepEqual(missing(cited, ids), []);
  });

  it("report broken clauses that are there", () => {
    const reported = find(sources, /(?<=new WsgiError\(\s*"\w*",\s*"|\brefuse\(\s*")[^"]*/g);
    assert.notEqual(reported.length, 0);
    assert.deepEqual(missing(reported, ids), []);
  });

  it("cite sections that are there", () => {
    const sections = find([spec], /(?<=^## \d+\. ).*/gm);
    const cited = find(sources, /(?<=SPEC\.md, ")[^"]*(?=")/g);
    assert.notEqual(cited.length, 0);
    assert.deepEqual(missing(cited, sections), []);
  });
});

function read(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

interface Clause {
  readonly id: string;
  readonly text: string;
  /** The rules of PEP 3333 that stand in parentheses at its end. */
  readonly cites: readonly string[];
}

function clausesOf(text: string): Clause[] {
  const items = text.matchAll(/^- \*\*\[(.*?)\]\*\* (.*(?:\n {2}.*)*)/gm);
  return [...items].map(([, id, item]) => {
    const end = /\(([PX]\d+(?:,\s+[PX]\d+)*)\)$/.exec(item!);
    return { id: id!, text: item!, cites: end?.[1]?.split(/,\s+/) ?? [] };
  });
}

interface Rule {
  readonly rule: string;
  /** The ids of the clauses that answer for it. */
  readonly by: readonly string[];
  readonly verdict: string;
}

function rulesOf(text: string): Rule[] {
  const rows = text.matchAll(/^\| ([PX]\d+) +\|.*\| (.*?) *\| (.*?) *\|$/gm);
  return [...rows].map(([, rule, by, verdict]) => ({
    rule: rule!,
    by: by === "" ? [] : by!.split(", "),
    verdict: verdict!,
  }));
}

function sourcesOf(name: string): string[] {
  const folder = `packages/${name}/src/`;
  return readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => read(folder + file));
}

/** Takes comments, `export` and the breaks of lines off declarations. */
function plain(code: string): string {
  return code
    .replace(/\/\*[^]*?\*\/|\/\/.*/g, "")
    .replace(/\bexport /g, "")
    .replace(/\s+/g, " ")
    .trim();
}

function find(texts: readonly string[], pattern: RegExp): string[] {
  return texts.flatMap((text) => text.match(pattern) ?? []);
}

function repeated(values: readonly string[]): string[] {
  return values.filter((value, i) => values.indexOf(value) !== i);
}

function missing(values: readonly string[], known: readonly string[]): string[] {
  return values.filter((value) => !known.includes(value));
}
