import { typeName } from "../show.ts";
import type { Exchange } from "./exchange.ts";

const newline = 0x0a;

/** Is what one application has read of `wsgi.input`, and whether the answers fit together. */
export class InputRecord {
  readonly #exchange: Exchange;
  #reading = false;
  #ended = false;
  #length = 0;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** Notes that a read begins. */
  begin(): void {
    if (this.#reading) {
      const message = "Cannot read the request body: another read is waiting; await it first";
      this.#exchange.blame("application", "input-single", message);
    }
    this.#reading = true;
  }

  /** Checks that a read behind the end does not make the application wait. */
  checkPrompt(): void {
    if (!this.#ended) return;
    this.#blame("input-end", "a read after the end gave a promise", "no bytes, at once");
  }

  /** Notes that it is over. */
  end(): void {
    this.#reading = false;
  }

  /** Checks what `read` gave. */
  takeBlock(value: unknown, size: number = Infinity): void {
    const bytes = this.#count(value);
    if (bytes.byteLength > size) {
      this.#blame(
        "input-size",
        `read(${size}) gave ${bytes.byteLength} bytes`,
        "no more than that",
      );
    }
    if (bytes.byteLength < size) this.#ended = true;
  }

  /** Checks a piece, of whatever length: only one without bytes is the end. */
  takePiece(value: unknown): void {
    if (this.#count(value).byteLength === 0) this.#ended = true;
  }

  /** Checks what `readline` gave. */
  takeLine(value: unknown, size: number = Infinity): void {
    const bytes = this.#count(value);
    if (bytes.byteLength > size) {
      this.#blame("input-line", `readline(${size}) gave ${bytes.byteLength} bytes`, "no more");
    }
    this.#checkLine(bytes, "input-line");
    const isWhole = bytes.at(-1) === newline || bytes.byteLength === size;
    if (!isWhole) this.#ended = true;
  }

  /** Checks what `readlines` gave. */
  takeLines(value: unknown): void {
    if (!Array.isArray(value)) {
      return this.#blame("input-bytes", `readlines gave ${typeName(value)}`, "an array of lines");
    }
    for (const line of value) {
      const bytes = this.#count(line);
      this.#checkLine(bytes, "input-line");
      if (bytes.at(-1) !== newline) this.#ended = true;
    }
  }

  /** Checks a step of the iteration. */
  takeStep({ done, value }: IteratorResult<unknown>): void {
    if (done === true) {
      this.#ended = true;
      return;
    }
    const bytes = this.#count(value);
    this.#checkLine(bytes, "input-iterate");
    if (bytes.at(-1) !== newline) this.#ended = true;
  }

  #count(value: unknown): Uint8Array {
    if (!(value instanceof Uint8Array)) {
      this.#blame(
        "input-bytes",
        `a read gave ${typeName(value)}`,
        "a Uint8Array, empty at the end",
      );
    }
    const length = value.byteLength;
    if (this.#ended && length > 0) {
      this.#blame("input-end", `a read gave ${length} bytes after the end`, "none");
    }
    this.#length += length;
    const declared = Number(this.#exchange.environ.CONTENT_LENGTH ?? Infinity);
    if (this.#length > declared) {
      this.#blame("input-end", `reads gave ${this.#length} of ${declared} bytes`, "no more");
    }
    return value;
  }

  /** Checks that a line ends with the first line end in it. */
  #checkLine(bytes: Uint8Array, clause: string): void {
    const place = bytes.indexOf(newline);
    if (place === -1 || place === bytes.byteLength - 1) return;
    this.#blame(clause, "a line goes on behind its end", "the bytes up to and with the first \\n");
  }

  #blame(clause: string, found: string, wanted: string): never {
    return this.#exchange.blame(
      "server",
      clause,
      `Cannot read the request body: ${found}; wanted ${wanted}`,
    );
  }
}
