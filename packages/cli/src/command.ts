import process from "node:process";
import { parseArgs, type ParseArgsConfig } from "node:util";

/** Is a failure that one line tells: what was asked for is at fault, and no stack would say more. */
export class CommandError extends Error {
  /** What the process exits with. */
  readonly exitCode: number = 1;
}

/** Is a command line that cannot be understood. */
export class UsageError extends CommandError {
  override readonly exitCode = 2;
}

/**
 * Tells a failure in its line, and gives what the process exits with. Anything else is thrown on: it is
 * the application's own, or a fault in here, and node shows it with its place and stack.
 */
export function tell(error: unknown): number {
  if (!(error instanceof CommandError)) {
    // An application may have a handler for such errors, and still there is nothing to go on with.
    setImmediate(() => process.exit(1));
    throw error;
  }
  process.stderr.write(`${error.message}\n`);
  return error.exitCode;
}

/** Is one of the things that `wsgi` does. */
export interface Command {
  /** What `--help` prints. */
  readonly usage: string;
  /** Does it; returns what the process exits with. */
  run(args: string[]): Promise<number>;
}

/** @throws UsageError for an option that is unknown or lacks its value */
export function readArguments<const Options extends NonNullable<ParseArgsConfig["options"]>>(
  args: string[],
  options: Options,
): ReturnType<typeof parseArgs<{ options: Options; allowPositionals: true }>> {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    // Only its first sentence is about the mistake.
    throw new UsageError((error as Error).message.split(/\.\s/, 1)[0]);
  }
}

/** @throws UsageError unless there are as many arguments as names, the first of them an application */
export function nameArguments<const Names extends readonly string[]>(
  args: readonly string[],
  ...names: Names
): { [Name in keyof Names]: string } {
  if (args.length === 0) throw new UsageError("Provide a WSGI application as FILE:NAME");
  if (args.length < names.length) {
    throw new UsageError(`Provide ${names.slice(args.length).join(" and ")} too`);
  }
  if (args.length > names.length) {
    throw new UsageError(`Unknown argument ${JSON.stringify(args[names.length])}`);
  }
  return args as { [Name in keyof Names]: string };
}
