import {
  compose,
  stack,
  when as goOn,
  type AnyMiddleware,
  type Application,
  type Environ,
  type MaybePromise,
  type Middleware,
  type NeedsOf,
  show,
} from "@wsgi/core";

/**
 * Applies a layer to some requests only. Both ways are built once, when wrapping.
 *
 * To its application it is the layer where the predicate says so, and elsewhere its server itself; what
 * the layer adds to environ is therefore not promised. To its server it is an application.
 *
 * @param predicate - tells from the request whether the layer is applied; may take time
 * @param layer - the middleware
 * @returns the middleware, which needs what the two need and adds nothing
 * @throws TypeError if the predicate or the layer is not a function
 * @example
 * ```ts
 * import { when } from "@wsgi/middleware/when";
 * import { call, respond } from "@wsgi/testing";
 *
 * const closed = () => respond(["Closed"], { status: "503 Service Unavailable" });
 * const isAdmin = (environ) => environ.PATH_INFO.startsWith("/admin");
 * const site = when(isAdmin, closed)(respond(["Open"]));
 * const response = await call(site, "GET /");
 * response.text(); // "Open"
 * ```
 * @see SPEC.md [layer-compose], [layer-describe]; Plack::Middleware::Conditional
 */
export function when<Seen, Layer extends AnyMiddleware>(
  predicate: (environ: Environ & Seen) => MaybePromise<boolean>,
  layer: Layer,
): Middleware<unknown, Seen & NeedsOf<Layer>> {
  if (typeof predicate !== "function") {
    throw new TypeError(
      `Cannot apply a layer conditionally: the predicate is ${show(predicate)}; wanted a function (environ) => boolean`,
    );
  }
  const layered: AnyMiddleware = stack(layer);
  return function when<E extends Environ & Seen>(app: Application<E>): Application<E> {
    return either(predicate, layered(app), app);
  };
}

function either<E extends Environ>(
  predicate: (environ: E) => MaybePromise<boolean>,
  yes: Application<E>,
  no: Application<E>,
): Application<E> {
  const chosen: Application<E> = function when(environ, startResponse) {
    return goOn(predicate(environ), (applies) => (applies ? yes : no)(environ, startResponse));
  };
  return compose(chosen, {
    name: "when",
    parts: [
      { label: predicate.name === "" ? "if so" : `if ${predicate.name}`, app: yes },
      { label: "otherwise", app: no },
    ],
    rebuild: ([first, second]) =>
      // What is put together again needs what it needed before.
      either(predicate as (environ: Environ) => MaybePromise<boolean>, first!, second!),
  });
}
