import type { ServerResponse } from "node:http";
import type { Chunk } from "@wsgi/core";

/** How long a text is, or several are together, for a write of its own. */
const enough = 16_384;

/** Is what sends what was gathered. */
interface Writer {
  /** Sends a chunk at once; tells whether the buffers take more. */
  write(chunk: Chunk): boolean;
}

/** Is whoever has chunks gathered. */
interface GatheringOwner {
  /** Is told of an error in writing what was yielded before. */
  fail(error: unknown): void;
}

/**
 * Gathers the texts that a body yields before the event loop goes on, and writes them as one: to node, a
 * write costs more than the bytes of a small chunk. Chunks that are bytes are written as they are; to
 * gather them is to copy them, because whose they are may use them again.
 */
export class Gathering {
  readonly #res: ServerResponse;
  readonly #writer: Writer;
  readonly #owner: GatheringOwner;
  #texts: string[] = [];
  #length = 0;
  #isScheduled = false;

  constructor(res: ServerResponse, writer: Writer, owner: GatheringOwner) {
    this.#res = res;
    this.#writer = writer;
    this.#owner = owner;
  }

  /** Writes a chunk, at the latest when the event loop goes on; tells whether the buffers take more. */
  write(chunk: Chunk): boolean {
    if (typeof chunk !== "string" || chunk.length >= enough) {
      this.flush();
      return this.#writer.write(chunk);
    }
    this.#texts.push(chunk);
    this.#length += chunk.length;
    if (this.#length >= enough) {
      this.flush();
    } else if (!this.#isScheduled) {
      this.#isScheduled = true;
      process.nextTick(this.#flushScheduled);
    }
    return !this.#res.writableNeedDrain;
  }

  /** Writes what was gathered, now. */
  flush(): void {
    for (const text of this.take()) this.#writer.write(text);
  }

  /** Gives away what was gathered, as one text where that is the same. */
  take(): readonly string[] {
    const texts = this.#texts;
    this.#texts = [];
    this.#length = 0;
    return texts.length < 2 || texts.some(endsInHalf) ? texts : [texts.join("")];
  }

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false;
    try {
      this.flush();
    } catch (error) {
      this.#owner.fail(error);
    }
  };
}

/** Tells whether a text ends in half of a surrogate pair, which would become a character with another half. */
function endsInHalf(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last < 0xdc00;
}
