// How often properties are checked. `npm test` runs each a little; the long form is, after `npm run build`,
//
//   PROPERTY_TIMES=100 node --expose-gc --test test/dist/properties/*.test.js test/dist/fuzz/*.test.js
//
// with a new seed each time. A failure prints its seed and the case, of a property the smallest that was
// found; to see it again, give the seed as PROPERTY_SEED.
import type fc from "fast-check";

/** How many times more than `npm test` is to be checked. */
export const times: number = whole("PROPERTY_TIMES") ?? 1;

/** Is what random numbers are made from. */
export const seed: number = whole("PROPERTY_SEED") ?? Date.now() % 2 ** 31;

/** Says how often a property is checked that calls functions. */
export const pure: fc.Parameters<unknown> = runs(1000);

/** Says how often a property is checked that opens connections. */
export const onSockets: fc.Parameters<unknown> = runs(200);

function runs(once: number): fc.Parameters<unknown> {
  return { numRuns: once * times, includeErrorInReport: true, seed };
}

function whole(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined) return undefined;
  if (/^-?\d+$/.test(text)) return Number(text);
  throw new RangeError(`Cannot check properties: ${name} is ${text}; wanted a whole number`);
}
