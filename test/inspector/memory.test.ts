import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chunks, closeBody, createInput, isSync, stack, type Application } from "@wsgi/core";
import { inspect, Recorder } from "@wsgi/inspector";
import { append } from "@wsgi/middleware/append";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { head } from "@wsgi/middleware/head";
import { requestId } from "@wsgi/middleware/request-id";
import { environFor } from "@wsgi/testing";

const mebibyte = 1_048_576;
const size = 65_536;
const blocks = (100 * mebibyte) / size;
const allowed = 8 * mebibyte;

/** Tells how much memory is held, within the heap and without. */
function held(): number {
  globalThis.gc!();
  globalThis.gc!();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const layers = stack(requestId(), catchErrors(), head(), append("end"));

/** Calls an inspected application, takes its body and keeps nothing; tells how much more is held in the end. */
async function growth(app: Application, recorder: Recorder, read = 0): Promise<number> {
  const inspected = inspect(layers(app), recorder);
  let left = read;
  const input = createInput(() => (left-- > 0 ? new Uint8Array(size) : null));
  const environ = environFor("POST /", { environ: { "wsgi.input": input } });
  const before = held();
  let most = 0;
  let taken = 0;
  const body = await inspected(environ, () => () => {});
  const take = (): void => {
    taken += 1;
    if (taken % 400 === 0) most = Math.max(most, held() - before);
  };
  if (isSync(body)) for (const _ of body) take();
  else for await (const _ of body) take();
  await closeBody(body);
  return Math.max(most, held() - before);
}

function sends(kind: "sync" | "async" | "text"): Application {
  return function sends(_environ, startResponse) {
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    if (kind === "async") {
      return (async function* () {
        for (let i = 0; i < blocks; i++) yield new Uint8Array(size).fill(120);
      })();
    }
    return (function* () {
      for (let i = 0; i < blocks; i++) {
        yield kind === "text" ? String(i).padStart(size, "x") : new Uint8Array(size).fill(120);
      }
    })();
  };
}

describe("100 MB through an inspected stack", () => {
  it("leave memory flat as chunks, one after another", async () => {
    const recorder = new Recorder();
    assert.ok((await growth(sends("sync"), recorder)) < allowed);
    const { events, omitted } = recorder.recordings[0]!;
    assert.ok(events.length <= 1_100);
    assert.ok(omitted.every(({ bytes }) => bytes > 50 * mebibyte));
  });

  it("leave memory flat as chunks that take their time", async () => {
    assert.ok((await growth(sends("async"), new Recorder())) < allowed);
  });

  it("leave memory flat as text", async () => {
    assert.ok((await growth(sends("text"), new Recorder())) < allowed);
  });

  it("leave memory flat when they are written", async () => {
    const app: Application = function writes(_environ, startResponse) {
      const write = startResponse("200 OK", [["Content-Type", "text/plain"]]);
      for (let i = 0; i < blocks; i++) void write(new Uint8Array(size));
      return [];
    };
    assert.ok((await growth(app, new Recorder())) < allowed);
  });

  it("leave memory flat when they are read", async () => {
    let received = 0;
    const app: Application = async function reads(environ, startResponse) {
      for await (const chunk of chunks(environ["wsgi.input"])) received += chunk.byteLength;
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return [String(received)];
    };
    assert.ok((await growth(app, new Recorder(), blocks)) < allowed);
    assert.equal(received, 100 * mebibyte);
  });

  it("leave behind no more than the recordings, after many requests", async () => {
    const recorder = new Recorder({ keep: 3 });
    const app: Application = function answers(environ, startResponse) {
      const kept = Object.assign(environ, { "app.large": new Uint8Array(mebibyte) });
      startResponse("200 OK", [["X-Path", kept.PATH_INFO]]);
      return ["Hello"];
    };
    const before = held();
    for (let i = 0; i < 100; i++) await growth(app, recorder);
    assert.ok(held() - before < allowed);
    assert.equal(recorder.recordings.length, 3);
  });
});
