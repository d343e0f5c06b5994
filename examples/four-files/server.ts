// A server on a bare socket, to be read from top to bottom: all that stands between bytes and an
// application. It answers one request on a connection and then closes it. For real use there is
// @wsgi/server, which does the same with everything that the world out there calls for.
import { once } from "node:events";
import net from "node:net";
import {
  checkBody,
  checkChunk,
  closeBody,
  createErrors,
  createInput,
  decodePath,
  environKey,
  isBodyless,
  ResponseHead,
  toBytes,
  type Application,
  type Body,
  type Chunk,
  type Environ,
  type InputStream,
} from "@wsgi/core";

/** Makes a server for an application; `serveForever` resolves when it has been closed. */
export function makeServer(
  host: string,
  port: number,
  app: Application,
): { server: net.Server; serveForever(): Promise<void> } {
  const server = net.createServer((socket) => {
    socket.on("error", () => socket.destroy());
    void answer(socket, app).finally(() => socket.end());
  });
  return {
    server,
    async serveForever() {
      server.listen(port, host);
      await once(server, "close");
    },
  };
}

/** From bytes to an environ, and from the application's answer back to bytes. */
async function answer(socket: net.Socket, app: Application): Promise<void> {
  const pieces = socket.iterator({ destroyOnReturn: false }) as Pieces;
  const request = await readHead(pieces);
  if (request === undefined) {
    socket.write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  await respond(socket, app, makeEnviron(socket, request, pieces));
}

/** What arrives on the connection, piece by piece. */
type Pieces = AsyncIterator<Buffer, undefined>;

interface Request {
  readonly method: string;
  readonly target: string;
  readonly protocol: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** What came after the head in the same piece: the body's beginning. */
  readonly rest: Buffer;
}

/** Reads up to the empty line: the request line and the header fields (RFC 9112, section 2.1). */
async function readHead(pieces: Pieces): Promise<Request | undefined> {
  let bytes = Buffer.alloc(0);
  while (!bytes.includes("\r\n\r\n")) {
    const piece = await pieces.next();
    if (piece.done === true || bytes.length > 16_384) return undefined;
    bytes = Buffer.concat([bytes, piece.value]);
  }
  const end = bytes.indexOf("\r\n\r\n");
  const [line = "", ...fields] = bytes.toString("latin1", 0, end).split("\r\n");
  const [, method, target, protocol] = /^([!-~]+) (\/[!-~]*) (HTTP\/1\.[01])$/.exec(line) ?? [];
  const headers = fields.map((field) =>
    /^([!#$%&'*+.^`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(field),
  );
  if (method === undefined || target === undefined || protocol === undefined) return undefined;
  // This server cannot take a chunked body apart, and must not take it for none.
  if (headers.some((field) => field === null || /^transfer-encoding$/i.test(field[1]!)))
    return undefined;
  return {
    method,
    target,
    protocol,
    headers: headers.map((field) => [field![1]!, field![2]!] as const),
    rest: bytes.subarray(end + 4),
  };
}

/** The request as the contract has it: CGI variables, header fields as HTTP_*, and the wsgi.* keys. */
function makeEnviron(socket: net.Socket, request: Request, pieces: Pieces): Environ {
  const [, path = "", query = ""] = /^([^?]*)\??(.*)$/.exec(request.target)!;
  const fields: Record<string, string> = {};
  for (const [name, value] of request.headers) {
    const key = environKey(name);
    fields[key] = key in fields ? `${fields[key]}, ${value}` : value;
  }
  return {
    REQUEST_METHOD: request.method,
    SCRIPT_NAME: "",
    PATH_INFO: decodePath(path),
    QUERY_STRING: query,
    SERVER_NAME: socket.localAddress ?? "localhost",
    SERVER_PORT: String(socket.localPort ?? 80),
    SERVER_PROTOCOL: request.protocol,
    REQUEST_URI: request.target,
    REMOTE_ADDR: socket.remoteAddress ?? "",
    ...fields,
    "wsgi.version": [1, 0],
    "wsgi.url_scheme": "http",
    "wsgi.input": readBody(Number(fields.CONTENT_LENGTH ?? 0), request.rest, pieces),
    "wsgi.errors": createErrors((text) => void process.stderr.write(text)),
    "wsgi.multithread": false,
    "wsgi.multiprocess": false,
    "wsgi.run_once": false,
    "wsgi.input_terminated": true,
  };
}

/** The body ends after Content-Length bytes, although the connection goes on. */
function readBody(length: number, rest: Buffer, pieces: Pieces): InputStream {
  async function* take(): AsyncGenerator<Buffer> {
    let left = length;
    let piece: Buffer | undefined = rest;
    while (left > 0) {
      if (piece === undefined) throw new Error("Cannot read the request body: the client has left");
      yield piece.subarray(0, left);
      left -= piece.length;
      if (left > 0) piece = (await pieces.next()).value;
    }
  }
  const body = take();
  return createInput(async () => (await body.next()).value ?? null);
}

/** Calls the application, and sends what it says: the head with the first chunk, then the rest. */
async function respond(socket: net.Socket, app: Application, environ: Environ): Promise<void> {
  const head = new ResponseHead();
  const send = async (chunk: Chunk): Promise<void> => {
    head.demand();
    if (!head.sent) {
      head.sent = true;
      const fields = [...head.headers, ["Connection", "close"] as const];
      const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 ${head.status}\r\n${lines.join("")}\r\n`, "latin1");
    }
    if (environ.REQUEST_METHOD === "HEAD" || isBodyless(head.code) || chunk.length === 0) return;
    // A slow client is waited for, but not one that has left.
    if (!socket.write(toBytes(checkChunk(chunk))))
      await Promise.race([once(socket, "drain"), once(socket, "close")]);
  };
  let body: Body | undefined;
  try {
    body = checkBody(
      await app(environ, (status, headers, excInfo) => {
        head.start(status, headers, excInfo);
        return send;
      }),
    );
    for await (const chunk of body) {
      if (socket.destroyed) break;
      if (chunk.length > 0) await send(chunk);
    }
    if (!head.sent) await send("");
  } catch (error) {
    environ["wsgi.errors"].write(`${error instanceof Error ? error.stack : String(error)}\n`);
    // Before the head has left there can still be an answer; after that only a broken connection.
    if (head.sent) socket.resetAndDestroy();
    else
      socket.write(
        "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
      );
  } finally {
    if (body !== undefined) await closeBody(body);
  }
}
