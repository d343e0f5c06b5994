import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import cookieParser from "cookie-parser";
import express from "express";
import { listen } from "../listen.js";
import { added, log, nextVisit, routes, textOf } from "./work.js";

const app = express();

app.use((req, res, next) => {
  res.on("finish", () => log(req, res.statusCode, res.get("Content-Length")));
  next();
});
app.use((req, res, next) => {
  req.id = randomUUID();
  res.set("X-Request-Id", req.id);
  next();
});
app.use((req, res, next) => {
  const { send } = res;
  res.send = (body) => {
    res.send = send;
    return res.send(body + added);
  };
  next();
});
app.use(cookieParser());
for (const [pattern, title] of routes) {
  app.get(pattern, (req, res) => {
    const visits = nextVisit(req.cookies.visits);
    res.cookie("visits", visits, { httpOnly: true, sameSite: "lax" });
    res.type("text/plain").send(textOf(title, req.params, visits));
  });
}
// oxlint-disable-next-line no-unused-vars -- Express knows an error handler by its four parameters
app.use((error, req, res, next) => {
  console.error(error);
  res.status(500).type("text/plain").send("Internal Server Error");
});

export function serve() {
  return listen(createServer(app));
}
