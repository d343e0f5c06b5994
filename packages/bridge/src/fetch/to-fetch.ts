import { checkApplication, type Application } from "@wsgi/core";
import { checkEnviron, readHostOptions, refuseOutside, type HostOptions } from "../options.ts";
import { createEnviron, targetOfUrl, type FetchEnviron } from "./environ.ts";
import { Exchange } from "./exchange.ts";
import { RequestBody } from "./input.ts";

export { signalKey, type FetchEnviron } from "./environ.ts";

/** Says what is not in a Request. */
export interface ToFetchOptions<
  Adds extends object = object,
  HostArguments extends readonly unknown[] = readonly never[],
> extends HostOptions {
  /**
   * Gives more keys for environ, from the Request and from what the host passes beside it, such as the
   * client's address for `REMOTE_ADDR`; they win over the others. Default: none.
   */
  environ?: (request: Request, ...host: HostArguments) => Adds;
}

/**
 * Makes a fetch handler of an application: for Bun, Deno, workerd, service workers, and every framework
 * that takes a function from Request to Response. The body streams as fast as the Response is read, and
 * is closed when it ends, when it is cancelled, or when the Request's signal aborts.
 *
 * @param app - the application
 * @param options - where it is mounted, more keys for environ, and the place for errors
 * @returns the handler; what it promises is never rejected: an application that fails answers 500
 * @throws TypeError if the application or an option is not what it should be
 * @example
 * ```ts
 * import { toFetch } from "@wsgi/bridge/fetch";
 *
 * const handler = toFetch((environ, startResponse) => {
 *   startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *   return ["Hello, ", environ.PATH_INFO.slice(1), "!"];
 * });
 * const response = await handler(new Request("http://localhost/Ann"));
 * await response.text(); // "Hello, Ann!"
 * ```
 * @see SPEC.md, whose clauses for servers it keeps but for those about the connection; the Fetch Standard
 */
export function toFetch<
  Adds extends object = object,
  HostArguments extends readonly unknown[] = readonly never[],
>(
  app: Application<FetchEnviron & NoInfer<Adds>>,
  options: ToFetchOptions<Adds, HostArguments> = {},
): (request: Request, ...host: HostArguments) => Promise<Response> {
  checkApplication(app, "make a fetch handler");
  const host = readHostOptions(options, "make a fetch handler");
  const more = options.environ;
  checkEnviron(more, "make a fetch handler");
  return function toFetch(request, ...hostArguments) {
    const body = request.body === null ? undefined : new RequestBody(request);
    const exchange = new Exchange({
      method: request.method,
      target: targetOfUrl(request.url),
      errors: host.errors,
      signal: () => request.signal,
      release: () => body?.release(),
    });
    return exchange.run((startResponse) => {
      const environ = createEnviron(request, host, body?.input, () => exchange.signal);
      if (environ === undefined) return refuseOutside(host, startResponse);
      return app(Object.assign(environ, more?.(request, ...hostArguments) as Adds), startResponse);
    });
  };
}
