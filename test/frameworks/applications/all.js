import { stack } from "@wsgi/core";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { mount } from "@wsgi/middleware/mount";
import { app as connect } from "./connect.js";
import { app as express } from "./express.js";
import { app as fastify } from "./fastify.js";
import { app as h3 } from "./h3.js";
import { app as hono } from "./hono.js";
import { app as koa } from "./koa.js";
import { app as micro } from "./micro.js";
import { app as plain } from "./plain.js";
import { control, log } from "./source.js";

const through = stack(
  accessLog({ format: "combined", destination: { write: (line) => void log.push(line) } }),
  catchErrors({ report: () => {} }),
  append("appended\n"),
);

export const app = mount({
  "/control": control,
  "/connect": through(connect),
  "/express": through(express),
  "/fastify": through(fastify),
  "/h3": through(h3),
  "/hono": through(hono),
  "/koa": through(koa),
  "/micro": through(micro),
  "/plain": through(plain),
});
