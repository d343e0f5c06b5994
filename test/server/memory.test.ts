import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RawClient, serving, turn } from "../support/serving.ts";

const collect = globalThis.gc!;
const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

describe("a connection that waits", () => {
  it("keeps neither the request that was answered nor its response", async () => {
    await using server = await serving((_environ, startResponse) => {
      startResponse("200 OK", []);
      return ["Hello"];
    });
    const kept: WeakRef<object>[] = [];
    server.server.httpServer.on("request", (req, res) => {
      kept.push(new WeakRef(req), new WeakRef(res));
    });
    using client = await RawClient.connect(server);
    await client.send(request).until("Hello");
    await turn(3);
    collect();
    assert.equal(client.socket.destroyed, false);
    assert.deepEqual(
      kept.map((reference) => reference.deref()),
      [undefined, undefined],
    );
  });
});
