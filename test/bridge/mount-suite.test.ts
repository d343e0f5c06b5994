import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { toFastify, toKoa, toNode, type ToNodeOptions } from "@wsgi/bridge/node";
import type { Application } from "@wsgi/core";
import { serverSuite, type StartServer } from "@wsgi/testing/server-suite";
import { peer } from "../frameworks/peers.ts";
import { fastifyExceptions, mountExceptions } from "../runtimes/suite-exceptions.ts";

interface Site {
  use(handler: unknown): void;
}

const { default: express } = await peer<{ default(): RequestListener & Site }>("express");
const { default: Koa } = await peer<{ default: new () => Site & { callback(): RequestListener } }>(
  "koa",
);
const { default: Fastify } = await peer<{
  default(): { register(plugin: unknown): void; ready(): Promise<void>; routing: RequestListener };
}>("fastify");

/** Starts a server of node:http for a framework in which an application is mounted. */
function starting(
  mount: (app: Application, options: ToNodeOptions) => RequestListener | Promise<RequestListener>,
): StartServer {
  return async (app) => {
    let reports = "";
    const errors = { write: (text: string) => void (reports += text) };
    const server = createServer(await mount(app, { errors }));
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
  };
}

serverSuite(
  starting((app, options) => toNode(app, options)),
  { name: "toNode() in an http.Server", except: mountExceptions },
);

serverSuite(
  starting((app, options) => {
    const site = express();
    site.use(toNode(app, options));
    return site;
  }),
  { name: "toNode() in Express", except: mountExceptions },
);

serverSuite(
  starting((app, options) => {
    const site = new Koa();
    site.use(toKoa(app, options));
    return site.callback();
  }),
  { name: "toKoa()", except: mountExceptions },
);

serverSuite(
  starting(async (app, options) => {
    const site = Fastify();
    site.register(toFastify(app, options));
    await site.ready();
    return site.routing;
  }),
  { name: "toFastify()", except: fastifyExceptions },
);
