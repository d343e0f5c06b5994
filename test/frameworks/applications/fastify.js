import { Readable } from "node:stream";
import { fromNode } from "@wsgi/bridge/node";
import Fastify from "fastify";
import { broken, fail, largeAsync, steps } from "./source.js";

async function start() {
  const site = Fastify();
  site.addContentTypeParser("application/octet-stream", (request, payload, done) =>
    done(null, payload),
  );

  site.get("/hello", (request, reply) => reply.type("text/plain").send("Hello from fastify"));
  site.get("/status", (request, reply) => {
    reply.raw.statusMessage = "Fine by me";
    return reply.code(203).type("text/plain").send("Fine");
  });
  site.get("/cookies", (request, reply) =>
    reply.header("Set-Cookie", ["a=1; Path=/", "b=2"]).type("text/plain").send("Cookies"),
  );
  site.get("/empty", (request, reply) => reply.code(204).send());
  site.post("/json", (request, reply) => reply.send({ received: request.body }));
  site.post("/echo", (request, reply) => reply.type("application/octet-stream").send(request.body));
  site.get("/stream", (request, reply) =>
    reply.type("text/plain").send(Readable.from(steps(request.query.id))),
  );
  site.get("/broken", (request, reply) =>
    reply.type("text/plain").send(Readable.from(broken(request.query.id))),
  );
  site.get("/large", (request, reply) =>
    reply.type("application/octet-stream").send(Readable.from(largeAsync(request.query.id))),
  );
  site.get("/path/:name", (request, reply) => reply.send({ name: request.params.name }));
  site.get("/throw", fail);
  await site.ready();
  return site;
}

let started;

export const app = fromNode(async (req, res) => {
  // Not before the first request, because not every host lets a module wait while it is loaded.
  const site = await (started ??= start());
  site.routing(req, res);
});
