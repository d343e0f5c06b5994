/**
 * Writes a value that was found into a message: text in quotes, so that its ends show, simple values as
 * they print, and of objects their type.
 *
 * @param value - anything
 * @returns a short text
 * @example
 * ```ts
 * import { show } from "@wsgi/core";
 *
 * show("80"); // "\"80\""
 * show([404, null]); // "[404, null]"
 * show(new Map()); // "an object of type Map"
 * ```
 * @see Deno's rules for error messages
 */
export function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(showOne).join(", ")}]`;
  return showOne(value);
}

function showOne(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" || typeof value === "function" ? typeName(value) : String(value);
}

/**
 * Says of what type a value is, for a message about one that should be of another.
 *
 * @param value - anything
 * @returns a short text
 * @example
 * ```ts
 * import { typeName } from "@wsgi/core";
 *
 * typeName("text"); // "a string"
 * ```
 * @see Deno's rules for error messages
 */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "object") return `an object of type ${value.constructor?.name ?? "Object"}`;
  return `a ${typeof value}`;
}

/**
 * Names a layer or an application by its function.
 *
 * @param part - the function
 * @returns its name, or `"(anonymous)"`
 * @example
 * ```ts
 * import { nameOf } from "@wsgi/core";
 *
 * nameOf(function hello() {}); // "hello"
 * ```
 * @see SPEC.md [layer-describe]
 */
export function nameOf(part: object): string {
  return (part as { name?: string }).name || "(anonymous)";
}
