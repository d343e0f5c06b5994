import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { statusLine } from "@wsgi/core";
import { connectionOf } from "./connection.ts";
import { endSlowly } from "./linger.ts";
import { allowedMethods } from "./refuse.ts";
import { RefusedRequest } from "./request.ts";

/** Answers CONNECT, which node:http would drop without a word, when what was asked before it is done. */
export function refuseConnect(req: IncomingMessage, duplex: Duplex): void {
  const socket = duplex as Socket;
  const connection = connectionOf(socket);
  // Node has let go of the connection, although a response may be on its way and its client may leave.
  socket.on("error", () => {});
  socket.on("drain", () => connection.response?.emit("drain"));
  socket.on("end", () => socket.end());
  const run = (): void => refuseRaw(socket, 405, `Allow: ${allowedMethods}\r\n`);
  connection.enter({ req, run }, Infinity);
  socket.resume();
}

/** What is wrong with a request that node's parser gave up. */
const malformed: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "it did not arrive in time"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "its chunk extensions are too long"],
  HPE_HEADER_OVERFLOW: [431, "its header fields are too long"],
};

/** RFC 9112 section 3: method SP request-target, as far as it has come. */
const lineForm = /^[A-Z-]+ \S+$/;

/** Answers what node's parser cannot read, but not in the place of an answer that is still to come. */
export function refuseMalformed(
  error: NodeJS.ErrnoException & { rawPacket?: Buffer; bytesParsed?: number },
  duplex: Duplex,
): void {
  const socket = duplex as Socket;
  const connection = connectionOf(socket);
  // What follows the last request is nobody's; but a trailer, which node's parser heeds, makes it the last, too.
  if (error.code === "HPE_CLOSED_CONNECTION") {
    connection.refuseNext(() => refuseRaw(socket, 400));
    return;
  }
  if (!socket.writable) {
    // What is still on its way to the client may arrive.
    socket.destroySoon();
    return;
  }
  // A client that ends in the middle of a request has left.
  if (error.code === "HPE_INVALID_EOF_STATE" && connection.isBusy) {
    socket.destroy();
    return;
  }
  const [status, message] = malformed[error.code ?? ""] ?? [400, "it is malformed"];
  // Only of a head that came in one packet is it known that it is all line.
  const head = error.rawPacket?.toString("latin1", 0, error.bytesParsed) ?? "";
  const isLine = status === 431 && lineForm.test(head);
  connection.break(new RefusedRequest(status, message), () =>
    refuseRaw(socket, isLine ? 414 : status),
  );
}

/** Answers where there is no response to answer with; the connection ends. */
export function refuseRaw(socket: Socket, status: number, fields = ""): void {
  const connection = connectionOf(socket);
  connection.end();
  const head = `HTTP/1.1 ${statusLine(status)}\r\n${fields}Content-Length: 0\r\nConnection: close\r\n\r\n`;
  connection.whenSent(() => {
    // The response before may have ended the connection; then nothing more was asked.
    if (!socket.writable) return;
    // Who sends too much is still sending.
    if (status === 413 || status === 414 || status === 431) endSlowly(socket, head);
    else socket.end(head, () => socket.destroySoon());
  });
}
