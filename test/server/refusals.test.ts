import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { type Application, type Chunk } from "@wsgi/core";
import { respond } from "@wsgi/testing";
import {
  answer,
  exchange,
  get,
  lastHeaders,
  RawClient,
  serving,
  turn,
} from "../support/serving.ts";

/** Sends a request that must not reach the application; returns the status code, or 0 for a bare close. */
async function refusal(request: string): Promise<number> {
  let calls = 0;
  const app = respond(["reached"]);
  await using server = await serving((environ, startResponse) => {
    calls += 1;
    return app(environ, startResponse);
  });
  // A request after it on the same connection must not be served either.
  const response = await exchange(server, request + get);
  assert.equal(calls, 0, response);
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(response)?.[1] ?? 0);
}

const request = (line: string, headers = lastHeaders): string => `${line} HTTP/1.1\r\n${headers}`;
const withHost = (host: string): string => request("GET /", `Host: ${host}\r\n\r\n`);

describe("a request is refused before the application if", () => {
  it("it has two Hosts", async () => {
    assert.equal(await refusal(request("GET /", `Host: a\r\nHost: a\r\n\r\n`)), 400);
  });
  it("its Host is empty", async () => {
    assert.equal(await refusal(withHost("")), 400);
  });
  it("its Host has a path", async () => {
    assert.equal(await refusal(withHost("a/b?c@d")), 400);
  });
  it("its Host has a user", async () => {
    assert.equal(await refusal(withHost("a@evil")), 400);
  });
  it("its Host has a space", async () => {
    assert.equal(await refusal(withHost("a b")), 400);
  });
  it("its Host has a port that is no number", async () => {
    assert.equal(await refusal(withHost("a:99x")), 400);
  });
  it("its Host is a list", async () => {
    assert.equal(await refusal(withHost("a, b")), 400);
  });
  it("its Host is half an IPv6 address", async () => {
    assert.equal(await refusal(withHost("[::1")), 400);
  });
  it("its Host is longer than a name can be", async () => {
    assert.equal(await refusal(withHost("a".repeat(300))), 400);
  });
  it("its absolute target has a bad authority", async () => {
    assert.equal(await refusal(request("GET http://a:99x/")), 400);
  });
  it("its absolute target has another scheme", async () => {
    assert.equal(await refusal(request("GET ftp://a/")), 400);
  });
  it("its target is * and its method not OPTIONS", async () => {
    assert.equal(await refusal(request("GET *")), 400);
  });
  it("its target has a fragment", async () => {
    assert.equal(await refusal(request("GET /a#b")), 400);
  });
  it("its line says HTTP/2.0", async () => {
    assert.equal(await refusal(`GET / HTTP/2.0\r\n${lastHeaders}`), 505);
  });
  it("its line has no version", async () => {
    assert.equal(await refusal("GET /\r\n\r\n"), 505);
  });
  it("it is HTTP/1.0 with a transfer coding", async () => {
    const head = "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert.equal(await refusal(head), 400);
  });
  it("its transfer codings are more than chunked", async () => {
    const headers = `Transfer-Encoding: gzip, chunked\r\n${lastHeaders}0\r\n\r\n`;
    assert.equal(await refusal(request("POST /", headers)), 501);
  });
  it("its transfer codings do not end in chunked", async () => {
    const headers = `Transfer-Encoding: identity\r\n${lastHeaders}0\r\n\r\n`;
    assert.equal(await refusal(request("POST /", headers)), 400);
  });
  it("its transfer codings have an empty place", async () => {
    const headers = `Transfer-Encoding: ,chunked\r\n${lastHeaders}0\r\n\r\n`;
    assert.equal(await refusal(request("POST /", headers)), 400);
  });
  it("it has two Content-Types", async () => {
    const headers = `Content-Type: a/b\r\nContent-Type: a/b\r\n${lastHeaders}`;
    assert.equal(await refusal(request("GET /", headers)), 400);
  });
  it("it has two Authorizations", async () => {
    const headers = `Authorization: Basic a\r\nAuthorization: Basic b\r\n${lastHeaders}`;
    assert.equal(await refusal(request("GET /", headers)), 400);
  });
  it("its method is TRACE", async () => {
    assert.equal(await refusal(request("TRACE /")), 405);
  });
  it("its method is CONNECT", async () => {
    assert.equal(await refusal(request("CONNECT example.com:443")), 405);
  });
  it("it has a length and a transfer coding", async () => {
    const headers = `Content-Length: 3\r\nTransfer-Encoding: chunked\r\n${lastHeaders}`;
    assert.equal(await refusal(request("POST /", headers)), 400);
  });
  it("it has no Host", async () => {
    assert.equal(await refusal("GET / HTTP/1.1\r\n\r\n"), 400);
  });
});

