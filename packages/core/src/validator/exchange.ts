import { WsgiError } from "../errors.ts";
import { ResponseHead } from "../head.ts";
import { isBodyless } from "../status.ts";
import type { Environ } from "../types.ts";
import type { HeadersWatch } from "./headers-watch.ts";
import type { Place, Side } from "./place.ts";

// Leads from an environ, or a copy of one, to the exchange of the validator outside.
const exchangeKey: unique symbol = Symbol("wsgi.validator");

/** Is how far the iteration of a body has come. */
export type Progress = "none" | "taken" | "begun" | "over";

/** Is one call of an application, as far as its validator has seen it. */
export class Exchange {
  readonly place: Place;
  /** The environ that the server passed. */
  readonly environ: Environ;
  /** The call that the validator outside saw: what lies between the two is one layer. */
  readonly outer: Exchange | undefined;
  /** The calls that the layer inside has made so far, through validators. */
  readonly inner: Exchange[] = [];

  /** What startResponse has stored. */
  head: ResponseHead = new ResponseHead();
  /** The header lists that were given, and that nobody is to change. */
  readonly lists: HeadersWatch[] = [];
  /** The environ that the application was given, which it may change. */
  handed: Environ;
  /** Whether the application has returned its body. */
  returned = false;
  /** Whether it had started its response when it returned. */
  startedInCall = false;
  /** What the server threw when it was given an error, until it gets through the application. */
  trapped: { readonly error: unknown } | undefined;
  /** Whether an application inside is passing on an error at the moment. */
  restarting = false;

  /** The bytes that were written and yielded. */
  bytes = 0;
  /** How many chunks were written. */
  written = 0;
  /** How many chunks were yielded since the layer outside returned. */
  given = 0;
  /** How many chunks were yielded. */
  yielded = 0;
  /** Whether the body has come to its end. */
  ended = false;

  progress: Progress = "none";
  /** How often a step was asked for. */
  steps = 0;
  /** Whether a step is under way. */
  stepping = false;
  /** Whether steps come at once. */
  isSync = true;
  /** The step of the validator outside in which the last chunk was given. */
  outerStep = -1;

  readonly #warned = new Set<string>();

  /** Whether there is a body that is to be closed. */
  open = false;
  closed = false;
  /** Whether closing takes time. */
  closesLater = false;

  constructor(place: Place, environ: unknown) {
    this.place = place;
    // Whatever it is, whoever is told of it shall find an object.
    this.environ = Object(environ) as Environ;
    this.handed = this.environ;
    this.outer = (this.environ as { [exchangeKey]?: Exchange })[exchangeKey];
    this.outer?.inner.push(this);
  }

  /** Whether the response has no body, whatever is yielded. */
  get isBodyless(): boolean {
    return this.environ.REQUEST_METHOD === "HEAD" || isBodyless(this.head.code);
  }

  /** Notes itself on an environ, for the validators inside. */
  mark<E extends object>(environ: E): E {
    return Object.assign(environ, { [exchangeKey]: this });
  }

  /** Reports a broken clause, and throws it. */
  blame(side: Side, clause: string, message: string, cause?: unknown): never {
    const error = this.place.fault(side, clause, message, this.environ);
    throw cause === undefined ? error : Object.assign(error, { cause });
  }

  /** Warns, once, unless the validator nearer to where it comes from has done so. */
  warn(side: Side, clause: string, message: string): void {
    const nearer = side === "application" ? this.inner : [this.outer ?? this];
    const isKnown = [this, ...nearer].some((exchange) => exchange.#warned.has(message));
    this.#warned.add(message);
    if (!isKnown) this.place.warn(side, clause, message, this.environ);
  }

  /** Runs one of core's own checks, and reports what it finds. */
  check<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof WsgiError)) throw error;
      const { side, clause, message } = error;
      return this.blame(side, clause, message.slice(0, -` [${clause}]`.length));
    }
  }
}
