import { performance } from "node:perf_hooks";
import { router } from "@wsgi/router";
import { byHand, median, type Outcome, type Size } from "./benchmark.ts";
import { githubRoutes } from "./github-routes.ts";
import { peer } from "./peer.ts";

type Route = readonly [method: string, pattern: string];
type Find = (method: string, path: string) => unknown;

/** Is what is used of find-my-way. */
interface FindMyWay {
  on(method: string, path: string, handler: () => void): void;
  find(method: string, path: string): { params: Record<string, unknown> } | null;
}

/** Imports what finds routes, and is not exported: without requests, both are asked the same. */
async function inside<Module>(file: string): Promise<Module> {
  return (await import(new URL(file, import.meta.resolve("@wsgi/router")).href)) as Module;
}

type Table = typeof import("../../packages/router/dist/table.js");

const { createTable } = await inside<Table>("table.js");
const findMyWay = (await peer<{ default: () => FindMyWay }>("find-my-way")).default;

/** The benchmark of find-my-way itself: routes for GET, and the path that is looked up. */
const own: [name: string, patterns: string[], path: string][] = [
  ["/", ["/"], "/"],
  ["short, plain", ["/static"], "/static"],
  ["long, plain", [segments(5)], segments(5)],
  ["long, plain, among others", [1, 2, 3, 4, 5].map(segments), segments(5)],
  ["short parameter", ["/:param"], "/param1"],
  ["long parameter", ["/:param"], "/longParamParamParamParamParamParam"],
  ["escaped parameter", ["/:param"], "/param%20"],
  ["two parameters", ["/:param1/:param2"], "/param1/param2"],
  ["two parameters in a segment", ["/:param1-:param2"], "/param1-param2"],
  ["text and parameters", ["/static/:param1/static/:param2/static"], "/static/a1/static/b2/static"],
  ["short wildcard", ["/*rest"], "/static"],
  ["long wildcard", ["/*rest"], segments(5)],
];

/** Paths to look up in 1,000 routes. */
const among: [name: string, paths: string[]][] = [
  ["plain", ["/user/starred", "/gists/public", "/v1/issues", "/v2/search/code", "/v3/user/keys"]],
  ["one parameter", ["/gists/42", "/users/ann/orgs", "/v1/orgs/acme/repos", "/v2/teams/7/members"]],
  ["two parameters", ["/repos/ann/site/keys", "/v1/repos/a/b/hooks", "/v2/orgs/acme/members/ann"]],
  ["three parameters", ["/repos/ann/site/issues/42/labels", "/v3/repos/a/b/git/trees/0a1b2c"]],
  ["four parameters", ["/repos/ann/site/compare/a/to/b/file", "/v1/repos/a/b/compare/c/to/d/e"]],
  ["wildcard", ["/static/some/deep/file.txt"]],
  ["none", ["/repos/ann/site/nothing/here", "/v1/users/ann/x/y", "/nothing"]],
];

