import {
  checkApplication,
  stack,
  type AnyMiddleware,
  type Application,
  type Part,
} from "@wsgi/core";
import { buildPath } from "./pattern.ts";
import { createTable, type RoutesOptions, type Table } from "./table.ts";
import type { PathParams, UrlArguments } from "./types.ts";

/** Is a route of a router. */
export interface Route<Path extends string = string> {
  /** What `describe` calls it, `"GET /users/:id"`. */
  readonly label: string;
  /** The pattern as it was added. */
  readonly pattern: Path;
  /** Gives the route its name, by which the router's `url` finds it. */
  named(name: string): Route<Path>;
  /** Builds the path of a URL; the environ that the router was given tells where it is mounted. */
  url(...args: UrlArguments<PathParams<Path>>): string;
}

/** Is a route as its router keeps it. */
export interface Entry extends Part {
  /** The method that it answers; undefined if all. */
  readonly method: string | undefined;
  /** The pattern as it was added. */
  readonly text: string;
  /** Whether the pattern is a prefix, which moves to SCRIPT_NAME. */
  readonly mounted: boolean;
  name: string | undefined;
}

/** Is the routes of a router. */
export interface Routes {
  readonly options: RoutesOptions;
  /** All of them, in the order in which they were added. */
  readonly entries: Entry[];
  readonly names: Map<string, Entry>;
  readonly table: Table<Entry>;
}

/**
 * Makes an empty list of routes.
 *
 * @param options - how paths are compared
 * @returns the list
 */
export function createRoutes(options: RoutesOptions): Routes {
  return { options, entries: [], names: new Map(), table: createTable(options) };
}

/**
 * Makes the same routes to other applications.
 *
 * @param routes - the routes
 * @param apps - an application for each of them, in order
 * @returns the new routes
 */
export function replaceApps(routes: Routes, apps: readonly Application[]): Routes {
  const replaced = createRoutes(routes.options);
  routes.entries.forEach((entry, i) => enter(replaced, { ...entry, app: apps[i]! }));
  return replaced;
}

/**
 * Adds a route.
 *
 * @param routes - the routes to add it to
 * @param method - the method that it answers; undefined for all
 * @param text - its pattern
 * @param mounted - whether the pattern is a prefix
 * @param handlers - layers, outermost first, and the application
 * @returns the route
 * @throws TypeError if the pattern or a handler is not what it should be
 */
export function addRoute(
  routes: Routes,
  method: string | undefined,
  text: string,
  mounted: boolean,
  handlers: readonly unknown[],
): Route {
  const label = mounted ? text : `${method ?? "ALL"} ${text}`;
  const act = `add the route ${JSON.stringify(label)}`;
  const handler = checkApplication(handlers.at(-1), act);
  const layers = handlers.slice(0, -1) as AnyMiddleware[];
  return explain(act, () => {
    const app = stack(...layers)(handler);
    const entry: Entry = { label, method, text, mounted, app, name: undefined };
    enter(routes, entry);
    return routeOf(entry, routes.names);
  });
}

/** Says what could not be done, where an error says only why. */
function explain<T>(act: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new TypeError(`Cannot ${act}: ${(error as Error).message}`, { cause: error });
  }
}

function enter({ entries, names, table }: Routes, entry: Entry): void {
  table.add(entry);
  entries.push(entry);
  if (entry.name !== undefined) names.set(entry.name, entry);
}

function routeOf(entry: Entry, names: Map<string, Entry>): Route {
  const { label, text: pattern } = entry;
  const route: Route = {
    label,
    pattern,
    named(name) {
      checkName(name, label, names.get(name));
      if (entry.name !== undefined) names.delete(entry.name);
      entry.name = name;
      names.set(name, entry);
      return route;
    },
    url: (...args) => buildUrl(entry, ...args),
  };
  return route;
}

function checkName(name: unknown, label: string, owner: Entry | undefined): void {
  const act = `name the route ${JSON.stringify(label)}`;
  if (typeof name !== "string") {
    throw new TypeError(`Cannot ${act}: the name is ${typeof name}; wanted a string`);
  }
  if (owner !== undefined) {
    throw new TypeError(
      `Cannot ${act}: ${JSON.stringify(name)} is the name of ${JSON.stringify(owner.label)}; wanted another name`,
    );
  }
}

/**
 * Builds the path of the URL of a named route.
 *
 * @param routes - the routes
 * @param name - the name of one of them
 * @param params - a value for each parameter of its pattern
 * @param environ - the request, whose SCRIPT_NAME comes first
 * @returns the path, escaped
 * @throws TypeError if no route has the name, a parameter is missing, or it cannot stand in a path
 */
export function namedUrl(
  routes: Routes,
  name: string,
  ...args: UrlArguments<PathParams<string>>
): string {
  const entry = routes.names.get(name);
  if (entry !== undefined) return buildUrl(entry, ...args);
  throw new TypeError(
    `Cannot build a URL: no route is named ${JSON.stringify(name)}; wanted a name given with named()`,
  );
}

function buildUrl(
  { label, text }: Entry,
  ...[params = {}, environ]: UrlArguments<PathParams<string>>
): string {
  return explain(`build the URL of ${JSON.stringify(label)}`, () =>
    buildPath(text, params, environ?.SCRIPT_NAME ?? ""),
  );
}
