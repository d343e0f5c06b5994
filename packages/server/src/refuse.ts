import type { ServerResponse } from "node:http";
import { linger } from "./linger.ts";
import type { RefusedRequest } from "./request.ts";

/** The methods that a 405 of the server's own names. */
export const allowedMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/** Answers a request in the place of the application; its connection ends. */
export function refuse(res: ServerResponse, { status, message }: RefusedRequest): void {
  const text = `The request was refused: ${message}\n`;
  const fields = [
    "Content-Type",
    "text/plain; charset=utf-8",
    "Content-Length",
    String(Buffer.byteLength(text)),
  ];
  if (status === 405) fields.push("Allow", allowedMethods);
  linger(res.req);
  res.writeHead(status, [...fields, "X-Content-Type-Options", "nosniff", "Connection", "close"]);
  res.end(text);
}
