import type { IncomingMessage, ServerResponse } from "node:http";
import { isBodyless, ResponseHead, WsgiError, type Chunk, type HeaderList } from "@wsgi/core";
import { sendAtOnce } from "./fast-path.ts";
import { Gathering } from "./gather.ts";
import { join, toBuffer, toLatin1, type Joined } from "./joined.ts";
import { refuse } from "./refuse.ts";
import type { RefusedRequest } from "./request.ts";

/** Is what a sender needs of the exchange that it sends for. */
interface SenderOwner {
  /** Whether a response that is there as a whole may take the fast path. */
  readonly hasFastPath: boolean;
  /** Tells, when the head is sent, whether the connection ends with this response, as it may have to. */
  endsConnection(must?: boolean): boolean;
}

const nothing = Buffer.alloc(0);
const beyondAscii = /[\x80-\xff]/;

/**
 * Sends one response through node, and keeps the contract's rules for it: the head leaves with the first
 * bytes, the body has the declared length, and some responses have no body.
 */
export class Sender {
  readonly head: ResponseHead = new ResponseHead();
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #owner: SenderOwner;
  /** What an async body yields before the event loop goes on, once it has yielded something. */
  #gathering: Gathering | undefined;
  /** How many bytes the declared length still allows; negative once there were too many. */
  #left = Infinity;
  /** The header fields, names and values in turn. */
  #fields: string[] = [];
  /** Whether the head has characters that node would send as UTF-8 together with text. */
  #latin1 = false;

  constructor(req: IncomingMessage, res: ServerResponse, owner: SenderOwner) {
    this.#req = req;
    this.#res = res;
    this.#owner = owner;
  }

  start(status: string, headers: HeaderList, excInfo?: unknown): void {
    this.head.start(status, headers, excInfo);
    const { code, contentLength } = this.head;
    this.#left = contentLength === -1 ? Infinity : contentLength;
    // Now, because what is checked now is what has to leave, whatever becomes of the list meanwhile.
    this.#fields = [];
    this.#latin1 = beyondAscii.test(status);
    for (const [name, value] of headers) {
      if (code === 204 && name.toLowerCase() === "content-length") continue;
      this.#fields.push(name, value);
      this.#latin1 ||= beyondAscii.test(value);
    }
  }

