import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { bytesOf, readUntil, valuesOf, type Answer, type Client, type Sent } from "./client.ts";
import type { RunningHost } from "./hosts.ts";

/** Is an application under a host, as a client has it before it. */
export class Site {
  readonly #client: Client;
  /** Another, because what the first does not read may be in the way of answers. */
  readonly #asking: Client;
  readonly #url: string;
  readonly #application: string;
  #isLeft = false;

  constructor(host: RunningHost, application: string) {
    this.#client = host.client;
    this.#asking = host.asking;
    this.#url = host.url;
    this.#application = application;
  }

  /** Lets whoever still waits for something do so no more. */
  leave(): void {
    this.#isLeft = true;
  }

  /** Sends a request to the application. */
  send(path: string, sent?: Sent): Promise<Answer> {
    return this.#client.send(`${this.#url}/${this.#application}${path}`, sent);
  }

  /** Asks what became of the requests with an id. */
  async ask(id: string, question = "state"): Promise<State> {
    const answer = await this.#asking.send(`${this.#url}/control/${question}?id=${id}`);
    return JSON.parse((await bytesOf(answer)).toString()) as State;
  }

  /** Asks until something has happened. */
  async until(id: string, has: (state: State) => boolean): Promise<State> {
    for (;;) {
      const state = await this.ask(id);
      if (has(state) || this.#isLeft) return state;
    }
  }
}

/** Is what an application tells about the body with some id. */
interface State {
  /** How many blocks of 64 KiB it has yielded. */
  readonly produced: number;
  readonly closed: number;
  /** The lines of the access log that have the id. */
  readonly lines: readonly string[];
}

/** Is one thing that has to be so for every application on every host. */
export interface Check {
  readonly name: string;
  run(site: Site): Promise<void>;
}

const megabyte = 1_048_576;
const appended = "appended\n";

/** How much of a large body may be on its way to a client that does not read it, in bytes. */
const buffers = 16 * megabyte;

/** Is all of them; the first tells whether there is anything to look at. */
export const checks: readonly Check[] = [
  {
    name: "text with a text appended",
    async run(site) {
      const answer = await site.send("/hello");
      assert.match((await bytesOf(answer)).toString(), /^Hello from \w+appended\n$/);
      assert.equal(answer.code, 200);
      assert.match(valuesOf(answer, "content-type").join(), /^text\/plain\b/);
    },
  },
  {
    name: "status",
    async run(site) {
      const answer = await site.send("/status");
      await bytesOf(answer);
      assert.equal(answer.code, 203);
    },
  },
  {
    name: "reason",
    async run(site) {
      const answer = await site.send("/status");
      await bytesOf(answer);
      assert.equal(answer.reason, "Fine by me");
    },
  },
  {
    name: "two cookies",
    async run(site) {
      const answer = await site.send("/cookies");
      await bytesOf(answer);
      const cookies = valuesOf(answer, "set-cookie").map((cookie) => cookie.split(";")[0]);
      assert.deepEqual(cookies, ["a=1", "b=2"]);
    },
  },
  {
    name: "204",
    async run(site) {
      const answer = await site.send("/empty");
      assert.equal((await bytesOf(answer)).length, 0);
      assert.equal(answer.code, 204);
      assert.deepEqual(valuesOf(answer, "content-length"), []);
    },
  },
  {
    name: "HEAD",
    async run(site) {
      const answer = await site.send("/hello", { method: "HEAD" });
      assert.equal((await bytesOf(answer)).length, 0);
      assert.equal(answer.code, 200);
      const get = await site.send("/hello");
      const { length } = await bytesOf(get);
      const lengths = valuesOf(answer, "content-length");
      assert.ok(
        lengths.every((text) => Number(text) === length),
        `Content-Length: ${lengths.join()}`,
      );
      assert.deepEqual(valuesOf(answer, "content-type"), valuesOf(get, "content-type"));
    },
  },
  {
    name: "JSON",
    async run(site) {
      const body = JSON.stringify({ name: "世界", list: [1, null] });
      const headers = {
        "content-type": "application/json",
        "content-length": `${Buffer.byteLength(body)}`,
      };
      const answer = await site.send("/json", { method: "POST", headers, body });
      const text = (await bytesOf(answer)).toString();
      assert.deepEqual(JSON.parse(text), { received: JSON.parse(body) as unknown });
    },
  },
  {
    name: "echo of 8 MiB",
    async run(site) {
      const body = randomBytes(8 * megabyte);
      const headers = { "content-type": "application/octet-stream" };
      const answer = await site.send("/echo", { method: "POST", headers, body });
      assert.equal(digest(await bytesOf(answer)), digest(body));
    },
  },
  {
    name: "stream",
    async run(site) {
      const id = randomUUID();
      const answer = await site.send(`/stream?id=${id}`);
      const chunks = answer.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      // The next chunk is made when the one before it has come.
      for (const chunk of ["1\n", "2\n", "3\n"]) {
        await readUntil(chunks, chunk);
        await site.ask(id, "go");
      }
      await readUntil(chunks, `4\n${appended}`);
      assert.equal((await chunks.next()).done, true);
    },
  },
  {
    name: "encoded path",
    async run(site) {
      const name = "世界 +;%25";
      const answer = await site.send(`/path/${encodeURIComponent(name)}`);
      assert.deepEqual(JSON.parse((await bytesOf(answer)).toString()), { name });
    },
  },
  {
    name: "encoded slash",
    async run(site) {
      const answer = await site.send("/path/a%2Fb");
      assert.deepEqual(JSON.parse((await bytesOf(answer)).toString()), { name: "a/b" });
    },
  },
  {
    name: "thrown error",
    async run(site) {
      const answer = await site.send("/throw");
      await bytesOf(answer);
      assert.equal(answer.code, 500);
    },
  },
  {
    name: "error half-way",
    async run(site) {
      const id = randomUUID();
      const answer = await site.send(`/broken?id=${id}`);
      const chunks = answer.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      await readUntil(chunks, "begun\n");
      await site.ask(id, "go");
      await assert.rejects(async () => await chunks.next(), "what was sent passes for the whole");
    },
  },
  {
    name: "abort",
    async run(site) {
      const id = randomUUID();
      const answer = await site.send(`/large?id=${id}`);
      await answer.body[Symbol.asyncIterator]().next();
      answer.leave();
      const { closed, produced } = await site.until(id, (state) => state.closed > 0);
      assert.equal(closed, 1);
      assert.ok(produced * 65_536 < 100 * megabyte, "it was read to its end");
    },
  },
  {
    name: "backpressure",
    async run(site) {
      const id = randomUUID();
      const answer = await site.send(`/large?id=${id}`);
      // It has stopped when nothing is taken while the host answers others.
      let before = -1;
      for (let still = 0; still < 20;) {
        const { produced } = await site.ask(id);
        still = produced === before && produced > 0 ? still + 1 : 0;
        before = produced;
      }
      answer.leave();
      assert.ok(before * 65_536 < buffers, `${before} of 1,600 blocks were taken`);
    },
  },
  {
    name: "access log",
    async run(site) {
      const id = randomUUID();
      await bytesOf(await site.send(`/status?id=${id}`));
      const { lines } = await site.until(id, (state) => state.lines.length > 0);
      assert.equal(lines.length, 1);
      assert.match(lines[0]!, /"GET \/[\w/]*\/status\?id=[\w-]+ HTTP\/[12]\.[01]" 203 13 /);
    },
  },
];

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
