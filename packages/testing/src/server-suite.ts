import { bodyCases } from "./server-suite/body-cases.ts";
import { closeCases } from "./server-suite/close-cases.ts";
import { environCases } from "./server-suite/environ-cases.ts";
import { errorCases } from "./server-suite/error-cases.ts";
import { headCases } from "./server-suite/head-cases.ts";
import { httpCases } from "./server-suite/http-cases.ts";
import { inputCases } from "./server-suite/input-cases.ts";
import { leaveCases } from "./server-suite/leave-cases.ts";
import { lengthCases } from "./server-suite/length-cases.ts";
import { startCases } from "./server-suite/start-cases.ts";
import { declareSuite, type SuiteOptions } from "./suite.ts";
import type { ServerCase, StartServer, TestedServer } from "./server-suite/host.ts";

export type { ServerCase, StartServer, SuiteOptions, TestedServer };

/** Is every case of `serverSuite`, for those who run them without node:test. */
export const serverCases: readonly ServerCase[] = [
  ...environCases,
  ...inputCases,
  ...startCases,
  ...headCases,
  ...bodyCases,
  ...lengthCases,
  ...closeCases,
  ...leaveCases,
  ...errorCases,
  ...httpCases,
];

/**
 * Declares the tests of a server, with node:test: every clause of the contract that a client can see,
 * over a connection of its own, and with a parser that forgives nothing. The server runs in the process
 * of the tests, with an application that each test brings.
 *
 * @param start - starts the server for an application; called once for each test
 * @param options - the name of the server, and the tests that it is known to fail
 * @throws TypeError if an option is not of its type, or if `except` names no test
 * @example
 * ```ts
 * import { serve } from "@wsgi/server";
 * import { serverSuite } from "@wsgi/testing/server-suite";
 *
 * serverSuite(async (app) => {
 *   let reports = "";
 *   const errors = { write: (text) => void (reports += text) };
 *   const server = await serve(app, { port: 0, errors });
 *   return { url: server.url, reports: () => reports, close: () => server.close() };
 * });
 * ```
 * @see SPEC.md, whose clauses are the tests' names; Plack::Test::Suite
 */
export function serverSuite(start: StartServer, options: SuiteOptions = {}): void {
  if (typeof start !== "function") {
    throw new TypeError(
      `Cannot test a server: start is of type ${typeof start}; wanted a function (app) => { url, close }`,
    );
  }
  declareSuite(serverCases, start, { name: "server", ...options });
}
