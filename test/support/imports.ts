import { posix } from "node:path";
import { lineAt, type Source } from "./repository.ts";

/** Is an import of one module by another. */
export interface Import {
  /** What stands in the quotes, `"@wsgi/core"`. */
  name: string;
  /** The package that it belongs to; undefined for a file of the importing package. */
  from: string | undefined;
  /** The path that a relative import leads to. */
  target: string;
  /** Where it stands, `"packages/core/src/body.ts:1"`. */
  place: string;
}

/** Is a static import, which begins its line, or a dynamic one or a file's URL in a line that is no comment. */
const importStatement =
  /^(?:import|export) (?:[^;"=]*? from )?"([^"]+)"|^(?! *(?:\*|\/\/)).*?\b(?:(?:import|import\.meta\.resolve|require|require\.resolve)\(|new URL\((?=\s*"\.))\s*"([^"]+)"/gm;

/** Finds what a source imports. */
export function importsOf({ path, text }: Source): Import[] {
  return [...text.matchAll(importStatement)].map(({ 1: first, 2: dynamic, index }) => {
    const name = first ?? dynamic!;
    const isRelative = name.startsWith(".");
    return {
      name,
      from: isRelative ? undefined : packageOf(name),
      target: isRelative ? posix.join(posix.dirname(path), name) : "",
      place: `${path}:${lineAt(text, index)}`,
    };
  });
}

/** Names the package: `"@wsgi/middleware/head"` is of `"@wsgi/middleware"`; `"node:fs"` is its own. */
function packageOf(name: string): string {
  return name.split("/", name.startsWith("@") ? 2 : 1).join("/");
}
