import {
  checkChunk,
  ClientDisconnected,
  isBodyless,
  joinBytes,
  ResponseHead,
  toBytes,
  WsgiError,
  type Chunk,
  type HeaderList,
} from "@wsgi/core";

/** How many bytes may wait to be read before `write` asks to wait. */
const fullBytes = 65_536;

/** Is whoever fills the Response. */
interface SenderOwner {
  /** Is told that the Response is read and there is nothing to read. */
  pull(): void;
  /** Is told that nobody reads the Response any more. */
  cancel(): void;
}

/** Makes the stream of a body whose length is declared; only workerd has it, to keep Content-Length. */
declare const FixedLengthStream:
  | (new (length: number) => TransformStream<Uint8Array, Uint8Array>)
  | undefined;

/** Whether this is Deno, which says `Content-Length: 0` where a Response has no body, for HEAD too. */
const isDeno = "Deno" in globalThis;

/**
 * Makes one Response and keeps the contract's rules for it: the head leaves with the first bytes, the
 * body has the declared length, and some responses have no body.
 */
export class Sender {
  /** The response, as soon as its head is due. */
  readonly response: Promise<Response>;
  readonly #head = new ResponseHead();
  readonly #method: string;
  readonly #owner: SenderOwner;
  #resolve!: (response: Response) => void;
  /** How many bytes the declared length still allows; negative once there were too many. */
  #left = Infinity;
  #fields = new Headers();
  /** The whole body, where it was there at once. */
  #body: Uint8Array | undefined;
  /** Fills the stream of the Response, once there is one. */
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** What ends the stream as soon as all that is in it was read. */
  #last: (() => void) | undefined;
  #wanted = true;
  #waiting: { go(): void; stop(error: Error): void }[] = [];

