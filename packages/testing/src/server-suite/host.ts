import assert from "node:assert/strict";
import { type Application, type Body, type Environ } from "@wsgi/core";
import { respond } from "../applications.ts";
import { closing } from "../closing.ts";
import type { ParsedResponse } from "../parse-responses.ts";
import { Client } from "./client.ts";
import { Deadline } from "../deadline.ts";

/** Is a server that serves the application it was started with. */
export interface TestedServer {
  /** Where it listens: `"http://127.0.0.1:8000"`, `"https://localhost:8443"` or `"unix:/run/app.sock"`. */
  readonly url: string;
  /** Gives the text that was written to `wsgi.errors`, and every error that the server has reported. */
  reports?(): string;
  /** Takes no more connections, and waits for the requests that are under way. */
  close(): Promise<void>;
}

/** Starts a server in this process, for one application. */
export type StartServer = (app: Application) => TestedServer | Promise<TestedServer>;

/** Is one rule for servers, and how to see whether it is kept. */
export interface ServerCase {
  /** The clause of SPEC.md, and what of it is looked at: `"close-once/head"`. */
  readonly id: string;
  /** What a server does that keeps it, `"closes a body that HEAD does not get"`. */
  readonly title: string;
  /**
   * Starts a server and looks.
   *
   * @param start - starts it
   * @param timeout - how long nothing may happen, in milliseconds; default 10,000
   * @returns undefined if the rule is kept; a reason if it cannot be seen with this server
   * @throws whatever says that the rule is broken
   */
  run(start: StartServer, timeout?: number): Promise<string | undefined>;
}

/** Makes a case of a function that looks at a server; a reason that it returns says why it cannot. */
export function serverCase(
  id: string,
  title: string,
  look: (host: Host) => Promise<string | void>,
): ServerCase {
  return {
    id,
    title,
    async run(start, timeout = 10_000) {
      const host = new Host(start, timeout);
      let reason: string | void;
      try {
        reason = await host.deadline.waitForAll(look(host), "the case to end");
      } catch (error) {
        await host.stop(timeout).catch(() => {});
        throw error;
      }
      await host.stop(timeout);
      return reason ?? undefined;
    },
  };
}

/** Is what a case has at hand: a server, clients, and a deadline. */
export class Host {
  readonly deadline: Deadline;
  readonly #start: StartServer;
  readonly #clients: Client[] = [];
  #server: TestedServer | undefined;

  constructor(start: StartServer, timeout: number) {
    this.#start = start;
    this.deadline = new Deadline(timeout);
  }

  get url(): string {
    return this.#server!.url;
  }

  /** What the server has reported; undefined if it does not tell. */
  get reports(): string | undefined {
    return this.#server?.reports?.();
  }

  /** Waits for something, but not for ever. */
  wait<T>(event: PromiseLike<T>, wanted: string): Promise<T> {
    return this.deadline.wait(event, wanted);
  }

  /** Starts the server for an application, and connects a first client. */
  async serve(app: Application): Promise<Client> {
    this.#server = await this.deadline.wait(
      Promise.resolve(this.#start(app)),
      "the server to start",
    );
    return await this.connect();
  }

  async connect(): Promise<Client> {
    const client = await Client.connect(this.url, this.deadline);
    this.#clients.push(client);
    return client;
  }

  /** Serves an application for one request that ends its connection. */
  async answer(app: Application, request: string): Promise<ParsedResponse> {
    const client = await this.serve(app);
    return whole(await client.send(request).finish());
  }

  /** Gives the environ that one request reaches the application with. */
  async environ(request: string): Promise<Environ> {
    let seen: Environ | undefined;
    await this.answer((environ, startResponse) => {
      seen = environ;
      startResponse("200 OK", []);
      return ["seen"];
    }, request);
    assert.ok(seen !== undefined, "the application was not called");
    return seen;
  }

  /**
   * Lets what is under way in the server happen: asks it twice for something else. What it sends before
   * that has arrived then.
   */
  async turn(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const canary = await this.connect();
      const [response] = await canary.send(last(`GET ${canaryPath}`)).finish();
      assert.equal(response?.text(), "canary", "the server is to answer other requests meanwhile");
    }
  }

  async stop(timeout: number): Promise<void> {
    this.deadline[Symbol.dispose]();
    for (const client of this.#clients) client.leave();
    using deadline = new Deadline(timeout);
    await deadline.wait(this.#server?.close() ?? Promise.resolve(), "the server to close");
  }
}

const canaryPath = "/canary";
const canary = respond(["canary"]);

/** Makes an application answer what `turn` asks for. */
export function withCanary(app: Application): Application {
  return (environ, startResponse) =>
    (environ.PATH_INFO === canaryPath ? canary : app)(environ, startResponse);
}

/** Takes the one response that there has to be, complete. */
export function whole(responses: readonly ParsedResponse[]): ParsedResponse {
  const [response] = responses;
  assert.ok(response !== undefined, "the connection was closed without a response");
  assert.ok(response.complete, "the response is cut off");
  return response;
}

/** Writes a request that keeps its connection, `"GET /"`; a body brings its length. */
export function request(line: string, fields: readonly string[] = [], body = ""): string {
  const length = body === "" ? [] : [`Content-Length: ${body.length}`];
  return [`${line} HTTP/1.1`, "Host: localhost", ...fields, ...length, "", body].join("\r\n");
}

/** Writes a request after which the server closes the connection. */
export function last(line: string, fields: readonly string[] = [], body = ""): string {
  return request(line, ["Connection: close", ...fields], body);
}

/**
 * How many chunks an endless body has: more than any server takes that stops, but not so many that one
 * which never stops would keep the tests for ever.
 */
export const endless = 200_000;

/** Is something that happens once, and a way to wait for it. */
export interface Signal<T = void> {
  readonly happened: Promise<T>;
  happen(value: T): void;
}

export function signal<T = void>(): Signal<T> {
  let happen!: (value: T) => void;
  const happened = new Promise<T>((resolve) => void (happen = resolve));
  return { happened, happen };
}

/** Is a body that tells when it is closed, and how often. */
export interface WatchedBody {
  readonly body: Body;
  readonly closed: Promise<void>;
  readonly timesClosed: number;
}

/** Makes a body that is watched; an array stays one. */
export function watched(body: Iterable<string> | AsyncIterable<string>): WatchedBody {
  const { happened, happen } = signal();
  let timesClosed = 0;
  const close = (): void => {
    timesClosed += 1;
    happen();
  };
  return {
    body: closing(body, close),
    closed: happened,
    get timesClosed() {
      return timesClosed;
    },
  };
}
