import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { describe, it } from "node:test";
import { respond } from "@wsgi/testing";
import { bodyOf, deferred, RawClient, serving } from "../support/serving.ts";

const megabyte = "x".repeat(1_000_000);
const long = respond([new Uint8Array(400_000)]);

/** Sends a request for a long response, and reads nothing before the server is done. */
async function readLate(request: string): Promise<string> {
  await using server = await serving(long);
  const done = deferred();
  server.server.httpServer.on("request", (_req, res) => {
    res.on("close", () => setImmediate(done.resolve));
  });
  using client = await RawClient.connect(server);
  client.socket.pause();
  client.send(request);
  await done.promise;
  client.socket.resume();
  return await client.closed;
}

describe("a client that is still sending", () => {
  it("gets the whole response, if its body has a length", async () => {
    const head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n";
    assert.equal(bodyOf(await readLate(head + megabyte)).length, 400_000);
  });

  it("gets the whole response, if its body is chunked", async () => {
    const head = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert.equal(bodyOf(await readLate(`${head}f4240\r\n${megabyte}\r\n`)).length, 400_000);
  });

  it("gets the refusal of a body that is too long, and no broken pipe", async () => {
    await using server = await serving(long, { limits: { body: 10 } });
    const request = http.request(server.url, { method: "POST", agent: false });
    request.end(Buffer.alloc(9_000_000));
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    response.resume();
    // Fails with EPIPE if the server cuts off what it has refused.
    await once(request, "close");
    assert.equal(response.statusCode, 413);
  });

  it("is cut off a while later", async () => {
    await using server = await serving(long);
    const connected = once(server.server.httpServer, "connection");
    using client = await RawClient.connect(server);
    client.socket.allowHalfOpen = true;
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n");
    const [socket] = await connected;
    await once(socket, "close");
    assert.equal(bodyOf(client.received).length, 400_000);
  });
});
