import { checkBody, closeBody, isThenable, quietly } from "../body.ts";
import { show, typeName } from "../show.ts";
import type { Application, Body, StartResponse } from "../types.ts";
import { watchBody } from "./body.ts";
import { checkEnviron } from "./environ.ts";
import { watchErrors } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import { watchInput } from "./input.ts";
import { checkForwarded, checkEnvironCopied, checkMount, checkSynchrony } from "./layer.ts";
import type { Place } from "./place.ts";
import { shareChanges } from "./share.ts";
import { checkUntrapped, watchStart } from "./start.ts";
import { watchUpgrade } from "./upgrade.ts";

/** Calls an application on behalf of its server, and holds both to the contract. */
export function callApplication(
  app: Application,
  place: Place,
  args: readonly unknown[],
): Body | PromiseLike<Body> {
  const exchange = new Exchange(place, args[0]);
  checkArguments(args, exchange);
  checkEnviron(exchange);
  checkMount(exchange);
  checkEnvironCopied(exchange);
  const { environ } = exchange;
  const handed = exchange.mark({
    ...environ,
    "wsgi.input": watchInput(environ["wsgi.input"], exchange),
    "wsgi.errors": watchErrors(environ["wsgi.errors"], exchange),
    ...watchUpgrade(exchange),
  });
  exchange.handed = handed;
  const share = shareChanges(handed, exchange);
  const startResponse = watchStart(args[1] as StartResponse, exchange, share);
  let result: Body | PromiseLike<Body>;
  try {
    result = app(handed, startResponse);
  } catch (error) {
    return fail(error);
  }
  if (!isThenable(result)) return receive(result);
  checkSynchrony(exchange);
  return result.then(receive, fail);

  function receive(body: unknown): Body {
    share();
    exchange.returned = true;
    exchange.startedInCall = exchange.head.code !== 0;
    try {
      checkUntrapped(exchange);
      return watchBody(
        exchange.check(() => checkBody(body)),
        exchange,
        share,
      );
    } catch (error) {
      // The server gets no body that it could close.
      void quietly(() => closeBody(body as Body));
      throw error;
    }
  }

  function fail(error: unknown): never {
    share();
    checkForwarded(exchange, error);
    throw error;
  }
}

function checkArguments(args: readonly unknown[], exchange: Exchange): void {
  if (args.length !== 2) {
    exchange.blame(
      "server",
      "call-arguments",
      `Cannot call the application: it is given ${args.length} arguments; wanted environ and startResponse`,
    );
  }
  const [environ, startResponse] = args;
  if (environ !== Object(environ)) {
    exchange.blame(
      "server",
      "environ-plain",
      `Cannot call the application: environ is ${show(environ)}; wanted a plain object`,
    );
  }
  if (typeof startResponse !== "function") {
    exchange.blame(
      "server",
      "call-arguments",
      `Cannot call the application: startResponse is ${typeName(startResponse)}; wanted a function`,
    );
  }
}
