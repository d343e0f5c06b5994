import { noParams } from "./params.ts";
import { addWay, createPlace, search, type Found } from "./radix.ts";
import type { Way } from "./ways.ts";

/** Finds entries by path: of those whose patterns match it, the first that was added. */
export interface Tree<E> {
  /** Adds an entry with the ways of its pattern. */
  add(ways: readonly Way[], entry: E): void;
  find(path: string): Found<E> | undefined;
}

/**
 * Makes a tree, with a map in front of it for the paths that patterns without parameters match.
 *
 * @param sensitive - whether letters must have the same case
 * @returns an empty tree
 */
export function createTree<E>(sensitive: boolean): Tree<E> {
  const fold = sensitive ? same : foldCase;
  const plain = new Map<string, Found<E>>();
  const root = createPlace<E>();
  let order = 0;

  const find = (path: string): Found<E> | undefined => {
    const folded = fold(path);
    return plain.get(folded) ?? search(root, path, folded);
  };
  return {
    add(ways, entry) {
      for (const way of ways) {
        const path = plainPath(way);
        if (path === undefined) {
          addWay(root, sensitive ? way : foldWay(way), order, entry);
        } else if (find(path) === undefined) {
          // The map comes first, so it must not have a path that an earlier way leads through.
          plain.set(fold(path), { order, entry, length: path.length, params: noParams });
        }
        order += 1;
      }
    },
    find,
  };
}

function plainPath({ steps, rest }: Way): string | undefined {
  const [text = ""] = steps;
  return steps.length <= 1 && typeof text === "string" && rest === "nothing" ? text : undefined;
}

function foldWay({ steps, rest }: Way): Way {
  const folded = steps.map((step) =>
    typeof step === "string" ? foldCase(step) : { ...step, stop: foldCase(step.stop) },
  );
  return { steps: folded, rest };
}

function same(text: string): string {
  return text;
}

/** Folds case as a regular expression with the flag "i" does: every character stays one. */
function foldCase(text: string): string {
  return /[^ -~]/.test(text) ? text.replace(/[a-z]|[^ -~]/g, foldCharacter) : text.toUpperCase();
}

/** ECMA-262, Canonicalize: nothing beyond ASCII becomes a part of it. */
function foldCharacter(character: string): string {
  const upper = character.toUpperCase();
  return upper.length === 1 && (character < "\x80" || upper > "\x7f") ? upper : character;
}
