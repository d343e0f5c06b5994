import { checkApplication, type Application } from "@wsgi/core";
import { checkEnviron, readHostOptions, refuseOutside, type HostOptions } from "../options.ts";
import { createEnviron, targetOfUrl, type FetchEnviron } from "./environ.ts";
import { Exchange } from "./exchange.ts";
import { RequestBody } from "./input.ts";

export type { HostOptions } from "../options.ts";
export { signalKey, type FetchEnviron } from "./environ.ts";

/** Says what is not in a Request. */
export interface ToFetchOptions<
  Adds extends object,
  Host = unknown,
  More = unknown,
> extends HostOptions {
  /**
   * Gives more keys for environ, from the Request and the one or two values that the host passes beside
   * it, such as the client's address for `REMOTE_ADDR`; they win over the others. Default: none.
   */
  environ: (request: Request, host: Host, more: More) => Adds;
}

/** Is what the handler takes: a Request, and what the keys for environ are made of. */
export type FetchArguments<Host, More> = unknown extends More
  ? unknown extends Host
    ? [request: Request]
    : [request: Request, host: Host]
  : [request: Request, host: Host, more: More];

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
export function toFetch(
  app: Application<FetchEnviron>,
  options?: HostOptions & { environ?: undefined },
): (request: Request) => Promise<Response>;
export function toFetch<Adds extends object, Host = unknown, More = unknown>(
  app: Application<FetchEnviron & Adds>,
  options: ToFetchOptions<Adds, Host, More>,
): (...given: FetchArguments<Host, More>) => Promise<Response>;
export function toFetch(
  app: Application<never>,
  options: HostOptions & {
    environ?: ToFetchOptions<object, never, never>["environ"] | undefined;
  } = {},
): (request: Request, host: never, more: never) => Promise<Response> {
  // Whatever keys it needs, `environ` adds them.
  const application = checkApplication(app, "make a fetch handler");
  const settings = readHostOptions(options, "make a fetch handler");
  const { environ: keys } = options;
  checkEnviron(keys, "make a fetch handler");
  return function toFetch(request, host, more) {
    const body = request.body === null ? undefined : new RequestBody(request);
    const exchange = new Exchange({
      method: request.method,
      target: targetOfUrl(request.url),
      errors: settings.errors,
      signal: () => request.signal,
      release: () => body?.release(),
    });
    return exchange.run((startResponse) => {
      const environ = createEnviron(request, settings, body?.input, () => exchange.signal);
      if (environ === undefined) return refuseOutside(settings, startResponse);
      return application(Object.assign(environ, keys?.(request, host, more)), startResponse);
    });
  };
}
