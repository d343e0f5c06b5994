import {
  applicationUri,
  decodePath,
  emptyInput,
  isHopByHop,
  pieces,
  signalKey,
  type Environ,
} from "@wsgi/core";
import { escapedPath } from "../target.ts";

/** Says why no Request can be made. */
export interface Refusal {
  readonly status: string;
  readonly reason: string;
}

/** The Fetch Standard, "forbidden method". */
const forbiddenMethod = /^(?:CONNECT|TRACE|TRACK)$/i;

/** Makes a Request of an environ, or says why that cannot be. */
export function createRequest(environ: Environ, inside: boolean): Request | Refusal {
  const method = environ.REQUEST_METHOD;
  if (forbiddenMethod.test(method)) {
    return { status: "501 Not Implemented", reason: `no handler here can be given ${method}` };
  }
  const url = urlOf(environ, inside);
  if (url === undefined) {
    return { status: "400 Bad Request", reason: "the URL is not one that stays as it is" };
  }
  const hasBody = method !== "GET" && method !== "HEAD" && environ["wsgi.input"] !== emptyInput;
  const init: RequestInit & { duplex?: "half" } = { method, headers: headersOf(environ, hasBody) };
  const signal = environ[signalKey];
  if (typeof signal === "function") init.signal = signal(environ) as AbortSignal;
  if (hasBody && environ.CONTENT_LENGTH !== "0") {
    init.body = streamOf(environ);
    init.duplex = "half";
  }
  return new Request(url, init);
}

/** Gives the URL of a request; undefined if a URL would have another path, and so lead elsewhere. */
function urlOf(environ: Environ, inside: boolean): string | undefined {
  const { base, rest } = escapedPath(environ);
  const origin = applicationUri({ ...environ, SCRIPT_NAME: "" }).slice(0, -1);
  const whole = origin + ((inside ? rest : base + rest) || "/");
  if (!URL.canParse(whole)) return undefined;
  const { pathname, username, password, search, hash } = new URL(whole);
  const script = inside ? "" : environ.SCRIPT_NAME;
  const path = `${script}${environ.PATH_INFO}` || "/";
  if (decodePath(pathname) !== path || username + password + search + hash !== "") return undefined;
  const query = environ.QUERY_STRING.replaceAll("#", "%23");
  return query === "" ? whole : `${whole}?${query}`;
}

function headersOf(environ: Environ, hasBody: boolean): Headers {
  const headers = new Headers();
  for (const key in environ) {
    const name = headerName(key);
    const value = environ[key];
    if (name === undefined || value === undefined || isHopByHop(name)) continue;
    if (name === "content-length" && !hasBody) continue;
    headers.append(name, value as string);
  }
  return headers;
}

function headerName(key: string): string | undefined {
  if (key.startsWith("HTTP_")) return key.slice(5).replaceAll("_", "-").toLowerCase();
  if (key === "CONTENT_TYPE") return "content-type";
  return key === "CONTENT_LENGTH" ? "content-length" : undefined;
}

function streamOf(environ: Environ): ReadableStream<Uint8Array> {
  const iterator = pieces(environ["wsgi.input"])[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const step = await iterator.next();
        if (step.done === true) controller.close();
        else controller.enqueue(step.value);
      },
    },
    { highWaterMark: 0 },
  );
}
