import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { listen } from "../listen.js";
import { pieces, query } from "./source.js";

const head = (length) => ["Content-Type", "application/octet-stream", "Content-Length", length];

const variants = {
  file: (res, { file, bytes, block }) => {
    res.writeHead(200, head(bytes));
    return pipeline(createReadStream(file, { highWaterMark: Number(block) }), res);
  },

  memory: (res, { bytes, block }) => {
    res.writeHead(200, head(bytes));
    const source = pieces(Number(bytes), Number(block));
    const stream = new Readable({
      highWaterMark: Number(block),
      read() {
        const { done, value } = source.next();
        this.push(done ? null : value);
      },
    });
    return pipeline(stream, res);
  },

  upload: async (res, _query, req) => {
    let bytes = 0;
    const sink = new Writable({
      write(chunk, _encoding, done) {
        bytes += chunk.length;
        done();
      },
    });
    await pipeline(req, sink);
    res.end(String(bytes));
  },
};

export function serve(variant) {
  const answer = variants[variant];
  // A client that leaves is no error here.
  return listen(createServer((req, res) => answer(res, query(req.url), req).catch(() => {})));
}