describe("a refusal", () => {
  it("says why, in plain text that nothing interprets", async () => {
    await using server = await serving(respond(["reached"]));
    const response = await exchange(server, request("GET /#<script>"));
    assert.match(response, /\r\nContent-Type: text\/plain; charset=utf-8\r\n/);
    assert.match(response, /\r\nX-Content-Type-Options: nosniff\r\n/);
    assert.match(response, /\r\n\r\nThe request was refused: the request target has a fragment\n$/);
  });

  it("names the methods that are allowed with 405", async () => {
    await using server = await serving(respond(["reached"]));
    assert.match(await exchange(server, request("TRACE /")), /\r\nAllow: GET, HEAD, POST,/);
  });

  it("is no error of the server", async () => {
    await using server = await serving(respond(["reached"]));
    await exchange(server, request("GET *"));
    assert.equal(server.reports, "");
  });
});

async function* streamed(...chunks: (Chunk | Promise<Chunk>)[]): AsyncGenerator<Chunk> {
  yield* chunks;
}

describe("what is refused behind a request under way", () => {
  it("waits for that one's answer: CONNECT", async () => {
    const response = await behindSlow("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
    assert.match(response, /^HTTP\/1\.1 200 OK[^]*slow[^]*HTTP\/1\.1 405 /);
  });

  it("lets that one's answer go on when its buffers have emptied: CONNECT", async () => {
    const block = new Uint8Array(1_000_000);
    await using server = await serving(respond(streamed(block, block)));
    const next = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
    const response = await exchange(server, `GET / HTTP/1.1\r\nHost: a\r\n\r\n${next}`);
    assert.match(response, /HTTP\/1\.1 405 /);
    assert.ok(response.length > 2_000_000);
  });

  it("waits for that one's answer: nonsense", async () => {
    const response = await behindSlow("NONSENSE\r\n\r\n");
    assert.match(response, /^HTTP\/1\.1 200 OK[^]*slowHTTP\/1\.1 400 /);
  });

  it("is nothing behind the last request, which has its one answer", async () => {
    await using server = await serving(respond(["last"]));
    assert.match(await exchange(server, `${get}NONSENSE\r\n\r\n`), /^HTTP\/1\.1 200 [^]*\nlast$/);
  });

  it("waits for all that came whole: nonsense", async () => {
    const response = await behindSlow("GET / HTTP/1.1\r\nHost: a\r\n\r\nNONSENSE\r\n\r\n");
    assert.match(response, /^HTTP\/1\.1 200 OK[^]*slow[^]*200 OK[^]*slow[^]*HTTP\/1\.1 400 /);
  });

  it("gets no answer behind what ends the connection", async () => {
    const response = await behindSlow(`GET / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.match(response, /^HTTP\/1\.1 200 OK[^]*slow[^]*200 OK\r\n(?:(?!HTTP)[^])*slow$/);
  });
});

describe("what is refused behind requests that are answered at once", () => {
  const two = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2);

  it("does not overtake their answers: CONNECT", async () => {
    const raw = `${two}CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n`;
    const { response } = await answer(respond(["fast"]), raw);
    assert.match(response, /^HTTP\/1\.1 200 OK[^]*fast[^]*200 OK[^]*fast[^]*HTTP\/1\.1 405 /);
  });

  it("does not overtake their answers: nonsense", async () => {
    const { response } = await answer(respond(["fast"]), `${two}NONSENSE\r\n\r\n`);
    assert.match(response, /^HTTP\/1\.1 200 OK[^]*fast[^]*200 OK[^]*fast[^]*HTTP\/1\.1 400 /);
  });

  it("answers a body that cannot be read before its turn has come", async () => {
    const chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const app: Application = async (environ, startResponse) => {
      await environ["wsgi.input"].read();
      return respond(["read"])(environ, startResponse);
    };
    const { response } = await answer(app, `${chunked}0\r\n\r\n${chunked}1\r\nx\r\n//`);
    assert.match(response, /^HTTP\/1\.1 200 OK[^]*readHTTP\/1\.1 400 /);
  });

  it("is nothing that the application is called for, behind a client that got no 100", async () => {
    const paths: string[] = [];
    const app: Application = (environ, startResponse) => {
      paths.push(environ.PATH_INFO);
      return respond(["unread"])(environ, startResponse);
    };
    const expecting = "POST /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n";
    const { response } = await answer(app, `${expecting}GET /2 HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.match(response, /^HTTP\/1\.1 200 OK\r\n(?:(?!HTTP)[^])*Connection: close[^]*unread$/);
    assert.deepEqual(paths, ["/1"]);
  });
});

async function behindSlow(next: string): Promise<string> {
  const app = respond(["slow"]);
  await using server = await serving(async (environ, startResponse) => {
    await turn(5);
    return app(environ, startResponse);
  });
  return await exchange(server, `GET / HTTP/1.1\r\nHost: a\r\n\r\n${next}`);
}

describe("a request behind one whose trailer ends the connection, as the parser has it,", () => {
  const chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  const first = `${chunked}Connection: close\r\n\r\n`;

  it("is answered with 400 and not with silence", async () => {
    await using server = await serving(respond(["ok"]));
    const response = await exchange(server, first + get);
    assert.match(response, /^HTTP\/1\.1 200 OK[^]*okHTTP\/1\.1 400 Bad Request\r\n/);
  });

  it("is so when the first one has had its answer", async () => {
    await using server = await serving(respond(["ok"]));
    using client = await RawClient.connect(server);
    await client.send(first).until("ok");
    assert.match(await client.send(get).closed, /okHTTP\/1\.1 400 Bad Request\r\n/);
  });

  it("gets nothing where the first one has said in its head that it is the last", async () => {
    await using server = await serving(respond(["ok"]));
    assert.match(await exchange(server, get + get), /^HTTP\/1\.1 200 OK[^]*\r\n\r\nok$/);
  });
});

describe("a request that is odd but right", () => {
  it("reaches the application: OPTIONS *", async () => {
    await using server = await serving((environ, startResponse) => {
      startResponse("200 OK", []);
      return [environ.PATH_INFO];
    });
    assert.match(await exchange(server, request("OPTIONS *")), /\r\n\r\n\*$/);
  });

  it("reaches the application, and is the last: an upgrade that nobody takes", async () => {
    await using server = await serving(respond(["no upgrade"]));
    const headers = "Upgrade: h2c\r\nConnection: Upgrade\r\nHost: a\r\n\r\n";
    assert.match(await exchange(server, request("GET /", headers)), /200 OK[^]*no upgrade$/);
  });

  it("reaches the application: chunked in any case", async () => {
    const app = respond(["ok"]);
    await using server = await serving(app);
    const headers = `TransFer-Encoding: ChUnKeD\r\n${lastHeaders}0\r\n\r\n`;
    assert.match(await exchange(server, request("POST /", headers)), /200 OK/);
  });

  it("reaches the application: an IPv6 Host", async () => {
    await using server = await serving(respond(["ok"]));
    const headers = "Host: [::1]:8000\r\nConnection: close\r\n\r\n";
    assert.match(await exchange(server, request("GET /", headers)), /200 OK/);
  });
});

describe("a server under --insecure-http-parser", () => {
  it("is as strict as without", async () => {
    const program = `
      import net from "node:net";
      import { serve } from "@wsgi/server";
      const server = await serve(() => process.exit(1), { port: 0 });
      const socket = net.connect(Number(new URL(server.url).port));
      socket.write("GET / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n");
      socket.pipe(process.stdout, { end: false }).on("unpipe", () => server.close());`;
    const flags = ["--insecure-http-parser", "--input-type=module", "-e", program];
    const { stdout } = await promisify(execFile)(process.execPath, flags);
    assert.match(stdout, /^HTTP\/1\.1 400 /);
  });
});
