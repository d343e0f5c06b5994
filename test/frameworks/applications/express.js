import { Readable } from "node:stream";
import { fromNode } from "@wsgi/bridge/node";
import express from "express";
import { broken, fail, largeAsync, steps } from "./source.js";

const site = express();

site.get("/hello", (req, res) => void res.type("text/plain").send("Hello from express"));
site.get("/status", (req, res) => {
  res.statusMessage = "Fine by me";
  res.status(203).type("text/plain").send("Fine");
});
site.get("/cookies", (req, res) => {
  res.cookie("a", "1");
  res.append("Set-Cookie", "b=2").type("text/plain").send("Cookies");
});
site.get("/empty", (req, res) => void res.status(204).end());
site.post("/json", express.json(), (req, res) => void res.json({ received: req.body }));
site.post("/echo", (req, res) => void req.pipe(res.type("application/octet-stream")));
site.get("/stream", (req, res) => {
  res.type("text/plain");
  Readable.from(steps(req.query.id)).pipe(res);
});
site.get("/broken", (req, res) => {
  res.type("text/plain");
  Readable.from(broken(req.query.id))
    .on("error", () => res.destroy())
    .pipe(res);
});
site.get("/large", (req, res) => {
  res.type("application/octet-stream");
  const body = Readable.from(largeAsync(req.query.id));
  res.on("close", () => body.destroy());
  body.pipe(res);
});
site.get("/path/:name", (req, res) => void res.json({ name: req.params.name }));
site.get("/throw", fail);

export const app = fromNode(site);
