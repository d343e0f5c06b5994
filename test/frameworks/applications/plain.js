import { broken, fail, large, steps } from "./source.js";

const text = [["Content-Type", "text/plain"]];
const binary = [["Content-Type", "application/octet-stream"]];

/** The application that imports nothing. */
const routes = {
  "/hello"(_environ, startResponse) {
    startResponse("200 OK", text);
    return ["Hello from plain"];
  },
  "/status"(_environ, startResponse) {
    startResponse("203 Fine by me", text);
    return ["Fine"];
  },
  "/cookies"(_environ, startResponse) {
    startResponse("200 OK", [...text, ["Set-Cookie", "a=1; Path=/"], ["Set-Cookie", "b=2"]]);
    return ["Cookies"];
  },
  "/empty"(_environ, startResponse) {
    startResponse("204 No Content", []);
    return [];
  },
  async "/json"(environ, startResponse) {
    const body = JSON.parse(new TextDecoder().decode(await environ["wsgi.input"].read()));
    startResponse("200 OK", [["Content-Type", "application/json"]]);
    return [JSON.stringify({ received: body })];
  },
  "/echo"(environ, startResponse) {
    startResponse("200 OK", binary);
    return blocks(environ["wsgi.input"]);
  },
  "/stream"(environ, startResponse) {
    startResponse("200 OK", text);
    return steps(idOf(environ));
  },
  "/broken"(environ, startResponse) {
    startResponse("200 OK", text);
    return broken(idOf(environ));
  },
  "/large"(environ, startResponse) {
    startResponse("200 OK", binary);
    return large(idOf(environ));
  },
  "/throw": fail,
};

export function app(environ, startResponse) {
  const { PATH_INFO } = environ;
  if (PATH_INFO in routes) return routes[PATH_INFO](environ, startResponse);
  const [, name] = /^\/path\/(.*)$/.exec(PATH_INFO) ?? [];
  startResponse(name === undefined ? "404 Not Found" : "200 OK", [
    ["Content-Type", "application/json"],
  ]);
  return [JSON.stringify({ name })];
}

function idOf({ QUERY_STRING }) {
  return new URLSearchParams(QUERY_STRING).get("id");
}

async function* blocks(input) {
  for (;;) {
    const block = await input.read(65_536);
    if (block.length === 0) return;
    yield block;
  }
}
