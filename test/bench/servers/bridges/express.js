import { createServer } from "node:http";
import { fromNode, toNode } from "@wsgi/bridge/node";
import express from "express";
import { listen } from "../listen.js";
import { hello, outermost, underStack } from "./hosts.js";

const app = express();
app.get("/", (req, res) => {
  res.type("text/plain").send("Hello, world!");
});

const variants = {
  own: () => listen(createServer(app)),
  outermost: () => outermost(fromNode(app)),
  stack: () => underStack(fromNode(app)),
  mount: () => listen(createServer(express().use(toNode(hello)))),
};

export function serve(variant) {
  return variants[variant]();
}
