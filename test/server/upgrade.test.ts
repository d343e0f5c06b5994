import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import type { Application, Environ } from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { upgradeKey, type ServeOptions, type Upgrade } from "@wsgi/server";
import { certificate } from "../support/certificate.ts";
import {
  bodyOf,
  deferred,
  exchange,
  lastHeaders,
  RawClient,
  serving,
  turn,
} from "../support/serving.ts";

const upgrade = true;
const asks = "Host: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

/** Takes the connection over from an environ that has the key. */
function take(environ: Environ): Upgrade {
  return (environ[upgradeKey] as (environ: Environ) => Upgrade)(environ);
}

/** Takes connections over, and sends back what comes. */
const echoing: Application = (environ, startResponse) => {
  const { socket, head } = take(environ);
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  socket.write(head);
  socket.pipe(socket);
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return ["This goes nowhere"];
};

/** Tells whether it is offered a connection, and takes none. */
const declining: Application = (environ, startResponse) => {
  startResponse("200 OK", []);
  return [`${environ.HTTP_UPGRADE} ${upgradeKey in environ}`];
};

describe("wsgix.upgrade", () => {
  it("hands the connection over, with what was sent already", async () => {
    await using server = await serving(echoing, { upgrade });
    using client = await RawClient.connect(server);
    client.send(`GET / HTTP/1.1\r\n${asks}early`);
    await client.until("early");
    assert.match(
      await client.send(" and late").until("late"),
      /^HTTP\/1\.1 101 [^]*early and late$/,
    );
    assert.doesNotMatch(client.received, /nowhere/);
  });

  it("passes through layers, which see the response that is not sent", async () => {
    await using server = await serving(validator()(echoing), { upgrade });
    using client = await RawClient.connect(server);
    client.send(`GET / HTTP/1.1\r\n${asks}early`);
    await client.until("early");
    assert.equal(server.reports, "");
  });

  it("is there with the option only", async () => {
    await using server = await serving(declining);
    assert.equal(bodyOf(await exchange(server, `GET / HTTP/1.1\r\n${asks}`)), "echo false");
  });

  it("may be left alone, and the response is the connection's last", async () => {
    await using server = await serving(declining, { upgrade });
    const response = await exchange(server, `GET / HTTP/1.1\r\n${asks}ignored`);
    assert.match(response, /Connection: close[^]*echo true$/);
  });

  it("answers an offer of HTTP/2 as any request", async () => {
    await using server = await serving(declining, { upgrade });
    const offer =
      "Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    assert.equal(bodyOf(await exchange(server, `GET / HTTP/1.1\r\n${offer}`)), "h2c true");
  });

  it("is not offered with a body, which is read as any body", async () => {
    await using server = await serving(
      async (environ, startResponse) => {
        const text = Buffer.from(await environ["wsgi.input"].read()).toString();
        startResponse("200 OK", []);
        return [`${text} ${upgradeKey in environ}`];
      },
      { upgrade },
    );
    const request = `POST / HTTP/1.1\r\nContent-Length: 5\r\n${asks}Hello`;
    assert.equal(bodyOf(await exchange(server, request)), "Hello false");
  });

  it("is not offered to HTTP/1.0", async () => {
    await using server = await serving(declining, { upgrade });
    assert.equal(bodyOf(await exchange(server, `GET / HTTP/1.0\r\n${asks}`)), "echo false");
  });

  it("refuses what it refuses of every request", async () => {
    await using server = await serving(echoing, { upgrade });
    const request = "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    assert.match(await exchange(server, request), /^HTTP\/1\.1 400 [^]*Host is missing/);
  });

  it("comes in its turn behind requests that were sent before", async () => {
    const first = deferred();
    const app: Application = async (environ, startResponse) => {
      if (environ.PATH_INFO !== "/first") return echoing(environ, startResponse);
      await first.promise;
      startResponse("200 OK", []);
      return ["first"];
    };
    await using server = await serving(app, { upgrade });
    using client = await RawClient.connect(server);
    client.send(`GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n${asks}early`);
    first.resolve();
    assert.match(await client.until("early"), /^HTTP\/1\.1 200 [^]*first[^]*HTTP\/1\.1 101 /);
  });

  it("answers 500 if the application fails before it takes the connection", async () => {
    await using server = await serving(
      () => {
        throw new Error("This cannot be");
      },
      { upgrade },
    );
    assert.match(await exchange(server, `GET / HTTP/1.1\r\n${asks}`), /^HTTP\/1\.1 500 /);
    assert.match(server.reports, /This cannot be/);
  });

  it("is undone if the application throws, which cuts the connection", async () => {
    const app: Application = (environ) => {
      take(environ);
      throw new Error("This cannot be");
    };
    await using server = await serving(app, { upgrade });
    assert.equal(await exchange(server, `GET / HTTP/1.1\r\n${asks}`), "");
    assert.match(server.reports, /This cannot be/);
  });

  it("is undone if the promise of the body is rejected", async () => {
    const app: Application = async (environ) => {
      take(environ);
      await turn();
      throw new Error("This cannot be");
    };
    await using server = await serving(app, { upgrade });
    assert.equal(await exchange(server, `GET / HTTP/1.1\r\n${asks}`), "");
    assert.match(server.reports, /This cannot be/);
  });

  it("is undone if a layer makes an error page, which nobody would get", async () => {
    const app: Application = (environ) => {
      take(environ);
      throw new Error("This cannot be");
    };
    await using server = await serving(catchErrors()(app), { upgrade });
    assert.equal(await exchange(server, `GET / HTTP/1.1\r\n${asks}`), "");
    assert.match(server.reports, /This cannot be/);
  });

  it("is not undone by what close() throws: the response has ended", async () => {
    const app: Application = (environ, startResponse) => {
      const close = (): void => {
        throw new Error("This cannot be");
      };
      return Object.assign(echoing(environ, startResponse), { close });
    };
    await using server = await serving(app, { upgrade });
    using client = await RawClient.connect(server);
    await client.send(`GET / HTTP/1.1\r\n${asks}early`).until("early");
    await client.send("still there").until("still there");
    assert.match(server.reports, /This cannot be/);
  });

  it("throws if it is called twice", async () => {
    const failure = deferred<unknown>();
    const app: Application = (environ, startResponse) => {
      const { socket } = take(environ);
      try {
        take(environ);
      } catch (error) {
        failure.resolve(error);
      }
      socket.destroy();
      startResponse("200 OK", []);
      return [];
    };
    await using server = await serving(app, { upgrade });
    await exchange(server, `GET / HTTP/1.1\r\n${asks}`);
    assert.match(
      String(await failure.promise),
      /^WsgiError: Cannot upgrade: the connection was taken/,
    );
  });

  it("throws once the response has begun", async () => {
    const app: Application = function* (environ, startResponse) {
      startResponse("200 OK", []);
      yield "begun";
      take(environ);
    };
    await using server = await serving(app, { upgrade });
    assert.match(await exchange(server, `GET / HTTP/1.1\r\n${asks}`), /begun/);
    assert.match(server.reports, /Cannot upgrade: the response has begun/);
  });

  it("may be called from within the body", async () => {
    const app: Application = function* (environ, startResponse) {
      yield* echoing(environ, startResponse) as Iterable<string>;
    };
    await using server = await serving(app, { upgrade });
    using client = await RawClient.connect(server);
    await client.send(`GET / HTTP/1.1\r\n${asks}early`).until("early");
    assert.doesNotMatch(client.received, /nowhere/);
  });

  it("closes a body that lasts as long as the connection", async () => {
    const closed = deferred();
    const app: Application = (environ, startResponse) => {
      const { socket } = take(environ);
      // As on every server of Node's, its end is for who has it to answer.
      socket.on("end", () => socket.end()).resume();
      socket.write("taken");
      startResponse("200 OK", []);
      return {
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
        close: () => closed.resolve(),
      };
    };
    await using server = await serving(app, { upgrade });
    using client = await RawClient.connect(server);
    await client.send(`GET / HTTP/1.1\r\n${asks}`).until("taken");
    client.socket.destroy();
    await closed.promise;
  });

  it("takes a long response too, which goes nowhere", async () => {
    const closed = deferred();
    const app: Application = (environ, startResponse) => {
      const { socket } = take(environ);
      socket.on("end", () => socket.end()).resume();
      socket.write("taken");
      startResponse("200 OK", []);
      const body = (function* () {
        for (let i = 0; i < 10; i++) yield "x".repeat(65_536);
      })();
      return { [Symbol.iterator]: () => body, close: () => closed.resolve() };
    };
    await using server = await serving(app, { upgrade });
    using client = await RawClient.connect(server);
    await client.send(`GET / HTTP/1.1\r\n${asks}`).until("taken");
    await closed.promise;
    assert.equal(client.received, "taken");
  });

  it("is declined by who streams, and hears of it when the client leaves", async () => {
    const closed = deferred();
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", [])("begun");
      const next = (): Promise<never> => new Promise(() => {});
      return { [Symbol.asyncIterator]: () => ({ next }), close: () => closed.resolve() };
    };
    await using server = await serving(app, { upgrade });
    using client = await RawClient.connect(server);
    await client.send(`GET / HTTP/1.1\r\n${asks}`).until("begun");
    client.socket.end();
    await closed.promise;
  });

  it("works over TLS", async () => {
    const sockets = deferred<Socket>();
    const app: Application = (environ, startResponse) => {
      const { socket } = take(environ);
      sockets.resolve(socket);
      startResponse("200 OK", []);
      return [];
    };
    await using server = await serving(app, { upgrade, tls: certificate });
    const { connect } = await import("node:tls");
    const client = connect({ port: server.port, rejectUnauthorized: false });
    client.write(`GET / HTTP/1.1\r\n${asks}`);
    (await sockets.promise).end("Hello");
    assert.equal(String(await client.toArray()), "Hello");
  });

  it("counts as a request under way until the connection has ended", async () => {
    await using server = await serving(echoing, { upgrade });
    using client = await RawClient.connect(server);
    await client.send(`GET / HTTP/1.1\r\n${asks}early`).until("early");
    const drained = server.server.drain({ idleTime: 10 });
    await client.send("still there").until("still there");
    client.socket.end();
    assert.deepEqual(await drained, { lost: 0 });
  });

  it("is cut off, and its signal aborts, when the server has waited long enough", async () => {
    const aborted = deferred();
    const app: Application = (environ, startResponse) => {
      const signal = (environ["wsgix.signal"] as (environ: Environ) => AbortSignal)(environ);
      signal.addEventListener("abort", () => aborted.resolve());
      return echoing(environ, startResponse);
    };
    await using server = await serving(app, { upgrade });
    using client = await RawClient.connect(server);
    await client.send(`GET / HTTP/1.1\r\n${asks}early`).until("early");
    assert.deepEqual(await server.server.drain({ timeout: 0, abortTime: 0 }), { lost: 1 });
    await aborted.promise;
    await client.closed;
  });

  it("keeps its place when there are as many connections as there may be", async () => {
    await using server = await serving(echoing, { upgrade, limits: { connections: 1 } });
    using client = await RawClient.connect(server);
    await client.send(`GET / HTTP/1.1\r\n${asks}early`).until("early");
    assert.match(await exchange(server, `GET / HTTP/1.1\r\n${lastHeaders}`), /^HTTP\/1\.1 503 /);
    await client.send("still there").until("still there");
  });

  it("is switched by nothing but true and false", async () => {
    await assert.rejects(serving(declining, { upgrade: 1 } as unknown as ServeOptions), {
      name: "TypeError",
      message: "Cannot serve: upgrade is 1; wanted true or false",
    });
  });
});
