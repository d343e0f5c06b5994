// cookies() puts a jar into environ, for every layer and application inside it. The compiler knows:
// without that layer around it, `visits` is no application that a server takes.
//
//   npx wsgi serve examples/09-cookies.ts

import { stack, type Application, type Environ } from "@wsgi/core";
import { cookies, cookiesKey, type CookieEnviron } from "@wsgi/cookies";

const visits: Application<Environ & CookieEnviron> = (environ, startResponse) => {
  const jar = environ[cookiesKey];
  // A signed cookie that was changed in the browser counts for none.
  const count = Number(jar.getSigned("visits") ?? 0) + 1;
  jar.setSigned("visits", String(count), { maxAge: 86_400 });
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return [`Visit number ${count}\n`];
};

// The first secret signs and all of them verify: to change it, put a new one before it.
const secrets = [process.env.SECRET ?? "a secret for this example, and for nothing else"];

export const app: Application = stack(cookies({ secrets }))(visits);