/** Measures how long it takes to find one of many routes, and to add them. */
export async function routers({ rounds, seconds }: Size): Promise<Outcome> {
  const compare = (
    name: string,
    routes: readonly Route[],
    paths: readonly string[],
    findIn: (routes: readonly Route[]) => Find = theirFind,
  ): Row => {
    // Servers decode PATH_INFO; find-my-way decodes for itself.
    const decoded = paths.map(decodeURIComponent);
    const [ours, theirs] = [ourFind(routes), findIn(routes)];
    const ratios: number[] = [];
    const times: [ours: number, theirs: number][] = [];
    const until = performance.now() + (seconds * 1000) / 3;
    while (ratios.length < rounds * 3 || performance.now() < until) {
      const pair: [number, number] = [time(ours, decoded), time(theirs, paths)];
      times.push(pair);
      ratios.push(pair[1] / pair[0]);
    }
    return [name, median(times.map(([a]) => a)), median(times.map(([, b]) => b)), median(ratios)];
  };
  const thousand = githubRoutes(1000);
  const cases: Case[] = [
    ...own.map(([name, patterns, path]): Case => [name, patterns.map(getRoute), [path]]),
    ...among.map(([name, paths]): Case => [`1,000: ${name}`, thousand, paths]),
  ];
  const rows = cases.map((one) => compare(...one));
  const [ownRows, githubRows] = [rows.slice(0, own.length), rows.slice(own.length)];
  const splitRows = cases
    .filter(([name]) => name.endsWith("wildcard"))
    .map(([name, ...rest]) => compare(`${name}, split`, ...rest, theirSplitFind));
  const alike = [...rows.filter(([name]) => !name.endsWith("wildcard")), ...splitRows];
  return {
    title: "Finding one of many routes",
    columns: ["route", "ns", "find-my-way, ns", "times as fast"],
    rows: [...rows, ...splitRows],
    caveats: [
      "Parameters are looked up in PATH_INFO, which is decoded already; find-my-way has to look for escapes.",
      "A wildcard gives an array of segments here, and one string in find-my-way. It is split there, too, in the rows that say so; the worst row is sought among those that give the same.",
    ],
    figures: {
      "routers.own": geometricMean(ownRows.map(([, , , ratio]) => ratio)),
      "routers.github": geometricMean(githubRows.map(([, , , ratio]) => ratio)),
      "routers.worst": Math.min(...alike.map(([, , , ratio]) => ratio)),
      "routers.static": githubRows[0]![1],
      "routers.build": median(repeated(5, () => build(thousand)).map(([ms]) => ms)),
      "routers.size": median(repeated(5, () => build(thousand)).map(([, size]) => size)),
      "routers.build10000": median(
        repeated(3, () => build(githubRoutes(10_000))).map(([ms]) => ms),
      ),
    },
  };
}

type Case = [name: string, routes: readonly Route[], paths: readonly string[]];
type Row = [name: string, ours: number, theirs: number, ratio: number];

function getRoute(pattern: string): Route {
  return ["GET", pattern];
}

function segments(count: number): string {
  return "/static".repeat(count);
}

function ourFind(routes: readonly Route[]): Find {
  const table = createTable({ sensitive: true, trailing: false });
  for (const [method, text] of routes) table.add({ method, text, mounted: false });
  return (method, path) => table.find(method, path);
}

function theirFind(routes: readonly Route[]): FindMyWay["find"] {
  const finder = findMyWay();
  for (const [method, text] of routes) finder.on(method, text.replace(/\*\w+/, "*"), () => {});
  return (method, path) => finder.find(method, path);
}

/** Does what find-my-way leaves to its user: makes segments of what a wildcard stands for. */
function theirSplitFind(routes: readonly Route[]): Find {
  const find = theirFind(routes);
  return (method, path) => {
    const found = find(method, path);
    if (found !== null) found.params["*"] = String(found.params["*"]).split("/");
    return found;
  };
}

/** What was found last, so that no compiler leaves the search out. */
export let last: unknown;

/** Gives nanoseconds per path. */
function time(find: Find, paths: readonly string[]): number {
  const repeats = Math.ceil(20_000 / paths.length);
  const start = performance.now();
  for (let i = 0; i < repeats; i++) {
    for (const path of paths) last = find("GET", path);
  }
  return ((performance.now() - start) * 1e6) / (repeats * paths.length);
}

/** Adds routes to a router: how many ms it takes, and how many KiB it holds. */
function build(routes: readonly Route[]): [ms: number, size: number] {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const start = performance.now();
  const app = router();
  for (const [method, pattern] of routes) app.route(method, pattern, () => []);
  const ms = performance.now() - start;
  globalThis.gc?.();
  last = app;
  return [ms, (process.memoryUsage().heapUsed - before) / 1024];
}

function repeated<T>(times: number, run: () => T): T[] {
  return Array.from({ length: times }, run);
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

await byHand(import.meta.url, routers);
