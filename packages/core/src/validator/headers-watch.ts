import type { Header, HeaderList } from "../types.ts";
import type { Side } from "./place.ts";

/** Is a list of headers on its way: the server is given a copy, so that it shows who changes it. */
export interface HeadersWatch {
  readonly handed: HeaderList;
  /** Tells who has changed it. */
  changedBy(): Side | undefined;
}

/** Keeps a list of headers to compare it later. */
export function watchHeaders(headers: HeaderList): HeadersWatch {
  const copy = (): HeaderList => headers.map(([name, value]): Header => [name, value]);
  const handed = copy();
  const before = JSON.stringify(headers);
  return {
    handed,
    changedBy() {
      if (JSON.stringify(headers) !== before) return "application";
      return JSON.stringify(handed) === before ? undefined : "server";
    },
  };
}
