// Stands in front of a Lambda handler as Lambda's own front ends do: makes an event of each request.
//
//   node lambda-gateway.js function-url|balancer|stream FILE
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import process from "node:process";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";

/** Is what a handler answers, in one piece. */
interface Result {
  statusCode: number;
  statusDescription?: string;
  headers?: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
  cookies?: string[];
  body: string;
  isBase64Encoded: boolean;
}

type Front = (req: IncomingMessage, res: ServerResponse, body: Buffer) => Promise<void>;

/** How large an event, and a result, can be on Lambda, in bytes. */
const payload = 6_291_456;

// Lambda's runtime brings this; what a handler streams to is our response.
Object.assign(globalThis, {
  awslambda: {
    streamifyResponse: (handler: unknown) => handler,
    HttpResponseStream: {
      from(out: Stream, prelude: { statusCode: number } & Pick<Result, "headers" | "cookies">) {
        out.res.writeHead(prelude.statusCode, fieldsOf(prelude));
        return out;
      },
    },
  },
});

const [kind = "", file = ""] = process.argv.slice(2);
const { handler } = (await import(pathToFileURL(resolve(file)).href)) as {
  handler: (...args: unknown[]) => Promise<Result>;
};

const fronts: Record<string, Front> = {
  async "function-url"(req, res, body) {
    const result = await handler(urlEvent(req, body), {});
    if (isTooLarge(result, res)) return;
    res.writeHead(result.statusCode, fieldsOf(result));
    res.end(bytesOf(result));
  },
  async balancer(req, res, body) {
    const result = await handler(balancerEvent(req, body), {});
    if (isTooLarge(result, res)) return;
    res.statusMessage = result.statusDescription!.slice(4);
    res.writeHead(result.statusCode, Object.entries(result.multiValueHeaders!).flat() as string[]);
    res.end(bytesOf(result));
  },
  async stream(req, res, body) {
    await handler(urlEvent(req, body), new Stream(res), {});
  },
};

/** Takes what a handler streams, and goes on when the client has left, as Lambda does. */
class Stream extends Writable {
  readonly res: ServerResponse;

  constructor(res: ServerResponse) {
    super({ highWaterMark: 65_536 });
    this.res = res;
  }

  override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
    if (this.res.write(chunk) || this.res.destroyed) {
      taken();
      return;
    }
    const go = (): void => {
      this.res.off("drain", go).off("close", go);
      taken();
    };
    this.res.on("drain", go).on("close", go);
  }

  override _final(ended: () => void): void {
    this.res.end();
    ended();
  }
}

function urlEvent(req: IncomingMessage, body: Buffer): object {
  const [rawPath, ...query] = req.url!.split("?");
  const { cookie, ...headers } = req.headers;
  return {
    version: "2.0",
    rawPath,
    rawQueryString: query.join("?"),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `${value}`])),
    ...(cookie !== undefined && { cookies: cookie.split("; ") }),
    requestContext: {
      domainName: "localhost",
      http: { method: req.method, protocol: "HTTP/1.1", sourceIp: req.socket.remoteAddress },
    },
    ...(body.length > 0 && { body: body.toString("base64"), isBase64Encoded: true }),
  };
}

function balancerEvent(req: IncomingMessage, body: Buffer): object {
  const [path, query = ""] = req.url!.split("?");
  const several = (pairs: Iterable<[string, string]>): Record<string, string[]> => {
    const lists: Record<string, string[]> = {};
    for (const [name, value] of pairs) (lists[name] ??= []).push(value);
    return lists;
  };
  const raw = req.rawHeaders;
  const fields = raw
    .filter((_, i) => i % 2 === 0)
    .map((name, i): [string, string] => [name.toLowerCase(), raw[2 * i + 1]!]);
  const parts = query === "" ? [] : query.split("&").map((part) => part.split("="));
  return {
    requestContext: {
      elb: { targetGroupArn: "arn:aws:elasticloadbalancing:::targetgroup/matrix" },
    },
    httpMethod: req.method,
    path,
    multiValueQueryStringParameters: several(parts.map(([name = "", value = ""]) => [name, value])),
    multiValueHeaders: several([...fields, ["x-forwarded-for", "127.0.0.1"]]),
    body: body.toString("base64"),
    isBase64Encoded: true,
  };
}

function fieldsOf({ headers = {}, cookies = [] }: Pick<Result, "headers" | "cookies">): string[] {
  return [...Object.entries(headers).flat(), ...cookies.flatMap((one) => ["set-cookie", one])];
}

function bytesOf({ body, isBase64Encoded }: Result): Buffer {
  return Buffer.from(body, isBase64Encoded ? "base64" : "utf8");
}

function isTooLarge({ body }: Result, res: ServerResponse): boolean {
  if (body.length <= payload) return false;
  res.writeHead(502).end();
  return true;
}

const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => void chunks.push(chunk));
  req.on("end", () => {
    const body = Buffer.concat(chunks);
    if (body.length > payload) res.writeHead(413).end();
    // A failure that comes after the head cuts the response off.
    else fronts[kind]!(req, res, body).catch(() => res.destroy());
  });
});

server.listen(0, "127.0.0.1", () => {
  console.log(`Serving on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
