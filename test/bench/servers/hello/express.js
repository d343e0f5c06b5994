import { createServer } from "node:http";
import express from "express";
import { distinct } from "../distinct.js";
import { listen } from "../listen.js";

export function serve(layers) {
  const app = express();
  for (const layer of distinct(layers, "(req, res, next) => next()")) app.use(layer);
  app.get("/", (req, res) => {
    res.type("text/plain").send("Hello, world!");
  });
  return listen(createServer(app));
}
