import { compositionOf, type Part } from "@wsgi/core";
import { nameArguments, readArguments } from "./command.ts";
import { loadApplication } from "./load.ts";

export const usage = `Usage: wsgi routes FILE[:NAME]

Prints the routes of the application: method, pattern and name, a route a line,
in the order in which they are looked at. An application that is not made of
routes is one for ALL methods.

  -h, --help          print this
`;

export async function run(args: string[]): Promise<number> {
  const [target] = nameArguments(readArguments(args, {}).positionals, "FILE");
  const { app } = await loadApplication(target);
  const routes = [...routesOf(app, "")];
  const width = (column: 0 | 1): number => Math.max(...routes.map((route) => route[column].length));
  const [methods, patterns] = [width(0), width(1)];
  for (const [method, pattern, name] of routes) {
    console.log(`${method.padEnd(methods)}  ${pattern.padEnd(patterns)}  ${name}`);
  }
  return 0;
}

type Route = readonly [method: string, pattern: string, name: string];

/** Goes through stacks, mounts and routers to the routes, and to applications that have none. */
function* routesOf(app: Part["app"], prefix: string): Generator<Route> {
  const how = compositionOf(app);
  if (how === undefined) {
    yield ["ALL", `${prefix}/*`, nameOf(app)];
    return;
  }
  for (const part of how.parts) {
    const [, method, pattern] = /^(\S+) ([/{].*)$/.exec(part.label) ?? [];
    if (method !== undefined) yield [method, prefix + pattern, nameOf(part.app)];
    else yield* routesOf(part.app, prefix + placeOf(how.name, part.label));
  }
}

/** Finds where a part is mounted, `"/api"` or `"example.com/api"`; other labels are about other things. */
function placeOf(composition: string, label: string): string {
  const isPlace = (composition === "mount" || composition === "router") && label !== "otherwise";
  return isPlace ? label.replace(/\/$/, "") : "";
}

/** Names an application after what is inside its layers. */
function nameOf(app: Part["app"]): string {
  const how = compositionOf(app);
  if (how?.layers !== undefined) return nameOf(how.parts[0]!.app);
  return how?.name ?? (app.name || "(anonymous)");
}
