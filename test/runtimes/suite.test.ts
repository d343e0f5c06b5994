import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { serverCases } from "@wsgi/testing/server-suite";
import { executable, missing, type RuntimeName } from "./runtimes.ts";
import { serveWorker } from "./serve-worker.ts";
import { bunExceptions, denoExceptions, workerdExceptions } from "./suite-exceptions.ts";
import type { Verdict } from "./suite.ts";

const limit = 120_000;

function programOf(name: RuntimeName): string {
  return fileURLToPath(new URL(`suite-on-${name}.js`, import.meta.url));
}

/** Runs the suite on a runtime whose programs print. */
async function run(name: RuntimeName, args: readonly string[]): Promise<string> {
  const options = { timeout: limit, maxBuffer: 16_777_216 };
  const file = await executable(name);
  return (await promisify(execFile)(file, [...args, programOf(name)], options)).stdout;
}

/** Runs it in a worker, which answers. */
async function ask(): Promise<string> {
  await using worker = await serveWorker(programOf("workerd"));
  const request = http.get(`http://127.0.0.1:${worker.port}/?port=${worker.port}`, {
    headers: { Host: "control" },
    timeout: limit,
  });
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  return Buffer.concat((await response.toArray()) as Buffer[]).toString();
}

/** Is what a runtime is known to fail, and what it has. */
interface Judgement {
  readonly name: RuntimeName;
  readonly except: Readonly<Record<string, string>>;
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

async function judge(
  name: RuntimeName,
  except: Readonly<Record<string, string>>,
  run: () => Promise<string>,
): Promise<Judgement> {
  const lines = missing(name) === undefined ? (await run()).trim().split("\n") : [];
  const seen = lines.map((line) => JSON.parse(line) as Verdict);
  return { name, except, verdicts: new Map(seen.map((verdict) => [verdict.id, verdict])) };
}

/** Declares a test for each case, as `serverSuite` does, of what another process has seen. */
function declare({ name, except, verdicts }: Judgement): void {
  describe(`toFetch() on ${name}`, { skip: missing(name) ?? false }, () => {
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

const denoArgs = ["run", "-A", "--unstable-no-legacy-abort"];

const judgements = await Promise.all([
  judge("bun", bunExceptions, () => run("bun", [])),
  judge("deno", denoExceptions, () => run("deno", denoArgs)),
  judge("workerd", workerdExceptions, ask),
]);
judgements.forEach(declare);
