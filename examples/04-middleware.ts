// A middleware wraps an application. To its server it is an application: it is called and returns a
// body. To its application it is a server: it calls it, and is called back. This one adds a header on
// the way out, by standing between the application and startResponse.
//
//   npx wsgi serve examples/04-middleware.ts
//   curl -i http://127.0.0.1:8000/

import { stack, type Application, type Middleware } from "@wsgi/core";

export function poweredBy(name: string): Middleware {
  return function poweredBy(app) {
    return function poweredBy(environ, startResponse) {
      return app(environ, (status, headers, excInfo) =>
        // A new list: the one that is handed in may be shared with other requests.
        startResponse(status, [...headers, ["X-Powered-By", name]], excInfo),
      );
    };
  };
}

const hello: Application = (_environ, startResponse) => {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return ["Hello, world!\n"];
};

// stack(a, b)(app) is a(b(app)): the first is the outermost, and its header comes last.
export const app: Application = stack(poweredBy("the outer"), poweredBy("the inner"))(hello);
