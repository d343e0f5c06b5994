import { show } from "@wsgi/core";

/** Says how much of one request, and of what follows it, is taken. */
export interface RequestLimits {
  /** The most bytes of a request line; more is refused with 414. Default: 8,192. */
  readonly requestLine: number;
  /** The most header fields of a request; more are refused with 431. Default: 200. */
  readonly headerCount: number;
  /** The most bytes of a request body; more are refused with 413. Default: 1,073,741,824, which is 1 GiB. */
  readonly body: number;
  /**
   * The most bytes of a body that the application left unread which are thrown away to keep the
   * connection; with more it ends. Default: 65,536.
   */
  readonly unreadBody: number;
  /** The most requests that a client may have sent ahead before no more are read. Default: 16. */
  readonly waitingRequests: number;
}

/** Says how much a server takes from its clients, and for how long it waits for them. */
export interface Limits extends RequestLimits {
  /**
   * The most bytes of a request's target and its fields' names and values together, without what stands
   * between them; more are refused with 431. Default: 16,384.
   */
  readonly headerBytes: number;
  /**
   * The most connections. When one more comes, one on which nothing is under way makes place for it; if
   * there is none, the new one is refused with 503. Default: 10,000.
   */
  readonly connections: number;
  /** How long a client may take to send the head of a request, in milliseconds; then 408. Default: 15,000. */
  readonly headersTimeout: number;
  /** How long it may take to send all of a request, in milliseconds; then 408. Default: 300,000. */
  readonly requestTimeout: number;
  /**
   * How long a connection is kept for a next request, in milliseconds: what the client is told. It ends
   * when an eighth to three eighths more have gone by. Default: 5,000.
   */
  readonly keepAliveTimeout: number;
  /** How long a client may take nothing of what is sent to it, in milliseconds; then it is cut off. Default: 30,000. */
  readonly writeTimeout: number;
}

/**
 * Is what holds where nothing else was said.
 *
 * @see SPEC.md [http-limits]
 */
export const defaultLimits: Limits = Object.freeze({
  requestLine: 8_192,
  headerCount: 200,
  headerBytes: 16_384,
  body: 1_073_741_824,
  unreadBody: 65_536,
  waitingRequests: 16,
  connections: 10_000,
  headersTimeout: 15_000,
  requestTimeout: 300_000,
  keepAliveTimeout: 5_000,
  writeTimeout: 30_000,
});

/** What setTimeout takes, in milliseconds; with more it would fire at once. */
export const longestTimeout: number = 2 ** 31 - 1;
const mayBeZero: ReadonlySet<string> = new Set(["body", "unreadBody"]);

/**
 * Fills in what was not given.
 *
 * @throws TypeError for what is no limit; RangeError for what is none that can be kept
 */
export function readLimits(given: Partial<Limits> = {}): Limits {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`Cannot serve: limits is ${show(given)}; wanted an object of limits`);
  }
  const limits: { -readonly [Name in keyof Limits]: number } = { ...defaultLimits };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultLimits, name)) {
      const names = Object.keys(defaultLimits).join(", ");
      throw new TypeError(`Cannot serve: limits.${name} is no limit; wanted one of ${names}`);
    }
    if (value === undefined) continue;
    const least = mayBeZero.has(name) ? 0 : 1;
    const most = name.endsWith("Timeout") ? longestTimeout : Number.MAX_SAFE_INTEGER;
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(
        `Cannot serve: limits.${name} is ${show(value)}; wanted a whole number from ${least} to ${most}`,
      );
    }
    limits[name as keyof Limits] = value;
  }
  const { headersTimeout, requestTimeout } = limits;
  if (headersTimeout > requestTimeout) {
    throw new RangeError(
      `Cannot serve: limits.headersTimeout is ${headersTimeout}; wanted no more than requestTimeout, ${requestTimeout}`,
    );
  }
  return limits;
}