  /** Whether nothing that a body might still yield would be sent. */
  get isComplete(): boolean {
    return this.head.code !== 0 && (this.#left <= 0 || this.#isBodyless());
  }

  /** Whether the system has all that was sent so far, so that nobody needs the chunks any more. */
  get hasLeft(): boolean {
    return this.#res.writableLength === 0;
  }

  /** Makes the error that the body is longer than declared, once it is. */
  exceededError(): WsgiError | undefined {
    if (this.#left >= 0) return undefined;
    const { contentLength } = this.head;
    return new WsgiError(
      "application",
      "length-exceeded",
      `Cannot send the whole body: it is longer than ${contentLength} bytes; wanted no more than its Content-Length says`,
    );
  }

  /** Sends a body that is there: with its length, and in one write unless it is long and no text. */
  whole(chunks: readonly Chunk[]): void {
    this.head.demand();
    const joined = join(chunks);
    const { text, length } = joined;
    if (this.head.sent || this.#isBodyless() || length > this.#left) {
      const latin1 = !this.head.sent && length > 0 && this.#sendHead(length);
      for (const chunk of chunks) {
        if (chunk.length > 0 && !this.isComplete) this.chunk(latin1 ? toBuffer(chunk) : chunk);
      }
      this.end();
      return;
    }
    if (length < this.#left && this.#left !== Infinity) throw this.#tooShort(length);
    if (this.#sendAtOnce(chunks, joined)) return;
    const latin1 = this.#sendHead(length);
    if (text !== undefined) {
      this.#res.end(latin1 ? Buffer.from(text) : text);
    } else {
      for (const chunk of chunks) this.#res.write(latin1 ? toBuffer(chunk) : chunk);
      this.#res.end();
    }
  }

  /**
   * Sends what the declared length allows of a chunk, at the latest when the event loop goes on.
   *
   * @returns whether the buffers take more
   */
  chunk(chunk: Chunk): boolean {
    return this.#chunk(chunk, (this.#gathering ??= new Gathering(this.#res)));
  }

  /** Does the same at once: neither gathers chunks nor lets node:http hold them back until the next tick. */
  chunkNow(chunk: Chunk): boolean {
    this.#gathering?.flush();
    const { socket } = this.#res;
    // On a socket that is corked already, a response neither corks nor waits.
    socket?.cork();
    try {
      return this.#chunk(chunk, this.#res);
    } finally {
      socket?.uncork();
    }
  }

  #chunk(chunk: Chunk, writer: Gathering | ServerResponse): boolean {
    this.head.demand();
    const latin1 = !this.head.sent && this.#sendHead(-1);
    if (this.#isBodyless()) return true;
    const length = Buffer.byteLength(chunk);
    const allowed =
      length > this.#left ? toBuffer(chunk).subarray(0, Math.max(0, this.#left)) : chunk;
    this.#left -= length;
    // No bytes at all still send the head.
    if (allowed.length === 0) return this.#res.write(nothing);
    return writer.write(latin1 ? toBuffer(allowed) : allowed);
  }

  /**
   * Ends a response whose body has been sent as far as it goes.
   *
   * @throws WsgiError if that is not as far as declared, or nowhere
   */
  end(): void {
    this.head.demand();
    if (this.#left > 0 && this.#left !== Infinity && !this.#isBodyless()) {
      throw this.#tooShort(this.head.contentLength - this.#left);
    }
    if (!this.head.sent) this.#sendHead(this.#req.method === "HEAD" ? -1 : 0);
    this.#gathering?.flush();
    this.#res.end();
  }

  /**
   * Ends a response that failed: with a plain 500 that tells nothing, or else so that it shows.
   *
   * @param reason - why the request is refused, where that is what failed
   */
  fail(reason?: RefusedRequest): void {
    // What was yielded leaves first: a client asks again where the answer is empty.
    this.#gathering?.flush();
    if (!this.head.sent && reason !== undefined) {
      this.head.sent = true;
      this.#owner.endsConnection();
      refuse(this.#res, reason);
    } else if (!this.head.sent) {
      this.head.sent = true;
      const text = "Internal Server Error";
      this.#writeHead(500, text, [
        "Content-Type",
        "text/plain; charset=utf-8",
        "Content-Length",
        String(text.length),
      ]);
      this.#res.end(text);
    } else if (this.#left <= 0) {
      this.#res.end();
    } else {
      this.#res.uncork();
      // It must not take what it has for the whole.
      this.#res.destroy();
    }
  }

  #isBodyless(): boolean {
    return this.#req.method === "HEAD" || isBodyless(this.head.code);
  }

  /**
   * Hands the head to node, which sends it with the first bytes of the body.
   *
   * @param length - the body's length in bytes if it is known, else -1
   * @returns whether the head has characters that node would send as UTF-8 together with text
   */
  #sendHead(length: number): boolean {
    const { status, code, contentLength } = this.head;
    const fields = this.#fields;
    if (contentLength === -1 && length !== -1 && !isBodyless(code)) {
      fields.push("Content-Length", String(length));
    }
    this.#writeHead(code, status.slice(4), fields);
    this.head.sent = true;
    return this.#latin1;
  }

  /** Sends head and body in one piece, if that can be; if not, nothing has happened. */
  #sendAtOnce(chunks: readonly Chunk[], joined: Joined): boolean {
    if (!this.#owner.hasFastPath || this.#owner.endsConnection()) return false;
    const body = toLatin1(chunks, joined);
    if (body === undefined) return false;
    return (this.head.sent = sendAtOnce(this.#res, this.head, this.#fields, body));
  }

  #writeHead(code: number, reason: string, fields: string[]): void {
    if (this.#owner.endsConnection(!this.#isDelimited(fields))) fields.push("Connection", "close");
    this.#res.writeHead(code, reason, fields);
  }

  /** Tells whether the client can find the end of the response without the end of the connection. */
  #isDelimited(fields: readonly string[]): boolean {
    // As node has it: an old client does not know chunks, and is sent Content-Length or the end.
    if (this.#req.httpVersion !== "1.0") return true;
    return fields.some((field, i) => i % 2 === 0 && field.toLowerCase() === "content-length");
  }

  #tooShort(length: number): WsgiError {
    return new WsgiError(
      "application",
      "length-short",
      `Cannot end the response: the body has ${length} bytes; wanted ${this.head.contentLength}, as its Content-Length says`,
    );
  }
}
