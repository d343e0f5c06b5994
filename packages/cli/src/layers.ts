import { describe } from "@wsgi/core";
import { nameArguments, readArguments } from "./command.ts";
import { loadApplication } from "./load.ts";

export const usage = `Usage: wsgi layers FILE[:NAME]

Prints the layers of the application, and the applications inside, as a tree.

  -h, --help          print this
`;

export async function run(args: string[]): Promise<number> {
  const [target] = nameArguments(readArguments(args, {}).positionals, "FILE");
  const { app } = await loadApplication(target);
  console.log(describe(app));
  return 0;
}
