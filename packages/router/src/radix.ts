import type { ParamData } from "path-to-regexp";
import type { ParamStep, Way } from "./ways.ts";

/**
 * Is a place between two steps of a way. Whatever comes behind a step, it takes the same of a path:
 * so a search is at one position of the path when it comes to a place, and comes to it once.
 */
export interface Place<E> {
  /** The text that leads here; behind a parameter, none. */
  text: string;
  /** Where more text leads, by its first character. */
  children: Map<number, Place<E>> | undefined;
  /** What else leads on: the first of a list, in which the first that was added comes first. */
  branch: Branch<E> | undefined;
  /** The first way that leads no further. */
  leaf: Leaf<E> | undefined;
}

type Branch<E> = ParamBranch<E> | RestBranch<E>;

/** Is a parameter and where it leads. */
interface ParamBranch<E> {
  /** The number of the first way that takes it. */
  readonly order: number;
  readonly param: ParamStep;
  readonly to: Place<E>;
  next: Branch<E> | undefined;
}

/** Is the end of a way that leaves a rest of the path. */
interface RestBranch<E> {
  readonly order: number;
  readonly param: undefined;
  readonly to: Leaf<E>;
  next: Branch<E> | undefined;
}

/** Is the end of a way. */
interface Leaf<E> {
  /** The number of the way; they count up as ways are added. */
  readonly order: number;
  readonly entry: E;
  readonly names: readonly string[];
  readonly rest: Way["rest"];
}

/** Is an entry with a way that leads through a path, and what it met there. */
export interface Found<E> {
  readonly order: number;
  readonly entry: E;
  /** How many characters of the path the way led through. */
  readonly length: number;
  readonly params: ParamData;
}

/**
 * Makes a place from which no way leads on.
 *
 * @param text - the text that leads there
 * @returns the place
 */
export function createPlace<E>(text = ""): Place<E> {
  return { text, children: undefined, branch: undefined, leaf: undefined };
}

/**
 * Adds a way.
 *
 * @param root - the place where it begins
 * @param way - the way, its text folded if case does not matter
 * @param order - its number, greater than that of every way before
 * @param entry - what is to be found at its end
 */
export function addWay<E>(root: Place<E>, { steps, rest }: Way, order: number, entry: E): void {
  let place = root;
  const names: string[] = [];
  for (const step of steps) {
    if (typeof step === "string") {
      place = addText(place, step);
    } else {
      place = addParam(place, step, order);
      names.push(step.name);
    }
  }
  const leaf = { order, entry, names, rest };
  if (typeof rest === "string") place.leaf ??= leaf;
  if (rest !== "nothing") addBranch(place, { order, param: undefined, to: leaf, next: undefined });
}

