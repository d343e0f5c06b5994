import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { assertNone, packages, root, type Manifest } from "../support/repository.ts";

/** Is what `npm pack --json` says of a tarball. */
interface Tarball {
  name: string;
  filename: string;
  files: { path: string }[];
}

const app = `
  import { stack } from "@wsgi/core";
  const signed = (app) => (environ, startResponse) =>
    app(environ, (status, headers, excInfo) =>
      startResponse(status, [...headers, ["X-Signed", "yes"]], excInfo));
  export default stack(signed)((environ, startResponse) => {
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    return ["Hello, ", environ.PATH_INFO.slice(1), "!"];
  });`;

const temporary = mkdtempSync(join(tmpdir(), "wsgi-packages-"));
after(() => rmSync(temporary, { recursive: true, force: true }));

const tarballs = pack();
const folder = install(tarballs);
writeFileSync(join(folder, "app.mjs"), app);
const entryPoints = packages.flatMap(({ manifest }) =>
  Object.keys(manifest.exports).map((path) => join(manifest.name, path)),
);

describe("packages", () => {
  it("say what a registry and its users ask", () => {
    assertNone(packages.flatMap(({ manifest }) => wrongFields(manifest)));
  });

  it("hold what a user needs, and nothing else", () => {
    assertNone(tarballs.flatMap(wrongFiles));
  });

  it("can be imported from an empty folder", () => {
    const imports = entryPoints.map((name) => `import ${JSON.stringify(name)};`);
    run("entry-points.mjs", imports.join("\n"));
  });

  it("run an application", () => {
    const output = run(
      "call.mjs",
      `import { call } from "@wsgi/testing";
       import app from "./app.mjs";
       const response = await call(app, "GET /Ann");
       console.log(response.status, response.header("X-Signed"), response.text());`,
    );
    assert.equal(output, "200 OK yes Hello, Ann!\n");
  });

  it("serve an application", () => {
    const output = run(
      "serve.mjs",
      `import { serve } from "@wsgi/server";
       import app from "./app.mjs";
       const server = await serve(app, { port: 0 });
       const response = await fetch(new URL("/Ann", server.url));
       console.log(response.status, response.headers.get("X-Signed"), await response.text());
       await server.close();`,
    );
    assert.equal(output, "200 yes Hello, Ann!\n");
  });

  it("bring the command", () => {
    const command = join(folder, "node_modules/.bin/wsgi");
    const options = { cwd: folder, encoding: "utf8", timeout: 60_000 } as const;
    const output = execFileSync(command, ["request", "app.mjs", "GET", "/Ann"], options);
    assert.equal(output, "Hello, Ann!");
  });

  it("compile with an application", () => {
    const types = entryPoints.map((name, i) => `import type * as entry${i} from "${name}";`);
    const errors = compile(
      "consumer.mts",
      `${types.join("\n")}
       import { stack, type Application, type Middleware } from "@wsgi/core";
       import { call } from "@wsgi/testing";

       const signed: Middleware = (app) => (environ, startResponse) =>
         app(environ, (status, headers, excInfo) =>
           startResponse(status, [...headers, ["X-Signed", "yes"]], excInfo));
       const hello: Application = (environ, startResponse) => {
         startResponse("200 OK", [["Content-Type", "text/plain"]]);
         return ["Hello, ", environ.PATH_INFO.slice(1), "!"];
       };
       const response = await call(stack(signed)(hello), "GET /Ann");
       export const text: string = response.text();`,
    );
    assert.equal(errors, "");
  });
});

function pack(): Tarball[] {
  const output = npm(root, "pack", "--workspaces", "--json", "--pack-destination", temporary);
  return Object.values(JSON.parse(output) as Record<string, Tarball>);
}

function install(tarballs: readonly Tarball[]): string {
  const folder = join(temporary, "empty");
  mkdirSync(folder);
  // Without the prefix, npm would look for a package.json in the folders above.
  const options = ["--prefix", folder, "--prefer-offline", "--no-audit", "--no-fund"];
  const files = tarballs.map(({ filename }) => join(temporary, filename));
  npm(folder, "install", ...options, ...files);
  return folder;
}

function npm(cwd: string, ...args: readonly string[]): string {
  const script = process.env.npm_execpath;
  const [command, ...first] = script === undefined ? ["npm"] : [process.execPath, script];
  return execFileSync(command, [...first, ...args], { cwd, encoding: "utf8", stdio: "pipe" });
}

/** Writes a program into the folder and runs it there; gives what it prints. */
function run(name: string, code: string): string {
  writeFileSync(join(folder, name), code);
  return execFileSync(process.execPath, [name], {
    cwd: folder,
    encoding: "utf8",
    stdio: "pipe",
    timeout: 60_000,
  });
}

/** Writes a TypeScript program into the folder and gives what the compiler says against it. */
function compile(name: string, code: string): string {
  writeFileSync(join(folder, name), code);
  const options = ["--noEmit", "--strict", "--target", "ES2023", "--module", "NodeNext"];
  const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const args = [tsc, ...options, ...types, name];
  return spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" }).stdout;
}

function wrongFields({ name, ...manifest }: Manifest): string[] {
  const faults = {
    description: manifest.description === undefined,
    keywords: manifest.keywords?.includes("wsgi") !== true,
    license: manifest.license !== "MIT",
    private: manifest.private === true,
    type: manifest.type !== "module",
    sideEffects: manifest.sideEffects !== false,
    engines: manifest.engines?.node === undefined,
    // A registry takes a name with a scope for a private one, unless it is told otherwise.
    publishConfig: name.startsWith("@") && manifest.publishConfig?.access !== "public",
    // The compiler takes the first condition that fits.
    exports: Object.values(manifest.exports).some((target) => Object.keys(target)[0] !== "types"),
  };
  return Object.entries(faults)
    .filter(([, isWrong]) => isWrong)
    .map(([field]) => `${name}: ${field} is missing or wrong`);
}

const expectedFile =
  /^(?:package\.json|README\.md|LICENSE|bin\/wsgi\.js|dist\/.+\.(?:js|d\.ts|js\.map|d\.ts\.map)|src\/.+\.(?:tsx?|css)|hosts\/[a-z0-9]+\.md)$/;

function wrongFiles({ name, files }: Tarball): string[] {
  const paths = files.map(({ path }) => path);
  const spec = name === "@wsgi/core" ? ["SPEC.md"] : [];
  const manifest = packages.find((pkg) => pkg.manifest.name === name)!.manifest;
  const targets = Object.values(manifest.exports).flatMap((target) => Object.values(target));
  const wanted = ["README.md", "LICENSE", ...spec, ...targets.map((path) => path.slice(2))];
  return [
    ...wanted.filter((path) => !paths.includes(path)).map((path) => `${name}: lacks ${path}`),
    ...paths
      .filter((path) => !expectedFile.test(path) && !spec.includes(path))
      .map((path) => `${name}: holds ${path}`),
  ];
}
