// Servers that each break the contract in one way, for tests of the suite that has to notice.
import net from "node:net";
import { Transform } from "node:stream";
import { when } from "@wsgi/core";
import type { Application, Body, Chunk, Environ, InputStream, StartResponse } from "@wsgi/core";
import { serve } from "@wsgi/server";
import type { StartServer, TestedServer } from "@wsgi/testing/server-suite";

/** Serves an application with what is right. */
export async function startServer(app: Application): Promise<TestedServer> {
  let reports = "";
  const errors = { write: (text: string) => void (reports += text) };
  const server = await serve(app, { port: 0, errors });
  return { url: server.url, reports: () => reports, close: () => server.close() };
}

/** Is a server that puts something between itself and its application. */
export function between(layer: (app: Application) => Application): StartServer {
  return (app) => startServer(layer(app));
}

/** Is a server that gives an environ in which something was changed. */
export function environ(change: (environ: Environ) => void): StartServer {
  return between((app) => (environ, startResponse) => {
    change(environ);
    return app(environ, startResponse);
  });
}

/** Is a server whose wsgi.input does some things in another way. */
export function input(change: (input: InputStream) => Partial<InputStream>): StartServer {
  return environ((request) => {
    const real = request["wsgi.input"];
    request["wsgi.input"] = {
      read: (size) => real.read(size),
      readline: (size) => real.readline(size),
      readlines: (hint) => real.readlines(hint),
      [Symbol.asyncIterator]: () => real[Symbol.asyncIterator](),
      ...change(real),
    };
  });
}

/** Is a server whose startResponse does something else. */
export function start(change: (startResponse: StartResponse) => StartResponse): StartServer {
  return between((app) => (environ, startResponse) => app(environ, change(startResponse)));
}

/** Is a server that does something else with what an application returns. */
export function body(change: (body: Body) => Body): StartServer {
  return between((app) => (environ, startResponse) => when(app(environ, startResponse), change));
}

/** Is a server that sends, or receives, other text than it should. */
export function wire({
  request = (text: string): string => text,
  response = (text: string): string => text,
}): StartServer {
  return async (app) => {
    let port = "";
    const server = await startServer((environ, startResponse) => {
      environ.SERVER_PORT = port;
      return app(environ, startResponse);
    });
    const proxy = net.createServer({ allowHalfOpen: true }, (client) => {
      const upstream = net.connect({
        port: Number(new URL(server.url).port),
        host: "127.0.0.1",
        allowHalfOpen: true,
      });
      client.pipe(changing(request)).pipe(upstream);
      upstream.pipe(changing(response)).pipe(client);
      client.on("error", () => upstream.destroy());
      client.on("close", () => upstream.destroy());
      upstream.on("error", () => client.destroy());
      upstream.on("close", () => client.destroySoon());
    });
    await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
    port = String((proxy.address() as net.AddressInfo).port);
    return {
      url: `http://127.0.0.1:${port}`,
      reports: () => server.reports!(),
      async close() {
        proxy.close();
        await server.close();
      },
    };
  };
}

function changing(change: (text: string) => string): Transform {
  return new Transform({
    transform: (data: Buffer, _encoding, done) =>
      done(null, Buffer.from(change(data.toString("latin1")), "latin1")),
  });
}

/** Makes a body with the same chunks and another close(). */
export function closedBy(body: Body, close: () => void | Promise<void>): Body {
  if (Array.isArray(body)) return Object.assign([...(body as Chunk[])], { close });
  return Symbol.iterator in body
    ? { [Symbol.iterator]: () => body[Symbol.iterator](), close }
    : { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](), close };
}
