import {
  compile,
  match,
  parse,
  type MatchFunction,
  type ParamData,
  type Token,
} from "path-to-regexp";

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
  /** The paths that it matches, if it matches no others. */
  readonly literals: readonly string[] | undefined;
  /** Gives the part of a path that it matches, and the parameters; or false. */
  readonly match: MatchFunction<ParamData>;
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
  const { sensitive, trailing, end } = options;
  const tokens = readTokens(text);
  // What follows a prefix begins with a slash, so the prefix must not end in one.
  const matched = end ? text : text.replace(/\/$/, "");
  const toPath = compile(text, { encodePath, encode: encodeSegment });
  return {
    literals: end && sensitive ? literalPaths(tokens, trailing) : undefined,
    match: match(matched, { ...options, decode: leave }),
    build: (params, scriptName) => checkPath(encodePath(scriptName) + toPath(params)),
  };
}

function readTokens(text: string): readonly Token[] {
  if (typeof text !== "string" || !/^\{*\//.test(text)) {
    throw new TypeError('the pattern is no path; wanted a string that begins with "/"');
  }
  const { tokens } = parse(text);
  checkNames(tokens, new Set());
  return tokens;
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

function literalPaths(tokens: readonly Token[], trailing: boolean): string[] | undefined {
  const [token] = tokens;
  if (tokens.length > 1 || token?.type !== "text") return undefined;
  const path = token.value;
  return trailing && !path.endsWith("/") ? [path, `${path}/`] : [path];
}

/** PATH_INFO is decoded. `decode: false` would say the same, but leave wildcards in one piece. */
function leave(value: string): string {
  return value;
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
