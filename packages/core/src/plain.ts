import type { Body } from "./types.ts";

/** Tells whether a body has nothing that closing it would call. */
export function isPlain(body: Body): boolean {
  return body.close === undefined && !(Symbol.asyncDispose in body) && !(Symbol.dispose in body);
}
