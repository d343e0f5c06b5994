import type { Pattern } from "./pattern.ts";
import type { Found } from "./radix.ts";
import { createTree, type Tree } from "./tree.ts";

/** Is what a table needs to know of what it holds. */
interface Entry {
  /** The method that it answers; undefined if all. */
  readonly method: string | undefined;
  /** The paths that it answers. */
  readonly pattern: Pattern;
}

/** Finds entries by method and path: the first that was added, of those that answer both. */
export interface Table<E> {
  add(entry: E): void;
  find(method: string, path: string): Found<E> | undefined;
  /** Lists the methods that are answered at a path, sorted; all for `*`, none if nothing is there. */
  methodsAt(path: string): string[];
}

/**
 * Makes a table.
 *
 * @param sensitive - whether letters in paths must have the same case
 * @returns an empty table
 */
export function createTable<E extends Entry>(sensitive: boolean): Table<E> {
  const entries: E[] = [];
  /** The entries by the methods that they answer; HEAD shares a tree with GET until it needs its own. */
  const trees = new Map<string, Tree<E>>();
  /** The entries that answer all methods, for those without a tree. */
  const common = createTree<E>(sensitive);

  const plant = (method: string): Tree<E> => {
    const tree = createTree<E>(sensitive);
    for (const entry of entries) if (answers(entry, method)) tree.add(entry.pattern, entry);
    trees.set(method, tree);
    return tree;
  };
  const treesFor = (method: string | undefined): Iterable<Tree<E>> => {
    if (method === undefined) return new Set([common, ...trees.values()]);
    const tree = trees.get(method) ?? plant(method);
    if (method === "GET") {
      const head = trees.get("HEAD") ?? tree;
      trees.set("HEAD", head);
      return new Set([tree, head]);
    }
    if (method === "HEAD" && tree === trees.get("GET")) return [plant("HEAD")];
    return [tree];
  };
  const find = (method: string, path: string): Found<E> | undefined =>
    (trees.get(method) ?? common).find(path);

  return {
    add(entry) {
      for (const tree of treesFor(entry.method)) tree.add(entry.pattern, entry);
      entries.push(entry);
    },
    find,
    methodsAt(path) {
      const methods = [...trees.keys()].filter(
        (method) => path === "*" || find(method, path) !== undefined,
      );
      return methods.length === 0 ? [] : [...new Set([...methods, "OPTIONS"])].toSorted();
    },
  };
}

function answers({ method }: Entry, wanted: string): boolean {
  return method === undefined || method === wanted || (method === "GET" && wanted === "HEAD");
}
