import { randomUUID } from "node:crypto";
import cookie from "@fastify/cookie";
import Fastify from "fastify";
import { added, log, nextVisit, routes, textOf } from "./work.js";

export async function serve() {
  const app = Fastify({ genReqId: () => randomUUID() });
  app.addHook("onResponse", (request, reply, done) => {
    log(request.raw, reply.statusCode, reply.getHeader("content-length"));
    done();
  });
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("X-Request-Id", request.id);
    done();
  });
  app.addHook("onSend", (request, reply, payload, done) => {
    done(null, payload + added);
  });
  await app.register(cookie);
  app.setErrorHandler((error, request, reply) => {
    console.error(error);
    reply.code(500).type("text/plain; charset=utf-8").send("Internal Server Error");
  });
  for (const [pattern, title] of routes) {
    app.get(pattern, (request, reply) => {
      const visits = nextVisit(request.cookies.visits);
      reply
        .setCookie("visits", visits, { path: "/", httpOnly: true, sameSite: "lax" })
        .type("text/plain; charset=utf-8")
        .send(textOf(title, request.params, visits));
    });
  }
  await app.listen({ port: 0, host: "127.0.0.1" });
  return app.server.address().port;
}
