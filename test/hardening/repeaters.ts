import { stack, type Application, type Middleware } from "@wsgi/core";
import { cookies, cookiesKey, type CookieEnviron } from "@wsgi/cookies";
import { accessLog } from "@wsgi/middleware/access-log";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { mount } from "@wsgi/middleware/mount";
import { requestId } from "@wsgi/middleware/request-id";
import { router } from "@wsgi/router";

/** Is what makes a bad RegExp look again from each place, when there is much of it. */
export const repeaters: readonly string[] = [
  ",",
  " ",
  ";",
  "=",
  '"',
  '\\"',
  "*,",
  "a,",
  "-a",
  "%",
  "\t",
  ";q=",
];

/** Repeats a text up to a length, between letters, so that no space is at an end of it. */
export function repeat(text: string, length: number): string {
  return `a${text.repeat(Math.ceil(length / text.length)).slice(0, length - 2)}a`;
}

/** Is the header fields that the server or a layer reads. */
export const readFields: readonly string[] =
  `Accept Authorization Content-Length Content-Type Cookie Expect Forwarded Host Referer
  Transfer-Encoding Upgrade User-Agent Via X-Forwarded-For X-Request-Id`.split(/\s+/);

const silent = { write: () => {} };

const readCookies: Middleware<unknown, CookieEnviron> = (app) => (environ, startResponse) => {
  const jar = environ[cookiesKey];
  for (const [name] of jar) jar.getSigned(name);
  return app(environ, startResponse);
};

const routes = router();
routes.get("/:a-:b/*rest", failing);

/** Reads every field that a layer reads, and the path, and answers with an error page. */
export const readingApp: Application = stack(
  accessLog({ format: "combined", destination: silent }),
  accessLog({ format: "dev", destination: silent }),
  accessLog({ format: "json", destination: silent }),
  requestId({ trust: true }),
  catchErrors({ development: true, report: () => {} }),
  catchErrors({ report: () => {} }),
  cookies({ secrets: ["x".repeat(32)] }),
  readCookies,
)(mount({ "a.example": routes(failing), "a.example:80/a/b": failing, "/": routes }));

function failing(): never {
  throw new Error("The page is of no interest");
}
