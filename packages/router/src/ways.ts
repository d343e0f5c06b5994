import {
  match,
  type MatchFunction,
  type Parameter,
  type ParamData,
  type Text,
  type Token,
  type Wildcard,
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

/** Is a pattern without groups: steps from the start of a path to its end. */
export interface Way {
  readonly steps: readonly Step[];
  /** What the path may have behind the steps. */
  readonly rest: "nothing" | "segments" | Rest;
}

/** Is a text, or a parameter with what ends it. */
export type Step = string | ParamStep;

/** Is a parameter: some characters of one segment, at least one. */
export interface ParamStep {
  readonly name: string;
  /** The text that follows it in the segment, and belongs to the step. */
  readonly stop: string;
  /** Whether the segment ends with the text; if not, the first place that has it counts. */
  readonly last: boolean;
}

/** Is a wildcard: the rest of the path, at least one character. */
export interface Rest {
  readonly name: string;
  /** Matches the whole path, if the pattern goes on behind the wildcard. */
  readonly match: MatchFunction<ParamData> | undefined;
}

type FlatToken = Text | Parameter | Wildcard;

/**
 * Takes a pattern apart into ways.
 *
 * @param tokens - the pattern, which path-to-regexp accepts
 * @param options - what it matches
 * @returns the ways, in the order in which they are to be tried
 */
export function readWays(tokens: readonly Token[], options: PatternOptions): Way[] {
  return withoutGroups(tokens).flatMap((flat) => {
    const way = readWay(flat, options);
    const trailing = options.trailing && way.rest === "nothing" && !endsInSlash(flat);
    return trailing ? [way, readWay([...flat, { type: "text", value: "/" }], options)] : [way];
  });
}

/** Writes groups out in the order in which path-to-regexp does: first with, then without. */
function withoutGroups(tokens: readonly Token[]): FlatToken[][] {
  const index = tokens.findIndex(({ type }) => type === "group");
  const group = tokens[index];
  if (group?.type !== "group") return [tokens as FlatToken[]];
  const before = tokens.slice(0, index) as FlatToken[];
  const after = tokens.slice(index + 1);
  return [[...group.tokens, ...after], after]
    .flatMap(withoutGroups)
    .map((rest) => [...before, ...rest]);
}

function readWay(tokens: readonly FlatToken[], options: PatternOptions): Way {
  const index = tokens.findIndex(({ type }) => type === "wildcard");
  const wildcard = tokens[index];
  if (wildcard?.type !== "wildcard") {
    return { steps: readSteps(tokens, false), rest: options.end ? "nothing" : "segments" };
  }
  const goesOn = index + 1 < tokens.length;
  return {
    steps: readSteps(tokens.slice(0, index), true),
    rest: {
      name: wildcard.name,
      match: goesOn ? match({ tokens }, { ...options, decode: leave }) : undefined,
    },
  };
}

/** PATH_INFO is decoded. `decode: false` would say the same, but leave wildcards in one piece. */
function leave(value: string): string {
  return value;
}

function endsInSlash(tokens: readonly FlatToken[]): boolean {
  const last = tokens.at(-1);
  return last?.type === "text" && last.value.endsWith("/");
}

/** Reads what comes before a wildcard, or is all. */
function readSteps(tokens: readonly FlatToken[], goesOn: boolean): Step[] {
  const pieces = [{ name: "", text: "" }];
  for (const token of tokens) {
    if (token.type === "text") pieces.at(-1)!.text += token.value;
    else pieces.push({ name: token.name, text: "" });
  }
  return pieces.flatMap(({ name, text }, i) => {
    if (i === 0) return text === "" ? [] : [text];
    const slash = text.indexOf("/");
    const last = slash !== -1 || (i === pieces.length - 1 && !goesOn);
    const stop = slash === -1 ? text : text.slice(0, slash);
    const after = text.slice(stop.length);
    const param = { name, stop, last };
    return after === "" ? [param] : [param, after];
  });
}
