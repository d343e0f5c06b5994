// One way to compose, in a process of its own, so that engines learn from nothing else:
// `node cases/compose.js CASE LAYERS SECONDS` tells the nanoseconds that a request takes, and with "bytes" in
// the place of the seconds its bytes.
import process from "node:process";
import { distinct } from "../servers/distinct.js";

const ok = [["Content-Type", "text/plain"]];
const body = ["Hello, world!"];

function hello(environ, startResponse) {
  startResponse("200 OK", ok);
  return body;
}

/** Makes an application of layers from their text, and calls it as a server does. */
async function wsgi(count, text, { app = hello, isOne = false } = {}) {
  const core = await import("@wsgi/core");
  const made = isOne ? distinct(1, text, core) : distinct(count, text, core);
  const layers = isOne ? Array.from({ length: count }, () => made[0]) : made;
  const wrapped = core.stack(...layers)(app);
  let status;
  let headers;
  const startResponse = (line, fields) => {
    status = line;
    headers = fields;
    return () => {};
  };
  const environ = { REQUEST_METHOD: "GET", PATH_INFO: "/" };
  return () => {
    const result = wrapped(environ, startResponse);
    return core.isThenable(result)
      ? result.then((chunks) => chunks.length + headers.length + status.length)
      : result.length + headers.length + status.length;
  };
}

const cases = {
  "WSGI, passes on": (count) =>
    wsgi(count, "(app) => (environ, startResponse) => app(environ, startResponse)"),
  "WSGI, passes on, not inlined": (count) =>
    wsgi(count, "(app) => (environ, startResponse) => app(environ, startResponse)", {
      isOne: true,
    }),
  "WSGI, wraps startResponse": (count) =>
    wsgi(
      count,
      `(app) => (environ, startResponse) =>
         app(environ, (status, headers, excInfo) => startResponse(status, headers, excInfo))`,
    ),
  "WSGI, adds a header": (count) =>
    wsgi(
      count,
      `(app) => (environ, startResponse) =>
         app(environ, (status, headers, excInfo) =>
           startResponse(status, [...headers, ["X-Layer", "yes"]], excInfo))`,
    ),
  "WSGI, maps the body": (count) =>
    wsgi(
      count,
      `(app) => (environ, startResponse) =>
         when(app(environ, startResponse), (body) => mapBody(body, { chunk: (chunk) => chunk }))`,
    ),
  "WSGI, waits for an async application": (count) =>
    wsgi(
      count,
      "(app) => (environ, startResponse) => when(app(environ, startResponse), (body) => body)",
      { app: async (environ, startResponse) => hello(environ, startResponse) },
    ),

  async "koa-compose"(count) {
    const { default: compose } = await import("koa-compose");
    const layers = distinct(count, "async (ctx, next) => { await next(); }");
    const composed = compose([...layers, (ctx) => void (ctx.body = "Hello, world!")]);
    return () => {
      const ctx = { body: "" };
      return composed(ctx).then(() => ctx.body.length);
    };
  },

  async connect(count) {
    const { default: connect } = await import("connect");
    const app = connect();
    for (const layer of distinct(count, "(req, res, next) => next()")) app.use(layer);
    app.use((req, res) => void (res.body = "Hello, world!"));
    return () => {
      const res = { body: "" };
      app({ url: "/", method: "GET", headers: {} }, res);
      return res.body.length;
    };
  },

  async "express router"(count) {
    const { default: express } = await import("express");
    const app = express.Router();
    for (const layer of distinct(count, "(req, res, next) => next()")) app.use(layer);
    app.use((req, res) => void (res.body = "Hello, world!"));
    return () => {
      const res = { body: "" };
      app({ url: "/", method: "GET", headers: {} }, res, () => {});
      return res.body.length;
    };
  },

  async "hono compose"(count) {
    // Not one of its entry points.
    const { compose } = await import("../node_modules/hono/dist/compose.js");
    const layers = distinct(count, "async (c, next) => { await next(); }");
    const answer = async (c) => {
      c.res = "Hello, world!";
      c.finalized = true;
    };
    const composed = compose([...layers, answer].map((layer) => [[layer, undefined], {}]));
    return () => composed({ res: "", finalized: false, req: {} }).then((c) => c.res.length);
  },

  async "hono, whole"(count) {
    const { Hono } = await import("hono");
    const app = new Hono();
    for (const layer of distinct(count, "async (c, next) => { await next(); }")) app.use(layer);
    app.get("/", (c) => c.text("Hello, world!"));
    const request = new Request("http://localhost/");
    return () => Promise.resolve(app.fetch(request)).then(({ status }) => status);
  },

  async "h3, whole"(count) {
    const { H3 } = await import("h3");
    const app = new H3();
    for (const layer of distinct(count, "(event, next) => next()")) app.use(layer);
    app.get("/", () => "Hello, world!");
    const request = new Request("http://localhost/");
    return () => Promise.resolve(app.fetch(request)).then(({ status }) => status);
  },

  "fetch, passes on": (count) => {
    const layers = distinct(count, "(next) => async (request) => await next(request)");
    const answer = { status: 200 };
    const app = layers.reduceRight(
      (next, layer) => layer(next),
      async () => answer,
    );
    const request = {};
    return () => app(request).then(({ status }) => status);
  },

  "fetch, sets a header": (count) => {
    const layers = distinct(
      count,
      `(next) => async (request) => {
         const response = await next(request);
         response.headers.set("X-Layer", "yes");
         return response;
       }`,
    );
    const app = layers.reduceRight(
      (next, layer) => layer(next),
      async () => new Response("Hello, world!"),
    );
    const request = {};
    return () => app(request).then(({ status }) => status);
  },
};

const [name, count, wanted] = process.argv.slice(2);
if (name === undefined) {
  process.send(Object.keys(cases));
} else {
  const call = await cases[name](Number(count));
  const isAsync = typeof call()?.then === "function";
  const run = isAsync ? runAsync : runSync;
  process.send(wanted === "bytes" ? await allocated(run, call) : await least(run, call, wanted));
}

/** Times calls, and gives the least of several times for one of them, in nanoseconds. */
async function least(run, call, seconds) {
  await warmUp(run, call, performance.now() + 1000 * seconds);
  const times = [];
  for (let i = 0; i < 7; i++) times.push(await timed(run, call, seconds / 7));
  return Math.min(...times);
}

async function warmUp(run, call, end) {
  for (let calls = 100; performance.now() < end; calls = Math.min(100_000, calls * 2)) {
    await run(call, calls);
  }
}

async function timed(run, call, seconds) {
  let calls = 100;
  for (;;) {
    const begun = performance.now();
    await run(call, calls);
    const taken = performance.now() - begun;
    if (taken >= 1000 * seconds) return (1e6 * taken) / calls;
    calls = taken < 1 ? calls * 10 : Math.ceil((calls * 1100 * seconds) / taken);
  }
}

/** So few calls that no garbage is collected meanwhile: node is started with a large young generation. */
async function allocated(run, call) {
  await warmUp(run, call, performance.now() + 200);
  const calls = 500;
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  await run(call, calls);
  return (process.memoryUsage().heapUsed - before) / calls;
}

function runSync(call, calls) {
  let sum = 0;
  for (let i = 0; i < calls; i++) sum += call();
  return sum;
}

async function runAsync(call, calls) {
  let sum = 0;
  for (let i = 0; i < calls; i++) sum += await call();
  return sum;
}
