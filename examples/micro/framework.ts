// A micro-framework on the public packages: views get a request object and return a response, or what
// one is made of. The whole of it is an application, so every layer and every server takes it.

import { stack, statusLine, when } from "@wsgi/core";
import type { Application, Body, Environ, Header } from "@wsgi/core";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { router, type PathParams, type RouteEnviron, type Router } from "@wsgi/router";

/** Is a request as a view sees it: a look at environ, which stays the only state. */
export class Request<Params = unknown> {
  readonly environ: Environ;
  readonly params: Params;

  constructor(environ: Environ & RouteEnviron) {
    this.environ = environ;
    this.params = environ["wsgix.route"].params as Params;
  }

  get method(): string {
    return this.environ.REQUEST_METHOD;
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.environ.QUERY_STRING);
  }

  header(name: string): string | undefined {
    return this.environ[`HTTP_${name.toUpperCase().replaceAll("-", "_")}`];
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.environ["wsgi.input"].read());
  }

  async form(): Promise<URLSearchParams> {
    return new URLSearchParams(await this.text());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
}

/** Is a response as a view returns it. */
export class Response {
  readonly body: string | Body;
  readonly code: number;
  readonly headers: readonly Header[];

  constructor(body: string | Body, code = 200, headers: readonly Header[] = []) {
    this.body = body;
    this.code = code;
    this.headers = headers;
  }

  static html(body: string, code?: number): Response {
    return new Response(body, code, [["Content-Type", "text/html; charset=utf-8"]]);
  }

  static json(value: unknown, code?: number): Response {
    return new Response(JSON.stringify(value), code, [["Content-Type", "application/json"]]);
  }

  static redirect(location: string): Response {
    return new Response("", 303, [["Location", location]]);
  }

  /** Makes a response of what a view returned: text is HTML, everything else JSON. */
  static from(value: unknown): Response {
    if (value instanceof Response) return value;
    return typeof value === "string" ? Response.html(value) : Response.json(value);
  }
}

/** Is a function that answers a request. */
export type View<Path extends string> = (request: Request<PathParams<Path>>) => unknown;

/** Is a set of views by path. */
export class Micro {
  readonly #routes: Router = router();

  /** The application: what a server takes. */
  readonly app: Application = stack(catchErrors())(this.#routes);

  /**
   * Gives a path to a view. As in `@app.route`, the view comes after it: `app.route("/")(home)`, or as a
   * decorator before a method.
   */
  route<const Path extends string>(
    path: Path,
    methods: readonly string[] = ["GET"],
  ): <V extends View<Path>>(view: V) => V {
    return (view) => {
      const application: Application<Environ & RouteEnviron> = (environ, startResponse) =>
        when(view(new Request<PathParams<Path>>(environ)), (value) => {
          const { code, headers, body } = Response.from(value);
          startResponse(statusLine(code), headers);
          return typeof body === "string" ? [body] : body;
        });
      const named = Object.defineProperty(application, "name", { value: view.name });
      for (const method of methods) this.#routes.route(method, path as string, named);
      return view;
    };
  }
}
