import assert from "node:assert/strict";
import { it } from "node:test";
import { inspect } from "node:util";
import { cookies } from "@wsgi/cookies";
import { createErrors, stack, type Application, type Body, type StartResponse } from "@wsgi/core";
import { accessLog, type AccessLogDestination } from "@wsgi/middleware/access-log";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { contentLength } from "@wsgi/middleware/content-length";
import { head } from "@wsgi/middleware/head";
import { mount } from "@wsgi/middleware/mount";
import { requestId } from "@wsgi/middleware/request-id";
import { router } from "@wsgi/router";
import type { ServeOptions, ServerEnviron } from "@wsgi/server";
import { call, environFor } from "@wsgi/testing";
import { parseResponses } from "@wsgi/testing/parse-responses";
import { RawClient, serving, turn, type ServingServer } from "../support/serving.ts";

/** What hangs is a fault, and is to end as one: in milliseconds. */
const timeout = 60_000;

/** Makes a body, of a generator function too, whose `close()` is counted. */
export type Closing = (body: object | (() => object)) => object;

/** Is an application that may do anything; what it returns is none of the compiler's business. */
export type FaultyApplication = (
  environ: ServerEnviron,
  startResponse: StartResponse,
  closing: Closing,
) => unknown;

/** Is what is to be seen of a fault from outside. */
export interface Outcome {
  /** What the client has in the end: `200 "Hello", kept`, or `throws` from a call in process. */
  readonly seen: string;
  /** A part of each text that the operator, or the caller of a call in process, is told. */
  readonly told: readonly string[];
  /** The line in the access log. Default: the status that the client saw. */
  readonly logged?: string;
}

/** Is where a fault happens: served on a socket or called in process, bare or in a stack of layers. */
export type Host =
  | "socket · bare"
  | "socket · under the stack"
  | "call · bare"
  | "call · under the stack";

export type Outcomes = Partial<Record<Host, Outcome>>;

/** The error comes in time for an answer, which tells nothing of it. */
export function is500(told: string): Outcomes {
  const page = '500 "500 Internal Server Error\\n"';
  return {
    "socket · bare": { seen: '500 "Internal Server Error", kept', told: [told] },
    "socket · under the stack": { seen: `${page}, kept`, told: [told] },
    "call · bare": { seen: "throws", told: [told] },
    "call · under the stack": { seen: page, told: [told] },
  };
}

/** The fault is one that only a server notices, in time for an answer; layers may log another status. */
export function isServers500(told: string, logged = "500"): Outcomes {
  const seen = '500 "Internal Server Error", kept';
  return {
    "socket · bare": { seen, told: [told] },
    "socket · under the stack": { seen, told: [told], logged },
    "call · bare": { seen: "throws", told: [told] },
    "call · under the stack": { seen: "throws", told: [told] },
  };
}

/** The error comes too late for an answer, and the client must not take what it has for the whole. */
export function isCut(seen: string, told: string): Outcomes {
  return {
    "socket · bare": { seen: `${seen}, cut`, told: [told] },
    "socket · under the stack": { seen: `${seen}, cut`, told: [told] },
    "call · bare": { seen: "throws", told: [told] },
    "call · under the stack": { seen: "throws", told: [told] },
  };
}

/** The client sees nothing of the fault, and nobody is told. */
export function isServed(seen: string): Outcomes {
  return {
    "socket · bare": { seen: `${seen}, kept`, told: [] },
    "socket · under the stack": { seen: `${seen}, kept`, told: [] },
    "call · bare": { seen, told: [] },
    "call · under the stack": { seen, told: [] },
  };
}

/** The client sees nothing of the fault, but the operator is told. */
export function isServedAndTold(seen: string, told: string): Outcomes {
  return {
    "socket · bare": { seen: `${seen}, kept`, told: [told] },
    "socket · under the stack": { seen: `${seen}, kept`, told: [told] },
    "call · bare": { seen: "throws", told: [told] },
    "call · under the stack": { seen, told: [told] },
  };
}

/** The same, if it is a fault that only a server can pass over. */
export function isServedAndToldOrThrown(seen: string, told: string): Outcomes {
  const thrown = { seen: "throws", told: [told] };
  return { ...isServedAndTold(seen, told), "call · under the stack": thrown };
}

/** Is how a fault is asked for. */
export interface FaultRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whether the body goes in a chunk, and not with its length. */
  readonly isChunked?: boolean;
  /** How many chunks a client in process takes before it leaves. */
  readonly leaveAfter?: number;
}

