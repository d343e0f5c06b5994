import type { Header } from "@wsgi/core";
import type { CallEvent, Json } from "./recording.ts";

/** Is what a layer has done to the header fields of a response. */
export interface HeaderDifference {
  readonly added: readonly Header[];
  /** Fields with another value than before, each under the name that it has now. */
  readonly changed: readonly {
    readonly name: string;
    readonly before: string;
    readonly after: string;
  }[];
  readonly removed: readonly Header[];
}

/** Is what a layer has done to environ before it has called what is inside. */
export interface EnvironDifference {
  readonly added: Readonly<Record<string, Json>>;
  readonly changed: Readonly<Record<string, { readonly before: Json; readonly after: Json }>>;
  /** Keys that were removed, with what they were. */
  readonly removed: Readonly<Record<string, Json>>;
}

/**
 * Compares two lists of header fields.
 *
 * @param before - the list that came from inside
 * @param after - the list that went on
 * @returns what is in one of them only; of names that are in both, the values
 */
export function compareHeaders(
  before: readonly Header[],
  after: readonly Header[],
): HeaderDifference {
  const removed = without(before, after);
  const added: Header[] = [];
  const changed: HeaderDifference["changed"][number][] = [];
  for (const [name, value] of without(after, before)) {
    const place = removed.findIndex((field) => isSame(field[0], name));
    if (place === -1) added.push([name, value]);
    else changed.push({ name, before: removed.splice(place, 1)[0]![1], after: value });
  }
  return { added, changed, removed };
}

/** Lists the fields that are not among others, as often as they are not. */
function without(fields: readonly Header[], others: readonly Header[]): Header[] {
  const left = others.slice();
  return fields.filter(([name, value]) => {
    const place = left.findIndex((field) => isSame(field[0], name) && field[1] === value);
    if (place !== -1) left.splice(place, 1);
    return place === -1;
  });
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Is environ as it was at a call. */
export type KnownEnviron = ReadonlyMap<string, Json>;

/**
 * Tells how environ was at a call.
 *
 * @param event - the call
 * @param outside - how it was at the call around; undefined for the outermost
 * @returns all of its keys
 */
export function environAt({ environ }: CallEvent, outside: KnownEnviron | undefined): KnownEnviron {
  const known = new Map([
    ...(outside ?? []),
    ...Object.entries(environ.added),
    ...Object.entries(environ.changed),
  ]);
  for (const key of environ.removed) known.delete(key);
  return known;
}

/**
 * Adds to a difference what a layer has made of environ for a call.
 *
 * @param so - what it has done for the calls before
 * @param event - the call that it makes
 * @param outside - how environ was when the layer was called
 * @returns both together
 */
export function addEnviron(
  so: EnvironDifference,
  { environ }: CallEvent,
  outside: KnownEnviron,
): EnvironDifference {
  const was = (key: string): Json => outside.get(key) ?? null;
  const changed = Object.entries(environ.changed).map(
    ([key, after]) => [key, { before: was(key), after }] as const,
  );
  return {
    added: { ...so.added, ...environ.added },
    changed: { ...so.changed, ...Object.fromEntries(changed) },
    removed: {
      ...so.removed,
      ...Object.fromEntries(environ.removed.map((key) => [key, was(key)])),
    },
  };
}

/** Is no difference. */
export const noDifference: EnvironDifference = { added: {}, changed: {}, removed: {} };
