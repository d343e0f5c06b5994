import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application, Environ } from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import { closable, environFor, respond } from "@wsgi/testing";
import { ignore, judge, judgeEnviron } from "../support/validating.ts";

type Upgrade = (environ: Environ) => unknown;

const hello = respond(["Hello"]);

/** Takes the connection over. */
function take(environ: Environ): unknown {
  return (environ["wsgix.upgrade"] as Upgrade)(environ);
}

/** Is a request whose connection can be taken over, by this function. */
function offering(upgrade: Upgrade = () => {}): Environ {
  return environFor("GET /", { environ: { "wsgix.upgrade": upgrade } });
}

describe("a validator on wsgix.upgrade", () => {
  it("takes one call, before the response begins, and passes it on", async () => {
    const environs: Environ[] = [];
    const app: Application = (environ, startResponse) => {
      assert.equal(take(environ), "connection");
      return hello(environ, startResponse);
    };
    const upgrade: Upgrade = (environ) => {
      environs.push(environ);
      return "connection";
    };
    assert.deepEqual((await judge(app, offering(upgrade))).faults, []);
    assert.equal(environs.length, 1);
    assert.equal(environs[0]?.PATH_INFO, "/");
  });

  it("takes a call from within a body that has yielded nothing yet", async () => {
    const app: Application = function* (environ, startResponse) {
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      yield "";
      take(environ);
    };
    assert.deepEqual((await judge(app, offering())).faults, []);
  });

  it("refuses a second call", async () => {
    const app: Application = (environ, startResponse) => {
      take(environ);
      take(environ);
      return hello(environ, startResponse);
    };
    assert.deepEqual((await judge(app, offering())).faults, ["application ext-upgrade"]);
  });

  it("refuses a call behind a chunk", async () => {
    const app: Application = function* (environ, startResponse) {
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      yield "begun";
      take(environ);
    };
    assert.deepEqual((await judge(app, offering())).faults, ["application ext-upgrade"]);
  });

  it("refuses a call behind a write(), which sends the head", async () => {
    const app: Application = (environ, startResponse) => {
      void startResponse("200 OK", [])("");
      take(environ);
      return [];
    };
    assert.deepEqual((await judge(app, offering())).faults, ["application ext-upgrade"]);
  });

  it("refuses a call after the end of the body", async () => {
    const app: Application = (environ, startResponse) => {
      startResponse("200 OK", []);
      return Object.assign([], { close: () => void take(environ) });
    };
    assert.deepEqual((await judge(app, offering())).faults, ["application ext-upgrade"]);
  });

  it("tells when the body of a connection that was taken is not closed", () => {
    const layer = validator();
    const body = closable();
    const app: Application = (environ, startResponse) => {
      take(environ);
      return respond(body)(environ, startResponse);
    };
    void layer(app)(offering(), ignore);
    assert.equal(layer.open, 1);
  });

  it("gives no application what its server does not offer", async () => {
    const app: Application = (environ, startResponse) => {
      assert.ok(!("wsgix.upgrade" in environ));
      return hello(environ, startResponse);
    };
    await validator()(app)(environFor("GET /"), ignore);
  });

  it("refuses what is no function", async () => {
    const { faults } = await judgeEnviron({ "wsgix.upgrade": {} });
    assert.deepEqual(faults, ["server ext-environ"]);
  });
});
