import assert from "node:assert/strict";
import { respond } from "../applications.ts";
import { last, request, serverCase, signal, whole, withCanary } from "./host.ts";
import type { ServerCase } from "./host.ts";

/** Makes a case of a request that no application is to see. */
function refused(
  name: string,
  what: string,
  bytes: string,
  codes: readonly number[] = [400],
): ServerCase {
  return serverCase(`http-refused/${name}`, `refuses ${what}`, async (host) => {
    const called = signal<string>();
    const client = await host.serve((environ, startResponse) => {
      called.happen(environ.REQUEST_URI);
      startResponse("200 OK", []);
      return ["reached"];
    });
    const finished = client.send(bytes + request("GET /behind")).finish();
    const reached = called.happened.then((target) =>
      assert.fail(`the application was called, for ${JSON.stringify(target.slice(0, 50))}`),
    );
    const [response] = await Promise.race([finished, reached]);
    // To close without a word is a refusal, too.
    const code = response?.code ?? codes[0]!;
    assert.ok(codes.includes(code), `the status is ${code}; wanted ${codes.join(" or ")}`);
  });
}

const length = "Content-Length: 5";
const chunked = "Transfer-Encoding: chunked";

/** Is the cases about HTTP itself. */
export const httpCases: readonly ServerCase[] = [
  serverCase("http-order", "answers in order, with one request at a time", async (host) => {
    const called: string[] = [];
    const go = signal();
    const first = signal();
    const client = await host.serve(
      withCanary(async (environ, startResponse) => {
        called.push(environ.PATH_INFO);
        if (environ.PATH_INFO === "/a") {
          first.happen();
          await go.happened;
        }
        startResponse("200 OK", []);
        return [environ.PATH_INFO];
      }),
    );
    client.send(request("GET /a") + request("GET /b") + last("GET /c"));
    await host.wait(first.happened, "the first request to reach the application");
    await host.turn();
    assert.deepEqual(called, ["/a"], "one request is to be with the application at a time");
    go.happen();
    const responses = await client.finish();
    assert.deepEqual(
      responses.map((response) => response.text()),
      ["/a", "/b", "/c"],
    );
  }),
  serverCase("http-next", "keeps the connection for the next request", async (host) => {
    const client = await host.serve(respond(["Hello"]));
    assert.equal((await client.send(request("GET /")).response()).text(), "Hello");
    assert.equal((await client.send(request("GET /")).response()).text(), "Hello");
  }),
  serverCase("http-next/stream", "keeps it behind a stream", async (host) => {
    const client = await host.serve(respond(() => new Set(["Hel", "lo"])));
    assert.equal((await client.send(request("GET /")).response()).text(), "Hello");
    assert.equal((await client.send(request("GET /")).response()).text(), "Hello");
  }),
  serverCase("http-next/asked", "closes it when the client asks for that", async (host) => {
    const client = await host.serve(respond(["Hello"]));
    const [response] = await client.send(last("GET /")).finish();
    assert.equal(response?.keepsOpen, false, "the response is to say so");
  }),
  serverCase("http-unread", "does not read on and on what nobody wants", async (host) => {
    const client = await host.serve(respond(["No"], { status: "413 Content Too Large" }));
    client.send(request("POST /", ["Content-Length: 1000000000"]));
    const [response] = await client.finish();
    assert.equal(response?.code, 413);
  }),
  serverCase("http-target", "takes host and path from an absolute target", async (host) => {
    const environ = await host.environ(last("GET http://example.com:81/a%20b?c"));
    const { HTTP_HOST, PATH_INFO, QUERY_STRING } = environ;
    assert.deepEqual([HTTP_HOST, PATH_INFO, QUERY_STRING], ["example.com:81", "/a b", "c"]);
  }),
  serverCase("http-target/slashes", "takes a target with two slashes for a path", async (host) => {
    const { HTTP_HOST, PATH_INFO } = await host.environ(last("GET //example.com/a"));
    assert.deepEqual([HTTP_HOST, PATH_INFO], ["localhost", "//example.com/a"]);
  }),
  serverCase("http-target/asterisk", "takes OPTIONS *", async (host) => {
    assert.equal((await host.environ(last("OPTIONS *"))).PATH_INFO, "*");
  }),
  refused("no-host", "HTTP/1.1 without Host", "GET / HTTP/1.1\r\n\r\n"),
  refused("two-hosts", "two Hosts", request("GET /", ["Host: localhost"])),
  refused("bad-host", "a Host that is none", "GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n"),
  refused("length-and-coding", "a length beside a coding", request("POST /", [length, chunked])),
  refused("two-lengths", "two lengths", `${request("POST /", [length, "Content-Length: 6"])}Hello`),
  refused("bad-length", "a length that is no number", request("POST /", ["Content-Length: +5"])),
  refused(
    "two-types",
    "two Content-Types",
    request("GET /", ["Content-Type: a/b", "Content-Type: a/c"]),
  ),
  refused(
    "two-authorizations",
    "two Authorizations",
    request("GET /", ["Authorization: Basic a", "Authorization: Basic b"]),
  ),
  refused(
    "old-coding",
    "a coding over HTTP/1.0",
    `POST / HTTP/1.0\r\n${chunked}\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n`,
  ),
  refused(
    "other-coding",
    "a coding other than chunked",
    `${request("POST /", ["Transfer-Encoding: gzip, chunked"])}0\r\n\r\n`,
    [400, 501],
  ),
  refused("bad-coding", "a malformed coding", `${request("POST /", ["Transfer-Encoding: x;"])}`),
  refused("fragment", "a target with a fragment", request("GET /#a")),
  refused("scheme", "a target with another scheme", request("GET ftp://localhost/")),
  refused("asterisk", "* for another method than OPTIONS", request("GET *")),
  refused("connect", "CONNECT", request("CONNECT example.com:443"), [400, 405, 501]),
  refused("trace", "TRACE", request("TRACE /"), [405, 501]),
  refused("version", "another version", "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", [400, 505]),
  refused(
    "no-version",
    "a request without a version",
    "GET /\r\nHost: localhost\r\n\r\n",
    [400, 505],
  ),
  refused("name-space", "a space before a colon", request("GET /", ["X : y"])),
  refused("folded", "a folded field", request("GET /", ["X: y", " z"])),
  refused("control", "a control character in a field", request("GET /", ["X: a\0b"])),
  refused("nonsense", "what is no HTTP", "\x16\x03\x01 Hello\r\n\r\n"),
  refused(
    "long-target",
    "a target without end",
    request(`GET /${"a".repeat(200_000)}`),
    [400, 414, 431],
  ),
  refused(
    "large-head",
    "a head without end",
    request("GET /", [`X: ${"a".repeat(200_000)}`]),
    [400, 413, 414, 431],
  ),
  refused(
    "expectation",
    "an expectation of something else",
    request("GET /", ["Expect: miracles"]),
    [417],
  ),
  serverCase("http-refused/no-answer", "answers nothing behind what it refused", async (host) => {
    const client = await host.serve(respond(["Hello"]));
    const first = request("GET /");
    const responses = await client.send(`${first}${request("GET /#a")}${first}`).finish();
    assert.ok(whole(responses).text() === "Hello" && responses.length <= 2);
  }),
];
