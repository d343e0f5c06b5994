import {
  compose,
  type AnyMiddleware,
  type Application,
  type Body,
  type Environ,
  type Header,
  type Middleware,
  type NamedKeys,
  type StartResponse,
  show,
} from "@wsgi/core";
import {
  addRoute,
  createRoutes,
  namedUrl,
  replaceApps,
  type Route,
  type Routes,
} from "./routes.ts";
import type { PathParams, RouteHandlers, UrlArguments } from "./types.ts";

/** Is the environ key of the route that answers a request. */
export const routeKey = "wsgix.route";

/** Is the environ of an application behind a route, `RouteEnviron<"/users/:id">`. */
export interface RouteEnviron<Path extends string = string> {
  [routeKey]: RouteMatch<Path>;
}

/** Is the route that answers a request. */
export interface RouteMatch<Path extends string = string> {
  /** The pattern as it was added, `"/users/:id"`. */
  readonly pattern: string;
  /** The route's name, if it was given one. */
  readonly name: string | undefined;
  /** What the path has for the pattern's parameters, in an object that inherits nothing. */
  readonly params: PathParams<Path>;
}

/** Adds a route: a pattern, any number of layers, and the application. */
export type AddRoute<E extends Environ> = <
  const Path extends string,
  const Layers extends readonly AnyMiddleware[],
>(
  pattern: Path,
  ...handlers: RouteHandlers<E & RouteEnviron<NoInfer<Path>>, Layers>
) => Route<Path>;

/** Is an application that picks another for each request, and a middleware: see `router`. */
export interface Router<E extends Environ = Environ>
  extends Middleware<unknown, NamedKeys<E>>, Application<E> {
  // Inherited too, but the compiler infers from the last signature and explains a mismatch by the first.
  (environ: E, startResponse: StartResponse): ReturnType<Application>;
  /** Adds a route for GET, and for HEAD: the server leaves the body out. */
  readonly get: AddRoute<E>;
  /** Adds a route for HEAD; to have an effect it must come before the one for GET. */
  readonly head: AddRoute<E>;
  /** Adds a route for POST. */
  readonly post: AddRoute<E>;
  /** Adds a route for PUT. */
  readonly put: AddRoute<E>;
  /** Adds a route for PATCH. */
  readonly patch: AddRoute<E>;
  /** Adds a route for DELETE. */
  readonly delete: AddRoute<E>;
  /** Adds a route for OPTIONS, which the router otherwise answers itself. */
  readonly options: AddRoute<E>;
  /** Adds a route for every method. */
  readonly all: AddRoute<E>;
  /** Adds a route for a method by its name, in the case in which it is sent: `"PROPFIND"`. */
  readonly route: <const Path extends string, const Layers extends readonly AnyMiddleware[]>(
    method: string,
    pattern: Path,
    ...handlers: RouteHandlers<E & RouteEnviron<NoInfer<Path>>, Layers>
  ) => Route<Path>;
  /**
   * Mounts an application: it answers every path that begins with the segments of the pattern, and
   * gets a copy of environ in which they have moved from PATH_INFO to SCRIPT_NAME.
   */
  readonly use: AddRoute<E>;
  /** Builds the path of a URL from the name of a route; see the `url` of `Route`. */
  url(name: string, ...args: UrlArguments<PathParams<string>>): string;
}

/** Says which paths a pattern matches besides the one that it spells. Nothing is decoded. */
export interface RouterOptions {
  /** Whether case matters. Default: true, so `/Users` is not `/users`. */
  sensitive?: boolean;
  /** Whether a path may have one slash more at its end. Default: false, so `/users/` is not `/users`. */
  trailing?: boolean;
}

/**
 * Makes a router, whose methods add routes: `app.get("/users/:id", requireUser, showUser)`. Of the
 * routes for a path and method, the first that was added answers. If the path has routes for other
 * methods only, the answer is 405, or 204 for OPTIONS, both with Allow; if it has none, 404.
 *
 * A router `pages` is a middleware, too: `pages(site)` leaves the paths without any route to `site`.
 *
 * To its applications it adds `wsgix.route`, which is also there for the layers around it; to its
 * server it is the application that it picked.
 *
 * @param options - how paths are compared
 * @returns the router, without routes
 * @throws TypeError if an option is no boolean; its methods do for a bad pattern, method, layer or name
 * @example
 * ```ts
 * import { router, routeKey } from "@wsgi/router";
 * import { call } from "@wsgi/testing";
 *
 * const app = router();
 * const user = app.get("/users/:id", (environ, startResponse) => {
 *   startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *   return ["User ", environ[routeKey].params.id];
 * });
 * const response = await call(app, `GET ${user.url({ id: "7" })}`);
 * response.text(); // "User 7"
 * ```
 * @see SPEC.md [environ-path]; RFC 9110, sections 9.3.7 and 15.5.6; path-to-regexp
 */
