import { nameOf, type AnyMiddleware } from "@wsgi/core";
import type { LayerCase, TestedLayer } from "./layer-suite/bench.ts";
import { bodyCases } from "./layer-suite/body-cases.ts";
import { closeCases } from "./layer-suite/close-cases.ts";
import { requestCases } from "./layer-suite/request-cases.ts";
import { startCases } from "./layer-suite/start-cases.ts";
import { declareSuite, type SuiteOptions } from "./suite.ts";

export type { LayerCase, SuiteOptions, TestedLayer };

/** Says what is known to fail, and what has to be known of the layer; most layers need nothing of it. */
export interface LayerSuiteOptions extends SuiteOptions, Omit<TestedLayer, "layer"> {}

/** Is every case of `layerSuite`, for those who run them without node:test. */
export const layerCases: readonly LayerCase[] = [
  ...requestCases,
  ...startCases,
  ...bodyCases,
  ...closeCases,
];

/**
 * Declares the tests of a middleware, with node:test: that it is a good server to its application and a
 * good application to its server, whatever either of them does. The layer has to hand the requests of the
 * tests on; it may add header fields, and answer errors.
 *
 * @param layer - the middleware, as its factory returns it
 * @param options - its name, what it does to bodies, and the tests that it is known to fail
 * @throws TypeError if an option is not of its type, or if `except` names no test
 * @example
 * ```ts
 * import { layerSuite } from "@wsgi/testing/layer-suite";
 *
 * const signed = (app) => (environ, startResponse) =>
 *   app(environ, (status, headers, excInfo) =>
 *     startResponse(status, [...headers, ["X-Signed", "yes"]], excInfo));
 *
 * layerSuite(signed);
 * ```
 * @see SPEC.md, "Middleware", whose clauses are the tests' names
 */
export function layerSuite(layer: AnyMiddleware, options: LayerSuiteOptions = {}): void {
  if (typeof layer !== "function") {
    throw new TypeError(
      `Cannot test a layer: it is of type ${typeof layer}; wanted a middleware, (app) => app`,
    );
  }
  declareSuite(layerCases, { layer, ...options }, { name: nameOf(layer), ...options });
}