  constructor(method: string, owner: SenderOwner) {
    this.#method = method;
    this.#owner = owner;
    this.response = new Promise((resolve) => void (this.#resolve = resolve));
  }

  /** Whether something is to be read: nothing was sent yet, or all of it was read. */
  get isWanted(): boolean {
    return this.#wanted;
  }

  /** Whether nothing that a body might still yield would be sent. */
  get isComplete(): boolean {
    return this.#head.code !== 0 && (this.#left <= 0 || this.#isBodyless());
  }

  start(status: string, headers: HeaderList, excInfo?: unknown): void {
    this.#head.start(status, headers, excInfo);
    const { code, contentLength } = this.#head;
    this.#left = contentLength === -1 ? Infinity : contentLength;
    // Now, because what is checked now is what has to leave, whatever becomes of the list meanwhile.
    this.#fields = new Headers();
    for (const [name, value] of headers) this.#fields.append(name, value);
    if (code === 204 || code === 205) this.#fields.delete("Content-Length");
  }

  /** Makes the error that the body is longer than declared, once it is. */
  exceededError(): WsgiError | undefined {
    if (this.#left >= 0) return undefined;
    const { contentLength } = this.#head;
    return new WsgiError(
      "application",
      "length-exceeded",
      `Cannot send the whole body: it is longer than ${contentLength} bytes; wanted no more than its Content-Length says`,
    );
  }

  /** Takes a body that is there. */
  whole(chunks: readonly Chunk[]): void {
    this.#head.demand();
    const pieces = chunks.map((chunk) => toBytes(checkChunk(chunk)));
    if (this.#head.sent) {
      for (const piece of pieces) if (!this.isComplete) this.chunk(piece);
      return;
    }
    const bytes = joinBytes(pieces);
    if (this.#head.contentLength === -1 && !this.#isEmptyHead(bytes)) {
      this.#fields.set("Content-Length", String(bytes.byteLength));
    }
    this.#body = this.#allowed(bytes);
  }

  /** HEAD of a body that was not made says nothing about the one that GET would get. */
  #isEmptyHead(bytes: Uint8Array): boolean {
    const { code } = this.#head;
    return this.#hasNoBody(code) || (this.#method === "HEAD" && bytes.byteLength === 0);
  }

  /** Sends what the declared length allows of a chunk, and the head before it. */
  chunk(chunk: Chunk): void {
    this.#head.demand();
    this.#open();
    if (this.#controller === undefined) return;
    const bytes = this.#allowed(toBytes(chunk));
    if (bytes.byteLength === 0) return;
    this.#wanted = false;
    this.#controller.enqueue(bytes);
  }

  /** Sends a chunk ahead of the body; gives a promise if so much is unread that it is better to wait. */
  write(chunk: Chunk): void | Promise<void> {
    this.chunk(chunk);
    if (-(this.#controller?.desiredSize ?? 0) < fullBytes) return undefined;
    const drained = new Promise<void>((go, stop) => void this.#waiting.push({ go, stop }));
    // Whoever ignores it is not to crash when the client leaves.
    drained.catch(() => {});
    return drained;
  }

  #allowed(bytes: Uint8Array): Uint8Array {
    const allowed =
      bytes.byteLength > this.#left ? bytes.subarray(0, Math.max(0, this.#left)) : bytes;
    this.#left -= bytes.byteLength;
    return allowed;
  }

  /** @throws WsgiError if the body has ended short of what was declared, or the response was not started */
  check(): void {
    this.#head.demand();
    if (this.#left > 0 && this.#left !== Infinity && !this.#isBodyless()) {
      const { contentLength } = this.#head;
      throw new WsgiError(
        "application",
        "length-short",
        `Cannot end the response: the body has ${contentLength - this.#left} bytes; wanted ${contentLength}, as its Content-Length says`,
      );
    }
  }

  /** Lets nobody wait any more. */
  stop(error: Error | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { go, stop } of waiting) {
      if (error === undefined) go();
      else stop(error);
    }
  }

  /** Ends a response whose body has come to its end. */
  end(): void {
    if (this.#head.sent) this.#end((controller) => controller.close());
    else if (this.#isBodyless()) this.#respondBare();
    else this.#respond(this.#body ?? null);
  }

  /** Ends a response that failed: with a plain 500 that tells nothing, or else so that it shows. */
  fail(): void {
    if (this.#head.sent) {
      // It must not take what it has for the whole.
      if (this.#left > 0) this.#error(new Error("Cannot complete the response: its body failed"));
      else this.#end((controller) => controller.close());
    } else {
      this.#head.sent = true;
      this.#replace(500, "Internal Server Error");
    }
  }

  /** Ends a response that nobody waits for. */
  leave(): void {
    // In another turn, because Deno prints the error unless it has cancelled the stream by then.
    if (this.#head.sent) setTimeout(() => this.#error(new ClientDisconnected()), 0);
    // The code is nginx's own, for its log; no client sees it.
    else this.#replace(499, "Client Closed Request");
  }

  #replace(status: number, text: string): void {
    const headers = {
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Length": String(text.length),
    };
    const body = this.#method === "HEAD" ? null : text;
    this.#resolve(new Response(body, { status, statusText: text, headers }));
  }

  #error(error: Error): void {
    this.#end((controller) => controller.error(error));
  }

  /** Ends the stream; but what is in it is read first, which an error would throw away. */
  #end(act: (controller: ReadableStreamDefaultController<Uint8Array>) => void): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    this.#controller = undefined;
    this.#last = () => act(controller);
    if (this.#wanted) this.#last();
  }

  #isBodyless(): boolean {
    return this.#method === "HEAD" || this.#hasNoBody(this.#head.code);
  }

  /** A Response takes no body with 205 either, RFC 9110, section 15.3.6. */
  #hasNoBody(code: number): boolean {
    return isBodyless(code) || code === 205;
  }

  /** Sends the head, with a stream for the body. */
  #open(): void {
    if (this.#head.sent) return;
    if (this.#isBodyless()) {
      this.#respondBare();
      return;
    }
    // No stream of bytes: it would take the buffers away, which may be constants.
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#pull(),
        cancel: () => this.#owner.cancel(),
      },
      { highWaterMark: 0, size: (chunk) => chunk.byteLength },
    );
    this.#respond(this.#withLength(stream));
  }

  /** Sends a head alone; where it tells no length, no host is to make one up. */
  #respondBare(): void {
    const lacksLength = !this.#hasNoBody(this.#head.code) && !this.#fields.has("Content-Length");
    this.#respond(isDeno && lacksLength ? emptyStream() : null);
  }

  #withLength(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const { contentLength } = this.#head;
    if (contentLength === -1 || typeof FixedLengthStream === "undefined") return stream;
    const { readable, writable } = new FixedLengthStream(contentLength);
    // It fails when the body does, or when nobody reads it any more; both know already.
    void stream.pipeTo(writable).catch(() => {});
    return readable;
  }

  #respond(body: Uint8Array | ReadableStream<Uint8Array> | null): void {
    const { status, code } = this.#head;
    const init = { status: code, statusText: status.slice(4), headers: this.#fields };
    this.#resolve(new Response(body, init));
    this.#head.sent = true;
  }

  #pull(): void {
    this.#wanted = true;
    if (this.#last !== undefined) {
      this.#last();
      return;
    }
    this.stop(undefined);
    this.#owner.pull();
  }
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
