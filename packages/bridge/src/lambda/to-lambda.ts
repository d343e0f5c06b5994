import type { Application } from "@wsgi/core";
import type { HostOptions } from "../options.ts";
import type { LambdaEnviron } from "./environ.ts";
import { isAlbEvent } from "./event.ts";
import { answering, type LambdaOptions } from "./run.ts";

export type { HostOptions } from "../options.ts";
export type { LambdaOptions } from "./run.ts";

/** Is what a handler answers an event with. */
export interface LambdaResult {
  statusCode: number;
  /** The status line, for a load balancer. */
  statusDescription?: string;
  headers?: Record<string, string>;
  /** The header fields, for a load balancer that sends several values. */
  multiValueHeaders?: Record<string, string[]>;
  /** The values of Set-Cookie, for payload format 2.0. */
  cookies?: string[];
  body: string;
  isBase64Encoded: boolean;
}

/**
 * Makes a Lambda handler of an application: for function URLs, for HTTP APIs of API Gateway with payload
 * format 2.0, and for Application Load Balancers with or without multi-value headers. The response is
 * collected before it is sent: as text if it is UTF-8, else in base64. One that fails half-way is a 500.
 *
 * @param app - the application
 * @param options - where it is mounted, more keys for environ, and the place for errors
 * @returns the handler; it is rejected only for an event of another kind
 * @throws TypeError if the application or an option is not what it should be
 * @example
 * ```ts
 * import { toLambda } from "@wsgi/bridge/lambda";
 *
 * const handler = toLambda((environ, startResponse) => {
 *   startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *   return ["Hello, ", environ.PATH_INFO.slice(1), "!"];
 * });
 * const { body } = await handler({
 *   version: "2.0",
 *   rawPath: "/Ann",
 *   rawQueryString: "",
 *   headers: {},
 *   requestContext: { http: { method: "GET" } },
 * });
 * body; // "Hello, Ann!"
 * ```
 * @see AWS, "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway" and "Use Lambda functions as
 *   targets of an Application Load Balancer"
 */
export function toLambda(
  app: Application<LambdaEnviron>,
  options?: HostOptions & { environ?: undefined },
): (event: unknown, context?: unknown) => Promise<LambdaResult>;
export function toLambda<Adds extends object>(
  app: Application<LambdaEnviron & Adds>,
  options: LambdaOptions<Adds>,
): (event: unknown, context?: unknown) => Promise<LambdaResult>;
export function toLambda(
  app: Application<never>,
  options: HostOptions & { environ?: LambdaOptions<object>["environ"] | undefined } = {},
): (event: unknown, context?: unknown) => Promise<LambdaResult> {
  const answer = answering(app, options);
  return async function toLambda(event, context) {
    const response = await answer(event, context);
    try {
      return resultOf(event, response, new Uint8Array(await response.arrayBuffer()));
    } catch {
      // The failure is reported; nothing of the response has left yet.
      const text = "Internal Server Error";
      const headers = { "Content-Type": "text/plain; charset=utf-8" };
      const failure = new Response(null, { status: 500, statusText: text, headers });
      return resultOf(event, failure, Buffer.from(text));
    }
  };
}

function resultOf(event: unknown, response: Response, bytes: Uint8Array): LambdaResult {
  const { status, statusText } = response;
  const cookies = response.headers.getSetCookie();
  const headers = Object.fromEntries(
    [...response.headers].filter(([name]) => name !== "set-cookie"),
  );
  const body = encode(bytes);
  if (!isAlbEvent(event)) {
    return { statusCode: status, headers, ...(cookies.length > 0 && { cookies }), ...body };
  }
  const statusDescription = `${status} ${statusText}`;
  if (event.multiValueHeaders === undefined) {
    const fields = { ...headers, ...Object.fromEntries(cookies.map(inAnotherCase)) };
    return { statusCode: status, statusDescription, headers: fields, ...body };
  }
  const multiValueHeaders = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value]]),
  );
  if (cookies.length > 0) multiValueHeaders["set-cookie"] = cookies;
  return { statusCode: status, statusDescription, multiValueHeaders, ...body };
}

/** Text goes as it is, if it comes back the same. */
function encode(bytes: Uint8Array): { body: string; isBase64Encoded: boolean } {
  try {
    const body = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { body, isBase64Encoded: false };
  } catch {
    return { body: Buffer.from(bytes).toString("base64"), isBase64Encoded: true };
  }
}

/** Without multi-value headers, names that differ in case only are the way to set several cookies. */
function inAnotherCase(cookie: string, i: number): [name: string, value: string] {
  let letter = 0;
  const name = "set-cookie".replace(/[a-z]/g, (character) =>
    (i >> letter++) % 2 === 1 ? character.toUpperCase() : character,
  );
  return [name, cookie];
}
