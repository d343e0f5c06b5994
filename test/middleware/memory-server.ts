// A server in a process of its own, whose memory memory.test.ts measures. It answers GET with as many
// bytes as the query says, and POST with the number of bytes that it was sent, through five layers.
import { chunks, stack, type Application } from "@wsgi/core";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { contentLength } from "@wsgi/middleware/content-length";
import { head } from "@wsgi/middleware/head";
import { requestId } from "@wsgi/middleware/request-id";
import { serve } from "@wsgi/server";

const block = new Uint8Array(65_536).fill(120);

const app: Application = async (environ, startResponse) => {
  let received = 0;
  for await (const chunk of chunks(environ["wsgi.input"])) received += chunk.byteLength;
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  if (environ.REQUEST_METHOD === "POST") return [String(received)];
  const blocks = Number(environ.QUERY_STRING) / block.byteLength;
  return {
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < blocks; i++) yield block;
    },
  };
};

const layers = stack(
  accessLog({ destination: { write: () => {} }, format: "common" }),
  requestId(),
  head(),
  contentLength(),
  append("end"),
);

const server = await serve(layers(app), { port: 0 });
process.on("message", () => process.send!(process.resourceUsage().maxRSS * 1024));
process.on("disconnect", () => process.exit());
process.send!(server.url);
