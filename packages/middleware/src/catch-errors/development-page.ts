import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { describe, type Environ, type MaybePromise } from "@wsgi/core";
import { escapeHtml, page, pageType, problemJson, type Page, type Problem } from "./error-page.ts";

/** Is all that a developer may know of an error. */
export interface Failure {
  readonly error: unknown;
  readonly problem: Problem;
  readonly environ: Environ;
  /** The application that failed, which tells its layers. */
  readonly app: object;
}

/**
 * Makes the page that shows an error to the developer: the stack with its source, causes, the layers
 * and the request. It evaluates nothing, escapes everything, and hides the values of what looks secret.
 *
 * @param failure - what is known
 * @returns the page; a promise of it if the client wants HTML
 */
export function developmentPage(failure: Failure): MaybePromise<Page> {
  const { problem, environ } = failure;
  const type = pageType(environ.HTTP_ACCEPT);
  if (type === "text/html") return drawPage(failure);
  return page(problem, type, type === "text/plain" ? textOf(failure) : jsonOf(failure));
}

/** Draws the page with youch; if that fails, the page is text. */
async function drawPage(failure: Failure): Promise<Page> {
  const { error, problem, environ, app } = failure;
  try {
    const { Youch } = await import("youch");
    const youch = new Youch();
    youch.templates.injectStyles(styles);
    youch.metadata.group("In full", { error: { key: "error", value: errorText(error) } });
    youch.metadata.group("Layers", { inside: { key: "inside", value: describe(app) } });
    const rows = environRows(environ).map(([key, value]) => ({ key: escapeHtml(key), value }));
    youch.metadata.group("Request", { environ: rows });
    const title = `${problem.code} ${problem.title}`;
    const cspNonce = randomBytes(16).toString("base64");
    const html = await youch.toHTML(viewOf(error), { title, cspNonce });
    const drawn = page(problem, "text/html", html);
    return { ...drawn, headers: [...drawn.headers, policy(cspNonce)] };
  } catch (fault) {
    environ["wsgi.errors"].write(
      `Cannot draw the development page: ${errorText(fault)}; it is sent as text. Is youch installed?\n`,
    );
    return page(problem, "text/plain", textOf(failure));
  }
}

// The copy button works with an inline handler, which the policy does not let run.
const styles = `
  .metadata-group span, .table-value { font-family: monospace; white-space: pre-wrap; }
  #copy-error-btn { display: none; }
`;

/** Lets nothing run but what youch brings, should something ever slip through unescaped. */
function policy(nonce: string): readonly [string, string] {
  return [
    "Content-Security-Policy",
    `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  ];
}

/** Is an error in strings only: youch does not escape everything else, regular expressions for one. */
interface ErrorView {
  name: string;
  message: string;
  stack: string;
}

function viewOf(thrown: unknown): ErrorView {
  if (!(thrown instanceof Error)) {
    return { name: `A ${typeof thrown} was thrown`, message: errorText(thrown), stack: "" };
  }
  const { name, message, stack } = thrown;
  // Parts of a stack get into attributes unescaped, and a message can look like a line of it.
  const quoteless = String(stack ?? "").replaceAll('"', "'");
  return { name: String(name), message: String(message), stack: quoteless };
}

function textOf({ error, problem, environ, app }: Failure): string {
  return [
    `${problem.code} ${problem.title}`,
    errorText(error),
    `Layers\n${indent(describe(app).split("\n"))}`,
    `Request\n${indent(environRows(environ).map(([key, value]) => `${key}: ${value}`))}\n`,
  ].join("\n\n");
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

function jsonOf({ error, problem, environ, app }: Failure): string {
  return JSON.stringify({
    ...problemJson(problem),
    stack: errorText(error).split("\n"),
    layers: describe(app).split("\n"),
    environ: Object.fromEntries(environRows(environ)),
  });
}

const secret =
  /auth|cookie|credential|csrf|jwt|passw|private|secret|session|signature|token|(?:access|api).?key/i;

/** Lists the request, without what looks secret, in its keys and in the parameters within its values. */
function environRows(environ: Environ): [key: string, value: string][] {
  return Object.entries(environ).map(([key, value]) => {
    if (secret.test(key)) return [key, "(hidden)"];
    return [key, typeof value === "string" ? hideParameters(value) : errorText(value, -1)];
  });
}

/**
 * Hides the values of parameters that look secret.
 *
 * @param value - a URL, a query or a header field
 * @returns the same with `(hidden)` for these values
 */
export function hideParameters(value: string): string {
  return value.replace(/[^?&;,\s]+/g, (parameter) => {
    const name = parameter.slice(0, parameter.indexOf("=") + 1);
    return secret.test(name) ? `${name}(hidden)` : parameter;
  });
}

/** Control characters, but for newline and tab: a terminal may obey them. */
const controls = /[^\P{Cc}\n\t]/gu;

/**
 * Writes a value out as node does: an error with its stack, its causes and its properties.
 *
 * @param value - anything
 * @param depth - how far to go into it; default 4
 * @returns the text
 */
export function errorText(value: unknown, depth = 4): string {
  try {
    const text = inspect(value, { customInspect: false, depth });
    return text.replace(
      controls,
      (code) => `\\x${code.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
  } catch {
    return "(a value that cannot be shown)";
  }
}
