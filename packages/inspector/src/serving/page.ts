import { randomBytes } from "node:crypto";
import {
  applicationUri,
  checkApplication,
  show,
  when,
  type Application,
  type Body,
  type Environ,
  type Middleware,
  type StartResponse,
} from "@wsgi/core";
import { journalOf, type Recorder } from "../recorder.ts";
import { Access } from "./access.ts";
import { send } from "./answer.ts";
import { Site } from "./site.ts";

/** Is where applications find the path of the inspector's page. */
export const inspectorKey = "wsgix.inspector";

/** Is what the page adds to environ. */
export interface InspectorEnviron {
  /** The path of the page, for a link to it; only for clients that may open it. */
  [inspectorKey]?: string;
}

/** Says where the page is, and who may open it. */
export interface InspectorPageOptions {
  /** The path at which it is. Default: `"/_inspector"`. */
  path?: string;
  /** What opens it: 16 characters or more, of letters, digits, `-` and `_`. Default: 128 random bits. */
  token?: string;
  /** The names, without ports, by which browsers may ask for it besides localhost. Default: none. */
  hosts?: readonly string[];
  /** What a replay calls, inspected with the same recorder. Default: the application inside. */
  app?: Application;
}

/** Is the layer that has the inspector's page, and what leads there. */
export interface InspectorPage extends Middleware<InspectorEnviron> {
  /** The path at which the page is. */
  readonly path: string;
  /** What opens it. */
  readonly token: string;
  /** Makes the link that opens it, of the URL of the server. */
  url(base: string): string;
  /** Ends the responses that go on for as long as a page is open, for good, so that a server can stop. */
  close(): void;
}

/**
 * Shows in a browser what a recorder records, while it happens, at a path of its own.
 *
 * To its application it is a server that adds `wsgix.inspector` for clients on this machine. To its server
 * it is an application that answers at the path and below it, where nothing is recorded, and passes the
 * rest on. It answers clients on this machine only, that ask for localhost and have opened the link with
 * the token; for others nothing is there.
 *
 * @param recorder - the recorder
 * @param options - where the page is, and who may open it
 * @returns the layer, with `url()` for the link
 * @throws TypeError for what is no recorder, and for an option that is none
 * @example
 * ```ts
 * import { inspect, Recorder } from "@wsgi/inspector";
 * import { inspectorPage } from "@wsgi/inspector/page";
 * import { call, respond } from "@wsgi/testing";
 *
 * const recorder = new Recorder();
 * const page = inspectorPage(recorder);
 * const app = page(inspect(respond(["Hello"]), recorder));
 * await call(app, "GET /");
 * page.url("http://127.0.0.1:8000"); // "http://127.0.0.1:8000/_inspector/?token=…"
 * ```
 * @see Werkzeug's debugger, which has a PIN for the same reason
 */
export function inspectorPage(
  recorder: Recorder,
  options: InspectorPageOptions = {},
): InspectorPage {
  const journal = journalOf(recorder, "make the inspector's page");
  const { path, token, hosts, app: replayed } = readOptions(options);
  const access = new Access(token, hosts);
  const site = new Site(recorder, access);
  journal.pages.add(path);
  journal.clearings.add(() => site.tellCleared());
  const layer: Middleware<InspectorEnviron> = function inspectorPage<E extends Environ>(
    app: Application<E & InspectorEnviron>,
  ): Application<E> {
    checkApplication(app, "add the inspector's page");
    const replay = (id: number, gone: Promise<void>): Promise<number> =>
      // A replay has the keys that the recorded request had.
      recorder.replay(id, replayed ?? (app as Application), gone);
    return function inspectorPage(environ, startResponse) {
      const { PATH_INFO } = environ;
      const isLocal = access.isLocal(environ);
      if (PATH_INFO !== path && !PATH_INFO.startsWith(`${path}/`)) {
        const link = isLocal ? { [inspectorKey]: `${urlPath(environ, path)}/` } : {};
        return app(Object.assign(environ, link), startResponse);
      }
      if (!isLocal) return answerNothing(startResponse);
      const place = { path: urlPath(environ, path), rest: PATH_INFO.slice(path.length) };
      return when(site.answer(environ, place, replay), (answer) => send(answer, startResponse));
    };
  };
  return Object.assign(layer, {
    path,
    token,
    url: (base: string) => `${base.replace(/\/+$/, "")}${path}/?token=${token}`,
    close: () => site.close(),
  });
}

/** Answers as if nothing were there, and so without what all the page's answers have. */
function answerNothing(startResponse: StartResponse): Body {
  startResponse("404 Not Found", [["Content-Type", "text/plain; charset=utf-8"]]);
  return ["404 Not Found\n"];
}

/** Tells the path of the page as a URL has it, from the root of the server. */
function urlPath(environ: Environ, path: string): string {
  if (environ.SCRIPT_NAME === "") return path;
  const base = applicationUri(environ).replace(/^\w+:\/\/[^/]*/, "");
  return base.replace(/\/+$/, "") + path;
}

/** Segments that stand in a URL and in a cookie as they are, and are none of "." and "..". */
const pathForm = /^(?:\/(?!\.\.?(?:\/|$))[\w.~-]+)+$/;
const tokenForm = /^[\w-]{16,}$/;
const hostForm = /^(?:[\w.-]+|\[[\da-f:.]+\])$/i;

function readOptions(
  options: InspectorPageOptions,
): Required<Omit<InspectorPageOptions, "app">> & Pick<InspectorPageOptions, "app"> {
  if (typeof options !== "object" || options === null) {
    refuseOption(`the options are ${show(options)}`, "an object");
  }
  const { path = "/_inspector", hosts = [], app } = options;
  const { token = randomBytes(16).toString("base64url") } = options;
  if (typeof path !== "string" || !pathForm.test(path)) {
    refuseOption(`path is ${show(path)}`, 'one like "/_inspector", without a slash at its end');
  }
  if (typeof token !== "string" || !tokenForm.test(token)) {
    // It is not to be seen in a log.
    refuseOption(
      "token is too short, or no text",
      '16 characters or more, of letters, digits, "-" and "_"',
    );
  }
  const isHost = (host: unknown): boolean => typeof host === "string" && hostForm.test(host);
  if (!Array.isArray(hosts) || !hosts.every(isHost)) {
    refuseOption(`hosts is ${show(hosts)}`, 'a list of names without ports, ["dev.example.com"]');
  }
  if (app !== undefined && typeof app !== "function") {
    refuseOption(`app is ${show(app)}`, "an application (environ, startResponse) => body");
  }
  return { path, token, hosts, ...(app === undefined ? {} : { app }) };
}

function refuseOption(found: string, wanted: string): never {
  throw new TypeError(`Cannot make the inspector's page: ${found}; wanted ${wanted}`);
}
