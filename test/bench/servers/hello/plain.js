// WSGI with every response written by node:http itself, as where somebody else has changed what node writes with.
import { serve as serveWsgi } from "@wsgi/server";

export async function serve() {
  const hello = (environ, startResponse) => {
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    return ["Hello, world!"];
  };
  const server = await serveWsgi(hello, { port: 0, fastPath: false });
  return Number(new URL(server.url).port);
}
