import { compositionOf, type Part } from "./compose.ts";
import { nameOf } from "./show.ts";
import type { Application } from "./types.ts";

/** Is an application as a tree of names. */
export interface Outline {
  /** When the application around it calls it; `""` if always. */
  readonly label: string;
  /** The name of the layer or application. */
  readonly name: string;
  /** What it calls. */
  readonly inside: readonly Outline[];
}

/**
 * Tells the tree of layers and applications within an application.
 *
 * @param app - the application, made with `stack`, `mount`, a router …
 * @returns the tree, as plain data
 * @example
 * ```ts
 * import { outline } from "@wsgi/core";
 *
 * function hello() { return ["Hello"]; }
 * outline(hello); // { label: "", name: "hello", inside: [] }
 * ```
 * @see SPEC.md [layer-describe]
 */
export function outline(app: object): Outline {
  return outlinePart({ label: "", app: app as Application });
}

function outlinePart({ label, app }: Part): Outline {
  const how = compositionOf(app);
  if (how === undefined) return { label, name: nameOf(app), inside: [] };
  if (how.layers === undefined)
    return { label, name: how.name, inside: how.parts.map(outlinePart) };
  const tree = how.layers.reduceRight<Outline>(
    (inside, layer) => ({ label: "", name: nameOf(layer), inside: [inside] }),
    outlinePart(how.parts[0]!),
  );
  return { ...tree, label };
}

/**
 * Prints the tree of layers and applications within an application, one on a line.
 *
 * @param app - the application, made with `stack`, `mount`, a router …
 * @returns the lines, without a final newline
 * @example
 * ```ts
 * import { describe, stack } from "@wsgi/core";
 *
 * function shout(app) { return (environ, startResponse) => app(environ, startResponse); }
 * function hello() { return ["Hello"]; }
 * console.log(describe(stack(shout)(hello)));
 * // shout
 * // └─ hello
 * ```
 * @see SPEC.md [layer-describe]
 */
export function describe(app: object): string {
  return describeTree(outline(app), "", "").join("\n");
}

function describeTree({ label, name, inside }: Outline, lead: string, indent: string): string[] {
  const line = label === "" ? name : `${label}  ${name}`;
  return [
    lead + line,
    ...inside.flatMap((part, i) => {
      const last = i === inside.length - 1;
      return describeTree(part, indent + (last ? "└─ " : "├─ "), indent + (last ? "   " : "│  "));
    }),
  ];
}
