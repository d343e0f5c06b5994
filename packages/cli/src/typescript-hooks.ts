import type { ResolveHook } from "node:module";

/**
 * Takes a `.ts` file for an ES module, whatever the nearest package.json says or does not say. Without a
 * `"type"` there, tsx would make it CommonJS, where node's own TypeScript looks at what the file is.
 */
export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const resolved = await nextResolve(specifier, context);
  return new URL(resolved.url).pathname.endsWith(".ts")
    ? { ...resolved, format: "module" }
    : resolved;
};
