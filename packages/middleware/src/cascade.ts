import {
  capture,
  checkApplication,
  closeBody,
  compose,
  quietly,
  readPieceKey,
  statusCode,
  when,
  type Application,
  type Body,
  type Captured,
  type Environ,
  type InputStream,
  type MaybePromise,
  type PieceStream,
  type StartResponse,
  show,
} from "@wsgi/core";

/** Says when `cascade` goes on. */
export interface CascadeOptions {
  /** The status codes after which the next application is asked. Default: 404 and 405. */
  next?: readonly number[];
}

/**
 * Asks applications in turn, until one has another answer than 404 or 405. The answer of the last one
 * stands, whatever it is. So does that of one that has read from the request's body: what was read is gone.
 *
 * To each application it is a server, which gives it a copy of environ and closes the body that it drops;
 * to its server it is an application. All but the last have to start their response before it can be told
 * whether it stands; their bodies are streamed all the same.
 *
 * @param apps - the applications, in order; options may follow them
 * @returns the application
 * @throws TypeError if there is no application, or if an option is not of its type
 * @example
 * ```ts
 * import { cascade } from "@wsgi/middleware/cascade";
 * import { call, respond } from "@wsgi/testing";
 *
 * const files = respond(["No such file"], { status: "404 Not Found" });
 * const pages = respond(["A page"]);
 * const response = await call(cascade(files, pages), "GET /about");
 * response.text(); // "A page"
 * ```
 * @see SPEC.md [close-forward], [layer-describe]; Rack::Cascade
 */
export function cascade<E extends Environ = Environ>(
  ...apps: readonly Application<E>[] | readonly [...apps: Application<E>[], options: CascadeOptions]
): Application<E> {
  const { asked, goesOn } = readArguments(apps);
  const last = asked.length - 1;
  const ask = (i: number, environ: E, startResponse: StartResponse): MaybePromise<Body> => {
    const app = asked[i]!;
    if (i === last) return app(environ, startResponse);
    const { input, wasRead } = watchInput(environ["wsgi.input"]);
    return when(capture(app, { ...environ, "wsgi.input": input }), (response) => {
      const stands = wasRead() || !goesOn.has(statusCode(response.status));
      if (stands) return answer(response, startResponse);
      // Closed before the next is asked, because it may hold what that one needs.
      const closed = closeBody(response.body) as MaybePromise<void>;
      return when(closed, () => ask(i + 1, environ, startResponse));
    });
  };
  const cascaded: Application<E> = function cascade(environ, startResponse) {
    return ask(0, environ, startResponse);
  };
  const label = `after ${[...goesOn].join(", ")}`;
  return compose(cascaded, {
    name: "cascade",
    parts: asked.map((app, i) => ({ label: i === 0 ? "" : label, app })),
    rebuild: (others) => cascade(...others, { next: [...goesOn] }),
  });
}

function readArguments<E extends Environ>(
  given: readonly (Application<E> | CascadeOptions)[],
): { asked: readonly Application<E>[]; goesOn: ReadonlySet<number> } {
  const end = given.at(-1);
  const hasOptions = typeof end === "object" && end !== null;
  const asked = (hasOptions ? given.slice(0, -1) : given) as readonly Application<E>[];
  if (asked.length === 0) {
    throw new TypeError("Cannot cascade: there is no application; wanted at least one");
  }
  for (const app of asked) checkApplication(app, "cascade");
  const { next = [404, 405] } = hasOptions ? end : {};
  if (!Array.isArray(next) || !next.every((code) => Number.isInteger(code))) {
    throw new TypeError(
      `Cannot cascade: next is ${show(next)}; wanted a list of status codes, [404, 405]`,
    );
  }
  return { asked, goesOn: new Set(next) };
}

/** Passes an input on and notes whether it is read. */
function watchInput(input: InputStream): { input: InputStream; wasRead(): boolean } {
  let read = false;
  const reading = (): InputStream => {
    read = true;
    return input;
  };
  return {
    input: {
      read: (size) => reading().read(size),
      readline: (size) => reading().readline(size),
      readlines: (hint) => reading().readlines(hint),
      [Symbol.asyncIterator]: () => reading()[Symbol.asyncIterator](),
      ...(readPieceKey in input && {
        [readPieceKey]: () => (reading() as PieceStream)[readPieceKey](),
      }),
    },
    wasRead: () => read,
  };
}

function answer(
  { status, headers, body }: Captured,
  startResponse: StartResponse,
): MaybePromise<Body> {
  try {
    startResponse(status, headers);
    return body;
  } catch (error) {
    return when(quietly(() => closeBody(body)) as MaybePromise<void>, () => {
      throw error;
    });
  }
}
