import { once } from "node:events";

/** Has an http.Server of node listen on a free port, which it returns. */
export async function listen(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}
