import process from "node:process";
import { cell, median, table } from "./benchmark.ts";

/** Is something that the project wants to be true of a figure. */
interface Goal {
  readonly title: string;
  /** The name of the figure; what is before the dot is its benchmark. */
  readonly figure: string;
  /** The bound on Node 20, where it is not the same on newer ones. */
  readonly old?: number;
  readonly bound: number;
  readonly is: "at least" | "at most";
  readonly unit?: string;
}

const least = (title: string, figure: string, bound: number, old = bound): Goal => {
  return { title, figure, bound, old, is: "at least" };
};

const most = (title: string, figure: string, bound: number, unit: string): Goal => {
  return { title, figure, bound, is: "at most", unit };
};

/** Is all that is wanted. Ratios say how many times better than the other it is to be. */
export const goals: readonly Goal[] = [
  most("a layer that passes on, not inlined", "compose.pass", 4, "ns"),
  most("… the bytes that it takes", "compose.passBytes", 0, "B"),
  most("a layer around startResponse, of 50", "compose.start", 7, "ns"),
  least("… against koa-compose", "compose.startKoa", 12),
  least("… against hono", "compose.startHono", 20),
  most("a layer that adds a header, of 5", "compose.header", 40, "ns"),
  most("a layer that maps an array", "compose.body", 16, "ns"),
  most("a layer around an async application", "compose.async", 60, "ns"),
  most("50 layers over HTTP", "layers.wsgi", 1, "µs"),
  most("environ of 2 header fields", "environ.2", 65, "ns"),
  most("environ of 10 header fields", "environ.10", 150, "ns"),
  most("environ of 20 header fields", "environ.20", 260, "ns"),
  least("hello, 2 header fields, against node:http", "hello.2", 1.05, 1.1),
  least("hello, 15 header fields, against node:http", "hello.15", 1.12, 1.2),
  least("hello, 20 header fields, against node:http", "hello.20", 1.15, 1.3),
  least("… without the fast path, 2 header fields", "hello.2plain", 0.99),
  least("… without the fast path, 15 header fields", "hello.15plain", 1.07),
  least("… without the fast path, 20 header fields", "hello.20plain", 1.15),
  least("realistic stack against node:http by hand", "stack.bare", 1),
  least("… against fastify", "stack.fastify", 1.08, 1.3),
  least("… against h3", "stack.h3", 1.25, 1.2),
  least("… against koa", "stack.koa", 2.3, 2.6),
  least("… against hono", "stack.hono", 2.5, 4.5),
  least("… against express", "stack.express", 1.9, 7),
  least("hosted express against express on its own server", "bridges.express", 0.9),
  least("… under 3 layers", "bridges.expressStack", 0.45),
  least("hosted koa against koa on its own server", "bridges.koa", 0.9),
  least("… under 3 layers", "bridges.koaStack", 0.45),
  least("hosted hono, by its listener, against its own server", "bridges.hono", 0.9),
  least("… under 3 layers", "bridges.honoStack", 0.45),
  least("hosted hono, by fetch, against its own server", "bridges.honoFetch", 0.9),
  least("… under 3 layers", "bridges.honoFetchStack", 0.45),
  least("router against find-my-way, its own routes", "routers.own", 1.3),
  least("… 1,000 routes", "routers.github", 1.6),
  least("… the worst row", "routers.worst", 0.95),
  most("a route without parameters", "routers.static", 15, "ns"),
  most("1,000 routes built", "routers.build", 20, "ms"),
  most("… their memory", "routers.size", 800, "KiB"),
  most("10,000 routes built", "routers.build10000", 500, "ms"),
  least("a file through 5 layers against pipeline, 64 KiB", "streams.file64", 1.6),
  least("… against pipeline, 256 KiB", "streams.file256", 1),
  most("5 layers around chunks of 64 KiB add", "streams.layers64", 5, "%"),
  most("5 layers around chunks of 4 KiB add", "streams.layers4", 5, "%"),
  least("chunks of 4 KiB against pipeline", "streams.pipeline4", 0.9),
  least("100 tiny chunks, an array, against res.write", "chunks.array", 6),
  least("100 tiny chunks, an async generator, against res.write", "chunks.async", 2.5),
  most("promises of a synchronous request", "stack.promises", 0, ""),
  most("memory at the start, above node:http", "memory.start", 3, "MiB"),
  most("… what belongs to the process alone", "memory.own", 3, "MiB"),
  most("… all of it, once 1,000 requests were answered", "memory.later", 3, "MiB"),
  most("memory of an idle connection", "memory.idle", 12.5, "KiB"),
  most("the most memory for long streams", "streams.peak", 100, "MiB"),
  most("the most memory for 50 slow readers", "memory.slow", 110, "MiB"),
];

/** Draws the table of goals, with what was measured in one or more runs beside them. */
export function goalTable(runs: readonly Readonly<Record<string, number>>[]): string {
  const rows = goals.map((goal) => {
    const values = runs.flatMap(({ [goal.figure]: value }) => value ?? []);
    const bound = boundOf(goal);
    const wanted = `${goal.is} ${cell(bound)} ${goal.unit ?? "times"}`;
    if (values.length === 0) return [goal.title, wanted, "not measured", "", ""];
    const middle = median(values);
    const isReached = goal.is === "at least" ? middle >= bound : middle <= bound;
    const spread = `${cell(Math.min(...values))} to ${cell(Math.max(...values))}`;
    return [
      goal.title,
      wanted,
      cell(middle),
      values.length === 1 ? "" : spread,
      isReached ? "reached" : "NOT REACHED",
    ];
  });
  return table(["goal", "wanted", "median", "spread", ""], rows);
}

function boundOf({ bound, old = bound }: Goal): number {
  return Number.parseInt(process.versions.node, 10) === 20 ? old : bound;
}
