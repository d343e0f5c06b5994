import { isHopByHop, statusLine, type Header } from "@wsgi/core";

/** Is the head of a response, as `startResponse` takes it. */
export interface NodeHead {
  readonly code: number;
  readonly status: string;
  readonly headers: readonly Header[];
}

/** What ends a head. */
export const headEnd = "\r\n\r\n";

/**
 * Reads a head that node has written. What concerns the connection is left out, because that is another
 * one, and so is what cannot be said here: which trailer fields will follow, and a second status.
 *
 * @param text - the head without its end
 */
export function readHead(text: string): NodeHead {
  const [first = "", ...lines] = text.split("\r\n");
  const code = Number(first.slice(9, 12));
  const reason = first.slice(13).trim();
  const headers: Header[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    if (isDropped(name)) continue;
    // Node lets tabs pass, which the contract does not, RFC 9110 section 5.5.
    headers.push([name, line.slice(colon + 2).replaceAll("\t", " ")]);
  }
  // A code that is none is for `startResponse` to refuse.
  const status =
    reason === "" && code >= 200 && code < 600 ? statusLine(code) : `${code} ${reason}`;
  return { code, status, headers };
}

function isDropped(name: string): boolean {
  if (isHopByHop(name)) return true;
  return name.length < 8 && /^(?:status|trailer)$/i.test(name);
}
