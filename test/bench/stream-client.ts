// Takes a stream, or sends one, as fast as it can: `node stream-client.js PORT TARGET [BYTES TO SEND]`.
import { once } from "node:events";
import net from "node:net";
import process from "node:process";

const [port, target, toSend] = process.argv.slice(2) as [string, string, string?];
const buffer = Buffer.alloc(262_144);
const begun = performance.now();
let received = 0;
let beginning = "";

const socket = net.connect({
  port: Number(port),
  host: "127.0.0.1",
  onread: {
    buffer,
    callback(length) {
      if (received === 0) beginning = buffer.toString("latin1", 0, Math.min(length, 12));
      received += length;
      return true;
    },
  },
});
const closed = once(socket, "close");
await once(socket, "connect");
const head = `${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n`;
if (toSend === undefined) {
  socket.write(`GET ${head}\r\n`);
} else {
  socket.write(`POST ${head}Content-Length: ${toSend}\r\n\r\n`);
  const block = Buffer.alloc(65_536, "x");
  for (let left = Number(toSend); left > 0; left -= block.length) {
    const isFull = !socket.write(left < block.length ? block.subarray(0, left) : block);
    if (isFull) await once(socket, "drain");
  }
}
await closed;
const time = (performance.now() - begun) / 1_000;
console.log(JSON.stringify({ beginning, received, time }));
