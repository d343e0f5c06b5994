import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";

const root = new URL("../../../", import.meta.url);
const spec = read("packages/core/SPEC.md");
const clauses = clausesOf(spec);
const ids = clauses.map(({ id }) => id);
const rules = rulesOf(spec);
const departures = [...spec.matchAll(/^- \*\*(D\d+)\*\* \S/gm)].map(([, id]) => id!);
const sources = readdirSync(new URL("packages/", root)).flatMap(sourcesOf);

/** Is what a validator cannot see from where it stands, or what is no fault, by the reason. */
const unseen: Readonly<Record<string, readonly string[]>> = {
  "it takes the client's side, and what was sent or received, to see it": [
    "body-opaque",
    "client-closed",
    "client-gone",
    "client-signal",
    "environ-joined",
    "environ-underscore",
    "error-cut",
    "error-unsent",
    "header-repeat",
    "http-date",
    "http-decoded",
    "http-expect",
    "http-limits",
    "http-next",
    "http-order",
    "http-refused",
    "http-target",
    "http-trailers",
    "http-unchanged",
    "http-unread",
    "input-cut",
    "input-settled",
    "length-known",
    "length-unknown",
    "start-lazy",
    "start-replace",
    "write-as-yielded",
    "write-flush",
    "write-then-body",
  ],
  "it is about when and how a server goes on, which a layer in its place need not do": [
    "body-pace",
    "body-prompt",
    "body-turns",
    "error-contained",
    "length-reached",
    "start-check",
    "start-sent",
  ],
  "it is about several calls, or about none": [
    "call-callable",
    "call-once",
    "call-overlap",
    "environ-deployer",
    "environ-owned",
    "layer-compose",
    "layer-describe",
    "layer-keys",
  ],
  "the validator's own body and environ hide it: they offer nothing that could be used wrongly": [
    "body-attributes",
    "body-length",
    "body-settled",
    "close-dispose",
    "close-returned",
  ],
  "it happens within one side, and does not show in what that side does to the other": [
    "close-failed",
    "close-unstarted",
    "close-waited",
    "environ-fallback",
    "environ-process",
    "ext-start",
    "file-close",
    "file-lazy",
    "header-case",
    "header-encoding",
    "http-inbound",
    "layer-written",
    "start-release",
    "url-rebuild",
  ],
  "it allows something, or advises: who does otherwise breaks nothing": [
    "body-empty",
    "body-undrained",
    "error-layer",
    "error-page",
    "ext-node-handler",
    "ext-optional",
    "ext-veto",
    "input-source",
    "start-late",
    "write-avoid",
  ],
};

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

describe("the validator", () => {
  // What it finds itself, and what core's own checks find for it.
  const own = sourceFiles("core", /^validator\b/);
  const checks = sourceFiles("core", /^(?:body|chunk|head|headers|status)\.ts$/);
  const cited = new Set([...find(own, /(?<=")[a-z]+(?:-[a-z]+){1,3}(?=")/g), ...reported(checks)]);
  const excused = Object.values(unseen).flat();

  it("cites clauses that are there", () => {
    assert.notEqual(cited.size, 0);
    assert.deepEqual(missing([...cited], ids), []);
  });

  it("cites every clause, but for those that it has a reason not to see", () => {
    assert.deepEqual(missing(ids, [...cited, ...excused]), []);
  });

  it("has a reason only for clauses that are there and not cited, and one for each", () => {
    assert.deepEqual(missing(excused, ids), []);
    assert.deepEqual(
      excused.filter((id) => cited.has(id)),
      [],
    );
    assert.deepEqual(repeated(excused), []);
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
    const clausesReported = reported(sources);
    assert.notEqual(clausesReported.length, 0);
    assert.deepEqual(missing(clausesReported, ids), []);
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
  return sourceFiles(name, /\.ts$/);
}

function sourceFiles(name: string, wanted: RegExp): string[] {
  const folder = `packages/${name}/src/`;
  return readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && wanted.test(file))
    .map((file) => read(folder + file));
}

/** Finds the clauses of the errors that are thrown. */
function reported(texts: readonly string[]): string[] {
  return find(texts, /(?<=new WsgiError\(\s*"\w*",\s*"|\brefuse\(\s*")[^"]*/g);
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
