import type { ParamData } from "path-to-regexp";
import { paramsMaker, spans, type MakeParams } from "./params.ts";
import type { ParamStep, Way } from "./ways.ts";

/**
 * Is a place between two steps of a way. Whatever comes behind a step, it takes the same of a path:
 * so a search is at one position of the path when it comes to a place, and comes to it once.
 */
export interface Place<E> {
  /** The text that leads here, as characters; behind a parameter, none. */
  text: readonly number[];
  /** The first character of the text. */
  readonly code: number;
  /** Where more text leads: the first of a list, in which every text begins with another character. */
  child: Place<E> | undefined;
  /** The next of the list in which this place is. */
  sibling: Place<E> | undefined;
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
  readonly rest: Way["rest"];
  readonly makeParams: MakeParams;
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
 * @param text - the characters of the text that leads there
 * @returns the place
 */
export function createPlace<E>(text: readonly number[] = []): Place<E> {
  const code = text[0] ?? -1;
  return { text, code, child: undefined, sibling: undefined, branch: undefined, leaf: undefined };
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
      place = addText(place, codesOf(step));
    } else {
      place = addParam(place, step, order);
      names.push(step.name);
    }
  }
  const wildcard = typeof rest === "string" ? undefined : rest.name;
  const leaf = { order, entry, rest, makeParams: paramsMaker(names, wildcard) };
  if (typeof rest === "string") place.leaf ??= leaf;
  if (rest !== "nothing") addBranch(place, { order, param: undefined, to: leaf, next: undefined });
}

/** A character of an array is read in half the time of one of a string. */
function codesOf(text: string): number[] {
  const codes: number[] = [];
  for (let i = 0; i < text.length; i++) codes.push(text.charCodeAt(i));
  return codes;
}

function addText<E>(place: Place<E>, text: readonly number[]): Place<E> {
  if (text.length === 0) return place;
  const child = childFor(place, text[0]!);
  if (child === undefined) {
    const added = createPlace<E>(text);
    added.sibling = place.child;
    place.child = added;
    return added;
  }
  const length = commonLength(child.text, text);
  if (length < child.text.length) fork(child, length);
  return addText(child, text.slice(length));
}

function childFor<E>(place: Place<E>, code: number): Place<E> | undefined {
  let { child } = place;
  while (child !== undefined && child.code !== code) child = child.sibling;
  return child;
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** Makes a place the one in the middle of its text; what was at the end is below it. */
function fork<E>(place: Place<E>, length: number): void {
  const below = createPlace<E>(place.text.slice(length));
  below.child = place.child;
  below.branch = place.branch;
  below.leaf = place.leaf;
  place.text = place.text.slice(0, length);
  place.child = below;
  place.branch = undefined;
  place.leaf = undefined;
}

function addParam<E>(place: Place<E>, param: ParamStep, order: number): Place<E> {
  for (let { branch } = place; branch !== undefined; branch = branch.next) {
    if (branch.param === undefined) continue;
    if (branch.param.stop === param.stop && branch.param.last === param.last) return branch.to;
  }
  const added = createPlace<E>();
  addBranch(place, { order, param, to: added, next: undefined });
  return added;
}

function addBranch<E>(place: Place<E>, added: Branch<E>): void {
  let { branch } = place;
  while (branch?.next !== undefined) branch = branch.next;
  if (branch === undefined) place.branch = added;
  else branch.next = added;
}

/**
 * Finds the first way that leads through a path.
 *
 * @param root - the place where ways begin
 * @param path - the path
 * @param folded - the path, folded if case does not matter
 * @returns what is at its end, if there is such a way
 */
export function search<E>(root: Place<E>, path: string, folded: string): Found<E> | undefined {
  return searchFrom(root, path, folded, 0, 0, undefined);
}

/**
 * Goes on from a place, to which so many characters and parameters have led. Calls itself only where
 * the place leads on in more than one way, so as deep as a pattern is long and no deeper.
 */
function searchFrom<E>(
  start: Place<E>,
  path: string,
  folded: string,
  characters: number,
  params: number,
  before: Found<E> | undefined,
): Found<E> | undefined {
  let place = start;
  let at = characters;
  let count = params;
  let found = before;
  for (;;) {
    if (at === path.length) {
      const { leaf } = place;
      return leaf === undefined || isBefore(found, leaf) ? found : arrive(leaf, path, at);
    }
    let { branch } = place;
    const child = childFor(place, folded.charCodeAt(at));
    if (child !== undefined && hasText(folded, child.text, at)) {
      const behind = at + child.text.length;
      if (branch === undefined) {
        place = child;
        at = behind;
        continue;
      }
      found = searchFrom(child, path, folded, behind, count, found);
    }
    for (;;) {
      if (branch === undefined || isBefore(found, branch)) return found;
      if (branch.param === undefined) {
        found = leave(branch.to, path, at, count) ?? found;
      } else {
        const behind = follow(branch.param, folded, at, count);
        if (behind !== -1 && branch.next === undefined) {
          place = branch.to;
          at = behind;
          count += 1;
          break;
        }
        if (behind !== -1) found = searchFrom(branch.to, path, folded, behind, count + 1, found);
      }
      branch = branch.next;
    }
  }
}

function isBefore<E>(found: Found<E> | undefined, { order }: { readonly order: number }): boolean {
  return found !== undefined && found.order < order;
}

/** Says whether a text, whose first character is known to, stands in a path. */
function hasText(path: string, text: readonly number[], at: number): boolean {
  if (path.length - at < text.length) return false;
  for (let i = 1; i < text.length; i++) {
    if (path.charCodeAt(at + i) !== text[i]) return false;
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
  const { rest } = leaf;
  if (rest === "nothing") return undefined;
  if (rest === "segments") return path[at] === "/" ? arrive(leaf, path, at) : undefined;
  if (rest.match === undefined) {
    spans[2 * count] = at;
    return arrive(leaf, path, path.length);
  }
  const found = rest.match(path);
  if (found === false) return undefined;
  return { order: leaf.order, entry: leaf.entry, length: found.path.length, params: found.params };
}

function arrive<E>({ order, entry, makeParams }: Leaf<E>, path: string, length: number): Found<E> {
  return { order, entry, length, params: makeParams(path) };
}
