import { WsgiError } from "../errors.ts";
import { quietly } from "../body.ts";
import type { Boundary } from "../stack.ts";
import { show } from "../show.ts";
import type { Environ } from "../types.ts";

/** Is the one who breaks a clause: whoever is wrapped, or whoever calls. */
export type Side = "application" | "server";

/** Is what is allowed and seldom meant. */
export interface WsgiWarning {
  /** The side to look at. */
  readonly side: Side;
  /** The id of the clause in SPEC.md that it touches. */
  readonly clause: string;
  /** What was found and what is usually wanted; it ends in the clause's id, in brackets. */
  readonly message: string;
}

/** Says where a validator stands, how much it asks for, and who is told. */
export interface ValidatorOptions extends Partial<Boundary> {
  /** The name of the layer outside, for messages. Default: none; `interleave` gives it. */
  outer?: string;
  /** The name of the layer or application inside, for messages. Default: none; `interleave` gives it. */
  inner?: string;
  /** Whether chunks must be bytes, and `read` be told a size, as wsgiref has it. Default: false. */
  strict?: boolean;
  /**
   * Is told of every broken clause, also of those that a layer outside catches when they are thrown.
   * Must not throw. Default: nobody.
   */
  report?: (error: WsgiError, environ: Environ) => void;
  /**
   * Is told of what is allowed and seldom meant. Must not throw. Default: writes a line to `wsgi.errors`.
   */
  warn?: (warning: WsgiWarning, environ: Environ) => void;
}

/** Is where one validator stands: who is on either side of it, and who is told what it finds. */
export class Place {
  readonly strict: boolean;
  readonly #options: ValidatorOptions;
  readonly #forgotten = new FinalizationRegistry<() => void>((tell) => tell());
  #open = 0;

  /** @throws TypeError if an option is not of its type */
  constructor(options: ValidatorOptions) {
    checkOptions(options);
    this.#options = { ...options };
    this.strict = options.strict ?? false;
  }

  /** How many bodies are open. */
  get open(): number {
    return this.#open;
  }

  /** Makes the error for a broken clause, and reports it. */
  fault(side: Side, clause: string, message: string, environ: Environ): WsgiError {
    const error = new WsgiError(side, clause, `${this.#name(side)}: ${message}`);
    this.#options.report?.(error, environ);
    return error;
  }

  warn(side: Side, clause: string, message: string, environ: Environ): void {
    const text = `${this.#name(side)}: ${message} [${clause}]`;
    if (this.#options.warn !== undefined) {
      this.#options.warn({ side, clause, message: text }, environ);
    } else {
      // The warning is not to do more harm than what it warns of.
      void quietly(() => environ["wsgi.errors"].write(`Warning: ${text}\n`));
    }
  }

  /** Counts a body as open, and tells if it is never closed. Whoever tells must not hold the body. */
  enter(body: object, tell: () => void): { leave(): void } {
    this.#open += 1;
    const token = {};
    this.#forgotten.register(body, tell, token);
    return {
      leave: () => {
        this.#open -= 1;
        this.#forgotten.unregister(token);
      },
    };
  }

  #name(side: Side): string {
    const name = side === "application" ? this.#options.inner : this.#options.outer;
    return name === undefined || name === side ? side : `${side} ${name}`;
  }
}

function checkOptions(options: ValidatorOptions): void {
  const types = {
    outer: "string",
    inner: "string",
    strict: "boolean",
    report: "function",
    warn: "function",
  } as const;
  for (const name of Object.keys(types) as (keyof typeof types)[]) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== types[name]) {
      throw new TypeError(
        `Cannot make a validator: ${name} is ${show(value)}; wanted a ${types[name]}`,
      );
    }
  }
}
