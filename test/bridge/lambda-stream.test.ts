import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { afterEach, describe, it } from "node:test";
import { toLambdaStream } from "@wsgi/bridge/lambda";
import type { Application } from "@wsgi/core";
import { closable, failing, respond } from "@wsgi/testing";

type StreamingHandler = (event: unknown, stream: Writable, context: unknown) => Promise<void>;

/** Is the stream that Lambda's runtime gives a handler: the prelude leaves with the first write. */
class ResponseStream extends Writable {
  prelude: unknown;
  pending: unknown;
  readonly written: string[] = [];

  override write(...given: never[]): boolean {
    this.prelude = this.pending;
    return (super.write as (...given: never[]) => boolean).apply(this, given);
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.written.push(String(chunk));
    setImmediate(done);
  }
}

const globals = globalThis as { awslambda?: unknown };
const runtime = {
  streamifyResponse: (handler: StreamingHandler) => handler,
  HttpResponseStream: {
    from(stream: ResponseStream, prelude: unknown) {
      stream.pending = prelude;
      return stream;
    },
  },
};

const event = {
  version: "2.0",
  rawPath: "/",
  rawQueryString: "",
  headers: {},
  requestContext: { http: { method: "GET" } },
};

/** Answers an event through a stream that is full after a number of bytes. */
async function streamed(
  app: Application,
  stream: ResponseStream = new ResponseStream(),
): Promise<ResponseStream> {
  globals.awslambda = runtime;
  const handler = toLambdaStream(app, { errors: { write: () => {} } });
  await (handler as unknown as StreamingHandler)(event, stream, {});
  return stream;
}

describe("toLambdaStream()", () => {
  afterEach(() => delete globals.awslambda);

  it("sends the head as a prelude, and then the chunks", async () => {
    const headers = [
      ["Set-Cookie", "a=1"],
      ["X-A", "1"],
      ["Set-Cookie", "b=2"],
    ] as const;
    const body = closable("one", "two");
    const stream = await streamed(respond(body, { status: "201 Created", headers }));
    assert.deepEqual(stream.prelude, {
      statusCode: 201,
      headers: { "x-a": "1" },
      cookies: ["a=1", "b=2"],
    });
    assert.deepEqual(
      stream.written.filter((text) => text !== ""),
      ["one", "two"],
    );
    assert.deepEqual([body.timesClosed, stream.writableFinished], [1, true]);
  });

  it("sends the prelude of a response without a body", async () => {
    const stream = await streamed(respond([], { status: "204 No Content", headers: [] }));
    assert.deepEqual(stream.prelude, { statusCode: 204, headers: {}, cookies: [] });
  });

  it("waits while the stream is full", async () => {
    const waits: number[] = [];
    const stream = new ResponseStream({ highWaterMark: 4 });
    const chunks = function* (): Generator<string> {
      for (let i = 0; i < 3; i++) {
        waits.push(stream.writableLength);
        yield "12345";
      }
    };
    await streamed(respond(chunks), stream);
    assert.ok(Math.max(...waits) <= 5, `at most one chunk waits, and not ${waits.join()}`);
  });

  it("is rejected if the body fails, and leaves the stream open for the runtime to cut", async () => {
    const stream = new ResponseStream();
    await assert.rejects(streamed(failing("body"), stream), /its body failed/);
    assert.equal(stream.writableEnded, false);
  });

  it("closes the body if the stream fails", async () => {
    const body = closable("one", "two", "three");
    const stream = new ResponseStream({ highWaterMark: 1 });
    stream._write = (_chunk, _encoding, done: (error?: Error) => void) => done(new Error("Gone"));
    await assert.rejects(streamed(respond(body), stream), /Gone/);
    assert.equal(body.timesClosed, 1);
  });

  it("says that it wants Lambda's runtime", () => {
    assert.throws(() => toLambdaStream(respond([])), {
      message:
        "Cannot make a streaming handler: there is no global awslambda; wanted Lambda's own Node.js runtime",
    });
  });
});
