import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import {
  capture,
  closeBody,
  concat,
  createErrors,
  isBodyless,
  statusCode,
  type Body,
  type Environ,
  type HeaderList,
} from "@wsgi/core";
import { environFor } from "@wsgi/testing";
import { CommandError, nameArguments, readArguments, UsageError } from "./command.ts";
import { loadApplication } from "./load.ts";

export const usage = `Usage: wsgi request FILE[:NAME] METHOD PATH [options]

Calls the application once, without a network, and prints the body it answers with.

  -H, --header "NAME: VALUE"   send a header field; may be repeated
  -d, --data TEXT              send a body, as a form unless a header says otherwise;
                               @FILE sends a file, @- standard input
  -i, --include                print the status and the header fields too
      --fail                   exit with 22 if the status is 400 or more
  -h, --help                   print this
`;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArguments(args, {
    header: { type: "string", short: "H", multiple: true, default: [] },
    data: { type: "string", short: "d" },
    include: { type: "boolean", short: "i", default: false },
    fail: { type: "boolean", default: false },
  });
  const [target, method, path] = nameArguments(positionals, "FILE", "METHOD", "PATH");
  const environ = makeEnviron(`${method} ${path}`, {
    ...(values.data === undefined ? {} : { body: await readData(values.data) }),
    headers: {
      // As curl has it; a field that is given wins.
      ...(values.data === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
      ...readHeaders(values.header),
    },
  });
  const { app } = await loadApplication(target);
  const { status, headers, body } = await capture(app, environ);
  const code = statusCode(status);
  const head = values.include ? [formatHead(status, headers)] : [];
  const hasBody = method !== "HEAD" && !isBodyless(code);
  try {
    await print(concat(head, hasBody ? body : []));
  } finally {
    await closeBody(body);
  }
  return values.fail && code >= 400 ? 22 : 0;
}

function makeEnviron(request: string, options: Parameters<typeof environFor>[1]): Environ {
  const errors = createErrors((text) => void process.stderr.write(text));
  try {
    return environFor(request, { ...options, environ: { "wsgi.errors": errors } });
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

/** Writes a status and header fields as HTTP has them, where a character is a byte. */
function formatHead(status: string, headers: HeaderList): Uint8Array {
  const lines = [status, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return Buffer.from(`${lines.join("\n")}\n\n`, "latin1");
}

/** Prints chunks as they come. Whoever reads them may stop, as `head` does, without fault. */
async function print(chunks: Body): Promise<void> {
  try {
    await pipeline(chunks, process.stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}
