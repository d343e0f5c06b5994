import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isBody, when, type Application, type Body } from "@wsgi/core";
import { bodyCases, headCases, type Outcome, type ResponseCase } from "./responses.ts";
import { parseResponses } from "@wsgi/testing/parse-responses";
import { exchange, lastHeaders, serving } from "../support/serving.ts";

describe("what an application gets wrong in the head of a response", () => testCases(headCases));

describe("what an application gets wrong in the body of a response", () => testCases(bodyCases));

function testCases(cases: readonly ResponseCase[]): void {
  for (const { id, title, app, method = "GET", outcome } of cases) {
    it(`${id} · ${title} ${outcome.words}`, async () => {
      const { counted, counts } = counting(app);
      await using server = await serving((environ, startResponse) => {
        if (environ.PATH_INFO !== "/after") return counted(environ, startResponse);
        startResponse("200 OK", [["Content-Type", "text/plain"]]);
        return ["after"];
      });
      const first = `${method} / HTTP/1.1\r\nHost: localhost\r\n\r\n`;
      const received = await exchange(server, `${first}GET /after HTTP/1.1\r\n${lastHeaders}`);
      check(received, method, outcome);
      assert.equal(counts.closed, counts.returned, "close() has to run once");
      if (outcome.report === undefined) assert.equal(server.reports, "");
      else assert.ok(server.reports.includes(outcome.report), server.reports);
    });
  }
}

/** Counts the bodies that an application returns, and how often they are closed. */
function counting(app: Application): {
  counted: Application;
  counts: { returned: number; closed: number };
} {
  const counts = { returned: 0, closed: 0 };
  const count = (body: Body & { close?(): void | Promise<void> }): Body => {
    if (!isBody(body)) return body;
    const close = body.close?.bind(body);
    counts.returned += 1;
    return Object.defineProperty(body, "close", {
      value: () => {
        counts.closed += 1;
        return close?.();
      },
    });
  };
  return {
    counted: (environ, startResponse) => when(app(environ, startResponse), count) as Body,
    counts,
  };
}

/** Checks what came back to a request and to one for /after. */
function check(received: string, method: string, { code, body, fields = {} }: Outcome): void {
  const bytes = Buffer.from(received, "latin1");
  const [first, second, ...more] = parseResponses(bytes, { methods: [method, "GET"] });
  assert.deepEqual(more, []);
  if (code === 0) {
    assert.ok(first === undefined || !first.complete, received);
    assert.equal(second, undefined, received);
    return;
  }
  assert.equal(first?.code, code, received);
  assert.ok(first.complete, received);
  if (body !== undefined) assert.equal(Buffer.from(first.bytes()).toString(), body);
  for (const [name, value] of Object.entries(fields)) {
    assert.equal(first.header(name) ?? null, value, `${name}: ${received}`);
  }
  if (code === 500) assert.doesNotMatch(received, /evil/i);
  // The next response is where the next response has to be.
  assert.equal(second?.text(), "after", received);
}
