import assert from "node:assert/strict";
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { stack, type Application, type HeaderList, type Middleware } from "@wsgi/core";
import { mount } from "@wsgi/middleware/mount";
import { call, respond } from "@wsgi/testing";
import { folderOf } from "../support/command.ts";
import { RawClient, turn } from "../support/serving.ts";
import {
  fault,
  is500,
  isServed,
  isServedAndTold,
  network,
  parse,
  rawRequest,
  Scene,
  type FaultyApplication,
  type NetworkFault,
} from "./faults.ts";

const text: HeaderList = [["Content-Type", "text/plain"]];

const failing: FaultyApplication = () => {
  throw new Error("oops");
};

/** Has the application fail where what is told has nowhere to go. */
function untold(more: Pick<NetworkFault, "options" | "log">): NetworkFault {
  return {
    app: failing,
    async client({ connect }) {
      const client = await connect();
      const request = rawRequest({ headers: { Connection: "close" } });
      const [response] = parse(await client.send(request).closed);
      return String(response!.code);
    },
    expected: { seen: "500", told: [] },
    ...more,
  };
}

describe("a place for reports that fails", () => {
  network(
    "F40 · throws",
    untold({
      options: {
        errors: {
          write() {
            throw new Error("disk full");
          },
        },
      },
    }),
  );

  network(
    "F40 · rejects",
    untold({ options: { errors: { write: () => Promise.reject(new Error("disk full")) } } }),
  );

  network(
    "F40 · never settles",
    untold({ options: { errors: { write: () => new Promise(() => {}) } } }),
  );

  network("F40 · is a stream that breaks", untold({ options: { errors: broken() } }));
});

function broken(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done(new Error("disk full")) });
}

describe("an access log that fails", () => {
  const app: FaultyApplication = (_environ, startResponse) => {
    startResponse("200 OK", text);
    return ["Hello"];
  };

  network("F40 · throws at each line", {
    ...untold({
      log: {
        write() {
          throw new Error("disk full");
        },
      },
    }),
    app,
    expected: { seen: "200", told: ["disk full", "disk full"] },
    hosts: ["socket · under the stack"],
  });

  network("F40 · rejects each line", {
    ...untold({ log: { write: () => Promise.reject(new Error("disk full")) } }),
    app,
    expected: { seen: "200", told: ["disk full", "disk full"] },
    hosts: ["socket · under the stack"],
  });

  network("F40 · is a stream that breaks", {
    ...untold({ log: broken() }),
    app,
    expected: { seen: "200", told: [] },
    hosts: ["socket · under the stack"],
  });
});

/** Is a program that serves an application which fails, with a log, and tells where. */
const program = `
  import { stack } from "@wsgi/core";
  import { accessLog } from "@wsgi/middleware/access-log";
  import { serve } from "@wsgi/server";
  const app = (environ) => {
    throw new Error(environ.PATH_INFO);
  };
  const server = await serve(stack(accessLog())(app), { port: 0 });
  process.send?.(server.url);
  console.log(server.url);
`;

