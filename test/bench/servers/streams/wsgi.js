import { open } from "node:fs/promises";
import { mapBody, onClose, stack, when } from "@wsgi/core";
import { serve as serveWsgi } from "@wsgi/server";
import { distinct } from "../distinct.js";
import { pieces, query } from "./source.js";

const head = (length) => [
  ["Content-Type", "application/octet-stream"],
  ["Content-Length", length],
];

const variants = {
  async file(environ, startResponse) {
    const { file, bytes } = query(environ.REQUEST_URI);
    startResponse("200 OK", head(bytes));
    return environ["wsgi.file_wrapper"](await open(file));
  },

  async *memory(environ, startResponse) {
    const { bytes, block } = query(environ.REQUEST_URI);
    startResponse("200 OK", head(bytes));
    for (const piece of pieces(Number(bytes), Number(block))) yield piece;
  },

  async upload(environ, startResponse) {
    const input = environ["wsgi.input"];
    let bytes = 0;
    for (;;) {
      const read = input.read(65_536);
      const piece = read instanceof Promise ? await read : read;
      if (piece.length === 0) break;
      bytes += piece.length;
    }
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    return [String(bytes)];
  },
};

/** A layer that looks at status and header fields, and waits for the end of the body, as an access log does. */
const watch = `(app) => (environ, startResponse) => {
  const start = (status, headers, excInfo) => startResponse(status, headers, excInfo);
  return when(app(environ, start), (body) => onClose(body, () => {}));
}`;

/** A layer that sees each chunk. */
const map = `(app) => (environ, startResponse) =>
  when(app(environ, startResponse), (body) => mapBody(body, { chunk: (chunk) => chunk }))`;

const layers = { watch, map };

/** @param variant - what to send, and through what: "file watch 5" */
export async function serve(variant) {
  const [name, layer, count = 0] = variant.split(" ");
  const around = distinct(count, layers[layer], { mapBody, onClose, when });
  const app = stack(...around)(variants[name]);
  const limits = { body: 2 ** 31 };
  const server = await serveWsgi(app, { port: 0, limits });
  return Number(new URL(server.url).port);
}
