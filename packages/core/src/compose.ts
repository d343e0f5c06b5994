import type { AnyMiddleware, Application } from "./types.ts";

// An application carries how it was composed under this key, for tools that draw or take it apart.
// It is registered, so that a tool finds it whichever copy of this package it has.
const composition: unique symbol = Symbol.for("wsgi.composition") as never;

/** Says how an application was made from others. */
export interface Composition {
  /** What it is called in a picture, `"mount"`; not used where there are layers. */
  readonly name: string;
  /** The layers around its only part, outermost first. */
  readonly layers?: readonly AnyMiddleware[];
  /** The applications that it calls, in the order in which it looks at them. */
  readonly parts: readonly Part[];
  /** Makes the same composition of other applications, given in the order of `parts`. */
  rebuild(apps: readonly Application[]): Application;
}

/** Is one of the applications that a composed application calls. */
export interface Part {
  /** When it is called, `"GET /users/:id"`; `""` if always. */
  readonly label: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- parts may need keys that the whole provides
  readonly app: Application<any>;
}

/**
 * Notes on an application how it was made from others, so that `describe` and `interleave` see into it.
 * For layers that call more than one application; `stack` does it by itself.
 *
 * @param app - the composed application, made for this purpose: it is given a property
 * @param how - the parts and the way to put them together
 * @returns the same application
 * @example
 * ```ts
 * import { compose } from "@wsgi/core";
 *
 * const either = (first, second) =>
 *   compose((environ, startResponse) => (Math.random() < 0.5 ? first : second)(environ, startResponse), {
 *     name: "either",
 *     parts: [{ label: "first", app: first }, { label: "second", app: second }],
 *     rebuild: ([one, two]) => either(one, two),
 *   });
 * ```
 * @see SPEC.md [layer-describe]
 */
export function compose<App extends object>(app: App, how: Composition): App {
  return Object.defineProperty(app, composition, { value: how, configurable: true });
}

/**
 * Tells how an application was made from others.
 *
 * @param app - an application
 * @returns its parts, or undefined if it is a plain application
 * @example
 * ```ts
 * import { compositionOf, stack } from "@wsgi/core";
 *
 * const same = (app) => (environ, startResponse) => app(environ, startResponse);
 * compositionOf(stack(same)(() => ["Hello"])).layers; // [same]
 * ```
 * @see SPEC.md [layer-describe]
 */
export function compositionOf(app: object): Composition | undefined {
  return (app as { [composition]?: Composition })[composition];
}
