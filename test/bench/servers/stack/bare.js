// The same work written by hand, as directly as it can be.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { parseCookie, stringifySetCookie } from "cookie";
import { listen } from "../listen.js";
import { added, log, nextVisit, routes, textOf } from "./work.js";

// "/api/thing1/:id/parts" is found under the name and the number of segments.
const titles = new Map();
for (const [pattern, title] of routes) {
  const segments = pattern.split("/");
  titles.set(`${segments[2]} ${segments.length}`, title);
}

function decode(segment) {
  return segment?.includes("%") ? decodeURIComponent(segment) : segment;
}

function answer(req, res) {
  const id = randomUUID();
  let status = 200;
  let body;
  const head = ["X-Request-Id", id, "Content-Type", "text/plain; charset=utf-8"];
  try {
    const end = req.url.indexOf("?");
    const segments = (end === -1 ? req.url : req.url.slice(0, end)).split("/");
    const title = titles.get(`${segments[2]} ${segments.length}`);
    if (title === undefined) {
      status = 404;
      body = "Not Found";
    } else {
      const visits = nextVisit(parseCookie(req.headers.cookie ?? "").visits);
      const cookie = { name: "visits", value: visits, path: "/", httpOnly: true, sameSite: "lax" };
      head.push("Set-Cookie", stringifySetCookie(cookie));
      body = textOf(title, { id: decode(segments[3]), part: decode(segments[5]) }, visits) + added;
    }
  } catch (error) {
    console.error(error);
    status = 500;
    body = "Internal Server Error";
  }
  const length = Buffer.byteLength(body);
  head.push("Content-Length", String(length));
  res.writeHead(status, head);
  res.end(body);
  log(req, status, length);
}

export function serve() {
  return listen(createServer(answer));
}
