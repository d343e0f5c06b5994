import { compose, compositionOf } from "./compose.ts";
import { nameOf, show } from "./show.ts";
import type { AddsOf, AnyMiddleware, Application, Middleware, NeedsOf } from "./types.ts";

/**
 * Is what the layers of a stack add together. Layers that are spread from an array add nothing: there
 * may be none of them.
 */
export type StackAdds<Layers extends readonly unknown[]> = Layers extends readonly [
  infer First,
  ...infer Rest,
]
  ? AddsOf<First> & StackAdds<Rest>
  : Layers extends readonly [...infer Rest, infer Last]
    ? StackAdds<Rest> & AddsOf<Last>
    : unknown;

/** Is what the layers of a stack need and do not find in a layer around them. */
export type StackNeeds<Layers extends readonly unknown[]> = Layers extends readonly [
  infer First,
  ...infer Rest,
]
  ? NeedsOf<First> & Without<StackNeeds<Rest>, AddsOf<First>>
  : Layers extends readonly [...infer Rest, infer Last]
    ? StackNeeds<Rest> & Without<NeedsOf<Last>, StackAdds<Rest>>
    : Layers extends readonly []
      ? unknown
      : NeedsOf<Layers[number]>;

type Without<Needs, Adds> =
  Extract<keyof Needs, keyof Adds> extends never ? Needs : Omit<Needs, keyof Adds>;

/** Is a middleware made of others, which it still shows. */
export interface Stack<Adds = unknown, Needs = unknown> extends Middleware<Adds, Needs> {
  /** The layers, outermost first, with the layers of stacks within it in their place. */
  readonly layers: readonly AnyMiddleware[];
}

/**
 * Composes layers: `stack(a, b, c)(app)` is `a(b(c(app)))`. The first is the outermost: it sees the
 * request first and the response last. Composing happens once, here; a request only meets the layers.
 *
 * @param layers - middleware, outermost first; stacks among them are laid open
 * @returns the middleware that applies them all, with its `layers`
 * @throws TypeError if a layer is not a function, or does not return one when it is applied
 * @example
 * ```ts
 * import { stack } from "@wsgi/core";
 *
 * const shout = (app) => (environ, startResponse) => app(environ, startResponse);
 * const quiet = (app) => (environ, startResponse) => app(environ, startResponse);
 * const both = stack(shout, quiet);
 * both.layers.map((layer) => layer.name); // ["shout", "quiet"]
 * ```
 * @see SPEC.md [layer-compose]; Go's alice
 */
export function stack<const Layers extends readonly AnyMiddleware[]>(
  ...layers: Layers
): Stack<StackAdds<Layers>, StackNeeds<Layers>> {
  layers.forEach((layer, i) => {
    if (typeof layer !== "function") {
      throw new TypeError(
        `Cannot stack the layers: layer ${i + 1} is ${show(layer)}; wanted a middleware, (app) => app. Was its factory called?`,
      );
    }
  });
  const flat = layers.flatMap((layer): readonly AnyMiddleware[] =>
    isStack(layer) ? layer.layers : [layer],
  );
  const stacked = (app: Application): Application => {
    checkApplication(app, "stack");
    return flat.reduceRight(wrap, app);
  };
  // What the layers add and need is computed from their types, which no value can show.
  return Object.assign(stacked, { layers: flat }) as unknown as Stack<
    StackAdds<Layers>,
    StackNeeds<Layers>
  >;
}

function isStack(layer: AnyMiddleware): layer is Stack {
  return Array.isArray((layer as Partial<Stack>).layers);
}

/** Applies a layer, and notes it, so that the layers around it can tell what is inside them. */
function wrap(app: Application, layer: AnyMiddleware): Application {
  const wrapped = applyLayer(layer, app);
  // A layer that calls several applications has noted them itself.
  if (wrapped === app || compositionOf(wrapped) !== undefined) return wrapped;
  const inside = compositionOf(app);
  const layers = [layer, ...(inside?.layers ?? [])];
  return compose(wrapped, {
    name: "stack",
    layers,
    parts: inside?.layers === undefined ? [{ label: "", app }] : inside.parts,
    rebuild: ([core]) => stack(...layers)(core!),
  });
}

