import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application } from "@wsgi/core";
import { router, routeKey, type RouteMatch, type RouterOptions } from "@wsgi/router";
import { environFor } from "@wsgi/testing";
import fc from "fast-check";
import { match, type ParamData } from "path-to-regexp";

/** Is a route as the tests make it: number i has the name `String(i)`. */
interface Given {
  readonly method: string | undefined;
  readonly pattern: string;
  readonly mounted: boolean;
}

const texts = fc.constantFrom("/", "/", "a", "b", "ab", "-", ".", "/a", "/a/", "K", "s", "ß", "😀");

/** Is a pattern as a tree, in which parameters have no names yet. */
const { pattern: patterns } = fc.letrec<{ part: string; pattern: string }>((tie) => ({
  part: fc.oneof(
    { weight: 5, arbitrary: texts },
    { weight: 3, arbitrary: fc.constant(":") },
    { weight: 1, arbitrary: fc.constant("*") },
    {
      weight: 1,
      arbitrary: fc.array(tie("part"), { maxLength: 3 }).map((parts) => `{${parts.join("")}}`),
    },
  ),
  pattern: fc
    .array(tie("part"), { maxLength: 7 })
    .map((parts) => `/${parts.join("")}`.replace(/[:*]/g, (sign, at: number) => `${sign}"p${at}"`))
    .filter(isPattern),
}));

const routes = fc.record<Given>({
  method: fc.constantFrom("GET", "HEAD", "POST", undefined),
  pattern: patterns,
  mounted: fc.boolean(),
});

type Settings = Required<RouterOptions>;

const options = fc.record<Settings>({ sensitive: fc.boolean(), trailing: fc.boolean() });

const pieces = fc.constantFrom(
  "/",
  "/",
  "a",
  "A",
  "b",
  "ab",
  "-",
  ".",
  "k",
  "\u212a",
  "S",
  "ſ",
  "ß",
  "\ud83d",
  "😀",
);

const anyPath = fc.array(pieces, { maxLength: 12 }).map((parts) => `/${parts.join("")}`);

/** Makes a path which the pattern may match: with its text, and pieces for its parameters. */
function pathLike(pattern: string): fc.Arbitrary<string> {
  const values = fc.array(fc.array(pieces, { minLength: 1, maxLength: 3 }), { minLength: 1 });
  return fc
    .tuple(values, fc.boolean(), fc.constantFrom("", "", "/", "/a"))
    .map(([given, whole, end]) => {
      let next = 0;
      const value = (): string => given[next++ % given.length]!.join("");
      const flat = whole ? pattern.replace(/[{}]/g, "") : pattern.replace(/\{.*\}/g, "");
      return flat.replace(/[:*]"p\d+"/g, value) + end;
    });
}

/** Makes routes, settings, a method and paths. */
const cases = fc
  .tuple(fc.array(routes, { minLength: 1, maxLength: 12 }), options)
  .chain(([given, settings]) =>
    fc.record({
      given: fc.constant(given),
      settings: fc.constant(settings),
      method: fc.constantFrom("GET", "GET", "HEAD", "POST", "PUT"),
      paths: fc.array(fc.oneof(anyPath, ...given.map(({ pattern }) => pathLike(pattern))), {
        minLength: 1,
        maxLength: 8,
      }),
    }),
  );

/** Whether path-to-regexp takes it. */
function isPattern(text: string): boolean {
  try {
    router().all(text, () => []);
    match(text.replace(/\/$/, ""));
    return true;
  } catch {
    return false;
  }
}

/** Says which route answers: its number, its parameters, and where it believes to be mounted. */
type Answer = [number: number, params: ParamData, scriptName: string] | undefined;

/** Makes a router of the routes. */
function lookUp(
  given: readonly Given[],
  settings: RouterOptions,
): (method: string, path: string) => Answer {
  const app = router(settings);
  let scriptName = "";
  const handler: Application = (environ) => {
    scriptName = environ.SCRIPT_NAME;
    return [];
  };
  for (const [i, { method, pattern, mounted }] of given.entries()) {
    const add = mounted
      ? app.use
      : method === undefined
        ? app.all
        : app.route.bind(undefined, method);
    add(pattern, handler).named(String(i));
  }
  return (method, path) => {
    const environ = environFor("GET /", { environ: { REQUEST_METHOD: method, PATH_INFO: path } });
    void app(environ, () => () => {});
    const route = environ[routeKey] as RouteMatch | undefined;
    return route && [Number(route.name), { ...route.params }, scriptName];
  };
}

/** Does the same with path-to-regexp, one pattern after another. */
function scan(
  given: readonly Given[],
  settings: Settings,
): (method: string, path: string) => Answer {
  const matches = given.map(({ pattern, mounted }) =>
    match(mounted ? pattern.replace(/\/$/, "") : pattern, {
      ...settings,
      end: !mounted,
      decode: (value) => value,
    }),
  );
  return (method, path) => {
    for (const [i, { method: own, mounted }] of given.entries()) {
      const answers =
        mounted || own === undefined || own === method || (own === "GET" && method === "HEAD");
      const matched = answers && matches[i]!(path);
      if (matched)
        return [i, { ...matched.params }, mounted ? matched.path.replace(/\/$/, "") : ""];
    }
    return undefined;
  };
}

describe("a router, whatever its routes", () => {
  it("matches a path as path-to-regexp does", () => {
    fc.assert(
      fc.property(cases, ({ given: [route], settings, paths }) => {
        const [found, expected] = [lookUp([route!], settings), scan([route!], settings)];
        const method = route!.method ?? "GET";
        for (const path of paths) assert.deepEqual(found(method, path), expected(method, path));
      }),
      { numRuns: 500 },
    );
  });

  it("finds the first route for a method and path", () => {
    fc.assert(
      fc.property(cases, ({ given, settings, method, paths }) => {
        const [found, expected] = [lookUp(given, settings), scan(given, settings)];
        for (const path of paths) assert.deepEqual(found(method, path), expected(method, path));
      }),
      { numRuns: 500 },
    );
  });
});
