import { readFileSync } from "node:fs";
import module from "node:module";
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { show, type Application } from "@wsgi/core";
import { CommandError } from "./command.ts";

/** Is where an application is to be found. */
export interface Target {
  /** The path of the module's file. */
  readonly file: string;
  /** The export's name, if it was given. */
  readonly name: string | undefined;
}

/** Is an application and what to call it. */
export interface Loaded {
  readonly app: Application;
  /** The file as it was given, and the name that was found in it, `"hello.ts:app"`. */
  readonly label: string;
}

/** The last colon, if what follows is a name: a path may have others, as in `C:\hello.ts`. */
const targetForm = /^(?<file>.+):(?<name>[\p{ID_Start}$_][\p{ID_Continue}$]*)$/su;

/**
 * Splits FILE:NAME, where `:NAME` may be absent.
 *
 * @throws CommandError if the file cannot be read
 */
export function readTarget(target: string): Target {
  const { file = target, name } = targetForm.exec(target)?.groups ?? {};
  try {
    readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const found = code === "ENOENT" ? "there is no such file" : message;
    throw new CommandError(
      `Cannot load ${JSON.stringify(file)}: ${found}; wanted a WSGI application as FILE:NAME`,
    );
  }
  return { file, name };
}

/**
 * Imports an application: NAME of FILE, or without NAME its `app`, or else its default export.
 *
 * @throws CommandError if the file is not there or exports no such function; what the file throws
 */
export async function loadApplication(target: string): Promise<Loaded> {
  const { file, name } = readTarget(target);
  const exports = await importFile(file);
  const names = name === undefined ? ["app", "default"] : [name];
  const found = names.find((candidate) => candidate in exports);
  if (found === undefined) {
    const others = Object.keys(exports).join(", ") || "nothing";
    throw new CommandError(
      `Cannot load ${JSON.stringify(file)}: it exports ${others}; wanted ${names.join(" or ")}`,
    );
  }
  const app = exports[found];
  const label = `${file}:${found}`;
  if (typeof app !== "function") {
    throw new CommandError(
      `Cannot load ${JSON.stringify(label)}: it is ${show(app)}; wanted a function (environ, startResponse) => body`,
    );
  }
  return { app: app as Application, label };
}

type Exports = Record<string, unknown>;

/** Is how node says that it cannot read TypeScript, or that it reads types only, and no enums. */
const unreadTypeScript = /Unknown file extension "\.[cm]?ts"|ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX/;

async function importFile(file: string): Promise<Exports> {
  await learnTypeScript(file);
  const url = pathToFileURL(resolve(file)).href;
  try {
    return (await import(url)) as Exports;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!unreadTypeScript.test(`${code} ${message}`)) throw error;
    const { tsImport } = await import("tsx/esm/api");
    const exports = (await tsImport(url, import.meta.url)) as Exports;
    // What tsx takes for CommonJS has its exports in its default one.
    const { default: inner } = exports;
    return typeof inner === "object" ? { ...exports, ...inner } : exports;
  }
}

/** Registers a loader for TypeScript, where the file is of it and node cannot read it by itself. */
async function learnTypeScript(file: string): Promise<void> {
  // The types of Node 20 do not have it.
  const { typescript } = process.features as { typescript?: unknown };
  if (typescript || !/\.[cm]?ts$/.test(file)) return;
  const { register } = await import("tsx/esm/api");
  // Before tsx's own hooks, which take over what these decide.
  module.register("./typescript-hooks.js", import.meta.url);
  register();
}