function addText<E>(place: Place<E>, text: string): Place<E> {
  if (text === "") return place;
  const children = (place.children ??= new Map());
  const code = text.charCodeAt(0);
  const child = children.get(code);
  if (child === undefined) {
    const added = createPlace<E>(text);
    children.set(code, added);
    return added;
  }
  const length = commonLength(child.text, text);
  if (length === child.text.length) return addText(child, text.slice(length));
  const fork = createPlace<E>(text.slice(0, length));
  children.set(code, fork);
  child.text = child.text.slice(length);
  fork.children = new Map([[child.text.charCodeAt(0), child]]);
  return addText(fork, text.slice(length));
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

function addParam<E>(place: Place<E>, param: ParamStep, order: number): Place<E> {
  for (let branch = place.branch; branch !== undefined; branch = branch.next) {
    if (branch.param === undefined) continue;
    if (branch.param.stop === param.stop && branch.param.last === param.last) return branch.to;
  }
  const added = createPlace<E>();
  addBranch(place, { order, param, to: added, next: undefined });
  return added;
}

function addBranch<E>(place: Place<E>, added: Branch<E>): void {
  let branch = place.branch;
  while (branch?.next !== undefined) branch = branch.next;
  if (branch === undefined) place.branch = added;
  else branch.next = added;
}

/** Is a branch that has not been tried, and where the search was when it came to it. */
interface Waiting<E> {
  readonly branch: Branch<E>;
  readonly at: number;
  readonly count: number;
  readonly below: Waiting<E> | undefined;
}

/** Where the parameters of the way that is being tried begin and end in the path. */
const spans: number[] = [];

/**
 * Finds the first way that leads through a path.
 *
 * @param root - the place where ways begin
 * @param path - the path
 * @param folded - the path, folded if case does not matter
 * @returns what is at its end, if there is such a way
 */
export function search<E>(root: Place<E>, path: string, folded: string): Found<E> | undefined {
  let place = root;
  let at = 0;
  let count = 0;
  let waiting: Waiting<E> | undefined;
  let found: Found<E> | undefined;
  for (;;) {
    let branch: Branch<E> | undefined;
    if (at < path.length) {
      branch = place.branch;
      const child = place.children?.get(folded.charCodeAt(at));
      if (child !== undefined && hasText(folded, child.text, at)) {
        if (branch !== undefined) waiting = { branch, at, count, below: waiting };
        place = child;
        at += child.text.length;
        continue;
      }
    } else if (place.leaf !== undefined && !(found && found.order < place.leaf.order)) {
      found = arrive(place.leaf, path, at, count);
    }
    // No text leads on, so a branch has to: one of this place, or else the last one that waits.
    for (;;) {
      if (branch === undefined) {
        if (waiting === undefined) return found;
        ({ branch, at, count, below: waiting } = waiting);
      }
      if (found !== undefined && found.order < branch.order) {
        branch = undefined;
      } else if (branch.param === undefined) {
        found = leave(branch.to, path, at, count) ?? found;
        branch = branch.next;
      } else {
        const { param, to, next }: ParamBranch<E> = branch;
        const behind = follow(param, folded, at, count);
        branch = next;
        if (behind === -1) continue;
        if (next !== undefined) waiting = { branch: next, at, count, below: waiting };
        place = to;
        at = behind;
        count += 1;
        break;
      }
    }
  }
}

/** Says whether a text, whose first character is known to, stands in a path. */
function hasText(path: string, text: string, at: number): boolean {
  if (path.length - at < text.length) return false;
  for (let i = 1; i < text.length; i++) {
    if (path.charCodeAt(at + i) !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** Notes what a parameter takes; gives the place behind its stop, or -1 if there is none. */
function follow({ stop, last }: ParamStep, path: string, at: number, count: number): number {
  const slash = path.indexOf("/", at);
  const segmentEnd = slash === -1 ? path.length : slash;
  const end = last ? segmentEnd - stop.length : path.indexOf(stop, at + 1);
  const behind = end + stop.length;
  if (end <= at || behind > segmentEnd) return -1;
  if (last && stop !== "" && !path.startsWith(stop, end)) return -1;
  spans[2 * count] = at;
  spans[2 * count + 1] = end;
  return behind;
}

/** Ends a way before the end of the path. */
function leave<E>(leaf: Leaf<E>, path: string, at: number, count: number): Found<E> | undefined {
  const { rest, order, entry } = leaf;
  if (rest === "nothing") return undefined;
  if (rest === "segments") {
    return path[at] === "/" ? arrive(leaf, path, at, count) : undefined;
  }
  if (rest.match === undefined) {
    const found = arrive(leaf, path, path.length, count);
    found.params[rest.name] = segmentsFrom(path, at);
    return found;
  }
  const found = rest.match(path);
  if (found === false) return undefined;
  return { order, entry, length: found.path.length, params: found.params };
}

/** Does what `split("/")` does, without a copy of the rest. */
function segmentsFrom(path: string, start: number): string[] {
  const segments: string[] = [];
  let at = start;
  for (let slash = path.indexOf("/", at); slash !== -1; slash = path.indexOf("/", at)) {
    segments.push(path.slice(at, slash));
    at = slash + 1;
  }
  segments.push(path.slice(at));
  return segments;
}

function arrive<E>(
  { order, entry, names }: Leaf<E>,
  path: string,
  length: number,
  count: number,
): Found<E> {
  const params = Object.create(null) as ParamData;
  for (let i = 0; i < count; i++) {
    params[names[i]!] = path.slice(spans[2 * i], spans[2 * i + 1]);
  }
  return { order, entry, length, params };
}