/**
 * Makes a test of a fault for each host: it is asked for, and behind it another request. What is seen,
 * what is told and in which order things happen is compared; nothing may get out of the request.
 */
export function fault(
  title: string,
  outcomes: Outcomes,
  app: FaultyApplication,
  request: FaultRequest = {},
): void {
  for (const [host, expected] of Object.entries(outcomes) as [Host, Outcome][]) {
    it(`${title} · ${host}`, { timeout }, async () => {
      const scene = new Scene(app, host.endsWith("stack"));
      const ask = host.startsWith("socket") ? askOverSocket : askInProcess;
      await scene.expect(expected, () => ask(scene, request));
    });
  }
}

/** Is what a client does over sockets of its own, and how it ends. */
export interface NetworkFault {
  readonly app: FaultyApplication;
  /** Plays the client, and returns what it has seen. */
  client(stage: Stage): Promise<string>;
  readonly expected: Outcome;
  /** How often the application is called. Default: once. */
  readonly calls?: number;
  readonly options?: ServeOptions;
  /** Where the access log goes, in the place of one whose lines are compared. */
  readonly log?: AccessLogDestination;
  /** Default: both. */
  readonly hosts?: readonly Host[];
}

/** Is what a client has to do with. */
export interface Stage {
  readonly scene: Scene;
  readonly server: ServingServer;
  connect(): Promise<RawClient>;
}

/** Makes a test of what a client does wrong, for a server with a bare application and with a stack. */
export function network(title: string, does: NetworkFault): void {
  for (const host of does.hosts ?? ["socket · bare", "socket · under the stack"]) {
    it(`${title} · ${host}`, { timeout }, async () => {
      const scene = new Scene(does.app, host.endsWith("stack"), does.log);
      await scene.expect(
        does.expected,
        () =>
          scene.serve(async (server) => {
            const clients: RawClient[] = [];
            const connect = async (): Promise<RawClient> => {
              const client = await RawClient.connect(server);
              clients.push(client);
              return client;
            };
            const seen = await does.client({ scene, server, connect });
            for (const client of clients) client[Symbol.dispose]();
            return { seen, next: await askAnew(server) };
          }, does.options),
        does.calls,
      );
    });
  }
}

interface Answers {
  readonly seen: string;
  readonly next: string;
}

/** Is one fault on stage: the application, alone or in a stack, and all that happens in order. */
export class Scene {
  readonly app: Application;
  readonly happened: string[] = [];
  readonly told: string[] = [];
  readonly #isLogged: boolean;
  readonly #logged: string[] = [];
  #bodies = 0;
  #happens: () => void = () => {};

