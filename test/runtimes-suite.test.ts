import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { serverCases } from "@wsgi/testing/server-suite";
import { executable, missing, type RuntimeName } from "./runtimes/runtimes.ts";
import { bunExceptions, denoExceptions } from "./runtimes/suite-exceptions.ts";
import type { Verdict } from "./runtimes/suite.ts";

/** Runs the suite on a runtime. */
async function judged(name: RuntimeName, args: readonly string[]): Promise<Verdict[]> {
  const program = fileURLToPath(new URL(`runtimes/suite-on-${name}.js`, import.meta.url));
  const options = { timeout: 120_000, maxBuffer: 16_777_216 };
  const file = await executable(name);
  const { stdout } = await promisify(execFile)(file, [...args, program], options);
  const lines = stdout.trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Verdict);
}

/** Declares a test for each case, as `serverSuite` does, of what another process has seen. */
async function declare(
  name: RuntimeName,
  args: readonly string[],
  except: Readonly<Record<string, string>>,
): Promise<void> {
  const title = `toFetch() on ${name}`;
  const absent = missing(name);
  if (absent !== undefined) {
    describe(title, { skip: absent }, () => {});
    return;
  }
  const verdicts = new Map((await judged(name, args)).map((verdict) => [verdict.id, verdict]));
  describe(title, () => {
    for (const { id, title } of serverCases) {
      it(`${title} [${id}]`, (t) => {
        const verdict = verdicts.get(id);
        assert.ok(verdict !== undefined, "it was not run");
        const reason = except[id];
        if (reason === undefined) {
          assert.equal(verdict.failure, undefined);
          if (verdict.inapplicable !== undefined) t.skip(verdict.inapplicable);
        } else {
          assert.ok(
            verdict.failure !== undefined,
            `it passes; wanted it to fail, because ${reason}`,
          );
          t.todo(reason);
        }
      });
    }
  });
}

await declare("bun", [], bunExceptions);
await declare("deno", ["run", "-A", "--unstable-no-legacy-abort"], denoExceptions);
