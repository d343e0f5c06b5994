import { readFile } from "node:fs/promises";
import process from "node:process";
import { buffer } from "node:stream/consumers";
import { createErrors, type Environ } from "@wsgi/core";
import { environFor } from "@wsgi/testing";
import { CommandError, UsageError } from "./command.ts";

/** Is what the commands that call an application once take to say with what. */
export const requestOptions = {
  header: { type: "string", short: "H", multiple: true, default: [] as string[] },
  data: { type: "string", short: "d" },
} as const;

/**
 * Makes the environ of a request from a command line.
 *
 * @throws UsageError for what cannot be a request; CommandError for a file that cannot be read
 */
export async function makeEnviron(
  method: string,
  path: string,
  { header, data }: { header: readonly string[]; data?: string | undefined },
): Promise<Environ> {
  const errors = createErrors((text) => void process.stderr.write(text));
  const options = {
    ...(data === undefined ? {} : { body: await readData(data) }),
    headers: {
      // As curl has it; a field that is given wins.
      ...(data === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
      ...readHeaders(header),
    },
    environ: { "wsgi.errors": errors },
  };
  try {
    return environFor(`${method} ${path}`, options);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readHeaders(fields: readonly string[]): Record<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const field of fields) {
    const [, name, value] = /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*(.*?)[ \t]*$/.exec(field) ?? [];
    if (name === undefined || value === undefined) {
      throw new UsageError(
        `Cannot send the header ${JSON.stringify(field)}: it has no name; wanted "NAME: VALUE"`,
      );
    }
    const key = name.toLowerCase();
    headers.set(key, [...(headers.get(key) ?? []), value]);
  }
  return Object.fromEntries(headers);
}

async function readData(data: string): Promise<string | Uint8Array> {
  if (!data.startsWith("@")) return data;
  if (data === "@-") return buffer(process.stdin);
  const file = data.slice(1);
  try {
    return await readFile(file);
  } catch (error) {
    throw new CommandError(
      `Cannot send ${JSON.stringify(file)}: ${(error as Error).message}; wanted a file to read`,
    );
  }
}
