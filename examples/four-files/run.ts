// server ── environ ──▶ addMessage ──▶ application
//        ◀── hello world from a simple WSGI application! + middleware add this message ──
import { application } from "./application.ts";
import { addMessage } from "./middleware.ts";
import { makeServer } from "./server.ts";

const port = Number(process.env.PORT ?? 8000);
const { server, serveForever } = makeServer(
  "127.0.0.1",
  port,
  addMessage(" middleware add this message")(application),
);
server.once("listening", () => {
  const { port } = server.address() as { port: number };
  console.log(`Serving on http://127.0.0.1:${port}`);
});
await serveForever();
