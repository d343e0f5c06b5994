import { inspect } from "node:util";
import { quietly, signalKey, type Environ, type HeaderList, type StartResponse } from "@wsgi/core";

const refusal = "503 Service Unavailable";
const refusalHeaders: HeaderList = [
  ["Content-Type", "text/plain; charset=utf-8"],
  ["Content-Length", String(refusal.length + 1)],
];

/** Is the time in which one response has to begin. It runs only while something is waited for. */
export class Deadline {
  /** Whether it matters no more: the response has begun, was refused, or nobody wants it. */
  hasEnded = false;
  readonly #after: number;
  readonly #environ: Environ;
  readonly #startResponse: StartResponse;
  #timer: NodeJS.Timeout | undefined;
  #error: Error | undefined;
  #abort: AbortController | undefined;
  /** Goes on with a refusal in the place of what is waited for. */
  #refuse: () => void = () => {};

  /**
   * @param after - how long it is, in milliseconds
   * @param environ - the request
   * @param startResponse - the server's
   */
  constructor(after: number, environ: Environ, startResponse: StartResponse) {
    this.#after = after;
    this.#environ = environ;
    this.#startResponse = startResponse;
  }

  /** The signal that aborts when it is over, or when the server's own does. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#error !== undefined) this.#abort.abort(this.#error);
    const ofServer = this.#environ[signalKey];
    if (typeof ofServer !== "function") return this.#abort.signal;
    return AbortSignal.any([this.#abort.signal, ofServer(this.#environ) as AbortSignal]);
  }

  /** Does what the server's does, until it is too late. */
  readonly start: StartResponse = (status, headers, excInfo) => {
    if (this.#error !== undefined) throw this.#error;
    const write = this.#startResponse(status, headers, excInfo);
    return (chunk) => {
      if (this.#error !== undefined) throw this.#error;
      this.end();
      return write(chunk);
    };
  };

  /** Stops the clock. */
  end(): void {
    this.hasEnded = true;
    clearTimeout(this.#timer);
  }

  /**
   * Waits for something, or answers in its place.
   *
   * @param pending - what is waited for
   * @param instead - makes it of the body of the refusal
   * @param late - is given what comes when it is too late
   */
  wait<T>(
    pending: PromiseLike<T>,
    instead: (body: string[]) => T,
    late: (value: T) => unknown,
  ): Promise<T> {
    if (!this.hasEnded) this.#timer ??= setTimeout(this.#expire, this.#after);
    return new Promise((resolve, reject) => {
      this.#refuse = () => {
        try {
          this.#startResponse(refusal, refusalHeaders, this.#error);
          resolve(instead([`${refusal}\n`]));
        } catch (error) {
          reject(error);
        }
      };
      // Promise.resolve, because a thenable may settle more than once.
      Promise.resolve(pending).then(
        (value) => (this.#error === undefined ? resolve(value) : quietly(() => late(value))),
        (error: unknown) => {
          this.end();
          if (this.#error === undefined) reject(error);
          // What it was given by its signal is reported already.
          else if (error !== this.#error) this.#report(error);
        },
      );
    });
  }

  readonly #expire = (): void => {
    this.hasEnded = true;
    const isGone = this.#isGone();
    this.#error = new Error(
      `Cannot answer: the response has not begun after ${this.#after} ms; wanted its first byte by then`,
    );
    this.#error.name = "TimeoutError";
    // Nobody is to hear of a response that nobody waits for.
    if (!isGone) this.#report(this.#error);
    this.#refuse();
    this.#abort?.abort(this.#error);
  };

  #isGone(): boolean {
    try {
      return this.signal.aborted;
    } catch {
      // A server's signal that cannot be made is no error of a request here, but of the whole process.
      return false;
    }
  }

  #report(error: unknown): void {
    const { REQUEST_METHOD, REQUEST_URI, "wsgi.errors": errors } = this.#environ;
    void quietly(() => errors.write(`${REQUEST_METHOD} ${REQUEST_URI}: ${inspect(error)}\n`));
  }
}
