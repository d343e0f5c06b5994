import { describe, it } from "node:test";
import { assertNone } from "../support/repository.ts";
import { aborts } from "./aborts.ts";
import { beyond, lineOf, type Figure } from "./figures.ts";
import { leak } from "./leak.ts";
import { restarts } from "./restarts.ts";
import { slowReaders } from "./slow-readers.ts";

function assertWithin(figures: readonly Figure[]): void {
  assertNone(beyond(figures).map(lineOf));
}

// The long forms are run by hand: README.md.
describe("soak, in short", () => {
  it("keeps nothing of requests that were answered", async () => {
    const figures = await leak({ warmup: 4_000, requests: 8_000, connections: 16, resident: 50 });
    assertWithin(figures);
  });

  it("keeps nothing of clients that left at any byte", async () => {
    assertWithin(
      await aborts({ warmup: 1_000, aborts: 2_000, connections: 20, seed: 1, resident: 50 }),
    );
  });

  it("keeps little for clients that read nothing, and cuts them off", async () => {
    assertWithin(await slowReaders({ connections: 25, seconds: 5 }));
  });

  it("loses no answer while workers are replaced", async () => {
    const load = { requests: 2_000, connections: 20, workers: 2, seconds: 1 };
    assertWithin(await restarts({ ...load, reloads: 1, restarts: 1, kills: 0 }));
  });
});
