import type { Environ } from "../types.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Makes the function that tells the server what the application has made of its environ, which is a copy
 * here and else the server's own: a log may want the user that a layer further in has found.
 */
export function shareChanges(handed: Environ, exchange: Exchange): () => void {
  const from: Keys = handed as object as Keys;
  const to: Keys = exchange.environ as object as Keys;
  let known: Keys = { ...from };
  return () => {
    for (const key of Reflect.ownKeys(from)) {
      if (from[key] !== known[key]) to[key] = from[key];
    }
    for (const key of Reflect.ownKeys(known)) if (!Object.hasOwn(from, key)) delete to[key];
    known = { ...from };
  };
}

type Keys = Record<PropertyKey, unknown>;
