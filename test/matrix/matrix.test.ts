import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { assertNone, read, root } from "../support/repository.ts";
import { exceptions } from "./exceptions.ts";
import { hosts, missingHost, startHost, type RunningHost } from "./hosts.ts";
import { applications, checksOf, draw, look, type Outcome } from "./matrix.ts";
import { checks } from "./checks.ts";

for (const host of hosts) {
  const missing = missingHost(host);
  describe(`served by ${host.name}`, { skip: missing ?? false }, () => {
    let running: RunningHost;
    before(async () => void (running = await startHost(host)));
    after(async () => await running[Symbol.asyncDispose]());

    for (const application of applications) {
      it(application, async (t) => {
        for (const check of checksOf(host, application)) {
          await t.test(check.name, async (t) => {
            const { fault, reason } = await look(host, running, application, check);
            if (fault !== undefined) throw fault;
            if (reason !== undefined) t.todo(reason);
          });
        }
      });
    }

    it("reports no client that has left", () => {
      assert.doesNotMatch(running.errors, /ClientDisconnected/);
    });
  });
}

describe("exceptions", () => {
  it("are of hosts, applications and checks that are there", () => {
    const known = new Set<string>([
      ...hosts.map(({ name }) => name),
      ...applications,
      ...checks.map(({ name }) => name),
    ]);
    const named = exceptions.flatMap((one) => [
      ...(one.hosts ?? []),
      ...(one.applications ?? []),
      ...(one.checks ?? []),
    ]);
    assertNone(named.filter((name) => !known.has(name)));
  });
});

describe("guides", () => {
  const folder = "packages/bridge/hosts";
  const guides = readdirSync(root + folder).map((name) => name.replace(/\.md$/, ""));

  it("are all followed by the matrix", () => {
    const followed = new Set(hosts.map(({ guide }) => guide));
    assertNone(guides.filter((guide) => !followed.has(guide)));
  });

  it("are all in the README, and a page long", () => {
    const readme = read("packages/bridge/README.md");
    assertNone(guides.filter((guide) => !readme.includes(`(hosts/${guide}.md)`)));
    assertNone(guides.filter((guide) => read(`${folder}/${guide}.md`).split("\n").length > 90));
  });
});

describe("draw()", () => {
  it("marks what is known not to work, and names what fails", () => {
    const works: Outcome = { check: "204", fault: undefined, reason: undefined };
    const known: Outcome = { check: "reason", fault: undefined, reason: "it has none" };
    const fails: Outcome = { check: "HEAD", fault: new Error("oh"), reason: undefined };
    const table = draw(["a", "b"], (host, application) => {
      if (application !== "plain") return "not here";
      return host === "a" ? [works, known] : [works, known, fails];
    });
    assert.match(table, /^plain +ok 1 +FAILS: HEAD\nexpress +- 2 +- 2\n/m);
    assert.match(table, /\n\n1: reason: it has none\n2: not here$/);
  });
});

describe("look()", () => {
  it("fails what is known to fail and works", async () => {
    await using running = await startHost(hosts[0]!);
    const check = { name: "reason", run: async () => {} };
    const { fault } = await look(hosts[0]!, running, "micro", check);
    assert.match(fault!.message, /^It works; wanted it to fail, because its responses have a code/);
  });
});
