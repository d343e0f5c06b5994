// One way to take a request's head over, in a process of its own: `node cases/environ.js CASE HEAD SECONDS`
// tells the nanoseconds for a request. The head is parsed by node's own parser each time, so that its strings
// are new as they are in a server. What that takes is measured in turn with it, and told apart.
import { IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";
import { distinct } from "../servers/distinct.js";

// The parser beneath node:http, which has no public name.
const { HTTPParser } = createRequire(import.meta.url)("_http_common");

const connection = {
  remoteAddr: "127.0.0.1",
  remotePort: "50000",
  serverName: "127.0.0.1",
  serverPort: "8000",
  encrypted: false,
  base: undefined,
};
const defaults = { errors: {}, signal: () => {}, draining: false };

/** Is compiled for each of the two, so that neither is slowed by what the engine learned from the other. */
const runner = `(take) => {
  let sum = 0;
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {});
  parser[HTTPParser.kOnHeadersComplete] = (major, minor, rawHeaders, method, url) => {
    const req = new IncomingMessage(null);
    req.httpVersionMajor = major;
    req.httpVersionMinor = minor;
    req.httpVersion = "1.1";
    req.method = "GET";
    req.url = url;
    // As node does itself: the headers are made of them when somebody asks.
    req._addHeaderLines(rawHeaders, rawHeaders.length);
    sum += take(req);
    return 0;
  };
  return (milliseconds) => {
    const begun = performance.now();
    let calls = 0;
    let taken = 0;
    do {
      parser.execute(heads);
      calls += 100;
      taken = performance.now() - begun;
    } while (taken < milliseconds);
    if (!(sum > 0)) throw new Error("Nothing was parsed");
    return (1e6 * taken) / calls;
  };
}`;

const cases = {
  async createEnviron() {
    const { createEnviron } = await import("../../../packages/server/dist/environ.js");
    return (req) => createEnviron(req, connection, defaults).PATH_INFO.length;
  },

  async "createEnviron, five keys read"() {
    const { createEnviron } = await import("../../../packages/server/dist/environ.js");
    return (req) => {
      const environ = createEnviron(req, connection, defaults);
      return (
        environ.REQUEST_METHOD.length +
        environ.PATH_INFO.length +
        environ.HTTP_HOST.length +
        (environ.HTTP_ACCEPT ?? "").length +
        (environ.HTTP_COOKIE ?? "").length
      );
    };
  },

  "req.headers of node": () => (req) => req.headers.host.length,
};

const [name, head, seconds] = process.argv.slice(2);
if (name === undefined) {
  process.send(Object.keys(cases));
} else {
  // Many at a time, as a client sends them that does not wait.
  const heads = Buffer.from(head.repeat(100));
  const takes = [(req) => req.rawHeaders.length, await cases[name]()];
  const runs = distinct(2, runner, { IncomingMessage, HTTPParser, heads }).map((run, i) =>
    run(takes[i]),
  );
  for (const run of runs) run(500 * seconds);
  const [parsing, both] = runs.map(() => []);
  for (let i = 0; i < 15; i++) {
    parsing.push(runs[0]((1000 * seconds) / 15));
    both.push(runs[1]((1000 * seconds) / 15));
  }
  const least = Math.min(...parsing);
  process.send({ parsing: least, above: Math.min(...both) - least });
}
