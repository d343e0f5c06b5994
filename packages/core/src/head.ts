import { WsgiError } from "./errors.ts";
import { checkHeaders } from "./headers.ts";
import { statusCode } from "./status.ts";
import type { HeaderList } from "./types.ts";

/**
 * Keeps what `startResponse` was given until it is sent, and the rules for giving it again. Whoever
 * plays the server (an adapter, a test client, `capture`) has one for each call of an application.
 *
 * @example
 * ```ts
 * import { ResponseHead } from "@wsgi/core";
 *
 * const head = new ResponseHead();
 * head.start("200 OK", [["Content-Length", "5"]]);
 * head.code; // 200
 * head.contentLength; // 5
 * ```
 * @see SPEC.md [start-once], [start-replace], [start-sent]
 */
export class ResponseHead {
  /** Whether `start` was called, even if it threw. */
  called = false;
  /** Whether the head has left, so that it cannot be replaced any more. */
  sent = false;
  /** The status line; `""` until there is one. */
  status = "";
  /** The status code; 0 until there is one. */
  code = 0;
  /** The header fields. */
  headers: HeaderList = [];
  /** The declared length of the body in bytes; -1 if none is declared. */
  contentLength = -1;

  /**
   * Checks and stores a head.
   *
   * @param status - the status line
   * @param headers - the header fields; kept as they are, never changed
   * @param excInfo - the error that makes a second call necessary
   * @throws WsgiError if the call breaks the contract or comes too late; `excInfo` itself if the head has left
   */
  start(status: string, headers: HeaderList, excInfo?: unknown): void {
    if (this.called && excInfo === undefined) {
      throw new WsgiError(
        "application",
        "start-once",
        "Cannot start the response: startResponse was called before; call it once, or pass the error as excInfo",
      );
    }
    if (this.sent) {
      if (excInfo !== undefined) throw excInfo;
      throw new WsgiError(
        "application",
        "start-before-body",
        "Cannot start the response: another was sent in its place; call startResponse before the body ends",
      );
    }
    this.called = true;
    const code = statusCode(status);
    this.contentLength = checkHeaders(headers);
    this.status = status;
    this.headers = headers;
    this.code = code;
  }

  /**
   * Makes sure that there is a head.
   *
   * @throws WsgiError [start-before-body] if `startResponse` was not called, or threw
   */
  demand(): void {
    if (this.code === 0) {
      throw new WsgiError(
        "application",
        "start-before-body",
        "Cannot send the body: startResponse was not called; call it before the first chunk",
      );
    }
  }
}
