import type { ServerResponse } from "node:http";
import type { Chunk } from "@wsgi/core";

/** How long a text is, or several are together, for a write of its own. */
const enough = 16_384;

/**
 * Gathers the texts that a body yields before the event loop goes on, and writes them as one: to node, a
 * write costs more than the bytes of a small chunk. Chunks that are bytes are written as they are; to
 * gather them is to copy them, because whose they are may use them again.
 */
export class Gathering {
  readonly #res: ServerResponse;
  #texts: string[] = [];
  #length = 0;
  #isScheduled = false;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  /** Writes a chunk, at the latest when the event loop goes on; tells whether the buffers take more. */
  write(chunk: Chunk): boolean {
    if (typeof chunk !== "string" || chunk.length >= enough) {
      this.flush();
      return this.#res.write(chunk);
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
    const texts = this.#texts;
    if (texts.length === 0) return;
    this.#texts = [];
    this.#length = 0;
    if (texts.some(endsInHalf)) for (const text of texts) this.#res.write(text);
    else this.#res.write(texts.join(""));
  }

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false;
    this.flush();
  };
}

/** Tells whether a text ends in half of a surrogate pair, which would become a character with another half. */
function endsInHalf(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last < 0xdc00;
}
