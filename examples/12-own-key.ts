// A layer may add something to environ for those inside it. Its type says what, under which key; a layer
// or an application that needs it says so too. Then the wrong order does not compile:
//
//   stack(requireUser, identify)(page)
//   → Property '"example.user"' is missing in type 'Environ' but required in type 'UserEnviron'

import { stack, type Application, type Environ, type Middleware } from "@wsgi/core";

export const userKey = "example.user";

export interface UserEnviron {
  [userKey]: { readonly name: string } | null;
}

/** Adds who is asking: here, whoever the header X-User names. */
export const identify: Middleware<UserEnviron> = (app) =>
  function identify(environ, startResponse) {
    const name = environ.HTTP_X_USER;
    const user = name === undefined ? null : { name };
    return app(Object.assign(environ, { [userKey]: user }), startResponse);
  };

/** Needs to know who is asking, and answers 401 if nobody says. */
export const requireUser: Middleware<unknown, UserEnviron> = (app) =>
  function requireUser(environ, startResponse) {
    if (environ[userKey] !== null) return app(environ, startResponse);
    startResponse("401 Unauthorized", [["WWW-Authenticate", "X-User"]]);
    return ["Who are you?\n"];
  };

const page: Application<Environ & UserEnviron> = (environ, startResponse) => {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return [`This is for ${environ[userKey]?.name}\n`];
};

export const app: Application = stack(identify, requireUser)(page);
