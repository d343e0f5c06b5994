import {
  checkChunk,
  isHopByHop,
  quietly,
  show,
  statusLine,
  typeName,
  when,
  type Application,
  type Body,
  type Chunk,
  type Environ,
  type Header,
  type StartResponse,
} from "@wsgi/core";
import { createRequest, type Refusal } from "./request.ts";

/**
 * Answers a Request with a Response. It is given environ too, which Hono has as `c.env`; whoever needs
 * another second argument passes it: `(request) => app.fetch(request, env)`.
 */
export type FetchHandler<E extends Environ = Environ> = (
  request: Request,
  environ: E,
) => Response | PromiseLike<Response>;

/** Says what the handler is shown of a request. */
export interface FromFetchOptions {
  /**
   * Which path the Request's URL has: `"full"`, the one that the client asked for, or `"inside"`, without
   * SCRIPT_NAME, for a handler whose routes do not know where it is mounted. Default: `"full"`.
   */
  path?: "full" | "inside";
}

/**
 * Makes an application of a fetch handler: of Hono's `app.fetch`, of h3's, of one written for Bun, Deno
 * or workerd. Bodies stream both ways as fast as they are read; a response that nobody reads any more is
 * cancelled, and where the server has `wsgix.signal`, the Request's signal aborts with it.
 *
 * What no Request can say is not handed on: TRACE and CONNECT are answered with 501, and a path that a
 * URL would change, because it has a segment `..` for example, with 400. The body of a GET is left out.
 *
 * @param handler - answers a Request
 * @param options - what it is shown
 * @returns the application
 * @throws TypeError if the handler or an option is not what it should be; for a request, what the handler
 *   throws, and TypeError if it does not return a Response
 * @example
 * ```ts
 * import { fromFetch } from "@wsgi/bridge/fetch";
 * import { call } from "@wsgi/testing";
 *
 * const app = fromFetch((request) => new Response(`You asked for ${new URL(request.url).pathname}`));
 * (await call(app, "GET /Ann")).text(); // "You asked for /Ann"
 * ```
 * @see SPEC.md [url-rebuild], [client-signal], [header-repeat]; the Fetch Standard
 */
export function fromFetch<E extends Environ = Environ>(
  handler: FetchHandler<E>,
  options: FromFetchOptions = {},
): Application<E> {
  if (typeof handler !== "function") {
    throw new TypeError(
      `Cannot host the handler: it is ${show(handler)}; wanted a function (request) => Response, such as app.fetch`,
    );
  }
  const { path = "full" } = options;
  if (path !== "full" && path !== "inside") {
    throw new TypeError(
      `Cannot host the handler: path is ${show(path)}; wanted "full" or "inside"`,
    );
  }
  return function fromFetch(environ, startResponse) {
    const request = createRequest(environ, path === "inside");
    if ("reason" in request) return refuse(request, startResponse);
    return when(handler(request, environ), (response) => {
      checkResponse(response);
      const body = bodyOf(response);
      try {
        startResponse(
          statusLine(response.status, response.statusText || undefined),
          headersOf(response),
        );
      } catch (error) {
        void quietly(() => body.close?.());
        throw error;
      }
      return body;
    });
  };
}

function refuse({ status, reason }: Refusal, startResponse: StartResponse): Body {
  startResponse(status, [["Content-Type", "text/plain; charset=utf-8"]]);
  return [`${status.slice(4)}: ${reason}`];
}

function checkResponse(response: unknown): void {
  // Not instanceof: a framework may bring a Response of its own.
  const { status, headers, body, bodyUsed } = (response ?? {}) as Partial<Response>;
  const isBody = body === null || typeof body?.getReader === "function";
  if (typeof status !== "number" || typeof headers?.getSetCookie !== "function" || !isBody) {
    throw new TypeError(
      `Cannot answer with what the handler returned: it is ${typeName(response)}; wanted a Response`,
    );
  }
  if (bodyUsed === true || body?.locked === true) {
    throw new TypeError(
      "Cannot answer with the Response: somebody has read its body; wanted a new one for each request, such as response.clone()",
    );
  }
}

function headersOf({ headers }: Response): Header[] {
  const list: Header[] = [];
  for (const [name, value] of headers) {
    // Some engines join cookies, which must not be; and a handler that forwards brings another connection's
    // fields, and a second status.
    if (name === "set-cookie" || name === "status" || isHopByHop(name)) continue;
    // A tab is as good as a space, RFC 9110, section 5.5, but no PEP 3333 server takes it.
    list.push([name, value.replaceAll("\t", " ")]);
  }
  for (const cookie of headers.getSetCookie()) list.push(["set-cookie", cookie]);
  return list;
}

function bodyOf({ body }: Response): Body {
  if (body === null) return [];
  const reader = body.getReader();
  let open = true;
  const cancel = (): void | Promise<void> => {
    if (!open) return undefined;
    open = false;
    return reader.cancel();
  };
  const failed = (error: unknown): never => {
    // What has failed is told once, and not again when it is closed.
    open = false;
    throw error;
  };
  const step = ({ done, value }: { done: boolean; value?: unknown }): IteratorResult<Chunk> => {
    if (done) open = false;
    return done ? { done, value: undefined } : { done, value: checkChunk(value) };
  };
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => reader.read().then(step, failed),
      async return() {
        await cancel();
        return { done: true, value: undefined };
      },
    }),
    close: cancel,
  };
}
