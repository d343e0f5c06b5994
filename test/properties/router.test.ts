import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodePath, setupTestingDefaults, type Application } from "@wsgi/core";
import { router, routeKey, type RouteMatch, type Router } from "@wsgi/router";
import { call } from "@wsgi/testing";
import fc from "fast-check";
import { pure } from "../support/property.ts";

/** Is one segment of a pattern: text, `:name`, or `*name` at the end. */
interface Segment {
  readonly kind: "text" | "param" | "rest";
  readonly text: string;
}

/** Is a route as data. */
interface Rule {
  readonly method: string | undefined;
  readonly mounted: boolean;
  readonly segments: readonly Segment[];
  /** The place of the segment that may be absent; -1 if none may. */
  readonly optional: number;
}

const text = fc.constantFrom("a", "b", "ab", "A", "世", "a-b");
const segment: fc.Arbitrary<Segment> = fc.oneof(
  { weight: 3, arbitrary: text.map((text): Segment => ({ kind: "text", text })) },
  { weight: 1, arbitrary: fc.constant<Segment>({ kind: "param", text: "" }) },
);
const methods = ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "BREW"];

const rule: fc.Arbitrary<Rule> = fc
  .record({
    method: fc.option(fc.constantFrom(...methods), { nil: undefined }),
    mounted: fc.boolean(),
    segments: fc.array(segment, { maxLength: 3 }),
    rest: fc.integer({ min: 0, max: 3 }),
    optional: fc.integer({ min: -3, max: 2 }),
  })
  .map(({ method, mounted, segments, rest, optional }) => {
    const ends = rest === 0 && !mounted;
    return {
      method: mounted ? undefined : method,
      mounted,
      segments: ends ? [...segments, { kind: "rest", text: "" } as const] : segments,
      // A pattern of nothing but a group is another thing, and the last wildcard has to be there.
      optional: optional > 0 && optional < segments.length ? optional : -1,
    };
  });

const path = fc
  .array(fc.oneof(text, fc.constantFrom("", "c", "%FF")), { maxLength: 4 })
  .map((parts) => parts.map((part) => `/${part}`).join(""));
const options = fc.record({ sensitive: fc.boolean(), trailing: fc.boolean() });
type Options = { sensitive: boolean; trailing: boolean };

/** Writes a rule as path-to-regexp has it. */
function patternOf({ segments, optional }: Rule): string {
  const signs = { text: "", param: ":", rest: "*" };
  const written = segments.map(({ kind, text }, i) => {
    const part = `/${signs[kind]}${kind === "text" ? text : `p${i}`}`;
    return i === optional ? `{${part}}` : part;
  });
  return written.join("") || "/";
}

/** Matches in the plainest way; gives the parameters, or undefined. */
function match(rule: Rule, path: string, options: Options): Record<string, string> | undefined {
  const numbered = rule.segments.map((segment, i) => ({ ...segment, name: `p${i}` }));
  const without = numbered.filter((_, i) => i !== rule.optional);
  return (
    matchAll(numbered, path, rule.mounted, options) ??
    (rule.optional === -1 ? undefined : matchAll(without, path, rule.mounted, options))
  );
}

function matchAll(
  segments: readonly (Segment & { name: string })[],
  path: string,
  mounted: boolean,
  options: Options,
): Record<string, string> | undefined {
  const parts = path.split("/").slice(1);
  const root =
    segments.length === 0 && !mounted ? [{ kind: "text", text: "", name: "" }] : segments;
  const found: Record<string, string> = {};
  for (const [i, { kind, text, name }] of root.entries()) {
    const rest = parts.slice(i).join("/");
    const part = parts[i];
    if (kind === "rest") return rest === "" ? undefined : { ...found, [name]: rest };
    if (part === undefined || (kind === "param" && part === "")) return undefined;
    if (kind === "param") found[name] = part;
    else if (!isSame(part, text, options)) return undefined;
  }
  const left = parts.slice(root.length);
  if (mounted || left.length === 0) return found;
  // A path that ends in a slash anyway gets no second one.
  const mayTrail = options.trailing && segments.length > 0;
  return mayTrail && left.length === 1 && left[0] === "" ? found : undefined;
}

function isSame(part: string, text: string, { sensitive }: Options): boolean {
  return sensitive ? part === text : part.toLowerCase() === text.toLowerCase();
}

