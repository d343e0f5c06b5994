import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../bench/package.json", import.meta.url));

/** Imports one of the packages that the benchmarks compare with, which only their own package.json has. */
export async function peer<Module>(name: string): Promise<Module> {
  return (await import(pathToFileURL(require.resolve(name)).href)) as Module;
}
