import { readFileSync } from "node:fs";
import { servedFile } from "./application.ts";
import { payload } from "./payload.ts";

/** Is a request, and what it is to be answered with. */
export interface Exchange {
  readonly method: string;
  readonly bytes: Buffer;
  readonly code: number;
  readonly body: Buffer;
}

/** Are the kinds of request with nothing wrong about them. */
export const sound: readonly string[] = [
  "array",
  "text",
  "generator",
  "stream",
  "write",
  "declared",
  "replaced",
  "empty",
  "head",
  "echo",
  "relay",
  "unread",
  "file",
];

/** Are the kinds that a client can leave in the middle of. */
export const abortable: readonly string[] = [...sound, "slow", "endless"];

/** Are the kinds that the application answers, although something goes wrong. */
const failing: ReadonlySet<string> = new Set(["throw", "reject"]);

/** Are the kinds whose responses cannot be finished. */
export const broken: ReadonlySet<string> = new Set(["break", "short"]);

const posted: ReadonlySet<string> = new Set(["echo", "relay", "unread"]);
const file = readFileSync(servedFile);
const nothing = Buffer.alloc(0);
const failure = Buffer.from("Internal Server Error");

/** Makes the exchange of a kind for a number; every other one goes through the layers. */
export function exchangeOf(kind: string, seed: number): Exchange {
  const layers = seed % 2 === 0 ? "" : "/layers";
  const path = `${layers}/${kind === "head" ? "generator" : kind}?${seed}`;
  const method = kind === "head" ? "HEAD" : posted.has(kind) ? "POST" : "GET";
  const bytes = Buffer.concat([
    Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nX-Seed: ${seed}\r\n`),
    posted.has(kind) ? framed(payload(seed), kind === "relay") : Buffer.from("\r\n"),
  ]);
  if (failing.has(kind)) return { method, bytes, code: 500, body: failure };
  if (kind === "empty") return { method, bytes, code: 204, body: nothing };
  const body = kind === "head" ? nothing : kind === "file" ? file : payload(seed);
  return { method, bytes, code: 200, body };
}

/** Makes the end of a head and the body behind it. */
function framed(body: Buffer, chunked: boolean): Buffer {
  if (!chunked) {
    return Buffer.concat([Buffer.from(`Content-Length: ${body.byteLength}\r\n\r\n`), body]);
  }
  const half = body.byteLength >> 1;
  const parts = [body.subarray(0, half), body.subarray(half)];
  return Buffer.concat([
    Buffer.from("Transfer-Encoding: chunked\r\n\r\n"),
    ...parts
      .filter((part) => part.byteLength > 0)
      .flatMap((part) => [
        Buffer.from(`${part.byteLength.toString(16)}\r\n`),
        part,
        Buffer.from("\r\n"),
      ]),
    Buffer.from("0\r\n\r\n"),
  ]);
}

const refused: readonly string[] = [
  "GET / HTTP/1.1\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
];

/** Gives one of the requests that a server has to refuse. */
export function malformed(seed: number): Buffer {
  return Buffer.from(refused[seed % refused.length]!, "latin1");
}
