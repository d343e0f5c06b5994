import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createInput, type Application, type InputStream } from "@wsgi/core";
import fc from "fast-check";
import { StrictClient } from "../support/strict-client.ts";
import { onSockets, pure } from "../support/property.ts";
import { serving, turn } from "../support/serving.ts";

/** Is one read, by the name of the method; `next` is a step of the iteration. */
interface Read {
  readonly method: "read" | "readline" | "readlines" | "next";
  readonly size: number | undefined;
}

const reads: fc.Arbitrary<Read[]> = fc.array(
  fc.record({
    method: fc.constantFrom("read", "readline", "readlines", "next"),
    size: fc.option(fc.nat(12), { nil: undefined }),
  }),
  { maxLength: 6 },
);

/** Is bytes with line ends among them, in the pieces in which they arrive. */
const pieces = fc.array(fc.string({ unit: fc.constantFrom("a", "é", "\n", "\r"), maxLength: 6 }), {
  maxLength: 6,
});

/** Is an input that has all its bytes in its hand. */
class Model {
  #left: string;

  constructor(bytes: string) {
    this.#left = bytes;
  }

  read({ method, size }: Read): string | string[] {
    if (method === "read") return this.#take(size ?? Infinity);
    if (method === "readline") return this.#take(Math.min(this.#line(), size ?? Infinity));
    if (method === "next") return this.#take(this.#line());
    const lines: string[] = [];
    for (let length = 0; this.#left !== "" && length < (size || Infinity);) {
      const line = this.#take(this.#line());
      lines.push(line);
      length += line.length;
    }
    return lines;
  }

  #line(): number {
    const end = this.#left.indexOf("\n");
    return end === -1 ? this.#left.length : end + 1;
  }

  #take(length: number): string {
    const taken = this.#left.slice(0, length);
    this.#left = this.#left.slice(length);
    return taken;
  }
}

async function perform(input: InputStream, { method, size }: Read): Promise<string | string[]> {
  if (method === "readlines") return (await input.readlines(size)).map(latin1);
  if (method !== "next") return latin1(await input[method](size));
  const step = await input[Symbol.asyncIterator]().next();
  return step.done === true ? "" : latin1(step.value);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

const rest: Read = { method: "read", size: undefined };

describe("wsgi.input", () => {
  it("gives the same bytes, whichever way they are read and arrive", () =>
    fc.assert(
      fc.asyncProperty(
        pieces,
        fc.infiniteStream(fc.boolean()),
        reads,
        async (pieces, waits, reads) => {
          const left = pieces.map((piece) => Buffer.from(piece, "latin1"));
          const input = createInput(() => {
            const piece = left.shift() ?? null;
            return waits.next().value ? Promise.resolve(piece) : piece;
          });
          const model = new Model(pieces.join(""));
          for (const read of [...reads, rest, rest]) {
            assert.deepEqual(await perform(input, read), model.read(read));
          }
        },
      ),
      pure,
    ));

  it("does so behind a socket, chunked or not, cut anywhere", async () => {
    let plan: readonly Read[] = [];
    let model = new Model("");
    const app: Application = async (environ, startResponse) => {
      for (const read of [...plan, rest, rest]) {
        assert.deepEqual(await perform(environ["wsgi.input"], read), model.read(read));
      }
      startResponse("200 OK", []);
      return [];
    };
    await using server = await serving(app);
    using client = await StrictClient.connect(server);
    await fc.assert(
      fc.asyncProperty(pieces, fc.boolean(), reads, async (pieces, chunked, reads) => {
        plan = reads;
        model = new Model(pieces.join(""));
        client.clear();
        const framing = chunked
          ? "Transfer-Encoding: chunked"
          : `Content-Length: ${pieces.join("").length}`;
        client.send(`POST / HTTP/1.1\r\nHost: localhost\r\n${framing}\r\n\r\n`);
        for (const piece of pieces) {
          await turn();
          if (!chunked) client.send(piece);
          else if (piece !== "") client.send(`${piece.length.toString(16)}\r\n${piece}\r\n`);
        }
        if (chunked) client.send("0\r\n\r\n");
        const [response] = await client.responses("POST");
        assert.equal(response?.code, 200, server.reports);
      }),
      onSockets,
    );
  });
});

describe("the limit of a body", () => {
  it("lets the application read no more, and never lets it take a part for the whole", async () => {
    const limit = 20;
    let plan: readonly Read[] = [];
    let seen = { text: "", whole: false };
    const app: Application = async (environ, startResponse) => {
      seen = { text: "", whole: false };
      for (const read of [...plan, rest]) {
        const got = [await perform(environ["wsgi.input"], read)].flat();
        seen.text += got.join("");
      }
      seen.whole = true;
      startResponse("200 OK", []);
      return [];
    };
    await using server = await serving(app, { limits: { body: limit } });
    await fc.assert(
      fc.asyncProperty(pieces, fc.boolean(), reads, async (pieces, chunked, reads) => {
        plan = reads;
        seen = { text: "", whole: false };
        const sent = pieces.join("");
        using client = await StrictClient.connect(server);
        const framing = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${sent.length}`;
        client.send(`POST / HTTP/1.1\r\nHost: localhost\r\n${framing}\r\n\r\n`);
        for (const piece of pieces.filter((piece) => piece !== "")) {
          client.send(chunked ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece);
          await turn();
        }
        if (chunked) client.send("0\r\n\r\n");
        const [response] = await client.responses("POST");
        const fits = sent.length <= limit;
        assert.equal(response?.code, fits ? 200 : 413);
        assert.equal(seen.whole, fits);
        assert.ok(seen.text.length <= limit && sent.startsWith(seen.text));
        if (fits) assert.equal(seen.text, sent);
      }),
      onSockets,
    );
  });
});
