import assert from "node:assert/strict";
import { ClientDisconnected, type Application, type Body, type Environ } from "@wsgi/core";
import { respond } from "../applications.ts";
import {
  endless,
  last,
  request,
  serverCase,
  signal,
  watched,
  withCanary,
  type Host,
} from "./host.ts";
import type { ServerCase } from "./host.ts";

/** Serves one request of a client that leaves at the first bytes. */
export async function leave(host: Host, app: Application): Promise<void> {
  const client = await host.serve(withCanary(app));
  client.send(last("GET /"));
  await client.part(() => true, "the first bytes of the body");
  client.leave();
}

const never = new Promise<never>(() => {});

async function* stuck(): AsyncGenerator<string, void> {
  yield "first";
  await never;
}

const noSignal = "the server offers no wsgix.signal";

function signalOf(environ: Environ): AbortSignal | undefined {
  const make = environ["wsgix.signal"] as ((environ: Environ) => AbortSignal) | undefined;
  return make?.(environ);
}

/** Sees that the signal of an environ aborts; gives a reason if there is none. */
async function aborts(
  host: Host,
  find: (environ: Environ) => Environ,
): Promise<string | undefined> {
  const aborted = signal<boolean>();
  await leave(host, (environ, startResponse) => {
    const given = signalOf(find(environ));
    if (given === undefined) aborted.happen(false);
    else given.addEventListener("abort", () => aborted.happen(true));
    startResponse("200 OK", []);
    return stuck();
  });
  const isOffered = await host.wait(aborted.happened, "the signal to be aborted");
  return isOffered ? undefined : noSignal;
}

/** Is the cases about clients that leave. */
export const leaveCases: readonly ServerCase[] = [
  serverCase("client-closed", "closes a body at once, though a step is pending", async (host) => {
    const body = watched(stuck());
    await leave(host, respond(body.body));
    await host.wait(body.closed, "the body to be closed");
  }),
  serverCase(
    "client-closed/stops",
    "asks for nothing more when the client has left",
    async (host) => {
      let taken = 0;
      const body = watched(
        (function* () {
          while (taken < endless) yield `${(taken += 1)}`;
        })(),
      );
      await leave(host, respond(body.body));
      await host.wait(body.closed, "the body to be closed");
      const before = taken;
      assert.ok(before < endless, "the body was read to its end");
      await host.turn();
      assert.equal(taken, before);
    },
  ),
  serverCase(
    "client-gone/read",
    "fails a read of a client that leaves, without a report",
    async (host) => {
      const called = signal();
      const failed = signal<unknown>();
      const client = await host.serve(
        withCanary(async (environ) => {
          called.happen();
          try {
            return [await environ["wsgi.input"].read()];
          } catch (error) {
            failed.happen(error);
            throw error;
          }
        }),
      );
      client.send(`${request("POST /", ["Content-Length: 5"])}He`);
      await host.wait(called.happened, "the application to be called");
      client.leave();
      const error = await host.wait(failed.happened, "the read to fail");
      await host.turn();
      assert.equal((error as Error).name, ClientDisconnected.name);
      assert.equal(host.reports ?? "", "", "what is reported");
    },
  ),
  serverCase(
    "client-gone/write",
    "fails a write to a client that has left, without a report",
    async (host) => {
      const failed = signal<unknown>();
      await leave(host, async (_environ, startResponse): Promise<Body> => {
        const write = startResponse("200 OK", []);
        try {
          for (let i = 0; i < endless; i++) {
            await write("more");
            await new Promise<void>((resolve) => void setImmediate(resolve));
          }
          return [];
        } catch (error) {
          failed.happen(error);
          throw error;
        }
      });
      const error = await host.wait(failed.happened, "a write to fail");
      await host.turn();
      assert.equal((error as Error).name, ClientDisconnected.name);
      assert.equal(host.reports ?? "", "", "what is reported");
    },
  ),
  serverCase("client-signal", "aborts its signal when the client leaves", (host) =>
    aborts(host, (environ) => environ),
  ),
  serverCase("ext-environ", "does so for a copy of environ, which a layer may have made", (host) =>
    aborts(host, (environ) => ({ ...environ })),
  ),
  serverCase(
    "client-signal/ended",
    "does not abort it after the response has ended",
    async (host) => {
      let given: AbortSignal | undefined;
      const client = await host.serve(
        withCanary((environ, startResponse) => {
          const signalOf = environ["wsgix.signal"] as
            | ((environ: Environ) => AbortSignal)
            | undefined;
          given = signalOf?.(environ);
          startResponse("200 OK", []);
          return ["Hello"];
        }),
      );
      await client.send(last("GET /")).finish();
      client.leave();
      await host.turn();
      if (given === undefined) return noSignal;
      assert.equal(given.aborted, false);
      return undefined;
    },
  ),
];
