import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isBodyless, type Application } from "@wsgi/core";
import { respond } from "@wsgi/testing";
import type { ParsedResponse } from "@wsgi/testing/parse-responses";
import fc from "fast-check";
import {
  build,
  bytesOf,
  chunk,
  codeOf,
  plan,
  type Plan,
} from "../support/property-applications.ts";
import { StrictClient } from "../support/strict-client.ts";
import { onSockets } from "../support/property.ts";
import { serving } from "../support/serving.ts";

const failure = new Error("Never thrown");

/** Is a plan that may send a body where there is none, much of it, and lie about its length. */
interface FreePlan extends Plan {
  /** How many bytes of its own chunks come first. */
  readonly filler: number;
  /** How far the declared length is from the true one; undefined if none is declared. */
  readonly offset: number | undefined;
}

const freePlan: fc.Arbitrary<FreePlan> = fc
  .record({
    plan,
    chunks: fc.array(chunk, { maxLength: 5 }),
    filler: fc.constantFrom(0, 0, 0, 70_000),
    offset: fc.option(fc.constantFrom(0, 0, 1, -1, 5, -5), { nil: undefined }),
  })
  .map(({ plan, ...rest }) => ({ ...plan, ...rest, declares: false }));

/** Makes the plan that is meant. */
function meant({ filler, offset, ...plan }: FreePlan): Plan & { declared: number | undefined } {
  const chunks = filler === 0 ? plan.chunks : ["x".repeat(filler), ...plan.chunks];
  const length = bytesOf({ chunks }).byteLength;
  const declared = offset === undefined ? undefined : Math.max(0, length + offset);
  const field = ["Content-Length", String(declared)] as const;
  const headers = declared === undefined ? plan.headers : [...plan.headers, field];
  return { ...plan, chunks, headers, declared };
}

const versions = {
  "1.1": "HTTP/1.1\r\n",
  "1.0": "HTTP/1.0\r\n",
  "1.0, kept": "HTTP/1.0\r\nConnection: keep-alive\r\n",
};
const version = fc.constantFrom(...(Object.keys(versions) as (keyof typeof versions)[]));

describe("a response", () => {
  it("is the body that was meant, or shows that it is not whole", async () => {
    const methods = fc.constantFrom("GET", "HEAD", "POST");
    let current: Application;
    await using server = await serving((environ, startResponse) => current(environ, startResponse));
    await fc.assert(
      fc.asyncProperty(methods, version, freePlan, async (method, version, freePlan) => {
        const plan = meant(freePlan);
        const planned = build(plan, failure);
        current = planned.app;
        using client = await StrictClient.connect(server);
        client.send(`${method} / ${versions[version]}Host: localhost\r\n\r\n`);
        const [response] = await client.responses(method);
        checkFraming(response!, method, plan);
        // Whoever was served is ready for the next, and what follows is no rest of the last.
        if (response!.keepsOpen && response!.complete) {
          client.clear();
          current = respond([], { status: "410 Gone" });
          const [next] = await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").responses("GET");
          assert.equal(next?.code, 410);
        }
        assert.equal(planned.closes, planned.closable);
      }),
      onSockets,
    );
  });
});

function checkFraming(
  response: ParsedResponse,
  method: string,
  plan: Plan & { declared: number | undefined },
): void {
  const whole = Buffer.from(bytesOf(plan));
  const declared = plan.declared ?? whole.byteLength;
  if (method === "HEAD" || isBodyless(codeOf(plan))) {
    assert.equal(response.status, plan.status);
    assert.equal(response.framing, "none");
  } else if (declared > whole.byteLength) {
    // Too short: an answer that says so, if nothing has left, else a cut.
    const refused = response.complete && response.text() === "Internal Server Error";
    assert.ok(refused || (!response.complete && response.status === plan.status));
  } else {
    assert.equal(response.status, plan.status);
    assert.ok(response.complete);
    assert.ok(whole.subarray(0, declared).equals(response.bytes()));
  }
}

/** Is a request with what its application does. */
interface Ask {
  readonly method: string;
  readonly version: keyof typeof versions;
  readonly framing: "none" | "length" | "chunked";
  readonly length: number;
  readonly expects: boolean;
  readonly reads: boolean;
  readonly plan: Plan;
}

const ask: fc.Arbitrary<Ask> = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "POST", "OPTIONS"),
    version: fc.oneof(
      { weight: 9, arbitrary: fc.constant<"1.1">("1.1") },
      { weight: 1, arbitrary: version },
    ),
    framing: fc.constantFrom("none", "length", "chunked"),
    length: fc.oneof(
      { weight: 9, arbitrary: fc.nat(20) },
      { weight: 1, arbitrary: fc.constant(70_000) },
    ),
    expects: fc.boolean(),
    reads: fc.boolean(),
    plan,
  })
  // Chunked coding came with HTTP/1.1.
  .filter(({ version, framing }) => version === "1.1" || framing !== "chunked");

/** Writes a request as it goes over the wire. */
function textOf({ method, version, framing, length, expects }: Ask, i: number): string {
  const expect = expects && framing !== "none" ? "Expect: 100-continue\r\n" : "";
  const head = `${method} /${i} ${versions[version]}Host: localhost\r\n${expect}`;
  const body = "b".repeat(length);
  if (framing === "none") return `${head}\r\n`;
  if (framing === "length") return `${head}Content-Length: ${length}\r\n\r\n${body}`;
  const coded = length === 0 ? "" : `${length.toString(16)}\r\n${body}\r\n`;
  return `${head}Transfer-Encoding: chunked\r\n\r\n${coded}0\r\n\r\n`;
}

/** Says what of a response does not depend on its connection. */
function essence({ status, headers, complete, ...response }: ParsedResponse): unknown {
  const own = /^(?:date|connection|keep-alive)$/i;
  const kept = headers.filter(([name]) => !own.test(name));
  return { status, headers: kept, complete, text: response.text() };
}

describe("a connection", () => {
  it("answers any run of requests as each would be answered on its own", async () => {
    let asks: readonly Ask[] = [];
    await using server = await serving((environ, startResponse) => {
      const { reads, plan } = asks[Number(environ.PATH_INFO.slice(1))]!;
      const { app } = build(plan, failure);
      if (!reads) return app(environ, startResponse);
      return (async () => {
        await environ["wsgi.input"].read();
        return await app(environ, startResponse);
      })();
    });
    const send = async (requests: readonly Ask[], from: number): Promise<ParsedResponse[]> => {
      using client = await StrictClient.connect(server);
      client.send(requests.map((one, i) => textOf(one, from + i)).join(""));
      return await client.responses(...requests.map(({ method }) => method));
    };
    await fc.assert(
      fc.asyncProperty(fc.array(ask, { minLength: 1, maxLength: 10 }), async (run) => {
        asks = run;
        const alone = await Promise.all(run.map(async (one, i) => (await send([one], i))[0]!));
        for (let done = 0; done < run.length;) {
          const together = await send(run.slice(done), done);
          const expected = alone.slice(done, done + together.length);
          assert.deepEqual(together.map(essence), expected.map(essence));
          done += together.length;
          assert.ok(together.length > 0);
          // The end is announced, but for a body without a length that turns out too long to skip.
          const last = run[done - 1]!;
          const isSkipped = last.framing === "chunked" && !last.reads && last.length > 65_536;
          if (done < run.length && !isSkipped) assert.ok(!together.at(-1)!.keepsOpen);
        }
      }),
      onSockets,
    );
  });
});
