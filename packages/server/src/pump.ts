import { checkChunk, isFile, isSync, type Body, type Chunk } from "@wsgi/core";
import type { Sender } from "./send.ts";

/** How many chunks and how many bytes a synchronous body may yield before other requests get a turn. */
const turnChunks = 64;
const turnBytes = 262_144;
/** How many chunks an async body may yield before that; they cost less, being gathered. */
const turnSteps = 256;

/** Is whoever has a body pumped. */
interface PumpOwner {
  /** Is told once that the body was taken as far as it goes, and the response has ended. */
  succeed(): void;
  /** Is told of an error of the application. */
  fail(error: unknown): void;
  /** Calls a function when the buffers have emptied, but not if that does not come about. */
  whenDrained(go: () => void): void;
}

/** Takes the chunks of a body as fast as the client takes them, and sends each on its way. */
export class Pump {
  readonly #sender: Sender;
  readonly #owner: PumpOwner;
  readonly #isSync: boolean;
  /** The iteration of the body, as long as it may go on. */
  #iterator: Iterator<Chunk> | AsyncIterator<Chunk> | undefined;
  /** How many steps of an async body were taken. */
  #steps = 0;

  constructor(body: Body, sender: Sender, owner: PumpOwner) {
    this.#sender = sender;
    this.#owner = owner;
    this.#isSync = isSync(body);
    if (isFile(body)) this.#iterator = body.blocks(memoryFor(sender));
    else this.#iterator = isSync(body) ? body[Symbol.iterator]() : body[Symbol.asyncIterator]();
  }

  /** Takes the next chunks, as far as the client takes them. */
  readonly pull = (): void => {
    const iterator = this.#iterator;
    if (iterator === undefined) return;
    try {
      if (this.#sender.isComplete) this.#end();
      else if (this.#isSync) this.#pullSync(iterator as Iterator<Chunk>);
      else this.#pullAsync(iterator as AsyncIterator<Chunk>);
    } catch (error) {
      this.#owner.fail(error);
    }
  };

  /** Ends the iteration, if it has not come to its end; nothing is taken any more. */
  stop(): unknown {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    return iterator?.return?.();
  }

  #pullSync(iterator: Iterator<Chunk>): void {
    let sent = 0;
    for (let taken = 0; taken < turnChunks && sent < turnBytes; taken++) {
      const step = iterator.next();
      if (this.#iterator === undefined) return;
      if (step.done === true) return this.#endOfBody();
      const chunk = checkChunk(step.value);
      // At once, because the iterator may compute for long before it yields the next one.
      const flowing = chunk.length === 0 || this.#sender.chunkNow(chunk);
      sent += chunk.length;
      if (this.#sender.isComplete) return this.#end();
      if (!flowing) return this.#owner.whenDrained(this.pull);
    }
    setImmediate(this.pull);
  }

  #pullAsync(iterator: AsyncIterator<Chunk>): void {
    // Promise.resolve, because an iterator may give its steps without promises.
    Promise.resolve(iterator.next()).then(this.#take, this.#fail);
  }

  readonly #take = (step: IteratorResult<Chunk>): void => {
    if (this.#iterator === undefined) return;
    try {
      if (step.done === true) return this.#endOfBody();
      const chunk = checkChunk(step.value);
      const flowing = chunk.length === 0 || this.#sender.chunk(chunk);
      if (!flowing) this.#owner.whenDrained(this.pull);
      else if (++this.#steps % turnSteps === 0) setImmediate(this.pull);
      else this.pull();
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #fail = (error: unknown): void => this.#owner.fail(error);

  #endOfBody(): void {
    this.#iterator = undefined;
    this.#end();
  }

  #end(): void {
    this.#sender.end();
    this.#owner.succeed();
  }
}

/** Gives memory for the blocks of a file: the same again once all that was in it has left. */
function memoryFor(sender: Sender): (size: number) => Uint8Array {
  let memory: Uint8Array | undefined;
  return (size) => {
    if (memory === undefined || !sender.hasLeft) memory = Buffer.allocUnsafeSlow(size);
    return memory;
  };
}
