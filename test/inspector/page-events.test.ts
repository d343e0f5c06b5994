import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application, Body } from "@wsgi/core";
import { inspect, Recorder, type RecorderListener } from "@wsgi/inspector";
import { inspectorPage } from "@wsgi/inspector/page";
import { call, environFor, respond } from "@wsgi/testing";
import { messagesOf, openPage, post, until, type Recorded } from "../support/inspector-page.ts";
import { deferred } from "../support/serving.ts";

/** Counts those who listen to it. */
class CountingRecorder extends Recorder {
  listeners = 0;
  #left = deferred();

  /** Somebody has gone. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  override subscribe(listener: RecorderListener): () => void {
    const end = super.subscribe(listener);
    this.listeners += 1;
    return () => {
      end();
      this.listeners -= 1;
      this.#left.resolve();
    };
  }
}

/** Is the event stream as a body, without a server, and the application that it tells of. */
async function follow(
  recorder: Recorder = new Recorder(),
): Promise<{ app: Application; body: AsyncIterable<string> & Body; steps: AsyncIterator<string> }> {
  const token = "0123456789abcdef";
  const app = inspectorPage(recorder, { token })(inspect(respond(["Hello"]), recorder));
  const link = await call(app, environFor(`GET /_inspector/?token=${token}`));
  const headers = { Cookie: link.header("Set-Cookie")!.split(";")[0]! };
  const environ = environFor("GET /_inspector/events", { headers });
  const body = (await app(environ, () => () => {})) as AsyncIterable<string> & Body;
  return { app, body, steps: body[Symbol.asyncIterator]() };
}

describe("events", () => {
  it("begin with what there is", async () => {
    await using page = await openPage(respond(["Hello"]));
    await fetch(page.url);
    const response = await page.ask("events");
    assert.equal(response.headers.get("Content-Type"), "text/event-stream");
    const messages = messagesOf(response);
    assert.deepEqual(await until(messages, "hello"), await page.read("recordings"));
    await messages.return(undefined);
  });

  it("say how soon to connect again", async () => {
    const { steps, body } = await follow();
    assert.match((await steps.next()).value as string, /^retry: 1000\n\n/);
    await body.close!();
  });

  it("arrive while the request is under way", async () => {
    const middle = deferred();
    const app: Application = async function* slow(_environ, startResponse) {
      startResponse("200 OK", []);
      yield "one";
      await middle.promise;
      yield "two";
    };
    await using page = await openPage(app);
    const messages = messagesOf(await page.ask("events"));
    await until(messages, "hello");
    const response = await fetch(page.url);
    let seen: Recorded;
    do seen = (await until(messages, "recorded")) as Recorded;
    while (seen.event.kind !== "chunk");
    assert.deepEqual([seen.recording.status, seen.recording.ended], ["200 OK", null]);
    middle.resolve();
    assert.equal(await response.text(), "onetwo");
    await messages.return(undefined);
  });

  it("have their places in the recording, and the last says that it has ended", async () => {
    await using page = await openPage(respond(["Hello"]));
    const messages = messagesOf(await page.ask("events"));
    await until(messages, "hello");
    await fetch(page.url);
    const told: Recorded[] = [];
    do told.push((await until(messages, "recorded")) as Recorded);
    while (told.at(-1)!.recording.ended === null || told.at(-1)!.event.kind !== "returned");
    const { events, ended } = page.recorder.find(1)!;
    assert.deepEqual(
      told.map(({ event }) => event),
      JSON.parse(JSON.stringify(events)),
    );
    assert.deepEqual(
      told.map(({ index }) => index),
      [...events.keys()],
    );
    assert.deepEqual([told.at(-1)!.recording.ended, told.at(-1)!.oldest], [ended, 1]);
    await messages.return(undefined);
  });

  it("say that the request has ended even if the last one comes alone", async () => {
    const end = deferred();
    await using page = await openPage(async () => {
      await end.promise;
      throw new Error("an error of this test, and expected");
    });
    const messages = messagesOf(await page.ask("events"));
    const response = fetch(page.url);
    let seen = (await until(messages, "recorded")) as Recorded;
    while (seen.event.kind !== "returned") seen = (await until(messages, "recorded")) as Recorded;
    end.resolve();
    seen = (await until(messages, "recorded")) as Recorded;
    assert.equal(seen.event.kind, "threw");
    assert.equal(seen.recording.ended, page.recorder.find(1)!.ended);
    await response;
    await messages.return(undefined);
  });

  it("are one message each, whatever is in them", async () => {
    const hostile = "\n\nevent: cleared\ndata: {}\n\n\r\r\u2028\u0000";
    await using page = await openPage(() => {
      throw new Error(hostile);
    });
    const messages = messagesOf(await page.ask("events"));
    await until(messages, "hello");
    await fetch(`${page.url}/${encodeURIComponent(hostile)}`);
    const names: string[] = [];
    for (;;) {
      const { event, data } = (await messages.next()).value as { event: string; data: Recorded };
      names.push(event);
      if (data.event.kind !== "threw") continue;
      assert.equal(data.event.error.message, hostile);
      break;
    }
    assert.deepEqual(names, ["recorded", "recorded"]);
    await messages.return(undefined);
  });

  it("tell that the recordings were cleared", async () => {
    await using page = await openPage(respond(["Hello"]));
    const messages = messagesOf(await page.ask("events"));
    await until(messages, "hello");
    await page.ask("clear", post);
    assert.deepEqual(await until(messages, "cleared"), {});
    await messages.return(undefined);
  });

  it("go to each page that is open", async () => {
    await using page = await openPage(respond(["Hello"]));
    const [one, other] = [
      messagesOf(await page.ask("events")),
      messagesOf(await page.ask("events")),
    ];
    await until(one, "hello");
    await until(other, "hello");
    await fetch(page.url);
    const [first, second] = [await until(one, "recorded"), await until(other, "recorded")];
    assert.deepEqual(first, second);
    await Promise.all([one.return(undefined), other.return(undefined)]);
  });

  it("are not recorded themselves", async () => {
    await using page = await openPage(respond(["Hello"]));
    const messages = messagesOf(await page.ask("events"));
    await until(messages, "hello");
    assert.deepEqual(page.recorder.recordings, []);
    await messages.return(undefined);
  });

  it("end when the browser goes away, and nobody listens any more", async () => {
    const recorder = new CountingRecorder();
    await using page = await openPage(respond(["Hello"]), {}, recorder);
    const messages = messagesOf(await page.ask("events"));
    await until(messages, "hello");
    assert.equal(recorder.listeners, 1);
    await messages.return(undefined);
    await recorder.left;
    assert.equal(recorder.listeners, 0);
  });

  it("end when the page is closed, for a server that stops", async () => {
    const recorder = new CountingRecorder();
    await using page = await openPage(respond(["Hello"]), {}, recorder);
    const messages = messagesOf(await page.ask("events"));
    await until(messages, "hello");
    page.page.close();
    assert.equal((await messages.next()).done, true);
    // A browser connects again.
    const again = messagesOf(await page.ask("events"));
    assert.equal((await again.next()).done, true);
    assert.equal(recorder.listeners, 0);
  });

  it("end once, even if nothing was read", async () => {
    const recorder = new CountingRecorder();
    const { body, steps } = await follow(recorder);
    await body.close!();
    await body.close!();
    assert.equal(recorder.listeners, 0);
    assert.equal((await steps.next()).done, true);
  });

  it("end for a reader that waits", async () => {
    const { body, steps } = await follow();
    await steps.next();
    const waiting = steps.next();
    await body.close!();
    assert.equal((await waiting).done, true);
  });

  it("are not kept for a reader that is too slow, who is told how things stand instead", async () => {
    const { app, body, steps } = await follow();
    await steps.next();
    for (let i = 0; i < 200; i++) await call(app, "GET /");
    const text = (await steps.next()).value as string;
    const names = [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
    assert.equal(names[0], "hello");
    assert.ok(names.length <= 256, `${names.length} messages`);
    assert.equal(names.filter((name) => name === "hello").length, 1);
    await body.close!();
  });

  it("are kept for a reader who is a little late", async () => {
    const { app, body, steps } = await follow();
    await steps.next();
    await call(app, "GET /");
    const text = (await steps.next()).value as string;
    assert.equal(text.match(/^event: recorded$/gm)!.length, 4);
    await body.close!();
  });

  it("give a sign of life every 15 seconds, until they end", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const { body, steps } = await follow();
    await steps.next();
    t.mock.timers.tick(15_000);
    assert.equal((await steps.next()).value, ":\n\n");
    const waiting = steps.next();
    await body.close!();
    t.mock.timers.tick(15_000);
    assert.equal((await waiting).done, true);
  });
});