/** Says what the plainest router would answer. */
function expected(rules: readonly Rule[], method: string, path: string, options: Options) {
  const here = rules.flatMap((rule, index) => {
    const params = match(rule, path, options);
    return params === undefined ? [] : [{ rule, index, params }];
  });
  const answers = (own: string | undefined): boolean =>
    own === undefined || own === method || (own === "GET" && method === "HEAD");
  const found = here.find(({ rule }) => answers(rule.method));
  if (found !== undefined) return { found };
  const named = here.flatMap(({ rule }) =>
    rule.method === "GET" ? ["GET", "HEAD"] : rule.method!,
  );
  return { allow: [...new Set([...named, ...(named.length === 0 ? [] : ["OPTIONS"])])].toSorted() };
}

/** Makes the router of some rules; each answers with its number. */
function build(rules: readonly Rule[], options: Options): Router {
  const app = router(options);
  rules.forEach((rule, i) => {
    const answer: Application = (_environ, startResponse) => {
      startResponse("200 OK", [["X-Rule", String(i)]]);
      return [];
    };
    const pattern = patternOf(rule);
    if (rule.mounted) app.use(pattern, answer);
    else if (rule.method === undefined) app.all(pattern, answer);
    else app.route(rule.method, pattern, answer);
  });
  return app;
}

const rules = fc.array(rule, { maxLength: 6 });

describe("a router", () => {
  it("answers as the plainest of routers would", () =>
    fc.assert(
      fc.asyncProperty(
        rules,
        options,
        fc.constantFrom(...methods, "PUT"),
        path,
        async (rules, options, method, path) => {
          const environ = setupTestingDefaults({ REQUEST_METHOD: method, PATH_INFO: path });
          const response = await call(build(rules, options), environ);
          const { found, allow = [] } = expected(rules, method, path || "/", options);
          const plain = found === undefined && allow.length > 0;
          assert.equal(response.header("X-Rule"), found && String(found.index));
          assert.equal(response.header("Allow"), plain ? allow.join(", ") : undefined);
          const refused = plain ? (method === "OPTIONS" ? 204 : 405) : 404;
          assert.equal(response.code, found === undefined ? refused : 200);
          if (found === undefined) return;
          const { params, pattern } = environ[routeKey] as RouteMatch;
          assert.equal(pattern, patternOf(found.rule));
          const joined = Object.entries(params).map(([name, value]) => [
            name,
            [value].flat().join("/"),
          ]);
          assert.deepEqual(Object.fromEntries(joined), found.params);
          assert.equal("constructor" in params, false);
        },
      ),
      pure,
    ));

  it("answers HEAD wherever it answers GET, and allows what it answers", () =>
    fc.assert(
      fc.asyncProperty(rules, options, path, async (rules, options, path) => {
        const app = build(rules, options);
        const codeOf = async (method: string): Promise<number> =>
          (await call(app, setupTestingDefaults({ REQUEST_METHOD: method, PATH_INFO: path }))).code;
        if ((await codeOf("GET")) === 200) assert.equal(await codeOf("HEAD"), 200);
        const asked = setupTestingDefaults({ REQUEST_METHOD: "OPTIONS", PATH_INFO: path });
        const allow = (await call(app, asked)).header("Allow")?.split(", ") ?? [];
        for (const method of allow) assert.notEqual(await codeOf(method), 405);
      }),
      pure,
    ));

  it("builds URLs that lead back to their parameters, or refuses to", () =>
    fc.assert(
      fc.asyncProperty(
        rule,
        fc.infiniteStream(fc.string({ unit: "binary", maxLength: 3 })),
        async (rule, values) => {
          const app = router();
          const route = app.all(patternOf(rule), (_environ, startResponse) => {
            startResponse("200 OK", []);
            return [];
          });
          const params = Object.fromEntries(
            rule.segments.flatMap(({ kind }, i): [string, string | string[]][] => {
              if (kind === "text") return [];
              return [[`p${i}`, kind === "rest" ? [...values.take(2)] : values.next().value]];
            }),
          );
          const url = built(() => route.url(params as never));
          if (url === undefined) return;
          assert.match(url, /^\/(?!\/)[!-~]*$/);
          const environ = setupTestingDefaults({ PATH_INFO: decodePath(url) });
          assert.equal((await call(app, environ)).code, 200);
          assert.deepEqual({ ...(environ[routeKey] as RouteMatch).params }, params);
        },
      ),
      pure,
    ));
});

function built(build: () => string): string | undefined {
  try {
    return build();
  } catch (error) {
    assert.ok(error instanceof TypeError, String(error));
    return undefined;
  }
}
