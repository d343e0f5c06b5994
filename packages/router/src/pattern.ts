import { compile, parse, pathToRegexp, type ParamData, type Token } from "path-to-regexp";
import { readWays, type PatternOptions, type Way } from "./ways.ts";

/**
 * Reads a pattern.
 *
 * @param text - the pattern, as path-to-regexp has it
 * @param options - what it matches
 * @returns what the pattern is without groups; the first way that leads through a path counts
 * @throws TypeError if the text is no pattern, is not of a path, or has two parameters of one name
 */
export function readPattern(text: string, options: PatternOptions): Way[] {
  if (typeof text !== "string" || !/^\{*\//.test(text)) {
    throw new TypeError('the pattern is no path; wanted a string that begins with "/"');
  }
  // What follows a prefix begins with a slash, so the prefix must not end in one.
  const { tokens } = parse(options.end ? text : text.replace(/\/$/, ""));
  checkNames(tokens, new Set());
  if (tokens.some(isDoubtful)) pathToRegexp({ tokens, originalPath: text });
  return readWays(tokens, options);
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

/**
 * Makes the path of a URL that a pattern matches.
 *
 * @param text - the pattern
 * @param params - a value for each of its parameters
 * @param scriptName - where the pattern begins
 * @returns the path, escaped
 * @throws TypeError if a parameter is missing, or it cannot stand in a path
 */
export function buildPath(text: string, params: ParamData, scriptName: string): string {
  const path = compile(text, { encodePath, encode: encodeSegment })(params);
  return checkPath(encodePath(scriptName) + path);
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