function applyLayer(layer: AnyMiddleware, app: Application): Application {
  const wrapped: unknown = layer(app);
  if (typeof wrapped !== "function") {
    throw new TypeError(
      `Cannot stack the layers: ${nameOf(layer)} returned ${show(wrapped)} for an application; wanted an application. Was its factory called?`,
    );
  }
  return wrapped as Application;
}

/**
 * Makes sure that something can be called as an application.
 *
 * @param app - anything
 * @param place - who wants it, for the message
 * @returns the same
 * @throws TypeError if it is not a function
 * @example
 * ```ts
 * import { checkApplication } from "@wsgi/core";
 *
 * checkApplication(() => ["Hello"], "serve");
 * ```
 * @see SPEC.md [call-callable]
 */
export function checkApplication(app: unknown, place: string): Application {
  if (typeof app === "function") return app as Application;
  throw new TypeError(
    `Cannot ${place}: the application is ${show(app)}; wanted a function (environ, startResponse) => body`,
  );
}

/** Is the place between a server and its application. */
export interface Boundary {
  /** The name of the layer outside; `"server"` for the outermost boundary. */
  readonly outer: string;
  /** The name of the layer or application inside; `"application"` where it is not known yet. */
  readonly inner: string;
  /** When the one inside is called, if it is a part of a composition, `"GET /users/:id"`; `""` if always. */
  readonly label: string;
  /** The boundary on the other side of the layer outside; undefined for the outermost. */
  readonly outside: Boundary | undefined;
}

/**
 * Puts something between every two layers, before the first and behind the last: a validator in tests,
 * a probe in development. In an application it reaches through mounts, routers and stacks within it.
 *
 * @param composed - a stack, or an application made with one
 * @param between - makes the middleware for a boundary; called once for each, from the outermost inward
 * @returns a stack from a stack, an application from an application
 * @throws TypeError if `between` does not return a middleware
 * @example
 * ```ts
 * import { interleave, stack } from "@wsgi/core";
 *
 * const trace = ({ outer, inner }) => (app) => (environ, startResponse) => {
 *   console.log(`${outer} calls ${inner}`);
 *   return app(environ, startResponse);
 * };
 * const traced = interleave(stack(), trace)(() => ["Hello"]);
 * ```
 * @see SPEC.md [layer-compose]
 */
export function interleave<Adds, Needs>(
  composed: Stack<Adds, Needs>,
  between: (boundary: Boundary) => Middleware,
): Stack<Adds, Needs>;
export function interleave(
  composed: Application,
  between: (boundary: Boundary) => Middleware,
): Application;
export function interleave(
  composed: Stack | Application,
  between: (boundary: Boundary) => Middleware,
): Stack | Application {
  const outermost: Edge = { outer: "server", label: "", outside: undefined };
  if (!isStack(composed as AnyMiddleware)) {
    return openApplication(composed as Application, outermost, between);
  }
  const { opened, inside } = openLayers((composed as Stack).layers, outermost, between);
  return stack(...opened, between({ ...inside, inner: "application" }));
}

/** Is a boundary, but for what is inside. */
type Edge = Omit<Boundary, "inner">;

/** Puts a boundary before each layer, and tells what is behind the last. */
function openLayers(
  layers: readonly AnyMiddleware[],
  outermost: Edge,
  between: (boundary: Boundary) => Middleware,
): { opened: AnyMiddleware[]; inside: Edge } {
  const opened: AnyMiddleware[] = [];
  let inside = outermost;
  for (const layer of layers) {
    const boundary = { ...inside, inner: nameOf(layer) };
    opened.push(between(boundary), layer);
    inside = { outer: boundary.inner, label: "", outside: boundary };
  }
  return { opened, inside };
}

/** Puts a boundary before an application, and into it wherever it is composed of others. */
function openApplication(
  app: Application,
  edge: Edge,
  between: (boundary: Boundary) => Middleware,
): Application {
  const how = compositionOf(app);
  if (how === undefined) return stack(between({ ...edge, inner: nameOf(app) }))(app);
  if (how.layers !== undefined) {
    const { opened, inside } = openLayers(how.layers, edge, between);
    return stack(...opened)(openApplication(how.parts[0]!.app, inside, between));
  }
  const boundary = { ...edge, inner: how.name };
  const layer = between(boundary);
  const parts = how.parts.map(({ label, app: part }) =>
    openApplication(part, { outer: how.name, label, outside: boundary }, between),
  );
  return stack(layer)(how.rebuild(parts));
}
