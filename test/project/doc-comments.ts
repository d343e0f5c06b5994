// TypeScript 7 has no compiler API, so the sources are read as text. oxfmt makes that safe: what is
// exported begins its line, members are indented by two, and quotes are double.
import { posix } from "node:path";
import { entries, lineAt, read, type Package } from "../support/repository.ts";

/** Is a declaration in a source file. */
export interface Declaration {
  path: string;
  line: number;
  kind: string;
  name: string;
  exported: boolean;
  /** The text of the comment above it without its stars; undefined if there is none. */
  doc: string | undefined;
  /** The source from the declaration on. */
  code: string;
}

/** Finds what a package exports: each name at the place where it is declared. */
export function exportedNames(pkg: Package): Declaration[] {
  const found = entries(pkg).flatMap((path) => follow(path));
  return [...new Map(found.map((name) => [`${name.path}:${name.line}`, name])).values()];
}

const exportStatement =
  /^export (?:type )?(?:\*|\{(?<list>[^}]*)\})(?: from "(?<from>[^"]+)")?;|^export .*/gm;

/** Finds what a file exports, or of it only the names asked for, under the names they shall have. */
function follow(path: string, only?: ReadonlyMap<string, string>): Declaration[] {
  const text = read(path);
  const declared = declarations(path, text);
  const found = pick(
    declared.filter(({ exported }) => exported),
    only,
  );
  for (const { 0: statement, index, groups } of text.matchAll(exportStatement)) {
    const { list, from } = groups!;
    const names = list === undefined ? only : namesIn(list);
    if (from?.startsWith(".")) {
      found.push(...follow(posix.join(posix.dirname(path), from), names));
    } else if (list !== undefined && from === undefined) {
      found.push(...pick(declared, names));
    } else if (from === undefined && !declaration.test(statement)) {
      throw new Error(`Cannot read ${path}:${lineAt(text, index)}: ${JSON.stringify(statement)}`);
    }
  }
  return found;
}

function pick(found: Declaration[], only?: ReadonlyMap<string, string>): Declaration[] {
  if (only === undefined) return found;
  return found.flatMap((one) => {
    const name = only.get(one.name);
    return name === undefined ? [] : [{ ...one, name }];
  });
}

/** Reads `a, type B, c as d`: each name where it is declared, and the name that it is given. */
function namesIn(list: string): Map<string, string> {
  const names = list.matchAll(/(?:^|,)\s*(?:type )?([\w$]+)(?: as ([\w$]+))?/g);
  return new Map([...names].map(([, name, alias]) => [name!, alias ?? name!]));
}

const declaration =
  /^(?<exported>export )?(?:declare )?(?:abstract )?(?:async )?(?<kind>function|class|interface|type|const|let)\*? (?<name>[\w$]+)/;

function declarations(path: string, text: string): Declaration[] {
  const found = new Map<string, Declaration>();
  for (const match of text.matchAll(new RegExp(declaration, "gm"))) {
    const { exported, kind, name } = match.groups as Record<string, string>;
    // Only the first of several overloads carries the comment.
    if (found.has(name!)) continue;
    found.set(name!, {
      path,
      line: lineAt(text, match.index),
      kind: kind!,
      name: name!,
      exported: exported !== undefined,
      doc: docAbove(text.slice(0, match.index)),
      code: text.slice(match.index),
    });
  }
  return [...found.values()];
}

/** Reads the comment at the end of a text; directives for the linter may stand below it. */
export function docAbove(text: string): string | undefined {
  const [, doc] = /\/\*\*((?:(?!\*\/)[^])*)\*\/\n(?: *\/\/.*\n)* *$/.exec(text) ?? [];
  return doc?.replace(/^[ \t]*\* ?/gm, "").trim();
}

/** Is what stands in and behind the parentheses of a function. */
export interface Signature {
  /** The parameters' names; `""` for one that is taken apart. */
  parameters: string[];
  /** The source behind them. */
  rest: string;
}

const tokens = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|\/\/.*|\/\*[^]*?\*\/|=>|[()[\]{}<>,]/g;

/** Reads the first list of parameters in a source. */
export function signature(code: string): Signature {
  const parts: string[] = [];
  let depth = 0;
  let start = -1;
  for (const { 0: token, index } of code.matchAll(tokens)) {
    if (token === "(" && depth === 0) start = index + 1;
    const closes = token === ")" && depth === 1;
    if (start !== -1 && (closes || (token === "," && depth === 1))) {
      parts.push(code.slice(start, index).trim());
      start = index + 1;
    }
    if (start !== -1 && closes) break;
    if (/^[([{<]$/.test(token)) depth += 1;
    if (/^[)\]}>]$/.test(token)) depth -= 1;
  }
  const named = parts.filter((part) => part !== "" && !part.startsWith("this:"));
  return {
    parameters: named.map((part) => /^(?:\.\.\.)?([\w$]+)/.exec(part)?.[1] ?? ""),
    rest: code.slice(start),
  };
}
