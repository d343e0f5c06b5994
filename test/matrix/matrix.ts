import { checks, Site, type Check } from "./checks.ts";
import { excepted, impossible } from "./exceptions.ts";
import type { Host, RunningHost } from "./hosts.ts";

/** Is every row: a file in test/frameworks/applications for each. */
export const applications = [
  "plain",
  "express",
  "koa",
  "fastify",
  "connect",
  "hono",
  "h3",
  "micro",
] as const;

/** Is what a check of a cell has shown. */
export interface Outcome {
  readonly check: string;
  /** Why it is wrong; undefined if it is right. */
  readonly fault: Error | undefined;
  /** Why it is known not to work. */
  readonly reason: string | undefined;
}

/** How long a check may take, in milliseconds. */
const limit = 10_000;
/** The same for one that is known to fail, which may be by waiting. */
const shortLimit = 500;

/** Names the checks that are made of a cell: of one that is known not to run only the first. */
export function checksOf(host: Host, application: string): readonly Check[] {
  return impossible(host.name, application) === undefined ? checks : checks.slice(0, 1);
}

/** Makes one check of one application on one host. */
export async function look(
  host: Host,
  running: RunningHost,
  application: string,
  check: Check,
): Promise<Outcome> {
  const reason = impossible(host.name, application) ?? excepted(host.name, application, check.name);
  const site = new Site(running, application);
  const failure = await failureOf(check, site, reason === undefined ? limit : shortLimit);
  if (reason === undefined) return { check: check.name, fault: failure, reason };
  const works = new Error(`It works; wanted it to fail, because ${reason}`);
  return { check: check.name, fault: failure === undefined ? works : undefined, reason };
}

async function failureOf(check: Check, site: Site, limit: number): Promise<Error | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`It was not over after ${limit} ms`)), limit);
  });
  try {
    await Promise.race([check.run(site), late]);
    return undefined;
  } catch (error) {
    return error as Error;
  } finally {
    site.leave();
    clearTimeout(timer);
  }
}

/** Draws the table: a column for each host, a row for each application, and notes below it. */
export function draw(
  columns: readonly string[],
  cell: (host: string, application: string) => readonly Outcome[] | string,
): string {
  const notes: string[] = [];
  const mark = (text: string): number => {
    if (!notes.includes(text)) notes.push(text);
    return notes.indexOf(text) + 1;
  };
  const rows = applications.map((application) => [
    application,
    ...columns.map((host) => write(cell(host, application), mark)),
  ]);
  const all = [["", ...columns], ...rows];
  const widths = all[0]!.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  const lines = all.map((row) =>
    row
      .map((text, i) => text.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
  return [...lines, "", ...notes.map((note, i) => `${i + 1}: ${note}`)].join("\n");
}

function write(cell: readonly Outcome[] | string, mark: (note: string) => number): string {
  if (typeof cell === "string") return `- ${mark(cell)}`;
  const faults = cell.filter(({ fault }) => fault !== undefined);
  if (faults.length > 0) return `FAILS: ${faults.map(({ check }) => check).join(", ")}`;
  const reasons = new Set(cell.map(({ reason }) => reason).filter((one) => one !== undefined));
  const marks = [...reasons].map((reason) => {
    const known = cell.filter((outcome) => outcome.reason === reason);
    return mark(`${known.map(({ check }) => check).join(", ")}: ${reason}`);
  });
  return ["ok", ...marks.toSorted((a, b) => a - b)].join(" ");
}
