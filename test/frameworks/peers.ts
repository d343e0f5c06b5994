import { pathToFileURL } from "node:url";
import { installed } from "../support/install.ts";

/**
 * Imports one of the packages that the bridge is tested with, which only the package.json of this folder
 * has. The first test that needs one installs them all.
 */
export async function peer<Module>(name: string): Promise<Module> {
  const require = await installed("frameworks");
  return (await import(pathToFileURL(require.resolve(name)).href)) as Module;
}
