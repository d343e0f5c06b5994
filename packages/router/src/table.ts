import type { ParamData } from "path-to-regexp";
import type { Pattern } from "./pattern.ts";

/** Is what a table needs to know of what it holds. */
interface Entry {
  /** The method that it answers; undefined if all. */
  readonly method: string | undefined;
  /** The paths that it answers. */
  readonly pattern: Pattern;
}

/** Is an entry that answers a request, and how its pattern matched. */
export interface Found<E> {
  readonly entry: E;
  /** The part of the path that the pattern matched. */
  readonly path: string;
  readonly params: ParamData;
}

/** Finds entries by method and path: the first that was added, of those that answer both. */
export interface Table<E> {
  add(entry: E): void;
  find(method: string, path: string): Found<E> | undefined;
  /** Lists the methods that are answered at a path, sorted; all for `*`, none if nothing is there. */
  methodsAt(path: string): string[];
}

/** Is the entries that answer one method. */
interface Row<E> {
  readonly literals: Map<string, E>;
  readonly others: E[];
}

/**
 * Makes a table.
 *
 * @returns an empty table
 */
export function createTable<E extends Entry>(): Table<E> {
  const rows = new Map<string, Row<E>>();
  /** Answers the methods that have no row; whatever is in it is in the rows too. */
  const common: Row<E> = { literals: new Map(), others: [] };

  const rowOf = (method: string): Row<E> => {
    const row = rows.get(method) ?? {
      literals: new Map(common.literals),
      others: [...common.others],
    };
    rows.set(method, row);
    return row;
  };
  const rowsOf = (method: string | undefined): Row<E>[] => {
    if (method === undefined) return [common, ...rows.values()];
    return method === "GET" ? [rowOf("GET"), rowOf("HEAD")] : [rowOf(method)];
  };
  const find = (method: string, path: string): Found<E> | undefined =>
    findIn(rows.get(method) ?? common, path);

  return {
    add(entry) {
      for (const row of rowsOf(entry.method)) addTo(row, entry);
    },
    find,
    methodsAt(path) {
      const methods = [...rows.keys()].filter(
        (method) => path === "*" || find(method, path) !== undefined,
      );
      return methods.length === 0 ? [] : [...new Set([...methods, "OPTIONS"])].toSorted();
    },
  };
}

function addTo<E extends Entry>(row: Row<E>, entry: E): void {
  const { literals } = entry.pattern;
  if (literals === undefined) {
    row.others.push(entry);
    return;
  }
  for (const path of literals) {
    // Literals are found first, so one that an earlier entry answers must not get in.
    if (findIn(row, path) === undefined) row.literals.set(path, entry);
  }
}

const noParams: ParamData = Object.freeze(Object.create(null) as ParamData);

function findIn<E extends Entry>(row: Row<E>, path: string): Found<E> | undefined {
  const literal = row.literals.get(path);
  if (literal !== undefined) return { entry: literal, path, params: noParams };
  for (const entry of row.others) {
    const found = entry.pattern.match(path);
    if (found !== false) return { entry, path: found.path, params: found.params };
  }
  return undefined;
}
