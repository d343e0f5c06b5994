import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { describe, it } from "node:test";
import { ClientDisconnected, onClose, type Application, type Body, type Chunk } from "@wsgi/core";
import { closable, failing, respond } from "@wsgi/testing";
import { serve, type ServerEnviron } from "@wsgi/server";
import {
  answer,
  deferred,
  exchange,
  get,
  lastHeaders,
  RawClient,
  serving,
  turn,
} from "../support/serving.ts";

/** Is an endless body that tells when it is closed. */
function endless(chunk: Chunk): { body: Body; closed: Promise<void>; times(): number } {
  const { promise, resolve } = deferred();
  let times = 0;
  const body: Body = {
    *[Symbol.iterator]() {
      for (;;) yield chunk;
    },
    close() {
      times += 1;
      resolve();
    },
  };
  return { body, closed: promise, times: () => times };
}

describe("close() is called once", () => {
  it("at the normal end of a stream", async () => {
    const body = closable("a", "b");
    await answer(respond(body), get);
    assert.equal(body.timesClosed, 1);
  });

  it("on an array that has it, after it was sent", async () => {
    let times = 0;
    const body = Object.assign(["a"], { close: () => void (times += 1) });
    const { response } = await answer(respond(body), get);
    assert.match(response, /Content-Length: 1\r\n/);
    assert.equal(times, 1);
  });

  it("when the first step throws", async () => {
    let times = 0;
    const body: Body = {
      [Symbol.iterator]: () => ({
        next() {
          throw new Error("first");
        },
      }),
      close: () => void (times += 1),
    };
    const { response } = await answer(respond(body), get);
    assert.match(response, /^HTTP\/1\.1 500 /);
    assert.equal(times, 1);
  });

  it("when a later step throws", async () => {
    let times = 0;
    const body: Body = {
      *[Symbol.iterator]() {
        yield "sent";
        throw new Error("second");
      },
      close: () => void (times += 1),
    };
    await answer(respond(body), get);
    assert.equal(times, 1);
  });

  it("for HEAD", async () => {
    const body = closable("a");
    await answer(respond(body), `HEAD / HTTP/1.1\r\n${lastHeaders}`);
    assert.equal(body.timesClosed, 1);
  });

  it("for 304", async () => {
    const body = closable("a");
    await answer(respond(body, { status: "304 Not Modified" }), get);
    assert.equal(body.timesClosed, 1);
  });

  it("when the response was never started", async () => {
    const body = closable("a");
    await answer(() => body, get);
    assert.equal(body.timesClosed, 1);
  });

  it("when the application starts again with an error and fails", async () => {
    const body = closable("a");
    await answer((_environ, startResponse) => {
      startResponse("200 OK", []);
      return onClose(body, () => {
        throw new Error("in close");
      });
    }, get);
    assert.equal(body.timesClosed, 1);
  });

  it("on the body, and not on the iterator that is made of it (P11)", async () => {
    const closed: string[] = [];
    const body = {
      [Symbol.iterator]: () =>
        Object.assign(["a"][Symbol.iterator](), { close: () => closed.push("iterator") }),
      close: () => void closed.push("body"),
    };
    await answer(respond(body), get);
    assert.deepEqual(closed, ["body"]);
  });

  it("after the iteration was ended with return()", async () => {
    const order: string[] = [];
    const body: Body = {
      *[Symbol.iterator]() {
        try {
          yield "12345";
          yield "never";
        } finally {
          order.push("return");
        }
      },
      close: () => void order.push("close"),
    };
    await answer(respond(body, { headers: [["Content-Length", "5"]] }), get);
    assert.deepEqual(order, ["return", "close"]);
  });

  it("and awaited before the next request on the connection begins", async () => {
    const order: string[] = [];
    const app: Application = (environ, startResponse) => {
      order.push(`call ${environ.PATH_INFO}`);
      startResponse("200 OK", []);
      return onClose(["x"], async () => {
        await turn();
        order.push(`closed ${environ.PATH_INFO}`);
      });
    };
    await answer(app, `GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${get}`);
    assert.deepEqual(order, ["call /1", "closed /1", "call /", "closed /"]);
  });

  it("or else its disposer, if the body has no close()", async () => {
    let times = 0;
    const body = { ...iterableOf("a"), [Symbol.dispose]: () => void (times += 1) };
    await answer(respond(body), get);
    assert.equal(times, 1);
  });

  it("on a file that cannot be opened and is not read, which ends nothing", async () => {
    const app = respond(() => createReadStream("/there/is/no/such/file"));
    await using server = await serving(app);
    const head = `HEAD / HTTP/1.1\r\n${lastHeaders}`;
    assert.match(await exchange(server, head), /^HTTP\/1\.1 200 OK/);
    assert.match(await exchange(server, head), /^HTTP\/1\.1 200 OK/);
  });

  it("and what settles twice lets the next request in once", async () => {
    let running = 0;
    let most = 0;
    // oxlint-disable-next-line unicorn/no-thenable -- one that settles twice is what this is about
    const then = "then";
    const close = (): Promise<void> =>
      ({ [then]: (settle: () => void) => (settle(), settle()) }) as unknown as Promise<void>;
    const app: Application = async (_environ, startResponse) => {
      most = Math.max(most, ++running);
      await turn();
      running -= 1;
      startResponse("200 OK", []);
      return Object.assign(["x"], { close });
    };
    const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const { response } = await answer(app, request.repeat(4) + get);
    assert.equal(response.match(/200 OK/g)?.length, 5);
    assert.equal(most, 1);
  });

  it("when it throws, and the response stays as it is (F4)", async () => {
    const { response, reports } = await answer(failing("close"), get);
    assert.match(response, /5\r\nHello\r\n0\r\n\r\n$/);
    assert.match(reports, /Failed in close/);
  });

  it("when it rejects, and the connection goes on", async () => {
    const app = respond(() => onClose(["x"], () => Promise.reject(new Error("no"))));
    const { response, reports } = await answer(app, `GET / HTTP/1.1\r\nHost: a\r\n\r\n${get}`);
    assert.equal(response.match(/200 OK/g)?.length, 2);
    assert.match(reports, /Error: no/);
  });
});