export function router<E extends Environ = Environ>(options: RouterOptions = {}): Router<E> {
  if (typeof options === "function") {
    throw new TypeError(
      "Cannot make a router: the options are a function; wanted an object. Was router() meant, as a layer?",
    );
  }
  const { sensitive = true, trailing = false } = options;
  checkBoolean("sensitive", sensitive);
  checkBoolean("trailing", trailing);
  // Which keys its applications need is for the compiler alone; routes hold them without.
  return createRouter(createRoutes({ sensitive, trailing })) as unknown as Router<E>;
}

function checkBoolean(option: string, value: unknown): void {
  if (typeof value === "boolean") return;
  throw new TypeError(`Cannot make a router: ${option} is ${show(value)}; wanted true or false`);
}

function createRouter(routes: Routes): Router {
  const add =
    (method: string | undefined, mounted = false) =>
    (text: string, ...handlers: readonly unknown[]): Route =>
      addRoute(routes, method, text, mounted, handlers);

  function router(
    first: Environ | Application,
    startResponse: StartResponse,
  ): Application | ReturnType<Application> {
    return typeof first === "function"
      ? routerBefore(first, routes)
      : answer(routes, first, startResponse, notFound);
  }
  const methods = {
    get: add("GET"),
    head: add("HEAD"),
    post: add("POST"),
    put: add("PUT"),
    patch: add("PATCH"),
    delete: add("DELETE"),
    options: add("OPTIONS"),
    all: add(undefined),
    route: (method: string, text: string, ...handlers: readonly unknown[]) =>
      add(checkMethod(method))(text, ...handlers),
    use: add(undefined, true),
    url: (name: string, ...args: UrlArguments<PathParams<string>>) =>
      namedUrl(routes, name, ...args),
  };
  // No type says of a function what is told apart in its first line.
  return compose(Object.assign(router, methods) as unknown as Router, {
    name: "router",
    parts: routes.entries,
    rebuild: (apps) => createRouter(replaceApps(routes, apps)),
  });
}

/** RFC 9110, section 9.1: method = token */
const methodForm = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function checkMethod(method: unknown): string {
  if (typeof method === "string" && methodForm.test(method)) return method;
  throw new TypeError(
    `Cannot add a route: the method is ${show(method)}; wanted an HTTP token, "PROPFIND"`,
  );
}

/** Makes a router that gives what it has no route for to another application. */
function routerBefore(app: Application, routes: Routes): Application {
  const { entries } = routes;
  return compose(
    function router(environ: Environ, startResponse: StartResponse) {
      return answer(routes, environ, startResponse, app);
    },
    {
      name: "router",
      get parts() {
        return [...entries, { label: "otherwise", app }];
      },
      rebuild: (apps) => routerBefore(apps.at(-1)!, replaceApps(routes, apps)),
    },
  );
}

function answer(
  { table }: Routes,
  environ: Environ,
  startResponse: StartResponse,
  otherwise: Application,
): ReturnType<Application> {
  const method = environ.REQUEST_METHOD;
  // RFC 9110, section 4.2.3: an empty path is "/". A mount leaves one for its prefix alone.
  const path = environ.PATH_INFO || "/";
  const found = table.find(method, path);
  if (found !== undefined) {
    const { text, name, mounted, app } = found.entry;
    environ[routeKey] = { pattern: text, name, params: found.params } satisfies RouteMatch;
    return app(mounted ? descend(environ, found.length) : environ, startResponse);
  }
  const allowed = table.methodsAt(path);
  if (allowed.length === 0) return otherwise(environ, startResponse);
  const allow: Header = ["Allow", allowed.join(", ")];
  if (method !== "OPTIONS") return refuse(startResponse, "405 Method Not Allowed", allow);
  startResponse("204 No Content", [allow]);
  return [];
}

/** Moves the first characters of the path to SCRIPT_NAME, in a copy. */
function descend(environ: Environ, count: number): Environ {
  const { SCRIPT_NAME, PATH_INFO } = environ;
  // A group or a wildcard of the pattern may have matched the slash that the rest begins with.
  const length = PATH_INFO[count - 1] === "/" ? count - 1 : count;
  return {
    ...environ,
    SCRIPT_NAME: SCRIPT_NAME + PATH_INFO.slice(0, length),
    PATH_INFO: PATH_INFO.slice(length),
  };
}

function notFound(_environ: Environ, startResponse: StartResponse): Body {
  return refuse(startResponse, "404 Not Found");
}

function refuse(startResponse: StartResponse, status: string, ...headers: Header[]): Body {
  const text = `${status}\n`;
  startResponse(status, [
    ["Content-Type", "text/plain; charset=utf-8"],
    ["Content-Length", String(text.length)],
    ...headers,
  ]);
  return [text];
}
