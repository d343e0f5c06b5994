import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import type { Readable } from "node:stream";

/** Says what a request has besides its path. */
export interface Sent {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
}

/** Is what came back, as far as it has come. */
export interface Answer {
  readonly code: number;
  /** What stands behind the code; undefined where the protocol has no place for it. */
  readonly reason: string | undefined;
  /** The fields in the order in which they came, with names in small letters. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Readable;
  /** Goes away without reading the rest. */
  leave(): void;
}

/** Is a client that keeps its connections until it is closed. */
export interface Client {
  send(url: string, sent?: Sent): Promise<Answer>;
  close(): void;
}

/** Makes a client for HTTP/1.1. */
export function http1Client(): Client {
  // What waits is let go of long before a host does that, just as it is used again.
  const agent = new http.Agent({ keepAlive: true, timeout: 1_000 });
  return {
    async send(url, { method = "GET", headers = {}, body } = {}) {
      const request = http.request(url, { agent, method, headers: { ...headers } });
      request.end(body);
      const [response] = (await once(request, "response")) as [http.IncomingMessage];
      // An answer may come before all of the request was taken.
      request.on("error", () => {});
      // Whoever leaves hears that the rest does not come.
      response.on("error", () => {});
      const fields = response.rawHeaders.map((text, i) =>
        i % 2 === 0 ? text.toLowerCase() : text,
      );
      return {
        code: response.statusCode!,
        reason: response.statusMessage,
        headers: pairs(fields),
        body: response,
        leave: () => void response.destroy(),
      };
    },
    close: () => agent.destroy(),
  };
}

/** Makes a client for HTTP/2, which trusts every certificate. */
export function http2Client(): Client {
  const sessions = new Map<string, http2.ClientHttp2Session>();
  const open = (origin: string): http2.ClientHttp2Session => {
    const session = http2.connect(origin, { rejectUnauthorized: false });
    session.on("close", () => sessions.delete(origin));
    sessions.set(origin, session);
    return session;
  };
  return {
    async send(url, { method = "GET", headers = {}, body } = {}) {
      const { origin, href } = new URL(url);
      const session = sessions.get(origin) ?? open(origin);
      const path = href.slice(origin.length);
      const stream = session.request({ ...headers, ":method": method, ":path": path });
      stream.on("error", () => {});
      stream.end(body);
      const [, , raw] = (await once(stream, "response")) as [unknown, unknown, string[]];
      const all = pairs(raw);
      return {
        code: Number(all.find(([name]) => name === ":status")?.[1]),
        reason: undefined,
        headers: all.filter(([name]) => !name.startsWith(":")),
        body: stream,
        leave: () => stream.close(http2.constants.NGHTTP2_CANCEL),
      };
    },
    close() {
      for (const session of sessions.values()) session.destroy();
    },
  };
}

function pairs(list: readonly string[]): [string, string][] {
  const names = list.filter((_, i) => i % 2 === 0);
  return names.map((name, i) => [name, list[2 * i + 1]!]);
}

/** Gives every value of a field. */
export function valuesOf({ headers }: Answer, wanted: string): string[] {
  return headers.filter(([name]) => name === wanted).map(([, value]) => value);
}

/** Reads the whole body. */
export async function bytesOf({ body }: Answer): Promise<Buffer> {
  return Buffer.concat((await body.toArray()) as Buffer[]);
}

/** Waits until so much of a body has come, and nothing beyond it. */
export async function readUntil(chunks: AsyncIterator<Buffer>, text: string): Promise<void> {
  let received = "";
  while (received.length < text.length) {
    const step = await chunks.next();
    assert.ok(step.done !== true, `the body ended behind ${JSON.stringify(received)}`);
    received += step.value.toString();
  }
  assert.equal(received, text);
}