function iterableOf(...chunks: readonly string[]): Iterable<string> {
  return { [Symbol.iterator]: () => chunks[Symbol.iterator]() };
}

describe("when the client leaves", () => {
  it("an endless body stops and is closed once, without a report (P10)", async () => {
    const { body, closed, times } = endless("x".repeat(1_000));
    await using server = await serving(respond(body));
    using client = await RawClient.connect(server);
    await client.send(get).until("xxx");
    client.socket.destroy();
    await closed;
    assert.equal(times(), 1);
    assert.equal(server.reports, "");
  });

  it("an endless body of empty chunks stops too", async () => {
    const { body, closed } = endless("");
    await using server = await serving((_environ, startResponse) => {
      void startResponse("200 OK", [])("begun");
      return body;
    });
    using client = await RawClient.connect(server);
    await client.send(get).until("begun");
    client.socket.destroy();
    await closed;
  });

  it("an async body stops: it is closed without waiting for its pending step", async () => {
    const closed = deferred();
    const body: Body = {
      async *[Symbol.asyncIterator]() {
        yield "begun";
        await new Promise(() => {});
      },
      close: () => closed.resolve(),
    };
    await using server = await serving(respond(body));
    using client = await RawClient.connect(server);
    await client.send(get).until("begun");
    client.socket.destroy();
    await closed.promise;
  });

  it("a body that comes too late is closed, and not iterated", async () => {
    const body = closable("never");
    const called = deferred();
    const left = deferred();
    const closed = deferred();
    const app: Application = async (environ, startResponse) => {
      const signal = (environ as ServerEnviron)["wsgix.signal"](environ);
      signal.addEventListener("abort", () => left.resolve());
      called.resolve();
      await left.promise;
      startResponse("200 OK", []);
      return onClose(body, () => closed.resolve());
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send(get);
    await called.promise;
    client.socket.destroy();
    await closed.promise;
    assert.equal(body.taken, 0);
    assert.equal(body.timesClosed, 1);
    assert.equal(server.reports, "");
  });

  it("the signal aborts, also one made from a copy of environ", async () => {
    const aborted = deferred<unknown>();
    const app: Application = async (environ, startResponse) => {
      const copy = { ...environ } as ServerEnviron;
      const signal = copy["wsgix.signal"](copy);
      signal.addEventListener("abort", () => aborted.resolve(signal.reason));
      await startResponse("200 OK", [])("begun");
      return { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    await client.send(get).until("begun");
    client.socket.destroy();
    assert.equal(((await aborted.promise) as Error).name, "ClientDisconnected");
  });

  it("a waiting write() is rejected, and a later one throws", async () => {
    const outcome = deferred<string[]>();
    const app: Application = async (_environ, startResponse) => {
      const write = startResponse("200 OK", []);
      const errors: string[] = [];
      while (errors.length === 0) {
        const full = write("x".repeat(100_000));
        await full?.catch((error: Error) => void errors.push(error.name));
      }
      try {
        void write("more");
      } catch (error) {
        errors.push((error as Error).name);
      }
      outcome.resolve(errors);
      return [];
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.socket.pause();
    client.send(get);
    client.socket.once("readable", () => client.socket.destroy());
    assert.deepEqual(await outcome.promise, ["ClientDisconnected", "ClientDisconnected"]);
  });

  it("a write() that nobody waited for does not end the process", async () => {
    const left = deferred();
    const app: Application = async (environ, startResponse) => {
      const signal = (environ as ServerEnviron)["wsgix.signal"](environ);
      const write = startResponse("200 OK", []);
      for (let i = 0; i < 100; i++) void write("x".repeat(100_000));
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      left.resolve();
      return [];
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.socket.pause();
    client.send(get);
    client.socket.once("readable", () => client.socket.destroy());
    await left.promise;
    assert.equal(server.reports, "");
  });

  it("what the application fails of because of it is not reported", async () => {
    const failed = deferred();
    const app: Application = async (environ, startResponse) => {
      const signal = (environ as ServerEnviron)["wsgix.signal"](environ);
      await startResponse("200 OK", [])("begun");
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      failed.resolve();
      throw signal.reason;
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    await client.send(get).until("begun");
    client.socket.destroy();
    await failed.promise;
    await server[Symbol.asyncDispose]();
    assert.equal(server.reports, "");
  });

  it("an async generator that waits for ever holds nothing up", async () => {
    async function* stuck(): AsyncGenerator<Chunk, void> {
      yield "begun";
      await new Promise(() => {});
    }
    const server = await serve(respond(stuck()), { port: 0 });
    using client = await RawClient.connect({ port: Number(new URL(server.url).port) });
    await client.send(get).until("begun");
    client.socket.destroy();
    await server.close();
  });

  it("an error in close() that says only that is not reported", async () => {
    const closed = deferred();
    const body = onClose(
      { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) },
      () => {
        closed.resolve();
        throw new ClientDisconnected();
      },
    );
    await using server = await serving((_environ, startResponse) => {
      void startResponse("200 OK", [])("begun");
      return body;
    });
    using client = await RawClient.connect(server);
    await client.send(get).until("begun");
    client.socket.destroy();
    await closed.promise;
    assert.equal(server.reports, "");
  });

  it("the signal aborts also if reading the request body is what noticed", async () => {
    const aborted = deferred();
    const app: Application = async (environ) => {
      const signal = (environ as ServerEnviron)["wsgix.signal"](environ);
      signal.addEventListener("abort", () => aborted.resolve());
      await environ["wsgi.input"].read();
      return [];
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    client.socket.end();
    await aborted.promise;
    assert.equal(server.reports, "");
  });

  it("its waiting requests do not reach the application (F21)", async () => {
    const calls: string[] = [];
    const go = deferred();
    const app: Application = async (environ, startResponse) => {
      calls.push(environ.PATH_INFO);
      await startResponse("200 OK", [])("begun");
      await go.promise;
      return [];
    };
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.until("begun");
    const gone = new Promise((resolve) => {
      server.server.httpServer.once("connection", resolve);
      client.socket.destroy();
      void RawClient.connect(server);
    });
    await gone;
    go.resolve();
    await server[Symbol.asyncDispose]();
    assert.deepEqual(calls, ["/1"]);
  });
});

describe("the signal", () => {
  it("does not abort after a response that has ended", async () => {
    let signal: AbortSignal | undefined;
    const app: Application = (environ, startResponse) => {
      signal = (environ as ServerEnviron)["wsgix.signal"](environ);
      startResponse("200 OK", []);
      return ["done"];
    };
    await answer(app, get);
    assert.equal(signal?.aborted, false);
  });

  it("is refused for an environ that is not the server's", async () => {
    const app: Application = (environ, startResponse) => {
      startResponse("200 OK", []);
      try {
        (environ as ServerEnviron)["wsgix.signal"]({} as ServerEnviron);
      } catch (error) {
        return [(error as Error).message];
      }
      return [];
    };
    const { response } = await answer(app, get);
    assert.match(response, /Cannot make a signal: the environ is not one of this server's/);
  });
});
