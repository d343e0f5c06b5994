import assert from "node:assert/strict";
import { checkBody, isThenable, ResponseHead, type AnyMiddleware } from "@wsgi/core";
import type { Application, Body, Chunk, HeaderList } from "@wsgi/core";
import { call, type CallOptions, type CallResult } from "../call.ts";
import { Deadline } from "../deadline.ts";
import { environFor, type RequestOptions, type TestEnviron } from "../environ-for.ts";

/** Is a layer, and what has to be known to test it. */
export interface TestedLayer {
  /** The middleware. */
  readonly layer: AnyMiddleware;
  /** The target of a request that the layer hands on to its application. Default: `"/"`. */
  readonly target?: string;
  /** What else such a request needs: fields, or keys of environ. Default: nothing. */
  readonly request?: RequestOptions;
  /** What the layer makes of the text of a body. Default: nothing, so that chunks have to stay as they are. */
  readonly body?: (text: string) => string;
}

/** Is one rule for layers, and how to see whether it is kept. */
export interface LayerCase {
  /** The clause of SPEC.md, and what of it is looked at: `"close-once/head"`. */
  readonly id: string;
  /** What a layer does that keeps it, `"closes a body that HEAD does not get"`. */
  readonly title: string;
  /**
   * Wraps an application in the layer and looks.
   *
   * @param tested - the layer
   * @param timeout - how long nothing may happen, in milliseconds; default 10,000
   * @returns undefined if the rule is kept; a reason if it cannot be seen with this layer
   * @throws whatever says that the rule is broken
   */
  run(tested: TestedLayer, timeout?: number): Promise<string | undefined>;
}

/** Makes a case of a function that looks at a layer; a reason that it returns says why it cannot. */
export function layerCase(
  id: string,
  title: string,
  look: (bench: Bench) => void | Promise<string | void>,
): LayerCase {
  return {
    id,
    title,
    async run(tested, timeout = 10_000) {
      using deadline = new Deadline(timeout);
      // In a function, so that what is thrown at once is thrown later, too.
      const looking = (async () => look(new Bench(tested, deadline)))();
      return (await deadline.waitForAll(looking, "the case to end")) ?? undefined;
    },
  };
}

/** Is what became of a request: a response, or the error that came out of the layer. */
export interface Outcome {
  readonly response?: CallResult;
  readonly error?: unknown;
}

/** Is a call of the layer by a server that takes the body step by step. */
export interface SlowCall {
  /** What the layer returned. */
  readonly result: unknown;
  readonly head: ResponseHead;
  /** What the layer sent with `write()`. */
  readonly written: readonly Chunk[];
  /** What the layer gave as excInfo, call by call. */
  readonly errors: readonly unknown[];
  /** Waits for the body. */
  body(): Promise<Body>;
}

/** Is what a case has at hand: a server for the layer, and requests that it hands on. */
export class Bench {
  readonly #tested: TestedLayer;
  readonly #deadline: Deadline;

  constructor(tested: TestedLayer, deadline: Deadline) {
    this.#tested = tested;
    this.#deadline = deadline;
  }

  /** Whether the layer leaves the chunks of a body as they are. */
  get keepsChunks(): boolean {
    return this.#tested.body === undefined;
  }

  /** What the layer is to make of a body. */
  expected(text: string): string {
    return this.#tested.body?.(text) ?? text;
  }

  /** Waits for something, but not for ever. */
  wait<T>(event: PromiseLike<T>, wanted: string): Promise<T> {
    return this.#deadline.wait(event, wanted);
  }

  wrap(app: Application): Application {
    // What it needs besides the contract's keys is for `request` to provide.
    return (this.#tested.layer as (app: Application) => Application)(app);
  }

  environ(method = "GET", options: RequestOptions = {}): TestEnviron {
    const { target = "/", request = {} } = this.#tested;
    const headers = { ...request.headers, ...options.headers };
    const environ = { ...request.environ, ...options.environ };
    return environFor(`${method} ${target}`, { ...request, ...options, headers, environ });
  }

  /** Calls the layer as a server does, to the end. */
  async call(app: Application, method = "GET", options: CallOptions = {}): Promise<CallResult> {
    return await this.wait(call(this.wrap(app), this.environ(method), options), "a response");
  }

  /** Does the same for an application that fails. */
  outcome(app: Application, environ: TestEnviron = this.environ()): Promise<Outcome> {
    return this.outcomeOf(this.wrap(app), environ);
  }

  /** Does the same for an application that is wrapped already. */
  async outcomeOf(wrapped: Application, environ: TestEnviron = this.environ()): Promise<Outcome> {
    const answered = call(wrapped, environ).then(
      (response) => ({ response }),
      (error: unknown) => ({ error }),
    );
    return await this.wait(answered, "a response or an error");
  }

  /** Calls the layer, and leaves everything after that to the case. */
  begin(
    app: Application,
    method = "GET",
    write?: (chunk: Chunk) => void | Promise<void>,
  ): SlowCall {
    const head = new ResponseHead();
    const written: Chunk[] = [];
    const errors: unknown[] = [];
    const result: unknown = this.wrap(app)(
      this.environ(method),
      (status: string, headers: HeaderList, excInfo?: unknown) => {
        errors.push(excInfo);
        head.start(status, headers, excInfo);
        return (chunk) => {
          head.sent = true;
          written.push(chunk);
          return write?.(chunk);
        };
      },
    );
    const body = async (): Promise<Body> =>
      checkBody(isThenable(result) ? await this.wait(result, "the body") : result);
    return { result, head, written, errors, body };
  }
}

/** Makes sure that the layer has neither swallowed an error nor made a success of it. */
export function assertFailed({ response, error }: Outcome, thrown: unknown): void {
  if (response === undefined) assert.equal(error, thrown, "the error that comes out");
  else assert.ok(response.code >= 400, `the answer is ${response.status}`);
}

/** Puts the text of chunks together. */
export function textOf(chunks: readonly Chunk[]): string {
  return chunks.map((chunk) => Buffer.from(chunk as string).toString()).join("");
}
