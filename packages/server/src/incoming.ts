import { IncomingMessage, type IncomingHttpHeaders } from "node:http";

const headers = Object.getOwnPropertyDescriptor(IncomingMessage.prototype, "headers");

/**
 * Is a request whose `headers` are made when somebody wants them. Node looks for one field in them before
 * it hands the request over, and would make an object of all fields for that, which this server, whose
 * environ comes from the raw fields, does not need.
 */
export class Incoming extends IncomingMessage {
  /** Whether the request was handed over, and so whoever asks is to have all fields. */
  isOpen = false;
  /** Whether the client wants another protocol; node's own, which its types leave out. */
  declare upgrade: boolean;
}

// An accessor of node's, so that a field of the class would not do.
if (headers?.get !== undefined) {
  const all = headers.get;
  Object.defineProperty(Incoming.prototype, "headers", {
    ...headers,
    get(this: Incoming): IncomingHttpHeaders {
      return this.isOpen || this.upgrade || this.httpVersion !== "1.1"
        ? (all.call(this) as IncomingHttpHeaders)
        : expectation(this.rawHeaders);
    },
  });
}

const nothing: IncomingHttpHeaders = Object.freeze({});

/** Gives the only field that node asks for of a request of HTTP/1.1. */
function expectation(rawHeaders: readonly string[]): IncomingHttpHeaders {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 6 && name.toLowerCase() === "expect") return { expect: rawHeaders[i + 1]! };
  }
  return nothing;
}
