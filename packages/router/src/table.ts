import { readPattern } from "./pattern.ts";
import type { Found } from "./radix.ts";
import { createTree, type Tree } from "./tree.ts";
import type { PatternOptions, Way } from "./ways.ts";

/** Is what a table needs to know of what it holds. */
interface Entry {
  /** The method that it answers; undefined if all. */
  readonly method: string | undefined;
  /** The pattern of the paths that it answers. */
  readonly text: string;
  /** Whether the pattern is a prefix of them. */
  readonly mounted: boolean;
}

/** Says how the paths of all routes are compared. */
export type RoutesOptions = Omit<PatternOptions, "end">;

/** Finds entries by method and path: the first that was added, of those that answer both. */
export interface Table<E> {
  /** Adds an entry; throws a TypeError if its pattern is none. */
  add(entry: E): void;
  find(method: string, path: string): Found<E> | undefined;
  /** Lists the methods that are answered at a path, sorted; all for `*`, none if nothing is there. */
  methodsAt(path: string): string[];
}

/**
 * Makes a table.
 *
 * @param options - how paths are compared
 * @returns an empty table
 */
export function createTable<E extends Entry>(options: RoutesOptions): Table<E> {
  const { sensitive } = options;
  const entries: E[] = [];
  /** The entries by the methods that they answer; HEAD shares a tree with GET until it needs its own. */
  const trees = new Map<string, Tree<E>>();
  /** The entries that answer all methods, for those without a tree. */
  const common = createTree<E>(sensitive);
  /** The tree for GET, the method of most requests. */
  let forGet = common;

  // Few trees are planted late, so ways are read again for them rather than kept for each entry.
  const waysOf = ({ text, mounted }: E): Way[] => readPattern(text, { ...options, end: !mounted });
  const plant = (method: string): Tree<E> => {
    const tree = createTree<E>(sensitive);
    for (const entry of entries) if (answers(entry, method)) tree.add(waysOf(entry), entry);
    trees.set(method, tree);
    if (method === "GET") forGet = tree;
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
    (method === "GET" ? forGet : (trees.get(method) ?? common)).find(path);

  return {
    add(entry) {
      const ways = waysOf(entry);
      for (const tree of treesFor(entry.method)) tree.add(ways, entry);
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
