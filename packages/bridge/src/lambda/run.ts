import { checkApplication, type Application } from "@wsgi/core";
import { Exchange } from "../fetch/exchange.ts";
import { checkEnviron, readHostOptions, refuseOutside, type HostOptions } from "../options.ts";
import { createEnviron, targetOf } from "./environ.ts";
import { readEvent } from "./event.ts";

/** Says what is not in an event. */
export interface LambdaOptions<Adds extends object> extends HostOptions {
  /** Gives more keys for environ; they win over the others. Default: none. */
  environ: (event: unknown, context: unknown) => Adds;
}

/**
 * Makes a function that answers an event with a Response.
 *
 * @throws TypeError if the application or an option is not what it should be
 */
export function answering(
  app: Application<never>,
  options: HostOptions & { environ?: LambdaOptions<object>["environ"] | undefined },
): (event: unknown, context: unknown) => Promise<Response> {
  // Whatever keys it needs, `environ` adds them.
  const application = checkApplication(app, "make a Lambda handler");
  const host = readHostOptions(options, "make a Lambda handler");
  const { environ: keys } = options;
  checkEnviron(keys, "make a Lambda handler");
  return (event, context) => {
    const request = readEvent(event);
    const { method } = request;
    const exchange = new Exchange({ method, target: targetOf(request), errors: host.errors });
    return exchange.run((startResponse) => {
      const environ = createEnviron(request, host, event, context);
      if (environ === undefined) return refuseOutside(host, startResponse);
      return application(Object.assign(environ, keys?.(event, context)), startResponse);
    });
  };
}
