import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  isBodyless,
  isSync,
  isThenable,
  joinBytes,
  stack,
  toBytes,
  type Body,
  type Boundary,
  type Middleware,
  type WsgiError,
} from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import { call, environFor, type CallResult } from "@wsgi/testing";
import fc from "fast-check";
import {
  build,
  bytesOf,
  codeOf,
  fault,
  isSynchronous,
  plan,
  tailed,
  type Fault,
  type Plan,
  type Planned,
} from "../support/property-applications.ts";
import { areSynchronous, layers, tailOf, witness, wrap } from "../support/property-layers.ts";
import type { KindName, Visit } from "../support/property-layers.ts";
import { pure } from "../support/property.ts";
import { turn } from "../support/serving.ts";

const request: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("GET", "HEAD", "POST", "OPTIONS"),
    fc.constantFrom("/", "/here", "/here/page", "/her", "/a/b?c=d"),
  )
  .map(([method, target]) => `${method} ${target}`);

/** Is the end of a request, and what was seen on the way. */
interface Outcome {
  readonly result?: CallResult;
  readonly error?: unknown;
  readonly planned: Planned;
  readonly visits: readonly Visit[];
  readonly lines: readonly string[];
  /** The clauses that were broken, as the validators between all layers have it. */
  readonly broken: readonly WsgiError[];
}

const failure = new Error("The fault that was put in");

/** Serves one request through layers, with a validator and a witness between every two of them. */
async function serveOne(
  names: readonly KindName[],
  plan: Plan,
  line: string,
  { fault, leaveAfter = Infinity }: { fault?: Fault | undefined; leaveAfter?: number } = {},
): Promise<Outcome> {
  const planned = build(plan, failure, fault);
  const visits: Visit[] = [];
  const lines: string[] = [];
  const broken: WsgiError[] = [];
  const report = (error: WsgiError): void => void broken.push(error);
  const watch = witness(visits);
  const between = (place: Boundary): Middleware =>
    stack(validator({ ...place, report }), watch(place));
  const app = wrap(planned.app, names, { lines }, between);
  const seen = { planned, visits, lines, broken };
  const environ = environFor(line, { headers: { Host: "localhost", Cookie: "a=1" } });
  try {
    return { result: await call(app, environ, { leaveAfter }), ...seen };
  } catch (error) {
    return { error, ...seen };
  } finally {
    // What is closed on the way to an error may still take its time.
    await turn(3);
  }
}

/** Says what the bytes of a whole response are. */
function expectedBytes(names: readonly KindName[], plan: Plan): Uint8Array {
  const isTailed = plan.headers.some(([, value]) => value === tailed) && !isBodyless(codeOf(plan));
  return joinBytes([bytesOf(plan), toBytes(isTailed ? tailOf(names) : "")]);
}

function checkWhole(
  result: CallResult | undefined,
  names: readonly KindName[],
  plan: Plan,
  line: string,
): void {
  const expected = expectedBytes(names, plan);
  const isEmpty = line.startsWith("HEAD") || isBodyless(codeOf(plan));
  const own = /^(?:content-length|x-request-id)$/i;
  assert.equal(result?.status, plan.status);
  assert.deepEqual(
    result.headers.filter(([name]) => !own.test(name)),
    plan.headers,
  );
  assert.deepEqual([...result.bytes()], isEmpty ? [] : [...expected]);
  assert.equal(result.header("X-Request-Id") !== undefined, names.includes("requestId"));
  assert.ok(!plan.declares || result.header("Content-Length") !== undefined);
  assert.equal(
    result.header("Content-Length") ?? String(expected.byteLength),
    String(expected.byteLength),
  );
}

/** Checks what holds whatever happened: the contract is kept, all is closed once, the inner before the outer, and logged once. */
function checkEnd({ planned, visits, lines, broken }: Outcome): void {
  assert.deepEqual(broken, []);
  assert.equal(planned.calls, 1);
  assert.equal(planned.closes, planned.closable);
  for (const visit of visits.filter(({ returned }) => returned === "closable")) {
    assert.equal(visit.closes, 1, `${visit.place} is closed ${visit.closes} times`);
    for (const outer of visit.around.filter(({ returned }) => returned === "closable")) {
      assert.ok(visit.closedAs < outer.closedAs, `${outer.place} is closed before ${visit.place}`);
    }
  }
  const logged = visits.filter(({ place }) => place.endsWith("> accessLog"));
  assert.equal(lines.length, logged.length);
}

describe("a stack of any layers in any order", () => {
  it("answers as its application does, but for what its layers add", () =>
    fc.assert(
      fc.asyncProperty(layers, plan, request, async (names, plan, line) => {
        const outcome = await serveOne(names, plan, line);
        if (outcome.error !== undefined) throw outcome.error;
        checkWhole(outcome.result, names, plan, line);
        checkEnd(outcome);
      }),
      pure,
    ));

  it("makes no promise where its application makes none", () => {
    const synchronous = fc
      .tuple(layers, plan, request)
      .filter(([names, plan]) => isSynchronous(plan) && areSynchronous(names));
    fc.assert(
      fc.property(synchronous, ([names, plan, line]) => {
        const app = wrap(build(plan, failure).app, names, { lines: [] }, witness([]));
        const body = app(environFor(line), () => () => {});
        assert.ok(!isThenable(body) && isSync(body as Body));
        assert.ok(!isThenable(body.close?.()));
      }),
      pure,
    );
  });

  it("passes an error on, or answers it with a page, and closes all the same", () =>
    fc.assert(
      fc.asyncProperty(layers, plan, fault, request, async (names, plan, fault, line) => {
        const outcome = await serveOne(names, plan, line, { fault });
        checkEnd(outcome);
        const { error, result, planned } = outcome;
        const isCaught = names.includes("catchErrors");
        if (!planned.failed || (fault.at === "close" && isCaught)) {
          checkWhole(result, names, plan, line);
        } else if (result === undefined) {
          assert.equal(error, failure);
          assert.ok(!isCaught || fault.at === "chunk" || fault.at === "end");
        } else {
          assert.ok(isCaught);
          assert.equal(result.status, "500 Internal Server Error");
          assert.equal(result.text(), line.startsWith("HEAD") ? "" : `${result.status}\n`);
        }
      }),
      pure,
    ));

  it("closes all when the client leaves, whatever else happens", () => {
    const whatever = fc.option(fault, { nil: undefined });
    return fc.assert(
      fc.asyncProperty(
        layers,
        plan,
        whatever,
        fc.nat(5),
        async (names, plan, fault, leaveAfter) => {
          const outcome = await serveOne(names, plan, "GET /here", { fault, leaveAfter });
          checkEnd(outcome);
          const { error, result, planned } = outcome;
          assert.equal(error, planned.failed && result === undefined ? failure : undefined);
          if (planned.failed) return;
          const whole = Buffer.from(expectedBytes(names, plan));
          assert.ok(whole.subarray(0, result!.bytes().byteLength).equals(result!.bytes()));
        },
      ),
      pure,
    );
  });
});
