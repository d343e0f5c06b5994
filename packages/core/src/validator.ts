import { checkApplication } from "./stack.ts";
import type { Application, Body, Middleware } from "./types.ts";
import { callApplication } from "./validator/call.ts";
import { Place, type ValidatorOptions, type WsgiWarning } from "./validator/place.ts";

export type { ValidatorOptions, WsgiWarning };

/** Is the middleware that `validator` makes. */
export interface Validator extends Middleware {
  /** How many of the bodies that were returned have not been closed yet. */
  readonly open: number;
}

/**
 * Holds the two sides between which it stands to the contract, and throws an error that names the side at
 * fault and the clause where one of them breaks it.
 *
 * To its application it is a server that checks every call; to its server it is the application itself: a
 * pair without fault sees no difference, and what is synchronous, lazy or an array stays so. Two of them
 * with a layer in between see also what that layer does to what it is given: whether it reads too much,
 * holds a chunk back, or forgets to close.
 *
 * @param options - where it stands, how much it asks for, and who is told
 * @returns the middleware, which counts the bodies that are open
 * @throws TypeError if an option is not of its type; for a request, WsgiError for a broken clause
 * @example
 * ```ts
 * import { validator } from "@wsgi/core/validator";
 * import { call } from "@wsgi/testing";
 *
 * const odd = (environ, startResponse) => {
 *   startResponse("200", []);
 *   return ["Hello"];
 * };
 * const error = await call(validator()(odd), "GET /").catch((error) => error);
 * error.side; // "application"
 * error.clause; // "status-form"
 * ```
 * @see SPEC.md; PEP 3333, "Middleware: Components that Play Both Sides"; wsgiref.validate, Rack::Lint
 */
export function validator(options: ValidatorOptions = {}): Validator {
  const place = new Place(options);
  const layer = function validator(app: Application): Application {
    checkApplication(app, "validate");
    return function validator(...args: readonly unknown[]): Body | PromiseLike<Body> {
      return callApplication(app, place, args);
    };
  };
  // A getter, which no type can give to a function.
  return Object.defineProperty(layer, "open", { get: () => place.open }) as unknown as Validator;
}
