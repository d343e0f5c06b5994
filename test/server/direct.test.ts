import assert from "node:assert/strict";
import net from "node:net";
import { describe, it } from "node:test";
import { fromNode, type NodeHandler } from "@wsgi/bridge/node";
import { append } from "@wsgi/middleware/append";
import type { ServeOptions } from "@wsgi/server";
import {
  bodyOf,
  deferred,
  exchange,
  get,
  lastHeaders,
  RawClient,
  serving,
} from "../support/serving.ts";

/** Serves a handler with nothing around it for one raw request. */
async function direct(
  handler: NodeHandler,
  request: string,
  options?: ServeOptions,
): Promise<{ response: string; reports: string }> {
  await using server = await serving(fromNode(handler), options);
  const response = await exchange(server, request);
  return { response, reports: server.reports };
}

const chunked = `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n`;

describe("a hosted handler without layers", () => {
  const isReal: NodeHandler = (req, res) => res.end(String(req.socket instanceof net.Socket));

  it("is given the server's own request", async () => {
    assert.equal(bodyOf((await direct(isReal, get)).response), "true");
  });

  it("is not given it with a layer around it, or with keys for environ", async () => {
    await using layered = await serving(append("!", { types: ["*"] })(fromNode(isReal)));
    assert.equal(bodyOf(await exchange(layered, get)), "false!");
    const { response } = await direct(isReal, get, { environ: { "my.key": 1 } });
    assert.equal(bodyOf(response), "false");
  });

  it("can send what the contract has no place for", async () => {
    const handler: NodeHandler = (_req, res) => {
      res.writeEarlyHints({ link: "</style.css>; rel=preload" });
      res.end("Hello");
    };
    assert.match((await direct(handler, get)).response, /^HTTP\/1\.1 103 [^]*HTTP\/1\.1 200 OK/);
  });

  it("is called for no request that is refused", async () => {
    const never: NodeHandler = () => assert.fail("It was called");
    const refused = async (request: string, options?: ServeOptions): Promise<string> =>
      (await direct(never, request, options)).response.slice(0, 12);
    assert.equal(await refused("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400");
    assert.equal(await refused("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), "HTTP/1.1 400");
    assert.equal(
      await refused(`POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n${lastHeaders}`),
      "HTTP/1.1 501",
    );
    const long = `POST / HTTP/1.1\r\nContent-Length: 11\r\n${lastHeaders}`;
    assert.equal(await refused(long, { limits: { body: 10 } }), "HTTP/1.1 413");
  });

  it("is cut off in a body that turns out to be too large", async () => {
    const failed = deferred<Error & { status?: number }>();
    const handler: NodeHandler = (req) => void req.on("error", failed.resolve).resume();
    const request = `${chunked}${lastHeaders}b\r\nHello world\r\n0\r\n\r\n`;
    assert.equal((await direct(handler, request, { limits: { body: 10 } })).response, "");
    assert.equal((await failed.promise).status, 413);
  });

  it("is told when a body is malformed", async () => {
    const failed = deferred<Error>();
    const handler: NodeHandler = (req) => void req.on("error", failed.resolve).resume();
    await direct(handler, `${chunked}${lastHeaders}5\r\nHello\r\nx\r\n`);
    assert.match((await failed.promise).message, /malformed/);
  });

  it("ends the connection behind a body that is left unread", async () => {
    const head = "Host: localhost\r\n\r\n";
    const request = `${chunked}${head}b\r\nHello world\r\n`;
    const handler: NodeHandler = (_req, res) => res.end("Enough");
    const { response } = await direct(handler, request, { limits: { unreadBody: 10 } });
    assert.equal(bodyOf(response), "Enough");
  });

  it("gets a body that waits for 100 Continue", async () => {
    const handler: NodeHandler = async (req, res) => res.end(String(await req.toArray()));
    const request = `POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n${lastHeaders}Hello`;
    assert.match(
      (await direct(handler, request)).response,
      /^HTTP\/1\.1 100 [^]* 200 OK[^]*Hello$/,
    );
  });

  it("is called for one request at a time, in their order", async () => {
    const first = deferred();
    const urls: string[] = [];
    const handler: NodeHandler = async (req, res) => {
      urls.push(req.url!);
      if (req.url === "/1") await first.promise;
      res.end(`${urls.length}`);
    };
    await using server = await serving(fromNode(handler));
    using client = await RawClient.connect(server);
    client.send(`GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n${lastHeaders}`);
    await fetch(`${server.url}/other`);
    assert.deepEqual(urls, ["/1", "/other"]);
    first.resolve();
    await client.closed;
    assert.deepEqual(urls, ["/1", "/other", "/2"]);
  });

  it("gets a 500 for what it throws, and nothing of what it has set", async () => {
    const throwing: NodeHandler = (_req, res) => {
      res.setHeader("X-Half", "1");
      throw new Error("This cannot be");
    };
    const { response, reports } = await direct(throwing, get);
    assert.match(response, /^HTTP\/1\.1 500 [^]*Internal Server Error$/);
    assert.doesNotMatch(response, /X-Half/);
    assert.match(reports, /GET \/: Error: This cannot be/);
  });

  it("is cut off if it fails in the middle", async () => {
    const rejecting: NodeHandler = async (_req, res) => {
      res.write("Hello");
      throw new Error("This cannot be");
    };
    const { response, reports } = await direct(rejecting, get);
    assert.doesNotMatch(response, /0\r\n\r\n$/);
    assert.match(reports, /This cannot be/);
  });

  it("gets a cut for what it throws where its methods throw too", async () => {
    const broken: NodeHandler = (_req, res) => {
      res.writeHead = () => {
        throw new Error("This cannot be");
      };
      res.end("Hello");
    };
    const { response, reports } = await direct(broken, get);
    assert.equal(response, "");
    assert.match(reports, /This cannot be/);
  });

  it("is over when a connection ends that it has taken from its response", async () => {
    const taking: NodeHandler = ({ socket }, res) => {
      res.detachSocket(socket);
      socket.end("taken");
    };
    await using server = await serving(fromNode(taking));
    assert.equal(await exchange(server, get), "taken");
    const times = { timeout: 2_000, abortTime: 0, idleTime: 10 };
    assert.deepEqual(await server.server.drain(times), { lost: 0 });
  });

  it("may end its response twice, which is reported", async () => {
    const twice: NodeHandler = (_req, res) => {
      res.end("Hello");
      res.end("World");
    };
    const { response, reports } = await direct(twice, get);
    assert.equal(bodyOf(response), "Hello");
    assert.match(reports, /GET \/: Error.*write after end/);
  });

  it("is the last of a connection whose client says so in a way that Node does not know", async () => {
    const handler: NodeHandler = (_req, res) => res.end("Hello");
    const request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\t, x\r\n\r\n";
    assert.match((await direct(handler, request)).response, /Connection: close[^]*Hello$/);
  });

  it("ends its connection when the server is closed", async () => {
    const [called, go] = [deferred(), deferred()];
    const handler: NodeHandler = async (_req, res) => {
      called.resolve();
      await go.promise;
      res.end("Hello");
    };
    await using server = await serving(fromNode(handler));
    using client = await RawClient.connect(server);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await called.promise;
    const closed = server.server.close();
    go.resolve();
    assert.match(await client.closed, /Connection: close[^]*Hello$/);
    await closed;
  });

  it("is counted as lost when it takes too long for a server that is drained", async () => {
    const called = deferred();
    await using server = await serving(fromNode(() => called.resolve()));
    using client = await RawClient.connect(server);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await called.promise;
    assert.deepEqual(await server.server.drain({ timeout: 0, abortTime: 0 }), { lost: 1 });
  });
});
