import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import {
  mapBody,
  onClose,
  stack,
  when,
  type Application,
  type Body,
  type Chunk,
  type FileHandleLike,
} from "@wsgi/core";
import { certificate } from "../support/certificate.ts";
import { deferred, get, RawClient, serving } from "../support/serving.ts";

type Wrap = (file: FileHandleLike, blockSize?: number) => Body;

/** Each of its words is its own number, so that a block in the place of another shows. */
const content = Buffer.from(Uint32Array.from({ length: 1_250_000 }, (_, i) => i).buffer);

const folder = await mkdtemp(join(tmpdir(), "wsgi-files-"));
const path = join(folder, "numbers");
await writeFile(path, content);
after(() => rm(folder, { recursive: true }));

/** Makes an application that sends the file. */
function sending(blockSize?: number, headers: [string, string][] = []): Application {
  return async (environ, startResponse) => {
    const file = await open(path);
    startResponse("200 OK", headers);
    return (environ["wsgi.file_wrapper"] as Wrap)(file, blockSize);
  };
}

/** Makes an application that sends a file of some blocks, keeps the memory that each was read into, and tells when it is closed. */
function watched(blocks: number) {
  const memories = new Set<ArrayBufferLike>();
  const closed = deferred();
  let left = blocks;
  const file: FileHandleLike = {
    fd: 0,
    async read(memory, offset, length) {
      memories.add(memory.buffer);
      memory.fill(left, offset, length);
      return { bytesRead: left-- > 0 ? length : 0 };
    },
    async close() {
      closed.resolve();
    },
  };
  const app: Application = (environ, startResponse) => {
    startResponse("200 OK", []);
    return (environ["wsgi.file_wrapper"] as Wrap)(file);
  };
  return { app, memories, closed: closed.promise };
}

async function received(app: Application): Promise<Buffer> {
  await using server = await serving(app);
  const [response] = (await once(http.get(server.url), "response")) as [http.IncomingMessage];
  return await buffer(response);
}

describe("a FileHandle", () => {
  it("arrives byte for byte", async () => {
    assert.ok((await received(sending())).equals(content));
  });

  it("arrives byte for byte in blocks that node gathers", async () => {
    assert.ok((await received(sending(1_000))).equals(content));
  });

  it("arrives byte for byte with its length declared", async () => {
    const app = sending(100_000, [["Content-Length", String(content.length)]]);
    assert.ok((await received(app)).equals(content));
  });

  it("arrives as far as declared", async () => {
    const app = sending(100_000, [["Content-Length", "1000001"]]);
    assert.ok((await received(app)).equals(content.subarray(0, 1_000_001)));
  });

  it("arrives byte for byte over TLS", async () => {
    await using server = await serving(sending(), { tls: certificate });
    const request = https.get(server.url, { ca: certificate.cert, agent: false });
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    assert.ok((await buffer(response)).equals(content));
  });

  it("is sent from where it stands", async () => {
    const app: Application = async (environ, startResponse) => {
      const file = await open(path);
      await file.read(Buffer.alloc(4_999_000), 0, 4_999_000);
      startResponse("200 OK", []);
      return (environ["wsgi.file_wrapper"] as Wrap)(file);
    };
    assert.ok((await received(app)).equals(content.subarray(4_999_000)));
  });

  it("is closed when it has been sent", async () => {
    const { app, closed } = watched(1);
    await received(app);
    await closed;
  });

  it("is closed when the client leaves", async () => {
    const { app, closed } = watched(Infinity);
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    await client.send(get).until("\r\n\r\n");
    client.socket.destroy();
    await closed;
  });

  it("is read into one piece of memory while nobody else sees its blocks", async () => {
    const { app, memories } = watched(20);
    await received(app);
    assert.equal(memories.size, 1);
  });

  it("is so inside a layer that waits for its end", async () => {
    const { app, memories } = watched(20);
    let closings = 0;
    const layer = (inner: Application): Application => {
      return (environ, startResponse) =>
        when(inner(environ, startResponse), (body) => onClose(body, () => void closings++));
    };
    await received(stack(layer, layer)(app));
    assert.deepEqual([memories.size, closings], [1, 2]);
  });

  it("gives each block memory of its own to a layer that sees them", async () => {
    const { app } = watched(20);
    const seen: Chunk[] = [];
    const chunk = (block: Chunk): Chunk => {
      seen.push(block);
      return block;
    };
    const layer = (inner: Application): Application => {
      return (environ, startResponse) =>
        when(inner(environ, startResponse), (body) => mapBody(body, { chunk }));
    };
    await received(layer(app));
    assert.deepEqual(
      seen.map((block) => block[0]),
      Array.from({ length: 20 }, (_, i) => 20 - i),
    );
  });
});
