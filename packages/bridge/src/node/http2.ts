import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { Http2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** Is a request of node:http, or one that node:http2 has made look like it. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;

/** Is the response to it. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Tells whether a request came over HTTP/2. */
export function isHttp2(req: NodeRequest): req is Http2ServerRequest {
  // A client of HTTP/1.1 may say that it is 2.
  return req.httpVersionMajor === 2 && "stream" in req;
}

/**
 * Makes a request of HTTP/2 and its response what a listener for HTTP/1.1 takes: with a connection of their
 * own, the fields that the pseudo-fields stand for, and an end that shows when the response is cut off.
 */
export function asHttp1(req: Http2ServerRequest, res: Http2ServerResponse): void {
  const socket = new StreamSocket(req.stream, req.socket);
  const { writeHead } = res;
  // Own properties, because frameworks replace the prototype.
  Object.defineProperties(req, {
    httpVersion: { value: "1.1" },
    rawHeaders: { value: fieldsOf(req) },
    socket: { value: socket },
  });
  Object.defineProperties(res, {
    socket: { value: socket },
    writableFinished: { get: () => res.stream.writableFinished },
    // There is no place for a reason, of which node warns.
    writeHead: {
      configurable: true,
      writable: true,
      value: (code: number) => Reflect.apply(writeHead, res, [code]) as Http2ServerResponse,
    },
    destroy: { value: () => res.stream.close(constants.NGHTTP2_INTERNAL_ERROR) },
  });
}

/** RFC 9113, section 8.3.1: `:authority` stands for Host; the other pseudo-fields stand elsewhere. */
function fieldsOf({ rawHeaders, headers, authority, stream }: Http2ServerRequest): string[] {
  const fields: string[] = authority === "" ? [] : ["host", authority];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.startsWith(":") || (name === "host" && authority !== "")) continue;
    fields.push(name, rawHeaders[i + 1]!);
  }
  // As HTTP/1.1 says of a body whose length is not known.
  const isOpen = !stream.endAfterHeaders && headers["content-length"] === undefined;
  return isOpen ? [...fields, "transfer-encoding", "chunked"] : fields;
}

/** Is what a listener sees of a connection, for one request: its stream. */
class StreamSocket {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly encrypted: boolean;
  readonly bytesRead = 0;
  readonly #stream: Http2Stream;

  constructor(stream: Http2Stream, socket: Socket | TLSSocket) {
    this.#stream = stream;
    this.remoteAddress = socket.remoteAddress;
    this.remotePort = socket.remotePort;
    this.localAddress = socket.localAddress;
    this.localPort = socket.localPort;
    this.encrypted = "encrypted" in socket;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  get writableLength(): number {
    return this.#stream.writableLength;
  }

  /** Ends the stream once all is written. Whoever has another way means that of a whole connection. */
  get destroySoon(): () => void {
    return () => this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  set destroySoon(_other: () => void) {}

  cork(): void {
    this.#stream.cork();
  }

  uncork(): void {
    this.#stream.uncork();
  }

  /** Does nothing: a stream has one request, so that there is none to hold back. */
  pause(): void {}

  /** Does nothing either. */
  resume(): void {}
}
