import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seed, times } from "../support/property.ts";
import { fuzzSockets } from "./socket-fuzzer.ts";

const inputs = 20_000 * times;

describe("a server that is sent mutated requests", () => {
  it(`keeps HTTP and the contract (seed ${seed})`, async (t) => {
    await fuzzSockets(seed, 0, 500);
    globalThis.gc!();
    const before = process.memoryUsage().heapUsed;
    const report = await fuzzSockets(seed, 500, 500 + inputs);
    globalThis.gc!();
    const grown = process.memoryUsage().heapUsed - before;
    t.diagnostic(JSON.stringify({ ...report, grown }));
    // Y8: what is left of an input is nothing.
    assert.ok(grown < 4_194_304, `the heap has grown by ${grown} bytes`);
  });
});
