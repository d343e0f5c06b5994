import { once } from "node:events";
import type { Writable } from "node:stream";
import type { Application } from "@wsgi/core";
import type { HostOptions } from "../options.ts";
import type { LambdaEnviron } from "./environ.ts";
import { answering, type LambdaOptions } from "./run.ts";

/** Is what Lambda's own Node.js runtime has as a global. */
interface AwsLambda {
  streamifyResponse(
    handler: (event: unknown, stream: Writable, context: unknown) => Promise<void>,
  ): (event: unknown, context: unknown) => Promise<void>;
  HttpResponseStream: { from(stream: Writable, prelude: Prelude): Writable };
}

interface Prelude {
  statusCode: number;
  headers: Record<string, string>;
  cookies: string[];
}

/**
 * Makes a Lambda handler of an application that streams its responses: for function URLs whose invoke
 * mode is RESPONSE_STREAM. Chunks leave as they are yielded, no faster than they are taken; a response
 * that fails half-way fails the invocation, which cuts it off.
 *
 * @param app - the application
 * @param options - where it is mounted, more keys for environ, and the place for errors
 * @returns the handler
 * @throws TypeError if the application or an option is not what it should be; Error outside of Lambda's
 *   Node.js runtime
 * @example
 * ```ts
 * // The runtime brings this global.
 * globalThis.awslambda ??= { streamifyResponse: (handler) => handler, HttpResponseStream: {} };
 * const { toLambdaStream } = await import("@wsgi/bridge/lambda");
 *
 * const handler = toLambdaStream(function* (environ, startResponse) {
 *   startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *   yield "Hello, ";
 *   yield "world!";
 * });
 * ```
 * @see AWS, "Response streaming for Lambda functions"
 */
export function toLambdaStream(
  app: Application<LambdaEnviron>,
  options?: HostOptions & { environ?: undefined },
): (event: unknown, context: unknown) => Promise<void>;
export function toLambdaStream<Adds extends object>(
  app: Application<LambdaEnviron & Adds>,
  options: LambdaOptions<Adds>,
): (event: unknown, context: unknown) => Promise<void>;
export function toLambdaStream(
  app: Application<never>,
  options: HostOptions & { environ?: LambdaOptions<object>["environ"] | undefined } = {},
): (event: unknown, context: unknown) => Promise<void> {
  const answer = answering(app, options);
  const { awslambda } = globalThis as { awslambda?: AwsLambda };
  if (awslambda === undefined) {
    throw new Error(
      "Cannot make a streaming handler: there is no global awslambda; wanted Lambda's own Node.js runtime",
    );
  }
  return awslambda.streamifyResponse(async function toLambdaStream(event, stream, context) {
    const response = await answer(event, context);
    const out = awslambda.HttpResponseStream.from(stream, preludeOf(response));
    // The prelude leaves with the first write, so there has to be one.
    out.write("");
    if (response.body !== null) await copy(response.body, out);
    out.end();
    await once(out, "finish");
  });
}

function preludeOf({ status, headers }: Response): Prelude {
  return {
    statusCode: status,
    headers: Object.fromEntries([...headers].filter(([name]) => name !== "set-cookie")),
    cookies: headers.getSetCookie(),
  };
}

async function copy(body: ReadableStream<Uint8Array>, out: Writable): Promise<void> {
  // Leaving the loop by an error, here of `out`, cancels the body.
  for await (const chunk of body) {
    if (!out.write(chunk)) await once(out, "drain");
  }
}
