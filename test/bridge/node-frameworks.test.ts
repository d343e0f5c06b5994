import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { describe, it } from "node:test";
import { deferred, lastHeaders, RawClient, serving } from "../support/serving.ts";
import {
  compression,
  connect,
  cors,
  express,
  fastify,
  helmet,
  KoaApplication,
  morgan,
  multer,
  proxy,
  session,
  underStack,
  type ExpressResponse,
} from "./node-frameworks.ts";

const json = { method: "POST", headers: { "Content-Type": "application/json" } };

/** Writes four chunks, each when it is told to. */
function fourChunks(): {
  steps: { promise: Promise<void>; resolve(): void }[];
  write(res: { write(chunk: string): unknown; end(): unknown }): Promise<void>;
} {
  const steps = [deferred(), deferred(), deferred(), deferred()];
  return {
    steps,
    async write(res) {
      for (const [i, step] of steps.entries()) {
        res.write(`<${i}>`);
        await step.promise;
      }
      res.end();
    },
  };
}

/** Sees to it that no chunk comes before its time, and what was appended last. */
async function assertStreams(
  client: RawClient,
  steps: readonly { resolve(): void }[],
): Promise<void> {
  client.send(`GET /stream HTTP/1.1\r\n${lastHeaders}`);
  for (const [i, step] of steps.entries()) {
    assert.ok(!(await client.until(`<${i}>`)).includes(`<${i + 1}>`));
    step.resolve();
  }
  assert.match(await client.closed, /<3>[^]*<last>/);
}

describe("Express under layers", () => {
  it("sends a page with its cookies, which the layers see", async () => {
    const log: string[] = [];
    const app = express().get("/page", (req, res) => {
      res.cookie("a", "1").cookie("b", "2").type("text").send(`Hello ${req.ip}`);
    });
    await using server = await serving(underStack(app, log));
    const response = await fetch(`${server.url}/page`);
    assert.deepEqual(response.headers.getSetCookie(), ["a=1; Path=/", "b=2; Path=/"]);
    assert.equal(response.headers.get("Content-Length"), "21");
    assert.equal(await response.text(), "Hello 127.0.0.1<last>");
    assert.match(log.join(""), /"GET \/page HTTP\/1\.1" 200 21/);
  });

  it("answers HEAD, 204 and 304 without a body", async () => {
    const app = express()
      .get("/page", (_req, res) => res.send("Hello"))
      .get("/none", (_req, res) => res.sendStatus(204));
    await using server = await serving(underStack(app));
    const page = await fetch(`${server.url}/page`);
    const head = await fetch(`${server.url}/page`, { method: "HEAD" });
    assert.equal(head.headers.get("Content-Length"), page.headers.get("Content-Length"));
    assert.equal(await head.text(), "");
    assert.equal((await fetch(`${server.url}/none`)).status, 204);
    const headers = { "If-None-Match": page.headers.get("ETag")!, "Cache-Control": "max-age=0" };
    assert.equal((await fetch(`${server.url}/page`, { headers })).status, 304);
  });

  it("reads JSON", async () => {
    const app = express().post("/", express.json(), (req, res) => res.json({ got: req.body }));
    await using server = await serving(underStack(app));
    const response = await fetch(server.url, { ...json, body: '{"a":1}' });
    assert.equal(await response.text(), '{"got":{"a":1}}<last>');
  });

  it("streams chunk by chunk", async () => {
    const { steps, write } = fourChunks();
    const app = express().get("/stream", (_req, res) => write(res.type("text")));
    await using server = await serving(underStack(app));
    using client = await RawClient.connect(server);
    await assertStreams(client, steps);
  });

  it("answers errors and unknown paths with its own pages", async () => {
    const app = express().get("/fail", () => {
      throw Object.assign(new Error("Out of tea"), { status: 418, expose: true });
    });
    await using server = await serving(underStack(app));
    assert.equal((await fetch(`${server.url}/fail`)).status, 418);
    const missing = await fetch(`${server.url}/caf%C3%A9%2F`);
    assert.equal(missing.status, 404);
    assert.match(await missing.text(), /Cannot GET \/caf%C3%A9%2F[^]*<last>$/);
  });

  it("is told when the client leaves", async () => {
    const [called, gone] = [deferred(), deferred<boolean>()];
    const app = express().get("/", (req, res) => {
      req.on("close", () => gone.resolve(res.writableFinished));
      called.resolve();
    });
    await using server = await serving(underStack(app));
    using client = await RawClient.connect(server);
    client.send(`GET / HTTP/1.1\r\n${lastHeaders}`);
    await called.promise;
    client.socket.destroy();
    assert.equal(await gone.promise, false);
  });

  it("stops when a client takes nothing, and ends when it leaves", async () => {
    const [full, gone] = [deferred<number>(), deferred()];
    const app = express().get("/", (_req, res) => {
      let bytes = 0;
      const endless = new Readable({
        read() {
          // Counted as it is asked for, 100 MB at most.
          bytes += 65_536;
          this.push(bytes < 100_000_000 ? Buffer.alloc(65_536) : null);
        },
      });
      endless.pipe(res);
      endless.on("pause", () => setImmediate(() => res.writableNeedDrain && full.resolve(bytes)));
      res.on("close", () => gone.resolve());
    });
    await using server = await serving(underStack(app));
    using client = await RawClient.connect(server);
    client.socket.pause();
    client.send(`GET / HTTP/1.1\r\n${lastHeaders}`);
    assert.ok((await full.promise) < 50_000_000);
    client.socket.destroy();
    await gone.promise;
  });
});

