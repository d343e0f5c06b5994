import { serve as serveWsgi } from "@wsgi/server";

const chunks = Array.from({ length: 100 }, (_, i) => `chunk number ${i}\n`);
const type = [["Content-Type", "text/plain"]];

const variants = {
  array(environ, startResponse) {
    startResponse("200 OK", type);
    return chunks;
  },

  *generator(environ, startResponse) {
    startResponse("200 OK", type);
    yield* chunks;
  },

  async *asyncGenerator(environ, startResponse) {
    startResponse("200 OK", type);
    for (const chunk of chunks) yield chunk;
  },
};

export async function serve(variant) {
  const server = await serveWsgi(variants[variant], { port: 0 });
  return Number(new URL(server.url).port);
}
