import { compile, parse, pathToRegexp, type ParamData, type Token } from "path-to-regexp";
import { readWays, type Way } from "./ways.ts";

/** Says what a pattern matches. */
export interface PatternOptions {
  /** Whether letters must have the same case. */
  readonly sensitive: boolean;
  /** Whether a path may have one slash more at its end. */
  readonly trailing: boolean;
  /** Whether it must match the whole path; if not, its first segments are enough. */
  readonly end: boolean;
}

/** Is a pattern, ready for use. */
export interface Pattern {
  /** What it is without groups; the first that leads through a path counts. */
  readonly ways: readonly Way[];
  /** Makes the path of a URL that it matches, behind SCRIPT_NAME; throws a TypeError if it cannot. */
  readonly build: (params: ParamData, scriptName: string) => string;
}

/**
 * Reads a pattern.
 *
 * @param text - the pattern, as path-to-regexp has it
 * @param options - what it matches
 * @returns the pattern
 * @throws TypeError if the text is no pattern, is not of a path, or has two parameters of one name
 */
export function readPattern(text: string, options: PatternOptions): Pattern {
  if (typeof text !== "string" || !/^\{*\//.test(text)) {
    throw new TypeError('the pattern is no path; wanted a string that begins with "/"');
  }
  // What follows a prefix begins with a slash, so the prefix must not end in one.
  const { tokens } = parse(options.end ? text : text.replace(/\/$/, ""));
  checkNames(tokens, new Set());
  if (tokens.some(isDoubtful)) pathToRegexp({ tokens, originalPath: text });
  return {
    ways: readWays(tokens, options),
    build: (params, scriptName) => checkPath(encodePath(scriptName) + toPath(text, params)),
  };
}

function checkNames(tokens: readonly Token[], names: Set<string>): void {
  for (const token of tokens) {
    if (token.type === "group") checkNames(token.tokens, names);
    if (token.type === "text" || token.type === "group") continue;
    if (names.has(token.name)) {
      throw new TypeError(
        `it has two parameters ${JSON.stringify(token.name)}; wanted another name for one of them`,
      );
    }
    names.add(token.name);
  }
}

/** Says whether path-to-regexp may refuse a pattern, which it can parse, for what begins with a token. */
function isDoubtful({ type }: Token, index: number, tokens: readonly Token[]): boolean {
  const next = tokens[index + 1];
  return type === "group" || (type !== "text" && next !== undefined && next.type !== "text");
}

function toPath(text: string, params: ParamData): string {
  return compile(text, { encodePath, encode: encodeSegment })(params);
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function encodeSegment(value: string): string {
  // Servers decode PATH_INFO, so an escaped slash would come back as a slash.
  if (value.includes("/")) {
    throw new TypeError(`${JSON.stringify(value)} has a slash; wanted one segment of a path`);
  }
  return encodeURIComponent(value);
}

/** Refuses a path that a client would take for another: `//host`, or one with dot segments. */
function checkPath(path: string): string {
  if (/^\/\/|\/\.\.?(?:\/|$)/.test(path)) {
    throw new TypeError(
      `it would be ${JSON.stringify(path)}; wanted one slash at its start, and no segment "." or ".."`,
    );
  }
  return path;
}
