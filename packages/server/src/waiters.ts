/** Keeps who waits for the buffers of a response to empty. */
export class Waiters {
  #waiting: { go(): void; stop(error: Error): void }[] = [];

  /** Calls a function when they have emptied, but not if that does not come about. */
  call(go: () => void): void {
    this.#waiting.push({ go, stop: () => {} });
  }

  /** Makes a promise of it. Whoever ignores it is not to crash when the client leaves. */
  promise(): Promise<void> {
    const drained = new Promise<void>((go, stop) => void this.#waiting.push({ go, stop }));
    drained.catch(() => {});
    return drained;
  }

  /** Lets all go on, or fails them with an error. */
  settle(error?: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { go, stop } of waiting) {
      if (error === undefined) go();
      else stop(error);
    }
  }
}
