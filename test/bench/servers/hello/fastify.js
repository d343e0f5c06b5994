import Fastify from "fastify";
import { distinct } from "../distinct.js";

export async function serve(layers) {
  const app = Fastify();
  for (const layer of distinct(layers, "(request, reply, done) => done()")) {
    app.addHook("onRequest", layer);
  }
  app.get("/", (request, reply) => {
    reply.type("text/plain").send("Hello, world!");
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  return app.server.address().port;
}