describe("middleware of a hosted Express", () => {
  it("keeps a session", async () => {
    const app = express()
      .use(session({ secret: "sesame", resave: false, saveUninitialized: true }))
      .get("/", (req, res) => {
        req.session.visits = (req.session.visits ?? 0) + 1;
        res.send(`Visit ${req.session.visits}`);
      });
    await using server = await serving(underStack(app));
    const first = await fetch(server.url);
    assert.equal(await first.text(), "Visit 1<last>");
    const headers = { Cookie: first.headers.getSetCookie()[0]!.split(";")[0]! };
    assert.equal(await (await fetch(server.url, { headers })).text(), "Visit 2<last>");
  });

  it("compresses, and flushes what it holds", async () => {
    const go = deferred();
    const app = express()
      .use(compression({ threshold: 0 }))
      .get("/", async (_req, res) => {
        res.type("text").write("one");
        res.flush();
        await go.promise;
        res.end("two");
      });
    await using server = await serving(underStack(app));
    const response = await fetch(server.url, { headers: { "Accept-Encoding": "gzip" } });
    assert.equal(response.headers.get("Content-Encoding"), "gzip");
    const reader = response.body!.getReader();
    let text = "";
    while (!text.includes("one")) text += Buffer.from((await reader.read()).value!).toString();
    go.resolve();
    for (let step; !(step = await reader.read()).done;) text += Buffer.from(step.value).toString();
    assert.equal(text, "onetwo");
  });

  it("takes a file that is uploaded", async () => {
    const app = express().post("/", multer().single("file"), (req, res) => {
      res.send(`${req.file.size}`);
    });
    await using server = await serving(underStack(app));
    const form = new FormData();
    form.set("file", new Blob([Buffer.alloc(2_000_000)]), "zeros");
    const response = await fetch(server.url, { method: "POST", body: form });
    assert.equal(await response.text(), "2000000<last>");
  });

  it("sets the fields of helmet and cors, and logs with morgan", async () => {
    const logged = deferred<string>();
    const stream = { write: (line: string) => logged.resolve(line) };
    const app = express()
      .use(morgan(":method :url :status :remote-addr", { stream }))
      .use(helmet())
      .use(cors())
      .get("/", (_req, res) => res.send("Hello"));
    await using server = await serving(underStack(app));
    const { headers } = await fetch(server.url);
    assert.equal(headers.get("X-Frame-Options"), "SAMEORIGIN");
    assert.equal(headers.get("Access-Control-Allow-Origin"), "*");
    assert.equal(await logged.promise, "GET / 200 127.0.0.1\n");
  });

  it("proxies, and reads a chunked answer as it is", async () => {
    await using upstream = await serving((environ, startResponse) => {
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return (function* () {
        yield `${environ.REQUEST_METHOD} ${environ.PATH_INFO} `;
        yield "in two chunks";
      })();
    });
    const app = express().use(proxy({ target: upstream.url, changeOrigin: true }));
    await using server = await serving(underStack(app));
    const response = await fetch(`${server.url}/there`);
    assert.equal(await response.text(), "GET /there in two chunks<last>");
  });
});

describe("other frameworks under layers", () => {
  it("are Koa, with JSON, a stream, and an error page", async () => {
    const app = new KoaApplication().use((ctx) => {
      if (ctx.path === "/fail") throw Object.assign(new Error("Gone"), { status: 410 });
      ctx.body = ctx.path === "/stream" ? Readable.from(["one", "two"]) : { path: ctx.path };
    });
    await using server = await serving(underStack(app.callback()));
    assert.equal(await (await fetch(`${server.url}/%C3%A9`)).text(), '{"path":"/%C3%A9"}<last>');
    assert.equal(await (await fetch(`${server.url}/stream`)).text(), "onetwo<last>");
    assert.equal((await fetch(`${server.url}/fail`)).status, 410);
  });

  it("are Fastify, with GET, JSON, and a stream", async () => {
    const app = fastify()
      .get("/", async () => ({ hello: "world" }))
      .get("/stream", async () => Readable.from(["one", "two"]))
      .post("/", async (request) => request.body);
    await app.ready();
    await using server = await serving(underStack(app.routing));
    assert.equal(await (await fetch(server.url)).text(), '{"hello":"world"}<last>');
    assert.equal(await (await fetch(`${server.url}/stream`)).text(), "onetwo<last>");
    const posted = await fetch(server.url, { ...json, body: '{"a":1}' });
    assert.equal(await posted.text(), '{"a":1}<last>');
  });

  it("are Connect, with what is mounted in it", async () => {
    const app = connect().use("/in", (req, res) => {
      res.end(`${req.url} ${(req as { originalUrl?: string }).originalUrl}`);
    });
    await using server = await serving(underStack(app));
    assert.equal(await (await fetch(`${server.url}/in/x?y`)).text(), "/x?y /in/x?y<last>");
  });

  it("stream through Connect chunk by chunk", async () => {
    const { steps, write } = fourChunks();
    const app = connect().use("/stream", (_req, res) => void write(res as ExpressResponse));
    await using server = await serving(underStack(app));
    using client = await RawClient.connect(server);
    await assertStreams(client, steps);
  });

  it("are plain handlers with a pipe of streams", async () => {
    const app = underStack((_req, res) => {
      res.setHeader("Content-Encoding", "gzip");
      Readable.from(["Hello"]).pipe(createGzip()).pipe(res);
    });
    await using server = await serving(app);
    assert.equal(await (await fetch(server.url)).text(), "Hello");
  });
});
