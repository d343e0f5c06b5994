import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromFetch, toFetch, type FetchHandler } from "@wsgi/bridge/fetch";
import { stack, type Application } from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { call, environFor } from "@wsgi/testing";
import { peer } from "../frameworks/peers.ts";

interface HonoContext {
  readonly req: { readonly raw: Request; param(name: string): string; json(): Promise<unknown> };
  readonly env: Record<string, string>;
  text(text: string, status?: number): Response;
  header(name: string, value: string, options?: { append: boolean }): void;
}

interface Hono {
  readonly fetch: FetchHandler;
  get(path: string, handler: (context: HonoContext) => Response | Promise<Response>): void;
  post(path: string, handler: (context: HonoContext) => Response | Promise<Response>): void;
  use(
    path: string,
    handler: (context: HonoContext, next: () => Promise<void>) => Promise<void>,
  ): void;
  all(path: string, handler: (context: HonoContext) => Response | Promise<Response>): void;
  mount(path: string, handler: (request: Request) => Promise<Response>): void;
}

interface H3Event {
  readonly req: Request;
  readonly context: { readonly params: Record<string, string> };
}

interface H3 {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  get(path: string, handler: (event: H3Event) => unknown): H3;
}

interface IttyRouter {
  readonly fetch: (request: Request, ...rest: unknown[]) => Promise<Response>;
  get(path: string, handler: (request: { params: Record<string, string> }) => unknown): IttyRouter;
}

const { Hono } = await peer<{ Hono: new () => Hono }>("hono");
const { H3 } = await peer<{ H3: new () => H3 }>("h3");
const { AutoRouter } = await peer<{ AutoRouter: () => IttyRouter }>("itty-router");

/** Puts an access log and a longer body around an application, with a validator at each border. */
function stacked(app: Application): { app: Application; lines: string[] } {
  const lines: string[] = [];
  const log = accessLog({
    format: ({ method, target, status, bytes }) => `${method} ${target} ${status} ${bytes}`,
    destination: { write: (text: string) => void lines.push(text.trim()) },
  });
  return { app: stack(validator(), log, append("!"), validator())(app), lines };
}

describe("fromFetch() with a framework", () => {
  it("hosts Hono, and gives it environ", async () => {
    const hono = new Hono();
    hono.get("/hello/:name", (c) => {
      c.header("Set-Cookie", "a=1");
      c.header("Set-Cookie", "b=2", { append: true });
      return c.text(`Hello, ${c.req.param("name")} at ${c.env.REMOTE_ADDR}`);
    });
    const { app, lines } = stacked(fromFetch(hono.fetch));
    const response = await call(app, "GET /hello/%C3%89mile");
    assert.equal(response.text(), "Hello, Émile at 127.0.0.1!");
    const cookies = response.headers.filter(([name]) => name === "set-cookie");
    assert.deepEqual(cookies, [
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
    assert.deepEqual(lines, ["GET /hello/%C3%89mile 200 27"]);
  });

  it("hands JSON to Hono, and its 404 on", async () => {
    const hono = new Hono();
    hono.post("/echo", async (c) => c.text(JSON.stringify(await c.req.json())));
    const { app } = stacked(fromFetch(hono.fetch));
    const response = await call(app, environFor("POST /echo", { json: { a: 1 } }));
    assert.equal(response.text(), '{"a":1}!');
    assert.equal((await call(app, "GET /nowhere")).code, 404);
  });

  it("hosts h3", async () => {
    const h3 = new H3().get("/hello/:name", (event) => `Hello, ${event.context.params.name}`);
    const { app, lines } = stacked(fromFetch((request) => h3.fetch(request)));
    assert.match((await call(app, "GET /hello/Ann")).text(), /^Hello, Ann/);
    assert.match(lines.join(), /^GET \/hello\/Ann 200/);
  });

  it("hosts itty-router", async () => {
    const router = AutoRouter().get("/hello/:name", ({ params }) => ({ hello: params.name }));
    const { app } = stacked(fromFetch((request) => router.fetch(request)));
    assert.deepEqual((await call(app, "GET /hello/Ann")).json(), { hello: "Ann" });
  });

  it("hosts a handler that streams", async () => {
    const handler = (): Response => {
      const pieces = ["one ", "two "];
      const body = new ReadableStream({
        pull(controller) {
          const piece = pieces.shift();
          if (piece === undefined) controller.close();
          else controller.enqueue(new TextEncoder().encode(piece));
        },
      });
      return new Response(body, { headers: { "Content-Type": "text/plain" } });
    };
    const { app } = stacked(fromFetch(handler));
    assert.equal((await call(app, "GET /")).text(), "one two !");
  });
});

const place: Application = (environ, startResponse) => {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return [`${environ.SCRIPT_NAME}|${environ.PATH_INFO}|${environ.QUERY_STRING}`];
};

describe("toFetch() within Hono", () => {
  it("answers under a route, behind Hono's own middleware", async () => {
    const hono = new Hono();
    hono.use("*", async (c, next) => {
      await next();
      c.header("X-Hono", "yes");
    });
    const handler = toFetch(place, { scriptName: "/app" });
    hono.all("/app/*", (c) => handler(c.req.raw));
    const response = await hono.fetch(new Request("http://localhost/app/a?q"), {} as never);
    assert.equal(await response.text(), "/app|/a|q");
    assert.equal(response.headers.get("X-Hono"), "yes");
  });

  it("answers in Hono's mount, which takes its path off the URL", async () => {
    const hono = new Hono();
    const handler = toFetch(place, { environ: () => ({ SCRIPT_NAME: "/app" }) });
    hono.mount("/app", (request) => handler(request));
    const response = await hono.fetch(new Request("http://localhost/app/a?q"), {} as never);
    assert.equal(await response.text(), "/app|/a|q");
  });
});
