import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, it } from "node:test";

const gibibyte = 1_073_741_824;
const allowed = 100 * 1_048_576;
const block = Buffer.alloc(65_536, "x");

/** Starts the server and asks for its highest resident set so far, in bytes. */
async function start(): Promise<{ child: ChildProcess; url: string; peak(): Promise<number> }> {
  const child = fork(new URL("memory-server.js", import.meta.url));
  const [url] = (await once(child, "message")) as [string];
  const peak = async (): Promise<number> => {
    child.send("measure");
    return ((await once(child, "message")) as [number])[0];
  };
  // One small request first, so that what is loaded with it counts as idle.
  await (await fetch(`${url}/?65536`)).arrayBuffer();
  return { child, url, peak };
}

describe("memory through five layers", () => {
  it("stays within 100 MiB of the idle server while 1 GiB goes out", async () => {
    const { child, url, peak } = await start();
    const idle = await peak();
    const [response] = (await once(http.get(`${url}/?${gibibyte}`), "response")) as [Readable];
    let received = 0;
    for await (const chunk of response) received += (chunk as Buffer).byteLength;
    const grown = (await peak()) - idle;
    child.disconnect();
    assert.equal(received, gibibyte + "end".length);
    assert.ok(grown < allowed, `grew by ${Math.round(grown / 1_048_576)} MiB`);
  });

  it("stays within 100 MiB of the idle server while 1 GiB comes in", async () => {
    const { child, url, peak } = await start();
    const idle = await peak();
    const request = http.request(url, { method: "POST" });
    const answered = once(request, "response");
    const blocks = function* (): Generator<Buffer> {
      for (let sent = 0; sent < gibibyte; sent += block.byteLength) yield block;
    };
    await pipeline(Readable.from(blocks(), { objectMode: false }), request);
    const [response] = (await answered) as [Readable];
    const text = Buffer.concat((await response.toArray()) as Buffer[]).toString();
    const grown = (await peak()) - idle;
    child.disconnect();
    assert.equal(text, `${gibibyte}end`);
    assert.ok(grown < allowed, `grew by ${Math.round(grown / 1_048_576)} MiB`);
  });
});
