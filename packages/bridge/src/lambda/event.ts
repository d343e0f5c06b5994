import { show } from "@wsgi/core";

/** Is the event of a function URL, or of an HTTP API of API Gateway with payload format 2.0. */
export interface UrlEvent {
  version: "2.0";
  rawPath: string;
  rawQueryString: string;
  cookies?: string[];
  headers?: Record<string, string | undefined>;
  requestContext: {
    domainName?: string;
    http: { method: string; protocol?: string; sourceIp?: string };
  };
  body?: string | null;
  isBase64Encoded?: boolean;
}

/** Is the event of an Application Load Balancer, with one value for each header field or with several. */
export interface AlbEvent {
  requestContext: { elb: object };
  httpMethod: string;
  path: string;
  queryStringParameters?: Record<string, string | undefined>;
  multiValueQueryStringParameters?: Record<string, string[] | undefined>;
  headers?: Record<string, string | undefined>;
  multiValueHeaders?: Record<string, string[] | undefined>;
  body?: string | null;
  isBase64Encoded?: boolean;
}

/** Is a request, read from an event of either kind. */
export interface LambdaRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly protocol: string;
  /** The header fields, repeated names repeatedly. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly serverName: string | undefined;
  readonly remoteAddr: string | undefined;
  readonly body: Uint8Array;
}

/**
 * Reads an event.
 *
 * @throws TypeError if it is of another kind
 */
export function readEvent(event: unknown): LambdaRequest {
  if (isUrlEvent(event)) return readUrlEvent(event);
  if (isAlbEvent(event)) return readAlbEvent(event);
  throw new TypeError(
    `Cannot read the event: ${describe(event)}; wanted one of a function URL, of an HTTP API with payload format 2.0, or of an Application Load Balancer`,
  );
}

function isUrlEvent(event: unknown): event is UrlEvent {
  const { version, rawPath, requestContext } = (event ?? {}) as Partial<UrlEvent>;
  return (
    version === "2.0" &&
    typeof rawPath === "string" &&
    typeof requestContext?.http?.method === "string"
  );
}

export function isAlbEvent(event: unknown): event is AlbEvent {
  const { httpMethod, path, requestContext } = (event ?? {}) as Partial<AlbEvent>;
  return (
    typeof httpMethod === "string" &&
    typeof path === "string" &&
    typeof requestContext?.elb === "object"
  );
}

function describe(event: unknown): string {
  if (typeof event !== "object" || event === null) return `it is ${show(event)}`;
  if ("httpMethod" in event) return "it is of payload format 1.0";
  const keys = Object.keys(event).slice(0, 8);
  return keys.length === 0 ? "it is empty" : `it has the keys ${keys.join(", ")}`;
}

function readUrlEvent(event: UrlEvent): LambdaRequest {
  const { method, protocol = "HTTP/1.1", sourceIp } = event.requestContext.http;
  const cookies = (event.cookies ?? []).map((cookie) => ["cookie", cookie] as const);
  return {
    method,
    path: event.rawPath,
    query: event.rawQueryString ?? "",
    protocol,
    fields: [...single(event.headers ?? {}), ...cookies],
    serverName: event.requestContext.domainName,
    remoteAddr: sourceIp,
    body: bodyOf(event),
  };
}

function readAlbEvent(event: AlbEvent): LambdaRequest {
  const fields = event.multiValueHeaders
    ? several(event.multiValueHeaders)
    : single(event.headers ?? {});
  const query = event.multiValueQueryStringParameters
    ? several(event.multiValueQueryStringParameters)
    : single(event.queryStringParameters ?? {});
  const forwarded = fields.find(([name]) => name.toLowerCase() === "x-forwarded-for")?.[1];
  return {
    method: event.httpMethod,
    path: event.path,
    // Unlike API Gateway, a load balancer hands names and values on as they came.
    query: query.map(([name, value]) => (value === "" ? name : `${name}=${value}`)).join("&"),
    protocol: "HTTP/1.1",
    fields,
    serverName: undefined,
    // The balancer adds the address that it sees at the end; what stands before it, anybody may have sent.
    remoteAddr: forwarded?.split(",").at(-1)!.trim(),
    body: bodyOf(event),
  };
}

function single(values: Record<string, string | undefined>): (readonly [string, string])[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
}

function several(values: Record<string, string[] | undefined>): (readonly [string, string])[] {
  return Object.entries(values).flatMap(([name, list = []]) =>
    list.map((value) => [name, value] as const),
  );
}

function bodyOf({ body, isBase64Encoded }: UrlEvent | AlbEvent): Uint8Array {
  return Buffer.from(body ?? "", isBase64Encoded === true ? "base64" : "utf8");
}
