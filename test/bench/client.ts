// Makes load where wrk is not installed: `node client.js REQUESTS.json PORT CONNECTIONS`, until SIGINT.
// It reads responses no further than it must to find their end.
import { readFileSync } from "node:fs";
import net from "node:net";
import process from "node:process";

const [file, port, connections] = process.argv.slice(2) as [string, string, string];
const texts = (JSON.parse(readFileSync(file, "utf8")) as string[]).map((text) => Buffer.from(text));
const begun = performance.now();
let answered = 0;
let failed = 0;
let next = 0;

for (let i = 0; i < Number(connections); i++) connect();

process.on("SIGINT", () => {
  const time = (performance.now() - begun) / 1_000;
  console.log(JSON.stringify({ answered, failed, time }));
  process.exit();
});

function connect(): void {
  const socket = net.connect(Number(port), "127.0.0.1");
  let received = "";
  const ask = (): void => void socket.write(texts[next++ % texts.length]!);
  socket.setNoDelay(true);
  socket.on("connect", ask);
  socket.on("data", (data) => {
    received += data.toString("latin1");
    const end = endOfResponse(received);
    if (end === -1) return;
    if (!received.startsWith("HTTP/1.1 2") || received.length > end) failed += 1;
    received = "";
    answered += 1;
    ask();
  });
  socket.on("error", () => (failed += 1));
  socket.on("close", connect);
}

/** Finds where a response ends, by its length or its last chunk; -1 if that has not come. */
function endOfResponse(text: string): number {
  const head = text.indexOf("\r\n\r\n");
  if (head === -1) return -1;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head));
  const last = text.indexOf("0\r\n\r\n", head);
  if (length === null) return last === -1 ? -1 : text.length;
  const end = head + 4 + Number(length[1]);
  return text.length >= end ? end : -1;
}