describe("a process that serves", () => {
  it("F40 · outlives the reader of its output", async () => {
    using folder = folderOf({ "program.mjs": program });
    const child = fork(join(folder.path, "program.mjs"), {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    try {
      const [url] = (await once(child, "message")) as [string];
      child.stdout!.destroy();
      child.stderr!.destroy();
      assert.equal((await fetch(url)).status, 500);
      assert.equal((await fetch(url)).status, 500);
    } finally {
      child.kill();
    }
  });

  it("F36 · serves again when it has had no descriptors for its connections", async () => {
    using folder = folderOf({ "program.mjs": program });
    const start = `ulimit -n 48 && exec "${process.execPath}" program.mjs`;
    const child = spawn("sh", ["-c", start], { cwd: folder.path });
    try {
      const [line] = (await once(child.stdout, "data")) as [Buffer];
      const url = new URL(String(line).trim());
      const clients = await Promise.all(
        Array.from({ length: 60 }, () => RawClient.connect({ port: Number(url.port) })),
      );
      // The server has to see to all of them before it can drop one.
      await Promise.race(clients.map((client) => client.closed));
      for (const client of clients) client[Symbol.dispose]();
      assert.equal(await statusOf(url), "500");
    } finally {
      child.kill();
    }
  });
});

/** Asks until there is an answer: a server that has no descriptor drops who comes. */
async function statusOf(url: URL): Promise<string> {
  for (;;) {
    using client = await RawClient.connect({ port: Number(url.port) });
    const received = await client.send("GET / HTTP/1.0\r\n\r\n").closed;
    if (received !== "") return received.slice(9, 12);
  }
}

describe("an application that keeps or changes what is not its own", () => {
  fault(
    "F42 · changes every key of environ",
    isServed('200 "Hello"'),
    (environ, start, closing) => {
      for (const key of Object.keys(environ)) Object.assign(environ, { [key]: "changed" });
      start("200 OK", text);
      return closing(["Hello"]);
    },
  );

  fault(
    "F42 · deletes every key of environ",
    isServed('200 "Hello"'),
    (environ, start, closing) => {
      for (const key of Reflect.ownKeys(environ)) Reflect.deleteProperty(environ, key);
      start("200 OK", text);
      return closing(["Hello"]);
    },
  );

  fault("F42 · freezes environ", isServed('200 "Hello"'), (environ, startResponse, closing) => {
    Object.freeze(environ);
    startResponse("200 OK", text);
    return closing(["Hello"]);
  });

  fault("F42 · puts junk for wsgi.errors, and throws", is500("oops"), (environ) => {
    Object.assign(environ, { "wsgi.errors": null });
    throw new Error("oops");
  });

  fault(
    "F42 · changes its headers when they were checked",
    {
      "socket · bare": isServed('200 "Hello"')["socket · bare"]!,
      "call · bare": isServed('200 "Hello"')["call · bare"]!,
    },
    (_environ, startResponse, closing) => {
      const headers: [string, string][] = [["Content-Type", "text/plain"]];
      startResponse("200 OK", headers);
      headers.push(["X-Split", "a\r\nSet-Cookie: b"]);
      return closing(["Hello"]);
    },
  );

  fault(
    "F42 · gives constants to every request",
    isServed('200 "Hello"'),
    ((headers, body) => (_environ, startResponse) => {
      startResponse("200 OK", headers);
      return body;
    })(Object.freeze([["Content-Type", "text/plain"]] as const), Object.freeze(["Hello"])),
  );

  fault(
    "F42 · writes when its response has ended",
    isServedAndTold('200 "Hello"', "[write-in-time]"),
    (_environ, startResponse, closing) => {
      const write = startResponse("200 OK", text);
      const body = closing(["Hello"]) as { close(): void };
      const { close } = body;
      return Object.assign(body, {
        close() {
          close();
          void write("more");
        },
      });
    },
  );

  fault(
    "F42 · starts anew when its response has ended",
    isServedAndTold('200 "Hello"', "oops"),
    (_environ, startResponse, closing) => {
      startResponse("200 OK", text);
      const body = closing(["Hello"]) as { close(): void };
      const { close } = body;
      return Object.assign(body, {
        close() {
          close();
          startResponse("500 Oops", text, new Error("oops"));
        },
      });
    },
  );

  fault(
    "F42 · reads the request when its response has ended",
    {
      "socket · bare": { seen: '200 "Hello", kept', told: ["the request has ended"] },
      "socket · under the stack": { seen: '200 "Hello", kept', told: [] },
    },
    (environ, startResponse, closing) => {
      startResponse("200 OK", text);
      const body = closing(["Hello"]) as { close(): void };
      const { close } = body;
      return Object.assign(body, {
        async close() {
          close();
          await environ["wsgi.input"].read();
        },
      });
    },
    { method: "POST", body: "a form" },
  );
});

/** Is how an application that answers slowly, with what is its request's own, is asked a hundred times. */
const asked = Array.from({ length: 100 }, (_, i) => String(i));

const echoing: FaultyApplication = async (environ, startResponse) => {
  environ["test.query"] = environ.QUERY_STRING;
  await turn(3);
  startResponse("200 OK", text);
  return (async function* () {
    await turn();
    yield String(environ["test.query"]);
  })();
};

/** Asks for the same a hundred times at once, and for each its own. */
function hundredTimes(ask: (scene: Scene, queries: readonly string[]) => Promise<string[]>) {
  return async (isStacked: boolean): Promise<void> => {
    const scene = new Scene(echoing, isStacked);
    assert.deepEqual(await ask(scene, asked), asked);
    assert.equal(scene.happened.length, 100);
    assert.deepEqual(scene.told, []);
  };
}

const overSockets = hundredTimes((scene, queries) =>
  scene.serve(({ url }) =>
    Promise.all(
      queries.map(async (query) => await (await fetch(`${url}/app/fault?${query}`)).text()),
    ),
  ),
);

const inProcess = hundredTimes((scene, queries) =>
  Promise.all(
    queries.map(async (query) => (await call(scene.app, `GET /app/fault?${query}`)).text()),
  ),
);

describe("an application that is called while it runs", () => {
  it("F43 · a hundred times, each with its own environ · socket · bare", () => overSockets(false));

  it("F43 · a hundred times, each with its own environ · socket · under the stack", () =>
    overSockets(true));

  it("F43 · a hundred times, each with its own environ · call · bare", () => inProcess(false));

  it("F43 · a hundred times, each with its own environ · call · under the stack", () =>
    inProcess(true));
});

describe("a stack that cannot be built", () => {
  it("F43 · says what a layer threw", () => {
    const broken: Middleware = () => {
      throw new TypeError("Cannot wrap: no");
    };
    assert.throws(() => stack(broken)(respond(["Hello"])), /^TypeError: Cannot wrap: no$/);
  });

  it("F43 · says that a layer is none", () => {
    const layers = stack as unknown as (layer: unknown) => unknown;
    assert.throws(() => layers("head"), TypeError);
  });

  it("F43 · says that a path is mounted twice", () => {
    const app = respond(["Hello"]);
    assert.throws(() => mount({ "/a": app, "/a/": app }), TypeError);
  });
});

describe("an application that is mounted twice", () => {
  it("F43 · sees each place as its own", async () => {
    const app = mount({
      "/a": respondWithPlace,
      "/b": mount({ "/c": respondWithPlace, "/d": respond(["d"]) }),
    });
    assert.equal((await call(app, "GET /a/x")).text(), "/a + /x");
    assert.equal((await call(app, "GET /b/c/x")).text(), "/b/c + /x");
  });
});

const respondWithPlace: Application = (environ, startResponse) => {
  startResponse("200 OK", text);
  return [`${environ.SCRIPT_NAME} + ${environ.PATH_INFO}`];
};
