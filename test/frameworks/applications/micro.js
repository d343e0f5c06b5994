import { Micro, Response } from "../../../examples/dist/micro/framework.js";
import { broken, fail, large, steps } from "./source.js";

const site = new Micro();
const text = [["Content-Type", "text/plain"]];
const binary = [["Content-Type", "application/octet-stream"]];

site.route("/hello")(() => new Response("Hello from micro", 200, text));
site.route("/status")(() => new Response("Fine", 203, text));
site.route("/cookies")(
  () =>
    new Response("Cookies", 200, [...text, ["Set-Cookie", "a=1; Path=/"], ["Set-Cookie", "b=2"]]),
);
site.route("/empty")(() => new Response("", 204));
site.route("/json", ["POST"])(async (request) => ({ received: await request.json() }));
site.route("/echo", ["POST"])(
  (request) => new Response(blocks(request.environ["wsgi.input"]), 200, binary),
);
site.route("/stream")((request) => new Response(steps(request.query.get("id")), 200, text));
site.route("/broken")((request) => new Response(broken(request.query.get("id")), 200, text));
site.route("/large")((request) => new Response(large(request.query.get("id")), 200, binary));
site.route("/path/:name")((request) => ({ name: request.params.name }));
site.route("/throw")(fail);

async function* blocks(input) {
  for (;;) {
    const block = await input.read(65_536);
    if (block.length === 0) return;
    yield block;
  }
}

export const app = site.app;
