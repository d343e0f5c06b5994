import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { show } from "@wsgi/core";

/** Says what a suite is called, and what is known to fail. */
export interface SuiteOptions {
  /** The name of the suite. Default: `"server"`, or the name of the layer. */
  name?: string;
  /**
   * Tests that are known to fail, by their ids, each with the reason. They are run, and reported as todo
   * with the reason; one that passes fails the suite, because its exception is no longer true. Default: none.
   */
  except?: Readonly<Record<string, string>>;
  /** How long a test waits for what does not happen, in milliseconds. Default: 10,000. */
  timeout?: number;
}

/** Is one test of a suite. */
export interface SuiteCase<Subject> {
  readonly id: string;
  readonly title: string;
  run(subject: Subject, timeout?: number): Promise<string | undefined>;
}

/** Declares a test for each case. */
export function declareSuite<Subject>(
  cases: readonly SuiteCase<Subject>[],
  subject: Subject,
  options: SuiteOptions & { name: string },
): void {
  const { name, except = {}, timeout = 10_000 } = options;
  checkOptions(cases, name, except, timeout);
  describe(name, () => {
    for (const one of cases) {
      const reason = except[one.id];
      // node:test's own limit is for what is never cleaned up.
      it(`${one.title} [${one.id}]`, { timeout: 3 * timeout }, async (t) => {
        if (reason === undefined) {
          const inapplicable = await one.run(subject, timeout);
          if (inapplicable !== undefined) t.skip(inapplicable);
        } else {
          await assert.rejects(
            one.run(subject, timeout),
            `Cannot except [${one.id}]: it passes; wanted it to fail, because ${reason}`,
          );
          t.todo(reason);
        }
      });
    }
  });
}

function checkOptions(
  cases: readonly { id: string }[],
  name: unknown,
  except: Readonly<Record<string, unknown>>,
  timeout: number,
): void {
  const fail = (found: string, wanted: string): never => {
    throw new TypeError(`Cannot declare a suite: ${found}; wanted ${wanted}`);
  };
  if (typeof name !== "string") fail(`name is ${show(name)}`, "a string");
  if (!Number.isFinite(timeout) || timeout <= 0) {
    fail(`timeout is ${show(timeout)}`, "a positive number of milliseconds");
  }
  for (const [id, reason] of Object.entries(except)) {
    if (!cases.some((one) => one.id === id)) fail(`except names ${show(id)}`, "the id of a test");
    if (typeof reason !== "string" || reason === "") {
      fail(`the reason to except ${id} is ${show(reason)}`, "a text");
    }
  }
}
