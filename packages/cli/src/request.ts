import { Buffer } from "node:buffer";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import {
  capture,
  closeBody,
  concat,
  isBodyless,
  statusCode,
  type Body,
  type HeaderList,
} from "@wsgi/core";
import { nameArguments, readArguments } from "./command.ts";
import { loadApplication } from "./load.ts";
import { makeEnviron, requestOptions } from "./request-environ.ts";

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
    ...requestOptions,
    include: { type: "boolean", short: "i", default: false },
    fail: { type: "boolean", default: false },
  });
  const [target, method, path] = nameArguments(positionals, "FILE", "METHOD", "PATH");
  const environ = await makeEnviron(method, path, values);
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
