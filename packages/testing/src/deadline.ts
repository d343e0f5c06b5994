/** Ends what waits for something that does not happen, and says what it was. */
export class Deadline implements Disposable {
  readonly #timeout: number;
  readonly #timer: NodeJS.Timeout;
  readonly #passed: Promise<void>;

  /** @param timeout - how long from now, in milliseconds */
  constructor(timeout: number) {
    this.#timeout = timeout;
    let pass!: () => void;
    this.#passed = new Promise((resolve) => void (pass = resolve));
    this.#timer = setTimeout(pass, timeout);
  }

  /**
   * Waits for a promise, but not beyond the deadline.
   *
   * @param event - what to wait for
   * @param wanted - what it stands for, `"the body to be closed"`
   */
  async wait<T>(event: PromiseLike<T>, wanted: string): Promise<T> {
    const late = this.#passed.then(() => {
      throw new Error(`Nothing more happened in ${this.#timeout} ms; wanted ${wanted}`);
    });
    return await Promise.race([event, late]);
  }

  /** Does the same for what itself waits for other things, which then say best what was wanted. */
  async waitForAll<T>(event: PromiseLike<T>, wanted: string): Promise<T> {
    const late = this.#passed.then(
      () => new Promise<void>((resolve) => void setImmediate(resolve)),
    );
    return await Promise.race([event, late.then(() => this.wait(event, wanted))]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