  constructor(app: FaultyApplication, isStacked: boolean, log?: AccessLogDestination) {
    const faulty: Application = (environ, startResponse) => {
      this.note("called");
      return app(environ as ServerEnviron, startResponse, this.#closing) as Body;
    };
    const next: Application = (_environ, startResponse) => {
      this.note("next");
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return ["next"];
    };
    this.#isLogged = isStacked && log === undefined;
    const keep = { write: (line: string) => void this.#logged.push(line.trimEnd()) };
    this.app = isStacked
      ? inStack(faulty, next, log ?? keep)
      : (environ, startResponse) =>
          (environ.PATH_INFO === "/app/fault" ? faulty : next)(environ, startResponse);
  }

  note(entry: string): void {
    this.happened.push(entry);
    this.#happens();
  }

  /** Waits until something has happened. */
  async until(entry: string): Promise<void> {
    while (!this.happened.includes(entry)) {
      await new Promise<void>((resolve) => void (this.#happens = resolve));
    }
  }

  readonly #closing: Closing = (body) => {
    this.#bodies += 1;
    const counted = typeof body === "function" ? (body() as object) : body;
    return Object.assign(counted, { close: () => this.note("closed") });
  };

  /** Serves the application for as long as a client plays. */
  async serve<T>(play: (server: ServingServer) => Promise<T>, options?: ServeOptions): Promise<T> {
    const errors = { write: (text: string) => void this.told.push(text) };
    await using server = await serving(this.app, { errors, ...options });
    return await play(server);
  }

  async expect(expected: Outcome, ask: () => Promise<Answers>, calls = 1): Promise<void> {
    const { seen, next } = await nothingEscaping(ask);
    assert.equal(seen, expected.seen);
    assert.equal(next, '200 "next"');
    const each = this.#bodies === 0 ? ["called"] : ["called", "closed"];
    assert.deepEqual(this.happened, [...repeat(each, calls), "next"]);
    const isTold = this.told.map((text, i) => text.includes(expected.told[i] ?? "\0"));
    assert.deepEqual(
      isTold,
      expected.told.map(() => true),
      inspect(this.told),
    );
    if (!this.#isLogged || seen === "throws") return;
    const { logged = seen.slice(0, 3) + (seen.endsWith("cut") ? " cut" : "") } = expected;
    assert.deepEqual(this.#logged, [...repeat([logged], calls), "200"]);
  }
}

function repeat(entries: readonly string[], times: number): string[] {
  return Array.from({ length: times }, () => entries).flat();
}

/** Puts an application where one stands in practice. */
function inStack(
  faulty: Application,
  next: Application,
  destination: AccessLogDestination,
): Application {
  const routes = router();
  routes.all("/fault", faulty);
  routes.get("/next", next);
  const format = ({ status, cut }: { status: number; cut: boolean }): string =>
    `${status}${cut ? " cut" : ""}`;
  return stack(
    requestId(),
    accessLog({ format, destination }),
    catchErrors(),
    head(),
    contentLength(),
    cookies(),
  )(mount({ "/app": routes }));
}

const nextRequest = "GET /app/next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/** Sends both requests ahead. What the server does not answer on this connection it does on another. */
async function askOverSocket(scene: Scene, request: FaultRequest): Promise<Answers> {
  return await scene.serve(async (server) => {
    using client = await RawClient.connect(server);
    const received = await client.send(rawRequest(request) + nextRequest).closed;
    const [first, second] = parse(received, request.method);
    if (first === undefined) return { seen: "nothing, cut", next: await askAnew(server) };
    if (second !== undefined) {
      return { seen: `${shown(first)}, kept`, next: shown(second) };
    }
    const end = first.complete ? "closed" : "cut";
    return { seen: `${shown(first)}, ${end}`, next: await askAnew(server) };
  });
}

/** Writes a request for the fault as it goes over the wire. */
export function rawRequest(request: FaultRequest = {}): string {
  const { method = "GET", headers = {}, body = "", isChunked = false } = request;
  const length = { "Content-Length": String(body.length) };
  const framing = isChunked ? { "Transfer-Encoding": "chunked" } : body === "" ? {} : length;
  const fields = Object.entries({ Host: "a", ...framing, ...headers });
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const sent = isChunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
  return `${method} /app/fault HTTP/1.1\r\n${lines}\r\n${sent}`;
}

async function askAnew(server: ServingServer): Promise<string> {
  using client = await RawClient.connect(server);
  const [next] = parse(await client.send(nextRequest).closed);
  return next === undefined ? "nothing" : shown(next);
}

type Parsed = ReturnType<typeof parseResponses>[number];

/** Takes apart what has come; what is asked for behind the first request is asked for with GET. */
export function parse(received: string, method = "GET"): Parsed[] {
  return parseResponses(Buffer.from(received, "latin1"), { methods: [method, "GET"] });
}

/** Shows a response in the words of an outcome. */
export function shown(response: { readonly code: number; text(): string }): string {
  return `${response.code} ${JSON.stringify(response.text())}`;
}

async function askInProcess(scene: Scene, request: FaultRequest): Promise<Answers> {
  const { method = "GET", headers = {}, body, isChunked = false, leaveAfter } = request;
  const errors = createErrors((text) => void scene.told.push(text));
  const environ = environFor(`${method} /app/fault`, {
    headers,
    ...(body === undefined ? {} : { body: isChunked ? [body] : body }),
    environ: { "wsgi.errors": errors },
  });
  let seen: string;
  try {
    seen = shown(await call(scene.app, environ, leaveAfter === undefined ? {} : { leaveAfter }));
  } catch (error) {
    seen = "throws";
    scene.told.push(textOf(error));
  }
  return { seen, next: shown(await call(scene.app, "GET /app/next")) };
}

/** Shows what was thrown, which may throw when it is looked at. */
function textOf(error: unknown): string {
  try {
    return inspect(error);
  } catch {
    return "an error that cannot be shown";
  }
}

/** Does something from which no error may get past whoever waits for it. */
async function nothingEscaping<T>(act: () => Promise<T>): Promise<T> {
  const escaped: unknown[] = [];
  const note = (error: unknown): void => void escaped.push(error);
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
  try {
    const result = await act();
    // What nobody handles is noticed when the event loop has gone round.
    await turn(3);
    assert.deepEqual(escaped, []);
    return result;
  } finally {
    process.off("unhandledRejection", note);
    process.off("uncaughtException", note);
  }
}
