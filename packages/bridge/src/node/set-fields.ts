import type { ServerResponse } from "node:http";

/**
 * Gives a response its header fields one by one, as what was put in the place of its `writeHead` expects it,
 * and keeps those that it has: given a list, node drops repeated names, and cookies that were set before.
 *
 * @param fields - names and values in turn
 */
export function setFields(res: ServerResponse, fields: readonly string[]): void {
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i]!.toLowerCase() !== "set-cookie") res.removeHeader(fields[i]!);
  }
  for (let i = 0; i < fields.length; i += 2) res.appendHeader(fields[i]!, fields[i + 1]!);
}
