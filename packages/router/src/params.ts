import type { ParamData } from "path-to-regexp";

/** Where the parameters of the way that is being tried begin and end in the path. */
export const spans: number[] = [];

/** Makes the parameters of a path, for the way whose spans were noted. */
export type MakeParams = (path: string) => ParamData;

/** Programs have some dozens of lists of names; the bound is for those that make patterns at run time. */
const makersLimit = 1_000;
const makers = new Map<string, MakeParams>();

/**
 * What inherits from an object that inherits nothing is as safe as an object without a prototype; but
 * V8 knows its shape, where it makes a dictionary of the other.
 */
const prototype: object = Object.freeze(Object.create(null) as object);

/** Is the parameters of a path without any. */
export const noParams: ParamData = Object.freeze(Object.create(prototype) as ParamData);

/**
 * Finds what makes the parameters of a way.
 *
 * @param names - the names of the parameters, in order
 * @param wildcard - the name of the wildcard behind them, if there is one
 * @returns the maker, which all ways with the same names share
 */
export function paramsMaker(names: readonly string[], wildcard: string | undefined): MakeParams {
  const assign = (name: string, value: string): string =>
    `this[${JSON.stringify(name)}] = ${value};`;
  const lines = names.map((name, i) =>
    assign(name, `path.slice(spans[${2 * i}], spans[${2 * i + 1}])`),
  );
  if (wildcard !== undefined) {
    lines.push(assign(wildcard, `segmentsFrom(path, spans[${2 * names.length}])`));
  }
  const assignments = lines.join(" ");
  const known = makers.get(assignments);
  if (known !== undefined) return known;
  const make = compile(assignments) ?? ((path) => fill(names, wildcard, path));
  if (makers.size < makersLimit) makers.set(assignments, make);
  return make;
}

/** Writes a class that has the parameters; gives undefined where code must not be made of text. */
function compile(assignments: string): MakeParams | undefined {
  const text = `function Params(path) { ${assignments} }
    Params.prototype = prototype;
    return (path) => new Params(path);`;
  try {
    // oxlint-disable-next-line no-new-func -- the text has names of parameters only, as JSON
    const write = new Function("prototype", "spans", "segmentsFrom", text);
    return write(prototype, spans, segmentsFrom) as MakeParams;
  } catch {
    return undefined;
  }
}

/** Does the same in a loop, which takes longer. */
function fill(names: readonly string[], wildcard: string | undefined, path: string): ParamData {
  const params = Object.create(prototype) as ParamData;
  for (const [i, name] of names.entries()) {
    params[name] = path.slice(spans[2 * i], spans[2 * i + 1]);
  }
  if (wildcard !== undefined) params[wildcard] = segmentsFrom(path, spans[2 * names.length]!);
  return params;
}

/** Where the segments of a wildcard end. */
const ends: number[] = [];

/** Does what `split("/")` does, without a copy of the rest and without an array that grows. */
function segmentsFrom(path: string, start: number): string[] {
  let count = 0;
  for (let end = path.indexOf("/", start); end !== -1; end = path.indexOf("/", end + 1)) {
    ends[count] = end;
    count += 1;
  }
  if (count === 0) return [path.slice(start)];
  // oxlint-disable-next-line no-new-array -- the number is its length, and every place is filled
  const segments = new Array<string>(count + 1);
  let at = start;
  for (let i = 0; i < count; i++) {
    segments[i] = path.slice(at, ends[i]);
    at = ends[i]! + 1;
  }
  segments[count] = path.slice(at);
  return segments;
}
