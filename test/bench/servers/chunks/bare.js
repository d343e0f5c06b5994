import { createServer } from "node:http";
import { listen } from "../listen.js";

const chunks = Array.from({ length: 100 }, (_, i) => `chunk number ${i}\n`);
const type = ["Content-Type", "text/plain"];

const variants = {
  write(req, res) {
    res.writeHead(200, type);
    for (const chunk of chunks) res.write(chunk);
    res.end();
  },

  join(req, res) {
    const text = chunks.join("");
    res.writeHead(200, [...type, "Content-Length", String(Buffer.byteLength(text))]);
    res.end(text);
  },
};

export function serve(variant) {
  return listen(createServer(variants[variant]));
}
