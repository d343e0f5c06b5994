import {
  byteLength,
  checkHeaders,
  ResponseHeaders,
  statusLine,
  type Header,
  type HeaderList,
} from "@wsgi/core";
import { negotiate } from "./negotiate.ts";

/** Is what a client may know of an error. */
export interface Problem {
  /** The status code, 400 to 599. */
  readonly code: number;
  /** The reason phrase of the code. */
  readonly title: string;
  /** The message, if it is meant for clients. */
  readonly detail?: string;
  /** Header fields that the error brings along. */
  readonly headers: HeaderList;
}

/** Is an answer, before it is started. */
export interface Page {
  readonly status: string;
  readonly headers: HeaderList;
  readonly text: string;
}

/** Is a media type that error pages come in. */
export type PageType = "text/plain" | "text/html" | "application/problem+json" | "application/json";

const pageTypes = [
  "text/plain",
  "text/html",
  "application/problem+json",
  "application/json",
] as const;

const internalError: Problem = { code: 500, title: "Internal Server Error", headers: [] };

/**
 * Tells what a client may know of an error: all that an error with a status and `expose` says, as
 * http-errors makes them, and nothing of any other. (A status alone is no answer: the errors of HTTP
 * clients have one too, and it is another server's.)
 *
 * @param error - what was thrown
 * @returns the problem, whose headers can be sent
 */
export function problemOf(error: unknown): Problem {
  try {
    return exposedProblem(error as Partial<Record<string, unknown>>) ?? internalError;
  } catch {
    return internalError;
  }
}

/** Throws for what is no object, for a getter that throws, and for headers that cannot be sent. */
function exposedProblem(error: Partial<Record<string, unknown>>): Problem | undefined {
  const { status, statusCode, expose, message } = error;
  const code = status ?? statusCode;
  if (typeof expose !== "boolean" || !isErrorStatus(code)) return undefined;
  const problem = { code, title: statusLine(code).slice(4), headers: headersOf(error.headers) };
  checkHeaders(problem.headers);
  const detail = expose && message !== problem.title ? String(message ?? "") : "";
  return detail === "" ? problem : { ...problem, detail };
}

/** Tells whether a value is the status code of an error. */
export function isErrorStatus(code: unknown): code is number {
  return Number.isInteger(code) && (code as number) >= 400 && (code as number) < 600;
}

/** Reads the headers of http-errors (an object) as well as a list of pairs. */
function headersOf(headers: unknown): HeaderList {
  if (typeof headers !== "object" || headers === null) return [];
  const pairs = Symbol.iterator in headers ? [...(headers as HeaderList)] : Object.entries(headers);
  return pairs.flatMap(([name, value]) => [value].flat().map((one): Header => [name, String(one)]));
}

/**
 * Finds the type of page that a client likes best; text if it likes none, because an error is told anyway.
 *
 * @param accept - the Accept field, if there is one
 * @returns the type
 */
export function pageType(accept: string | undefined): PageType {
  return negotiate(accept, pageTypes) ?? "text/plain";
}

/**
 * Makes the page for a problem, of which it says no more than the problem does.
 *
 * @param problem - what the client may know
 * @param accept - the Accept field, if there is one
 * @returns the page
 */
export function errorPage(problem: Problem, accept: string | undefined): Page {
  const type = pageType(accept);
  return page(problem, type, writers[type](problem));
}

const writers: Readonly<Record<PageType, (problem: Problem) => string>> = {
  "text/plain": ({ code, title, detail }) =>
    `${code} ${title}\n${detail === undefined ? "" : `\n${detail}\n`}`,
  "text/html": ({ code, title, detail }) =>
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${code} ${escapeHtml(title)}</title>
<h1>${code} ${escapeHtml(title)}</h1>
${detail === undefined ? "" : `<p>${escapeHtml(detail)}</p>\n`}</html>
`,
  "application/problem+json": (problem) => JSON.stringify(problemJson(problem)),
  "application/json": (problem) => JSON.stringify(problemJson(problem)),
};

/**
 * Makes a problem's members as JSON has them.
 *
 * @param problem - what the client may know
 * @returns the members
 * @see RFC 9457, section 3.1
 */
export function problemJson({ code, title, detail }: Problem): Record<string, unknown> {
  return { title, status: code, ...(detail === undefined ? {} : { detail }) };
}

/**
 * Puts a page together.
 *
 * @param problem - what it is about
 * @param type - its media type
 * @param text - its text
 * @returns the page, with the problem's headers and its own
 */
export function page(problem: Problem, type: PageType, text: string): Page {
  const headers = new ResponseHeaders(problem.headers)
    .set("Content-Type", type.startsWith("text/") ? `${type}; charset=utf-8` : type)
    .set("Content-Length", String(byteLength(text)))
    .set("X-Content-Type-Options", "nosniff")
    .append("Vary", "Accept");
  headers.setDefault("Cache-Control", "no-store");
  return { status: `${problem.code} ${problem.title}`, headers: headers.list, text };
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text for HTML, in elements and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}
