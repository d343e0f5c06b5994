import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application } from "@wsgi/core";
import type { ParsedResponse } from "@wsgi/testing/parse-responses";
import type { ServerEnviron } from "@wsgi/server";
import fc from "fast-check";
import { StrictClient } from "../support/strict-client.ts";
import { onSockets } from "../support/property.ts";
import { serving, turn } from "../support/serving.ts";

/** Is what may happen during one exchange; the order is the scheduler's. */
const scene = fc.record({
  /** The sizes of the chunks; the large ones fill the buffers. */
  chunks: fc.array(fc.constantFrom<number>(0, 1, 400_000), { maxLength: 4 }),
  declares: fc.boolean(),
  /** Whether the client reads from the start, and not only when it is its turn. */
  reads: fc.boolean(),
  leaves: fc.boolean(),
  timesOut: fc.boolean(),
  serverCloses: fc.boolean(),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

/** Is what was seen of the application. */
interface Seen {
  calls: number;
  closes: number;
  finals: number;
  signal: AbortSignal | undefined;
}

/** Makes an application whose every step is the scheduler's. */
function scheduledApp(
  scheduler: fc.Scheduler,
  { chunks, declares, timesOut }: Scene,
  seen: Seen,
): Application<ServerEnviron> {
  const step = (label: string): Promise<void> => scheduler.schedule(Promise.resolve(), label);
  return (environ, startResponse) => {
    seen.calls += 1;
    seen.signal = environ["wsgix.signal"](environ);
    const timeout = timesOut ? step("timeout").then(fail) : new Promise<never>(() => {});
    timeout.catch(() => {});
    startResponse("200 OK", declares ? [["Content-Length", String(sum(chunks))]] : []);
    const body = (async function* () {
      try {
        for (const size of chunks) {
          await Promise.race([step(`chunk of ${size}`), timeout]);
          yield "x".repeat(size);
        }
        await Promise.race([step("end"), timeout]);
      } finally {
        seen.finals += 1;
      }
    })();
    return Object.assign(body, { close: () => void seen.closes++ });
  };
}

function fail(): never {
  throw new Error("Too slow");
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

describe("an exchange", () => {
  it("ends in one way, and is closed once, in whatever order things happen", () => {
    const act = async (run: () => Promise<void>): Promise<void> => {
      await run();
      await turn(3);
    };
    return fc.assert(
      fc.asyncProperty(fc.scheduler({ act }), scene, async (scheduler, scene) => {
        const seen: Seen = { calls: 0, closes: 0, finals: 0, signal: undefined };
        await using server = await serving(scheduledApp(scheduler, scene, seen) as Application);
        using client = await StrictClient.connect(server);
        if (!scene.reads) client.socket.pause();
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        while (seen.calls === 0) await turn();
        let left = false;
        const step = (label: string): Promise<void> => scheduler.schedule(Promise.resolve(), label);
        if (!scene.reads) void step("client reads").then(() => client.socket.resume());
        if (scene.serverCloses) void step("server closes").then(() => void server.server.close());
        if (scene.leaves) {
          void step("client leaves").then(() => {
            left = seen.closes === 0;
            client.socket.destroy();
          });
        }
        while (seen.closes === 0) {
          if (scheduler.count() > 0) await scheduler.waitOne();
          else await turn();
        }
        // What comes too late is to change nothing.
        while (scheduler.count() > 0) await scheduler.waitOne();
        const [response] = scene.leaves ? [] : await client.responses("GET");
        await turn(3);
        assert.deepEqual([seen.calls, seen.closes], [1, 1]);
        assert.ok(seen.finals <= 1);
        assert.equal(seen.signal!.aborted, left);
        if (left && !scene.timesOut) assert.equal(server.reports, "");
        if (!scene.leaves) checkResponse(response, scene, server.reports);
      }),
      onSockets,
    );
  });
});

/** Checks that a client that stayed has the whole body, a refusal or a cut, and that the operator knows which. */
function checkResponse(
  response: ParsedResponse | undefined,
  { chunks }: Scene,
  reports: string,
): void {
  const failed = reports !== "";
  if (failed) assert.match(reports, /^GET \/: Error: Too slow\n(?!GET)/);
  if (response?.code === 500) assert.ok(failed && response.complete);
  else assert.equal(response?.complete ?? false, !failed);
  if (!failed) assert.equal(response?.bytes().byteLength, sum(chunks));
}
