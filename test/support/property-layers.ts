// Every middleware that there is, in every order that the compiler allows.
import { interleave, stack, when as goOn } from "@wsgi/core";
import type { AnyMiddleware, Application, Boundary, Middleware } from "@wsgi/core";
import { cookies, cookiesKey, type CookieEnviron } from "@wsgi/cookies";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { cascade } from "@wsgi/middleware/cascade";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { contentLength } from "@wsgi/middleware/content-length";
import { head } from "@wsgi/middleware/head";
import { mount } from "@wsgi/middleware/mount";
import { requestId, requestIdKey, type RequestIdEnviron } from "@wsgi/middleware/request-id";
import { when } from "@wsgi/middleware/when";
import { router } from "@wsgi/router";
import { respond } from "@wsgi/testing";
import fc from "fast-check";
import { tailed } from "./property-applications.ts";

/** Is what a stack of layers has done by the end of a request. */
export interface Traces {
  /** The lines of the access log. */
  readonly lines: string[];
}

/** Is a layer, and what is to be seen of it. */
interface Kind {
  make(traces: Traces): AnyMiddleware;
  /** What it adds to the bodies of the type `tailed`. */
  readonly tail?: string;
  /** The keys that it adds to environ for every layer and application inside. */
  readonly adds?: string;
  /** The keys that a layer around it has to add. */
  readonly needs?: string;
  /** Whether it answers with a promise where its application does not. */
  readonly waits?: boolean;
}

const gone = respond(["Gone"], { status: "404 Not Found" });
const types = { types: [tailed] };
const always = (): boolean => true;
const never = (): boolean => false;

const kinds = {
  accessLog: {
    make: ({ lines }) =>
      accessLog({ format: "json", destination: { write: (line) => lines.push(line) } }),
  },
  "append text": { make: () => append(" text \ud83d", types), tail: " text \ufffd" },
  "append bytes": { make: () => append(new Uint8Array([33]), types), tail: "!" },
  "append nothing": { make: () => append(() => "", types) },
  "cascade, asked first": { make: () => (app) => cascade(app, gone, { next: [599] }) },
  "cascade, asked last": { make: () => (app) => cascade(gone, app) },
  catchErrors: { make: () => catchErrors() },
  contentLength: { make: () => contentLength() },
  cookies: { make: () => cookies(), adds: cookiesKey },
  head: { make: () => head() },
  "mount, passing on": { make: () => mount({ "/elsewhere": gone, "example.org": gone }) },
  "mount, at a path": { make: () => (app) => mount({ "/here": app })(app) },
  requestId: { make: () => requestId(), adds: requestIdKey },
  "router, passing on": { make: routesElsewhere },
  "router, at a path": { make: () => routesHere },
  "when, and it does": { make: () => when(always, append("-", types)), tail: "-" },
  "when, and it does not": { make: () => when(never, append("?", types)) },
  "when, later": { make: () => when(async () => true, head()), waits: true },
  readsCookies: { make: () => readsCookies, needs: cookiesKey },
  readsRequestId: { make: () => readsRequestId, needs: requestIdKey },
} satisfies Record<string, Kind>;

function routesElsewhere(): AnyMiddleware {
  const pages = router();
  pages.get("/elsewhere", gone);
  pages.use("/else/where", gone);
  return pages;
}

const routesHere: Middleware = function routesHere(app) {
  const pages = router();
  pages.all("/here/:page", app as Application);
  pages.use("/here", app as Application);
  return pages(app);
};

const readsCookies: Middleware<unknown, CookieEnviron> = function readsCookies(app) {
  return function readsCookies(environ, startResponse) {
    environ[cookiesKey].get("a");
    return app(environ, startResponse);
  };
};

const readsRequestId: Middleware<unknown, RequestIdEnviron> = function readsRequestId(app) {
  return function readsRequestId(environ, startResponse) {
    environ[requestIdKey].slice(1);
    return app(environ, startResponse);
  };
};

/** Is the name of a kind of layer. */
export type KindName = keyof typeof kinds;

/** Is some kinds of layers, outermost first, in an order that the compiler allows. */
export const layers: fc.Arbitrary<KindName[]> = fc
  .shuffledSubarray(Object.keys(kinds) as KindName[])
  .map((names) =>
    names.filter((name, i) => {
      const { needs }: Kind = kinds[name];
      return needs === undefined || names.slice(0, i).some((other) => added(other) === needs);
    }),
  );

function added(name: KindName): string | undefined {
  return (kinds[name] as Kind).adds;
}

/** Wraps an application, and puts something between every two layers. */
export function wrap(
  app: Application,
  names: readonly KindName[],
  traces: Traces,
  between: (boundary: Boundary) => Middleware,
): Application {
  const wrapped = stack(...names.map((name) => kinds[name].make(traces)))(app);
  return interleave(wrapped, between);
}

/** Says what the layers add to a body of the type `tailed`. */
export function tailOf(names: readonly KindName[]): string {
  return names
    .toReversed()
    .map((name) => (kinds[name] as Kind).tail ?? "")
    .join("");
}

/** Tells whether every layer makes promises only where its application does. */
export function areSynchronous(names: readonly KindName[]): boolean {
  return names.every((name) => (kinds[name] as Kind).waits !== true);
}

/** Is what happened at one boundary during a request. */
export interface Visit {
  readonly place: string;
  /** The visits under way when this one began. */
  readonly around: readonly Visit[];
  /** Whether a body came back, and can be closed. */
  returned: "nothing" | "open" | "closable";
  closes: number;
  /** The place in the order in which bodies were closed; -1 before that. */
  closedAs: number;
}

/** Makes a layer that writes down how bodies are closed, and changes nothing. */
export function witness(visits: Visit[]): (boundary: Boundary) => Middleware {
  let closed = 0;
  return ({ outer, inner }) =>
    function witness(app) {
      return function witness(environ, startResponse) {
        const around = visits.filter((one) => one.returned !== "open" && one.closedAs === -1);
        const place = `${outer} > ${inner}`;
        const visit: Visit = { place, around, returned: "nothing", closes: 0, closedAs: -1 };
        visits.push(visit);
        return goOn(app(environ, startResponse), (body) => {
          visit.returned = body.close === undefined ? "open" : "closable";
          if (body.close === undefined) return body;
          const close = (): void | Promise<void> => {
            visit.closes += 1;
            const settled = (): void => void (visit.closedAs = closed++);
            const failed = (error: unknown): never => {
              settled();
              throw error;
            };
            try {
              return goOn(body.close!(), settled, failed) as void | Promise<void>;
            } catch (error) {
              return failed(error);
            }
          };
          if (Array.isArray(body)) return Object.assign(body.slice(), { close });
          return Symbol.iterator in body
            ? { [Symbol.iterator]: () => body[Symbol.iterator](), close }
            : { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](), close };
        });
      };
    };
}
