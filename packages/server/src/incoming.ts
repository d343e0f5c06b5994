import { IncomingMessage, type IncomingHttpHeaders } from "node:http";

const headers = Object.getOwnPropertyDescriptor(IncomingMessage.prototype, "headers");

/** Whether node knows by itself how to leave out the events of a body that is not there. */
const endsEmpty = "_dumpAndCloseReadable" in IncomingMessage.prototype;

/**
 * Is a request whose `headers` are made when somebody wants them. Node looks for a few fields in them before
 * it hands the request over, and would make an object of all fields for that, which this server, whose
 * environ comes from the raw fields, does not need.
 */
export class Incoming extends IncomingMessage {
  /** Whether the request was handed over, and so whoever asks is to have all fields. */
  isOpen = false;
  /** The fields that node looks for. */
  few: IncomingHttpHeaders | undefined;
  /** Whether the client wants another protocol; node's own, which its types leave out. */
  declare upgrade: boolean;
  declare private _dumped: boolean;
  declare private _readableState: {
    ended: boolean;
    endEmitted: boolean;
    destroyed: boolean;
    closed: boolean;
    closeEmitted: boolean;
  };

  /**
   * Leaves out the events of a body that is not there, as newer lines of node do with
   * `optimizeEmptyRequests`: they take longer than the rest of a small request.
   */
  endEmpty(): void {
    if (endsEmpty || this.complete) return;
    const state = this._readableState;
    this._dumped = true;
    state.ended = true;
    state.endEmitted = true;
    state.destroyed = true;
    state.closed = true;
    state.closeEmitted = true;
  }
}

// An accessor of node's, so that a field of the class would not do.
if (headers?.get !== undefined) {
  const all = headers.get;
  Object.defineProperty(Incoming.prototype, "headers", {
    ...headers,
    get(this: Incoming): IncomingHttpHeaders {
      return this.isOpen || this.upgrade || this.httpVersion !== "1.1"
        ? (all.call(this) as IncomingHttpHeaders)
        : (this.few ??= fewOf(this.rawHeaders));
    },
  });
}

const nothing: IncomingHttpHeaders = Object.freeze({});
const wanted = /^(?:expect|content-length|transfer-encoding)$/i;

/** Gives the only fields that node asks for of a request of HTTP/1.1. */
function fewOf(rawHeaders: readonly string[]): IncomingHttpHeaders {
  let few = nothing;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const { length } = rawHeaders[i]!;
    if (length !== 6 && length !== 14 && length !== 17) continue;
    const name = rawHeaders[i]!;
    if (wanted.test(name)) few = { ...few, [name.toLowerCase()]: rawHeaders[i + 1]! };
  }
  return few;
}
