import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { text, type Answer } from "./answer.ts";

/** The folder whose modules the page is made of, and its style sheets. */
const modules = new URL("../", import.meta.url);
const styles = new URL("../../src/page/", import.meta.url);

/** Where the page begins. */
const entry = "page/main.js";

/** Says where the file of a library is that the page imports by its name. */
const libraries: Readonly<Record<string, () => string>> = {
  preact: () => import.meta.resolve("preact"),
  "preact/hooks": () => import.meta.resolve("preact/hooks"),
  "preact/jsx-runtime": () => import.meta.resolve("preact/jsx-runtime"),
};

/**
 * Reads the files that the page needs: its style sheets, its first module, and what that imports.
 *
 * @returns the answers by their path under `assets/`, and no others
 */
export function readAssets(): ReadonlyMap<string, Answer> {
  const assets = new Map<string, Answer>();
  for (const file of readdirSync(styles).filter((name) => name.endsWith(".css"))) {
    const content = readFileSync(new URL(file, styles), "utf8");
    assets.set(`page/${file}`, text("200 OK", content, "text/css; charset=utf-8"));
  }
  const found = new Map([[entry, new URL(entry, modules)]]);
  // A Map goes on with what is added to it meanwhile.
  for (const [name, url] of found) {
    const code = readFileSync(url, "utf8")
      .replace(sourceMap, "")
      .replace(importStatement, (_all, begin: string, specifier: string) => {
        const target = targetOf(specifier, name, url);
        found.set(target.name, target.url);
        return `${begin}"${posix.relative(posix.dirname(`/${name}`), `/${target.name}`).replace(/^(?!\.)/, "./")}"`;
      });
    assets.set(name, text("200 OK", code, "text/javascript; charset=utf-8"));
  }
  return assets;
}

/** Is an import or export at the beginning of a statement, and not in a comment or a text; with what it names. */
const importStatement =
  /(?<=^|;)((?:import|export)\b(?:[^"'`;()]*?\bfrom)?\s*)["']([^"'\n]+)["']/gm;

/** The page's files are served as one tree, where the sources have no place. */
const sourceMap = /^\/\/# sourceMappingURL=.*$/gm;

function targetOf(specifier: string, from: string, fromUrl: URL): { name: string; url: URL } {
  if (specifier.startsWith(".")) {
    return {
      name: posix.join(posix.dirname(from), specifier),
      url: new URL(specifier, fromUrl),
    };
  }
  const library = libraries[specifier];
  if (library === undefined) {
    throw new Error(
      `Cannot serve the inspector's page: ${from} imports ${JSON.stringify(specifier)}; wanted one of ${Object.keys(libraries).join(", ")}`,
    );
  }
  // In a folder of its own, for what it may import itself.
  return { name: `${specifier}/index.js`, url: new URL(library()) };
}
