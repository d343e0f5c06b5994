import { ClientDisconnected, createInput, typeName, type InputStream } from "@wsgi/core";

/** Reads the body of a Request on behalf of its `wsgi.input`, and only when it is asked. */
export class RequestBody {
  readonly input: InputStream;
  readonly #request: Request;
  #reader: ReadableStreamDefaultReader<unknown> | undefined;
  #received = 0;
  #released = false;

  constructor(request: Request) {
    this.#request = request;
    this.input = createInput(() => this.#next());
  }

  /**
   * Ends reading; whoever still reads gets an error. The rest is left to the host, because cancelling it
   * would take the connection from under the response on some.
   */
  release(): void {
    this.#released = true;
    try {
      this.#reader?.releaseLock();
    } catch {
      // An older engine does not release what is being read.
    }
  }

  #next(): null | Promise<Uint8Array | null> {
    if (this.#released) throw this.#cutShort("the request has ended");
    if (this.#request.body === null) return null;
    return this.#read((this.#reader ??= this.#open(this.#request.body)));
  }

  #open(body: ReadableStream<unknown>): ReadableStreamDefaultReader<unknown> {
    if (this.#request.bodyUsed || body.locked) {
      throw new TypeError(
        "Cannot read the request body: somebody has read it; wanted a Request that is handed on unread",
      );
    }
    return body.getReader();
  }

  async #read(reader: ReadableStreamDefaultReader<unknown>): Promise<Uint8Array | null> {
    let step: { done: boolean; value?: unknown };
    try {
      step = await reader.read();
    } catch (error) {
      if (this.#released) throw this.#cutShort("the request has ended");
      throw this.#cutShort(error instanceof Error ? error.message : String(error));
    }
    if (step.done) return null;
    const piece = step.value;
    if (!(piece instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot read the request body: a piece of it is ${typeName(piece)}; wanted a Uint8Array`,
      );
    }
    this.#received += piece.byteLength;
    return piece;
  }

  #cutShort(why: string): ClientDisconnected {
    return new ClientDisconnected(
      `Cannot read the request body: ${why}, after ${this.#received} bytes`,
    );
  }
}
