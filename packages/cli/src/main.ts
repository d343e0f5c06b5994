import { readFileSync } from "node:fs";
import process from "node:process";
import { tell, UsageError, type Command } from "./command.ts";
import * as inspect from "./inspect.ts";
import * as layers from "./layers.ts";
import * as reloadChild from "./reload-child.ts";
import { runCommand } from "./reload-run.ts";
import * as request from "./request.ts";
import * as routes from "./routes.ts";
import * as serve from "./serve.ts";
import { workerCommand } from "./worker.ts";
import * as workerChild from "./worker-child.ts";

const usage = `Usage: wsgi COMMAND [options]

  wsgi serve FILE[:NAME]                  serve an application over HTTP
  wsgi layers FILE[:NAME]                 print the layers of an application
  wsgi routes FILE[:NAME]                 print the routes of an application
  wsgi request FILE[:NAME] METHOD PATH    call an application without a network
  wsgi inspect FILE[:NAME] METHOD PATH    show what each layer does to a request

  wsgi COMMAND --help                     tell more about a command
  wsgi --version                          print the version
`;

const commands = new Map<string, Command>(
  Object.entries({ serve, layers, routes, request, inspect }),
);

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined) {
    throw new UsageError(`Provide a WSGI application as FILE:NAME\n\n${usage.trimEnd()}`);
  }
  if (name === "--help" || name === "-h") return print(usage);
  if (name === "--version" || name === "-v") return print(`${readVersion()}\n`);
  if (name === runCommand) return reloadChild.run();
  if (name === workerCommand) return workerChild.run(args);
  const command = commands.get(name);
  if (command === undefined) {
    throw new UsageError(
      `Unknown command ${JSON.stringify(name)}; wanted ${[...commands.keys()].join(", ")}`,
    );
  }
  if (args.includes("--help") || args.includes("-h")) return print(command.usage);
  return command.run(args);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function readVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Ends once standard output has taken everything, whatever the application still has going on. */
function exit(code: number): void {
  process.stdout.write("", () => process.exit(code));
}

// An application is served whether or not anybody reads what is printed about that.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});
// The stacks of applications are to name the places in their sources.
process.setSourceMapsEnabled(true);
// Nothing is left that could settle what is waited for: a module that never finishes loading.
process.once("beforeExit", () => {
  process.stderr.write("Cannot go on: the file waits for something that never happens\n");
  process.exit(1);
});
main(process.argv.slice(2)).catch(tell).then(exit);
