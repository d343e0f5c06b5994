import {
  checkApplication,
  compose,
  compositionOf,
  type Application,
  type Body,
  type Environ,
  type HeaderList,
  type Middleware,
  type NamedKeys,
  type Part,
  type StartResponse,
} from "@wsgi/core";

/** Is what `mount` returns: an application, and a middleware if it is given one. */
export type Mount<E extends Environ = Environ> = Application<E> & Middleware<unknown, NamedKeys<E>>;

/**
 * Puts applications under paths and hosts. The host counts before the path, with its port before without,
 * and the longest path first; a path matches whole segments, so `"/css"` does not hold `/css-old`.
 *
 * To each application it is a server whose SCRIPT_NAME ends where the application begins: the matched path
 * moves there from PATH_INFO, in a copy of environ. To its server it is an application, which answers 404
 * for what is not mounted; given an application instead of a request, it is a middleware that passes the
 * rest on to it.
 *
 * @param apps - the applications by place: `"/api"`, `"/"`, `"example.com"`, `"example.com:8080/api"`,
 * `"[::1]"`. Paths are decoded text; hosts are told by their dot or colon, or are `localhost`
 * @returns the application, which is a middleware too
 * @throws TypeError if a place is neither, stands for another one again, or holds no application
 * @example
 * ```ts
 * import { mount } from "@wsgi/middleware/mount";
 * import { call } from "@wsgi/testing";
 *
 * const where = (environ, startResponse) => {
 *   startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *   return [`${environ.SCRIPT_NAME} and ${environ.PATH_INFO}`];
 * };
 * const response = await call(mount({ "/wiki": where }), "GET /wiki/Home");
 * response.text(); // "/wiki and /Home"
 * ```
 * @see SPEC.md [layer-mount], [environ-split]; Rack::URLMap, werkzeug.middleware.dispatcher
 */
export function mount<E extends Environ = Environ>(
  apps: Readonly<Record<string, Application<E>>>,
): Mount<E> {
  const places = readPlaces(apps);
  const find = placeFinder(places);
  const over = (rest?: Application): Application => {
    const mounted: Application = function mount(environ, startResponse) {
      const place = find(environ);
      if (place === undefined) return (rest ?? notFound)(environ, startResponse);
      const { app, prefix } = place;
      return app(enter(environ, prefix), startResponse);
    };
    const parts = rest === undefined ? places : [...places, { label: "otherwise", app: rest }];
    return compose(mounted, { name: "mount", parts, rebuild: (inner) => remount(places, inner) });
  };
  const answer = over();
  const both = function mount(
    first: Environ | Application,
    startResponse?: StartResponse,
  ): unknown {
    return typeof first === "function" ? over(first) : answer(first, startResponse!);
  };
  // No type says of a function what is told apart in its first line.
  return compose(both, compositionOf(answer)!) as Mount<E>;
}

/** Is a place where an application is mounted. */
interface Place extends Part {
  /** The host in lower case, with its port if it has one; `""` for every host. */
  readonly host: string;
  /** The path, which never ends in a slash; `""` for every path. */
  readonly prefix: string;
}

function readPlaces<E extends Environ>(apps: Readonly<Record<string, Application<E>>>): Place[] {
  const places = Object.entries(apps).map(([label, app]): Place => {
    checkApplication(app, `mount at ${JSON.stringify(label)}`);
    return { label, app, ...readPlace(label) };
  });
  // The longest path first, so that the first that matches is the one.
  return places.sort((one, other) => other.prefix.length - one.prefix.length);
}

/** uri-host [ ":" port ], RFC 9110 section 7.2, as far as it can be told from a path without its slash */
const hostForm =
  /^(?:localhost|\[[0-9a-f:.]+\]|[^.:[\]\s]+(?:\.[^.:[\]\s]+)+|[^.:[\]\s]+(?=:))(?::[0-9]+)?$/i;

function readPlace(label: string): { host: string; prefix: string } {
  const slash = label.indexOf("/");
  const host = slash === -1 ? label : label.slice(0, slash);
  const path = slash === -1 ? "" : label.slice(slash);
  if (label === "/") return { host: "", prefix: "" };
  if (host === "" ? path === "" : !hostForm.test(host)) {
    throw new TypeError(
      `Cannot mount at ${JSON.stringify(label)}: it is no path and no host; wanted ${JSON.stringify(`/${label}`)}, or a host with its dot, "example.com"`,
    );
  }
  if (path.endsWith("/")) {
    throw new TypeError(
      `Cannot mount at ${JSON.stringify(label)}: it ends in a slash; wanted ${JSON.stringify(label.replace(/\/+$/, "") || "/")}`,
    );
  }
  return { host: host.toLowerCase(), prefix: path };
}

function placeFinder(places: readonly Place[]): (environ: Environ) => Place | undefined {
  const byHost = new Map<string, Place[]>();
  for (const place of places) {
    const others = byHost.get(place.host) ?? [];
    if (others.some(({ prefix }) => prefix === place.prefix)) {
      throw new TypeError(
        `Cannot mount at ${JSON.stringify(place.label)}: something is mounted there; wanted each place once`,
      );
    }
    byHost.set(place.host, [...others, place]);
  }
  const findAt = (host: string, path: string): Place | undefined =>
    byHost.get(host)?.find(({ prefix }) => isInside(path, prefix));
  const hostless = places.every(({ host }) => host === "");
  return ({ HTTP_HOST = "", PATH_INFO }) => {
    if (hostless) return findAt("", PATH_INFO);
    const host = HTTP_HOST.toLowerCase();
    return (
      findAt(host, PATH_INFO) ??
      findAt(host.replace(/:[0-9]*$/, ""), PATH_INFO) ??
      findAt("", PATH_INFO)
    );
  };
}

function isInside(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return prefix === "" || path.length === prefix.length || path[prefix.length] === "/";
}

/** Moves a prefix from PATH_INFO to SCRIPT_NAME, in a copy: layers outside still read theirs. */
function enter(environ: Environ, prefix: string): Environ {
  if (prefix === "") return environ;
  return {
    ...environ,
    SCRIPT_NAME: environ.SCRIPT_NAME + prefix,
    PATH_INFO: environ.PATH_INFO.slice(prefix.length),
  };
}

/** Mounts other applications at the same places; one more than there are places takes the rest. */
function remount(places: readonly Place[], apps: readonly Application[]): Application {
  const mounted = mount(Object.fromEntries(places.map(({ label }, i) => [label, apps[i]!])));
  const rest = apps[places.length];
  return rest === undefined ? mounted : mounted(rest);
}

const notFoundText = "404 Not Found\n";
const notFoundHeaders: HeaderList = [
  ["Content-Type", "text/plain; charset=utf-8"],
  ["Content-Length", String(notFoundText.length)],
];

function notFound(_environ: Environ, startResponse: StartResponse): Body {
  startResponse("404 Not Found", notFoundHeaders);
  return [notFoundText];
}
