import { Readable } from "node:stream";
import { fromNode } from "@wsgi/bridge/node";
import connect from "connect";
import { broken, fail, largeAsync, steps } from "./source.js";

const site = connect();

const routes = {
  "/hello": (req, res) => send(res, "Hello from connect"),
  "/status"(req, res) {
    res.statusCode = 203;
    res.statusMessage = "Fine by me";
    send(res, "Fine");
  },
  "/cookies"(req, res) {
    res.setHeader("Set-Cookie", ["a=1; Path=/", "b=2"]);
    send(res, "Cookies");
  },
  "/empty"(req, res) {
    res.writeHead(204);
    res.end();
  },
  async "/json"(req, res) {
    const received = JSON.parse(Buffer.concat(await req.toArray()));
    send(res, JSON.stringify({ received }), "application/json");
  },
  "/echo"(req, res) {
    res.setHeader("Content-Type", "application/octet-stream");
    req.pipe(res);
  },
  "/stream"(req, res) {
    res.writeHead(200, { "Content-Type": "text/plain" });
    Readable.from(steps(idOf(req))).pipe(res);
  },
  "/broken"(req, res) {
    res.writeHead(200, { "Content-Type": "text/plain" });
    Readable.from(broken(idOf(req)))
      .on("error", () => res.destroy())
      .pipe(res);
  },
  "/large"(req, res) {
    res.setHeader("Content-Type", "application/octet-stream");
    const body = Readable.from(largeAsync(idOf(req)));
    res.on("close", () => body.destroy());
    body.pipe(res);
  },
  "/throw": fail,
};

for (const [path, handler] of Object.entries(routes)) site.use(path, handler);
site.use("/path", (req, res) => {
  const name = decodeURIComponent(req.url.slice(1));
  send(res, JSON.stringify({ name }), "application/json");
});

function send(res, text, type = "text/plain") {
  res.setHeader("Content-Type", type);
  res.end(text);
}

function idOf(req) {
  return new URLSearchParams(req.originalUrl.split("?")[1]).get("id");
}

export const app = fromNode(site);
