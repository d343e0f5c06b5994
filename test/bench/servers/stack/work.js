// What the realistic stack has to do, wherever a framework does not bring it: each of the seven servers
//
// - writes a line of the access log in the combined format, to memory, where a disk cannot disturb
// - answers errors with 500, of which there are none
// - gives the request an id, a random UUID, and says it in X-Request-Id
// - reads the cookie "visits" and sets it to one more, with Path, HttpOnly and SameSite
// - finds one of 200 routes and its parameters
// - adds a line to the end of the body, in a layer around the route

export const added = "\nServed by a realistic stack\n";

const things = Array.from({ length: 50 }, (_, i) => `thing${i}`);

/** The patterns of the routes, and what their answers begin with. */
export const routes = things.flatMap((thing) => [
  [`/api/${thing}`, `${thing} list`],
  [`/api/${thing}/:id`, `${thing} show`],
  [`/api/${thing}/:id/parts`, `${thing} parts`],
  [`/api/${thing}/:id/parts/:part`, `${thing} part`],
]);

export function textOf(title, { id = "-", part = "-" } = {}, visits) {
  return `${title}: id ${id}, part ${part}, visit ${visits}`;
}

export function nextVisit(visits = "0") {
  return String(Number(visits) + 1);
}

let lines = "";

/** Takes the lines of the access log. */
export const destination = {
  write(line) {
    lines += line;
    if (lines.length > 65_536) lines = "";
  },
};

/** Writes the line of a request, for those who do not bring an access log; "-" where they cannot tell the bytes. */
export function log(req, status, bytes) {
  const { method, url, httpVersion, headers, socket } = req;
  const client = `${socket.remoteAddress} - - [${clock()}]`;
  const line = `"${safe(method)} ${safe(url)} HTTP/${httpVersion}"`;
  const rest = `"${safe(headers.referer)}" "${safe(headers["user-agent"])}"`;
  destination.write(`${client} ${line} ${status} ${bytes ?? "-"} ${rest}\n`);
}

function safe(text = "-") {
  return text.replace(/[^\x20-\x7e]|["\\]/g, (unit) => `\\x${unit.charCodeAt(0).toString(16)}`);
}

let second = NaN;
let clockText = "";

function clock() {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    const [, day, month, year, time] = new Date().toUTCString().split(" ");
    clockText = `${day}/${month}/${year}:${time} +0000`;
    second = now;
  }
  return clockText;
}
