import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { toFetch } from "@wsgi/bridge/fetch";
import type { Application } from "@wsgi/core";
import { serverSuite, type TestedServer } from "@wsgi/testing/server-suite";
import { peer } from "../frameworks/peers.ts";

interface NodeServer {
  getRequestListener(
    handler: (request: Request, env: NodeEnv) => Promise<Response>,
    options: { overrideGlobalObjects: boolean },
  ): RequestListener;
}

interface NodeEnv {
  readonly incoming: { readonly socket: { readonly remoteAddress?: string } };
}

const { getRequestListener } = await peer<NodeServer>("@hono/node-server");

async function start(app: Application): Promise<TestedServer> {
  let reports = "";
  const handler = toFetch(app, {
    errors: { write: (text) => void (reports += text) },
    environ: (_request, env: NodeEnv) => ({ REMOTE_ADDR: env.incoming.socket.remoteAddress ?? "" }),
  });
  const server = createServer(getRequestListener(handler, { overrideGlobalObjects: false }));
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

const url = "a Request has a URL, which is normalised and made of the Host field";
const reason = "the host sends reason phrases of its own";
const ahead = "the host reads two chunks before it sends the head";
const http = "node:http and the host see to the connection, and let this pass";

serverSuite(start, {
  name: "toFetch() on @hono/node-server",
  timeout: 5_000,
  except: {
    "environ-split/slashes": url,
    "environ-server": url,
    "environ-protocol": "a Request does not tell the version",
    "http-target": url,
    "http-target/asterisk": url,
    "start-error": reason,
    "http-unchanged": reason,
    "start-sent": ahead,
    "body-prompt/sync": ahead,
    "length-short": ahead,
    "error-cut": ahead,
    "error-cut/written": ahead,
    "length-unknown/old": "the host asks HTTP/1.0 for a Host field too",
    "close-waited": http,
    "http-order": http,
    "http-expect/read": http,
    "http-expect/unread": http,
    "http-expect/old": http,
    "http-refused/no-host": http,
    "http-refused/two-hosts": http,
    "http-refused/bad-host": http,
    "http-refused/two-types": http,
    "http-refused/two-authorizations": http,
    "http-refused/old-coding": http,
    "http-refused/other-coding": http,
    "http-refused/bad-coding": http,
    "http-refused/fragment": http,
    "http-refused/scheme": http,
    "http-refused/asterisk": http,
    "http-refused/trace": http,
    "http-refused/version": http,
    "http-refused/no-version": http,
    "http-refused/expectation": http,
    "http-refused/no-answer": http,
  },
});
