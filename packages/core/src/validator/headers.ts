import { show } from "../show.ts";
import { getHeader } from "../headers.ts";
import { isBodyless } from "../status.ts";
import type { ResponseHead } from "../head.ts";
import type { Exchange } from "./exchange.ts";

/** Checks that nobody has changed a list of headers since it was given. */
export function checkHeadersKept(exchange: Exchange): void {
  for (const list of exchange.lists) {
    const side = list.changedBy();
    if (side !== undefined) {
      exchange.blame(
        side,
        "headers-list",
        "Cannot end the request: the list of headers was changed after it was given; wanted a new list",
      );
    }
  }
}

/** Begins with a letter, ends with a letter or digit, and has only these, "-" and "_" between. */
const usualName = /^[A-Za-z](?:[A-Za-z0-9_-]*[A-Za-z0-9])?$/;
/** RFC 9110 section 8.8.3: [ "W/" ] DQUOTE *etagc DQUOTE */
const entityTag = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;
/** What describes a body, and is odd without one; RFC 9110 section 15.4.5 */
const describesBody = /^Content-(?:Type|Encoding|Language|Range)$/i;

/** Warns of what is odd in a head, and not forbidden. */
export function adviseHead({ code, headers }: ResponseHead, exchange: Exchange): void {
  const advise = (clause: string, found: string, wanted: string): void =>
    exchange.warn("application", clause, `${found}; wanted ${wanted}`);
  for (const [name] of headers) {
    if (!usualName.test(name)) {
      advise("header-name", `a header is named ${show(name)}`, "letters, digits and - between");
    }
    if (isBodyless(code) && describesBody.test(name)) {
      advise("body-format", `a ${code} has the header ${name}`, "none that describes a body");
    }
  }
  if (code === 204 && getHeader(headers, "Content-Length") !== undefined) {
    advise("length-dropped", "a 204 has a Content-Length", "none, which servers drop");
  }
  const tag = getHeader(headers, "ETag");
  if (tag !== undefined && !entityTag.test(tag)) {
    advise("body-format", `the ETag is ${show(tag)}`, 'it in quotes, W/"a" if it is weak');
  }
}
