import assert from "node:assert/strict";
import type { Application, Body } from "@wsgi/core";
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
import type { ServerCase, WatchedBody } from "./host.ts";
import { leave } from "./leave-cases.ts";

/** Serves one request and sees that the body was closed once when that has ended. */
async function closesOnce(
  host: Host,
  body: WatchedBody,
  app: Application = respond(body.body),
  bytes: string = last("GET /"),
): Promise<void> {
  const client = await host.serve(withCanary(app));
  await client.send(bytes).finish();
  await host.wait(body.closed, "the body to be closed");
  await host.turn();
  assert.equal(body.timesClosed, 1, "how often the body was closed");
}

function* chunks(): Generator<string, void> {
  for (let i = 0; i < endless; i++) yield "more";
}

/** Is the cases about closing bodies. */
export const closeCases: readonly ServerCase[] = [
  serverCase("close-once/stream", "closes a stream at its end", async (host) => {
    await closesOnce(host, watched(new Set(["one", "two"])));
  }),
  serverCase("close-once/async", "closes an async stream at its end", async (host) => {
    const body = watched(
      (async function* () {
        yield "one";
      })(),
    );
    await closesOnce(host, body);
  }),
  serverCase("close-once/array", "closes an array that has a close", async (host) => {
    await closesOnce(host, watched(["one", "two"]));
  }),
  serverCase("close-once/throws", "closes a body whose first step throws", async (host) => {
    const body = watched({
      [Symbol.iterator]: () => ({
        next: () => {
          throw new Error("Oops");
        },
      }),
    });
    await closesOnce(host, body);
  }),
  serverCase("close-once/throws-later", "closes a body whose later step throws", async (host) => {
    const body = watched(
      (function* () {
        yield "one";
        throw new Error("Oops");
      })(),
    );
    await closesOnce(host, body);
  }),
  serverCase("close-once/head", "closes a body that HEAD does not get", async (host) => {
    const body = watched(new Set(["one"]));
    await closesOnce(host, body, respond(body.body), last("HEAD /"));
  }),
  serverCase("close-once/304", "closes a body that 304 does not send", async (host) => {
    const body = watched(new Set(["one"]));
    await closesOnce(host, body, respond(body.body, { status: "304 Not Modified" }));
  }),
  serverCase("close-once/length", "closes a body at its declared length", async (host) => {
    const body = watched(chunks());
    await closesOnce(host, body, respond(body.body, { headers: [["Content-Length", "8"]] }));
  }),
  serverCase("close-once/not-started", "closes a body that never started", async (host) => {
    const body = watched(["one"]);
    await closesOnce(host, body, () => body.body);
  }),
  serverCase("close-once/left", "closes the endless body of a client that leaves", async (host) => {
    const body = watched(chunks());
    await leave(host, respond(body.body));
    await host.wait(body.closed, "the body to be closed");
    await host.turn();
    assert.equal(body.timesClosed, 1, "how often the body was closed");
  }),
  serverCase(
    "close-once/late",
    "closes a body that comes after the client has left",
    async (host) => {
      const called = signal();
      const go = signal();
      const body = watched(new Set(["one"]));
      const client = await host.serve(
        withCanary(async (_environ, startResponse) => {
          called.happen();
          await go.happened;
          startResponse("200 OK", []);
          return body.body;
        }),
      );
      client.send(last("GET /"));
      await host.wait(called.happened, "the application to be called");
      client.leave();
      await host.turn();
      go.happen();
      await host.wait(body.closed, "the body to be closed");
      await host.turn();
      assert.equal(body.timesClosed, 1, "how often the body was closed");
    },
  ),
  serverCase("close-returned", "closes what was returned, and not its iterator", async (host) => {
    let iteratorClosed = 0;
    const iterator = Object.assign(new Set(["one"])[Symbol.iterator](), {
      close: () => void (iteratorClosed += 1),
    });
    await closesOnce(host, watched({ [Symbol.iterator]: () => iterator }));
    assert.equal(iteratorClosed, 0, "how often the iterator was closed");
  }),
  serverCase("close-return", "ends an iteration with return before it closes", async (host) => {
    const events: string[] = [];
    const closed = signal();
    const steps = chunks();
    const body: Body = {
      [Symbol.iterator]: () => ({
        next: () => steps.next(),
        return: () => (events.push("return"), { done: true, value: undefined }),
      }),
      close: () => (events.push("close"), closed.happen()),
    };
    await leave(host, respond(body));
    await host.wait(closed.happened, "the body to be closed");
    assert.deepEqual(events, ["return", "close"]);
  }),
  serverCase("close-dispose", "disposes of a body without close", async (host) => {
    const disposed = signal();
    const body = Object.assign(["one"], { [Symbol.asyncDispose]: () => disposed.happen() });
    await host.answer(respond(body), last("GET /"));
    await host.wait(disposed.happened, "the body to be disposed of");
  }),
  serverCase("close-waited", "waits for close before the next request begins", async (host) => {
    const events: string[] = [];
    const go = signal();
    const closing = signal();
    const client = await host.serve(
      withCanary((environ, startResponse) => {
        events.push(environ.PATH_INFO);
        startResponse("200 OK", [["Content-Length", "3"]]);
        const close = async (): Promise<void> => {
          closing.happen();
          await go.happened;
          events.push("closed");
        };
        return Object.assign(["one"], { close });
      }),
    );
    client.send(request("GET /a") + request("GET /b"));
    await host.wait(closing.happened, "the body to be closed");
    await host.turn();
    go.happen();
    await client.response();
    await client.response();
    assert.deepEqual(events.slice(0, 3), ["/a", "closed", "/b"]);
  }),
  serverCase(
    "close-failed/throws",
    "leaves a response as it is when close throws",
    async (host) => {
      const close = (): never => {
        throw new Error("Oops");
      };
      const response = await host.answer(respond(Object.assign(["one"], { close })), last("GET /"));
      assert.deepEqual([response.code, response.text()], [200, "one"]);
    },
  ),
  serverCase(
    "close-failed/rejects",
    "goes on with the connection when close rejects",
    async (host) => {
      const close = (): Promise<void> => Promise.reject(new Error("Oops"));
      const client = await host.serve(respond(Object.assign(["one"], { close })));
      assert.equal((await client.send(request("GET /")).response()).text(), "one");
      assert.equal((await client.send(request("GET /")).response()).text(), "one");
    },
  ),
];
