import { readdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { defaultLimits } from "@wsgi/server";
import { read, root } from "../support/repository.ts";
import { classes } from "./classes.ts";

// Writes the tables of SECURITY.md that are made from the tests and from the server:
//
//     npx tsc -b && node test/dist/hardening/security-table.js --write

/** How a case cites its class: in the title of a test, or as the id of an entry. */
const citation = /\bit\(\s*["`]([A-Z]\d+) ·|\bid: "([A-Z]\d+)"/g;

/** Lists the cases of each class by the file that they are in. */
function countCases(): Map<string, Map<string, number>> {
  const cases = new Map<string, Map<string, number>>();
  const names = readdirSync(`${root}test/hardening`).filter((name) => name.endsWith(".ts"));
  for (const name of names.toSorted()) {
    for (const [, titled, entered] of read(`test/hardening/${name}`).matchAll(citation)) {
      const id = (titled ?? entered)!;
      const files = cases.get(id) ?? new Map<string, number>();
      cases.set(id, files.set(name, (files.get(name) ?? 0) + 1));
    }
  }
  return cases;
}

/** Makes the table of classes and cases. */
function caseTable(): string {
  const cases = countCases();
  const unknown = [...cases.keys()].filter((id) => !Object.hasOwn(classes, id));
  if (unknown.length > 0) throw new Error(`No class has the id ${unknown.join(", ")}`);
  const rows = Object.entries(classes).map(([id, text]) => {
    const files = cases.get(id) ?? new Map<string, number>();
    const links = [...files.keys()].map((name) => `[${name.slice(0, -3)}](test/hardening/${name})`);
    return [id, text, String(sum(files.values())), links.join(", ")];
  });
  const total = sum([...cases.values()].flatMap((files) => [...files.values()]));
  return table([
    ["id", "what went wrong elsewhere", "cases", "in"],
    ...rows,
    ["", "all", `${total}`, ""],
  ]);
}

function sum(counts: Iterable<number>): number {
  return [...counts].reduce((total, count) => total + count, 0);
}

/** Says in words what the limits are; a limit without words is none that SECURITY.md tells. */
const limitWords: Readonly<Record<keyof typeof defaultLimits, string>> = {
  requestLine: "bytes of a request line; more gets 414",
  headerCount: "header fields of a request; more get 431",
  headerBytes: "bytes of target, field names and values together; more get 431",
  body: "bytes of a body; more get 413",
  unreadBody: "bytes of an unread body that are thrown away to keep the connection",
  waitingRequests: "requests sent ahead before no more are read",
  connections: "connections; with more, an idle one makes place, or 503",
  headersTimeout: "milliseconds for the head of a request; then 408",
  requestTimeout: "milliseconds for all of a request; then 408",
  keepAliveTimeout: "milliseconds that a connection is kept for a next request",
  writeTimeout: "milliseconds in which a client takes nothing; then it is cut off",
};

/** Makes the table of limits. */
function limitTable(): string {
  const rows = Object.entries(defaultLimits).map(([name, value]) => [
    `\`${name}\``,
    value.toLocaleString("en"),
    limitWords[name as keyof typeof defaultLimits],
  ]);
  return table([["limit", "default", "what it is"], ...rows]);
}

/** Writes a table as oxfmt does, so that it stays as it is. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[], fill: string): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!, fill)).join(" | ")} |`;
  const [head, ...rest] = rows;
  const rule = line(
    widths.map(() => ""),
    "-",
  );
  return [line(head!, " "), rule, ...rest.map((row) => line(row, " "))].join("\n");
}

/** Puts the tables between their marks. */
export function withTables(text: string): string {
  return [
    ["limits", limitTable()],
    ["cases", caseTable()],
  ].reduce((written, [mark, made]) => {
    const place = new RegExp(`(<!-- ${mark} -->\\n)[^]*?(\\n<!-- /${mark} -->)`);
    if (!place.test(written)) throw new Error(`SECURITY.md has no place for ${mark}`);
    return written.replace(place, (_, begin, end) => `${begin}\n${made}\n${end}`);
  }, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes("--write")) {
  writeFileSync(`${root}SECURITY.md`, withTables(read("SECURITY.md")));
}
