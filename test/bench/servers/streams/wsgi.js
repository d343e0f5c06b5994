import { open } from "node:fs/promises";
import { mapBody, stack, when } from "@wsgi/core";
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
    const handle = await open(file);
    startResponse("200 OK", head(bytes));
    return environ["wsgi.file_wrapper"]({
      async read(size) {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(size), 0, size);
        return buffer.subarray(0, bytesRead);
      },
      close: () => handle.close(),
    });
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

const layer = `(app) => (environ, startResponse) =>
  when(app(environ, startResponse), (body) => mapBody(body, { chunk: (chunk) => chunk }))`;

/** @param variant - which of them, and how many layers: "file 5" */
export async function serve(variant) {
  const [name, layers = 0] = variant.split(" ");
  const app = stack(...distinct(layers, layer, { mapBody, when }))(variants[name]);
  const limits = { body: 2 ** 31 };
  const server = await serveWsgi(app, { port: 0, limits });
  return Number(new URL(server.url).port);
}
