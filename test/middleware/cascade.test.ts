import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  describe as describeApplication,
  interleave,
  readBody,
  type Application,
  type Body,
  type Environ,
  type Middleware,
  type StartResponse,
} from "@wsgi/core";
import { cascade } from "@wsgi/middleware/cascade";
import {
  call,
  closable,
  environFor,
  failing,
  late,
  respond,
  slow,
  writing,
  type ClosableBody,
} from "@wsgi/testing";
import { countPromises } from "../support/count-promises.ts";
import { turn } from "../support/serving.ts";

const missing = respond(["Not here"], { status: "404 Not Found" });
const ignore: StartResponse = () => () => {};

function missingWith(body: Body | ClosableBody): Application {
  return respond(body as Body, { status: "404 Not Found" });
}

describe("cascade()", () => {
  it("takes the first answer that is not 404 or 405", async () => {
    const wrong = respond(["Not so"], { status: "405 Method Not Allowed" });
    const app = cascade(missing, wrong, respond(["Found"]), failing("call"));
    const response = await call(app, "GET /");
    assert.equal(response.status, "200 OK");
    assert.equal(response.text(), "Found");
  });

  it("takes the last answer whatever it is", async () => {
    const app = cascade(missing, respond(["Gone too"], { status: "404 Not Found" }));
    assert.equal((await call(app, "GET /")).text(), "Gone too");
  });

  it("goes on after other status codes if told so", async () => {
    const gone = respond(["Gone"], { status: "410 Gone" });
    const app = cascade(gone, respond(["Found"]), { next: [410] });
    assert.equal((await call(app, "GET /")).text(), "Found");
    const strict = cascade(missing, respond(["Found"]), { next: [410] });
    assert.equal((await call(strict, "GET /")).text(), "Not here");
  });

  it("closes the body that it drops, before it asks the next", async () => {
    const body = closable("Not here");
    let closedBefore = 0;
    const next: Application = (_environ, startResponse) => {
      closedBefore = body.timesClosed;
      startResponse("200 OK", []);
      return [];
    };
    await call(cascade(missingWith(body), next), "GET /");
    assert.equal(closedBefore, 1);
    assert.equal(body.timesClosed, 1);
    assert.equal(body.taken, 0);
  });

  it("waits until the body that it drops is closed", async () => {
    let closed = false;
    const close = async (): Promise<void> => {
      await turn();
      closed = true;
    };
    const next: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      return [closed ? "closed" : "open"];
    };
    const app = cascade(missingWith(Object.assign(["Not here"], { close })), next);
    assert.equal((await call(app, "GET /")).text(), "closed");
  });

  it("closes the body that it takes once", async () => {
    const body = closable("Found");
    await call(cascade(respond(body), missing), "GET /");
    assert.equal(body.timesClosed, 1);
  });

  it("closes the body that it takes if its server does not take the head", () => {
    const body = closable("Found");
    const refusing: StartResponse = () => {
      throw new Error("Not that");
    };
    assert.throws(() => cascade(respond(body), missing)(environFor("GET /"), refusing), /Not that/);
    assert.equal(body.timesClosed, 1);
  });

  it("gives each application its own environ", async () => {
    const spoiling: Application = (environ, startResponse) => {
      environ.PATH_INFO = "/spoilt";
      return missing(environ, startResponse);
    };
    const path: Application = (environ, startResponse) => {
      startResponse("200 OK", []);
      return [environ.PATH_INFO];
    };
    assert.equal((await call(cascade(spoiling, spoiling, path), "GET /x")).text(), "/x");
  });

  it("takes the answer of an application that has read from the input", async () => {
    const reading: Application = async (environ, startResponse) => {
      await environ["wsgi.input"].readline();
      return missing(environ, startResponse);
    };
    const app = cascade(reading, respond(["Found"]));
    assert.equal((await call(app, environFor("POST /", { body: "a=1" }))).text(), "Not here");
  });

  it("takes the answer of an application that has iterated over the input", async () => {
    const reading: Application = async (environ, startResponse) => {
      for await (const line of environ["wsgi.input"]) assert.equal(line.byteLength, 3);
      return missing(environ, startResponse);
    };
    const app = cascade(reading, respond(["Found"]));
    assert.equal((await call(app, environFor("POST /", { body: "a=1" }))).text(), "Not here");
  });

  it("leaves the whole input to the next application", async () => {
    const echo: Application = async (environ, startResponse) => {
      const lines = await environ["wsgi.input"].readlines();
      startResponse("200 OK", []);
      return lines;
    };
    const app = cascade(missing, echo, missing);
    const environ = environFor("POST /", { body: ["one\n", "two\n"] });
    assert.equal((await call(app, environ)).text(), "one\ntwo\n");
  });

  it("streams the body that it takes", () => {
    const body = closable("one", "two");
    void cascade(respond(body), missing)(environFor("GET /"), ignore);
    assert.equal(body.taken, 0);
  });

  it("passes the body of the last application on as it is", () => {
    const body = ["Found"];
    assert.equal(cascade(missing, respond(body))(environFor("GET /"), ignore), body);
  });

  it("makes no promise for synchronous applications", () => {
    const app = cascade(missing, late("Found"), missing);
    let bytes: unknown;
    const promises = countPromises(() => {
      bytes = readBody(app(environFor("GET /"), ignore) as Body);
    });
    assert.equal(promises, 0);
    assert.deepEqual(bytes, new TextEncoder().encode("Found"));
  });

  it("asks asynchronous applications too", async () => {
    const away: Application = async (...all) => missing(...all);
    const response = await call(cascade(away, slow("one", "two"), missing), "GET /");
    assert.deepEqual(response.chunks, ["one", "two"]);
  });

  it("takes an answer that starts late", async () => {
    assert.equal((await call(cascade(missing, late("Found"), missing), "GET /")).text(), "Found");
  });

  it("takes an answer that is written", async () => {
    const app = cascade(missing, writing(["Fo"], ["und"]), missing);
    assert.equal((await call(app, "GET /")).text(), "Found");
  });

  it("drops what was written with the answer", async () => {
    const wordy: Application = (_environ, startResponse) => {
      void startResponse("404 Not Found", [])("Not here");
      return [];
    };
    assert.equal((await call(cascade(wordy, respond(["Found"])), "GET /")).text(), "Found");
  });

  it("takes the status that excInfo made the last", async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("404 Not Found", [], new Error("No such file"));
      return [];
    };
    assert.equal((await call(cascade(app, respond(["Found"])), "GET /")).text(), "Found");
  });

  it("lets an error go on its way", async () => {
    await assert.rejects(call(cascade(failing("start"), missing), "GET /"), /Failed in start/);
    await assert.rejects(call(cascade(missing, failing("body")), "GET /"), /Failed in body/);
  });

  it("shows its applications", () => {
    const app = cascade(missing, slow("Found"), { next: [404] });
    assert.equal(describeApplication(app), "cascade\n├─ respond\n└─ after 404  slow");
  });

  it("lets something be put before each application, and goes on as before", async () => {
    const names: string[] = [];
    const noting = ({ inner }: { inner: string }): Middleware => {
      return (app) => (environ, startResponse) => {
        names.push(inner);
        return app(environ, startResponse);
      };
    };
    const gone = respond(["Gone"], { status: "410 Gone" });
    const noted = interleave(cascade(gone, slow("Found"), { next: [410] }), noting);
    assert.equal((await call(noted, "GET /")).text(), "Found");
    assert.deepEqual(names, ["cascade", "respond", "slow"]);
  });

  it("refuses to have no application", () => {
    assert.throws(() => cascade(), {
      name: "TypeError",
      message: "Cannot cascade: there is no application; wanted at least one",
    });
    assert.throws(() => cascade({ next: [404] }), TypeError);
  });

  it("refuses what is no application", () => {
    assert.throws(() => cascade(undefined as never, missing), {
      name: "TypeError",
      message: /^Cannot cascade: the application is undefined;/,
    });
  });

  it("refuses status codes that are none", () => {
    assert.throws(() => cascade(missing, { next: ["404"] as never }), {
      name: "TypeError",
      message: 'Cannot cascade: next is ["404"]; wanted a list of status codes, [404, 405]',
    });
    assert.throws(() => cascade(missing, { next: 404 as never }), /next is 404;/);
  });

  it("needs what its applications need", () => {
    type UserEnviron = Environ & { "wsgix.user": string };
    const greet = (_environ: UserEnviron): Body => [];
    const needy: Application<UserEnviron> = cascade(missing, greet);
    assert.ok(needy);
    // @ts-expect-error -- nothing gives it a wsgix.user
    const plain: Application = cascade(missing, greet);
    assert.ok(plain);
  });
});
