import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Application } from "@wsgi/core";
import { nodeListener, serve, type ServeOptions } from "@wsgi/server";
import { serverSuite, type StartServer, type TestedServer } from "@wsgi/testing/server-suite";
import { certificate } from "../support/certificate.ts";

let sockets = 0;

function starting(options: () => ServeOptions): StartServer {
  return async (app) => {
    let reports = "";
    const errors = { write: (text: string) => void (reports += text) };
    const server = await serve(app, { errors, ...options() });
    return { url: server.url, reports: () => reports, close: () => server.close() };
  };
}

async function startListener(app: Application): Promise<TestedServer> {
  let reports = "";
  const errors = { write: (text: string) => void (reports += text) };
  const server = createServer(nodeListener(app, { errors }));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reports: () => reports,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

serverSuite(
  starting(() => ({ port: 0 })),
  { name: "serve() over TCP" },
);

serverSuite(
  starting(() => ({ port: 0, tls: certificate })),
  { name: "serve() over TLS" },
);

serverSuite(
  starting(() => ({ path: join(tmpdir(), `wsgi-suite-${process.pid}-${(sockets += 1)}.sock`) })),
  { name: "serve() on a Unix socket" },
);

const continues = "an http.Server tells every client to go on before it asks its listener";

serverSuite(startListener, {
  name: "nodeListener() in an http.Server",
  except: {
    "http-refused/no-host": "it answers 400 by itself, and serves what is behind it",
    "http-expect/read": continues,
    "http-expect/unread": continues,
    "http-refused/expectation": "it answers 417 by itself, and keeps the connection",
  },
});
