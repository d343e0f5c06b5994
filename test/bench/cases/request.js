// A server without a network, in a process of its own: `node cases/request.js SERVER HEAD SECONDS` tells the
// microseconds of processor time that node:http and what is above it take for a request. What the system does
// for a socket, which is the larger part and never the same twice, is not in it.
import http from "node:http";
import net from "node:net";
import process from "node:process";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { makeServer } from "@wsgi/server";

const servers = {
  bare: () =>
    http.createServer((req, res) => {
      res.writeHead(200, ["Content-Type", "text/plain", "Content-Length", "13"]);
      res.end("Hello, world!");
    }),

  wsgi: () => makeServer("127.0.0.1", 0, hello).httpServer,

  plain: () => makeServer("127.0.0.1", 0, hello, { fastPath: false }).httpServer,
};

function hello(environ, startResponse) {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return ["Hello, world!"];
}

/** Is what node:http needs of a socket. What is written is thrown away. */
class Connection extends Duplex {
  remoteAddress = "127.0.0.1";
  remotePort = 50_000;
  localAddress = "127.0.0.1";
  localPort = 8_000;
  bytesRead = 0;
  timeout = 0;
  answers = 0;
  setTimeout = net.Socket.prototype.setTimeout;

  request(head) {
    this.bytesRead += head.length;
    this.push(head);
  }

  _read() {}

  _write(_chunk, _encoding, done) {
    this.answers += 1;
    done();
  }

  _writev(_chunks, done) {
    this.answers += 1;
    done();
  }

  setKeepAlive() {
    return this;
  }

  setNoDelay() {
    return this;
  }

  destroySoon() {
    this.destroy();
  }

  _onTimeout() {}
}

const [name, text, seconds] = process.argv.slice(2);
const head = Buffer.from(text);
const server = servers[name]();
const connections = Array.from({ length: 50 }, () => new Connection());
for (const connection of connections) server.emit("connection", connection);

await run(1000 * seconds);
let least = Infinity;
for (let i = 0; i < 20; i++) least = Math.min(least, await run((1000 * seconds) / 20));
// The connections' timers would keep it.
process.send(least, () => process.exit());

/** Answers requests for a while, and tells the processor's time for one. */
async function run(milliseconds) {
  const before = process.cpuUsage();
  const answered = count();
  for (const end = performance.now() + milliseconds; performance.now() < end;) {
    for (const connection of connections) connection.request(head);
    await setImmediate();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (count() - answered);
}

function count() {
  return connections.reduce((sum, { answers }) => sum + answers, 0);
}
