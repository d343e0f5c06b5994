import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { text, type Answer } from "./answer.ts";

/** The folders of the page's modules, as they are built, and of its style sheets. */
const modules = new URL("../", import.meta.url);
const styles = new URL("../../src/page/", import.meta.url);

/** The module that the page begins with. */
const entry = "page/main.js";

/** Finds the file of each library that the page may import. */
const libraries: Readonly<Record<string, () => string>> = {
  preact: () => import.meta.resolve("preact"),
  "preact/hooks": () => import.meta.resolve("preact/hooks"),
  "preact/jsx-runtime": () => import.meta.resolve("preact/jsx-runtime"),
};

/** Is the files that are served, by their path, and no others. */
export type Assets = ReadonlyMap<string, Answer>;

/** Reads what the page needs: its style sheets, its first module, and all that this one imports. */
export function readAssets(): Assets {
  const names = readdirSync(styles).filter((name) => name.endsWith(".css"));
  const assets = new Map(
    names.map((name) => [`page/${name}`, asset(new URL(name, styles), "text/css")]),
  );
  const found = new Map([[entry, new URL(entry, modules)]]);
  // It goes on with those that are found meanwhile.
  for (const [path, url] of found) {
    const module = asset(url, "text/javascript", (code) =>
      relinkImports(code, (specifier) => {
        const target = resolveImport(specifier, path, url);
        found.set(target.path, target.url);
        return relativePath(path, target.path);
      }),
    );
    assets.set(path, module);
  }
  return assets;
}

function asset(url: URL, type: string, change = (content: string): string => content): Answer {
  return text("200 OK", change(readFileSync(url, "utf8")), `${type}; charset=utf-8`);
}

/** Is what imports or exports at the beginning of a statement, and what it names. */
const importStatement =
  /(?<=^|;)((?:import|export)\b(?:[^"'`;()]*?\bfrom)?\s*)["']([^"'\n]+)["']/gm;

/** Where the source is, which is not served. */
const sourceMap = /^\/\/# sourceMappingURL=.*$/gm;

/** Puts paths into a module in place of the names that a browser cannot find. */
function relinkImports(code: string, link: (specifier: string) => string): string {
  return code
    .replace(sourceMap, "")
    .replace(
      importStatement,
      (_, begin: string, specifier: string) => `${begin}"${link(specifier)}"`,
    );
}

function resolveImport(specifier: string, from: string, fromUrl: URL): { path: string; url: URL } {
  if (specifier.startsWith(".")) {
    const path = posix.join(posix.dirname(from), specifier);
    return { path, url: new URL(specifier, fromUrl) };
  }
  const library = libraries[specifier];
  if (library === undefined) {
    const wanted = Object.keys(libraries).join(", ");
    throw new Error(
      `Cannot serve the inspector's page: ${from} imports ${JSON.stringify(specifier)}; wanted one of ${wanted}`,
    );
  }
  // Each in a folder of its own, for what it may import from there.
  return { path: `${specifier}/index.js`, url: new URL(library()) };
}

function relativePath(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to);
  return path.startsWith(".") ? path : `./${path}`;
}
