/**
 * Says which side broke which clause of the contract.
 *
 * @example
 * ```ts
 * import { WsgiError } from "@wsgi/core";
 *
 * const error = new WsgiError("application", "start-once",
 *   "Cannot start the response: startResponse was called twice; pass the error as excInfo or call it once");
 * error.clause; // "start-once"
 * ```
 * @see SPEC.md, which lists the clauses by id
 */
export class WsgiError extends Error {
  /** The side at fault. */
  readonly side: "application" | "server";
  /** The id of the clause in SPEC.md, `"start-once"`. */
  readonly clause: string;

  /**
   * @param side - the side at fault
   * @param clause - the clause's id; it is appended to the message in brackets
   * @param message - `Cannot <act>: <state found>; <state wanted>`
   */
  constructor(side: "application" | "server", clause: string, message: string) {
    super(`${message} [${clause}]`);
    this.name = "WsgiError";
    this.side = side;
    this.clause = clause;
  }
}

/**
 * Says that the client left before the exchange was over. Servers do not report it as a fault.
 *
 * @example
 * ```ts
 * import { ClientDisconnected } from "@wsgi/core";
 *
 * const error = new ClientDisconnected("Cannot read the request body: the client left after 10 of 100 bytes");
 * error.name; // "ClientDisconnected"
 * ```
 * @see SPEC.md [client-gone]
 */
export class ClientDisconnected extends Error {
  /** @param message - what could not be done because of it */
  constructor(message = "Cannot go on: the client has closed the connection") {
    super(message);
    this.name = "ClientDisconnected";
  }
}
