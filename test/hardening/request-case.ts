import assert from "node:assert/strict";
import { it } from "node:test";
import { when, type Application, type Environ, type InputStream } from "@wsgi/core";
import { parseResponses, type ParsedResponse } from "@wsgi/testing/parse-responses";
import { randomFrom } from "../support/random.ts";
import { RawClient, turn, type ServingServer } from "../support/serving.ts";

/** Is a request that went wrong elsewhere, and what has to become of it here. */
export interface RequestCase {
  /** The class of fault; SECURITY.md says what each one is. */
  readonly id: string;
  /** What is sent, in words. */
  readonly title: string;
  /** What is sent, one character for each byte. A request for /after follows, unless the client ends. */
  readonly send: string;
  /** Whether the client ends its side when that is sent. Default: false. */
  readonly ends?: boolean;
  readonly verdict: Verdict;
}

/** Says what has to become of a request. */
export interface Verdict {
  /** What the title of the test says of it, `"is refused with 400"`. */
  readonly words: string;
  /** The status codes of the answers. */
  readonly codes: readonly number[];
  /** What the application is called with, each time. */
  readonly calls: readonly ExpectedCall[];
  /** Whether the request for /after is read, where it begins, and answered. */
  readonly goesOn: boolean;
  /** Whether the connection ends though the last answer did not say so. Default: false. */
  readonly endsUntold?: boolean;
}

/** Says what the application has to be called with; it does not read what is sent to /unread. */
export interface ExpectedCall {
  /** Keys of environ; undefined for those that must not be there. */
  readonly environ?: Readonly<Record<string, string | undefined>>;
  /** The body that it reads; undefined if reading has to fail. */
  readonly body: string | undefined;
}

/** The application is not called, the answer has this status, and the connection ends. */
export function refused(code: number): Verdict {
  return { words: `is refused with ${code}`, codes: [code], calls: [], goesOn: false };
}

/** The application is called once, and the connection goes on. */
export function served(environ: ExpectedCall["environ"] = {}, body = ""): Verdict {
  return { words: "is served", codes: [200], calls: [{ environ, body }], goesOn: true };
}

/** The application is called for each path in turn; the statuses may be one more, and then the last. */
export function servedInTurn(paths: readonly string[], codes: readonly number[]): Verdict {
  const calls = paths.map((path) => ({ environ: { PATH_INFO: path }, body: "" }));
  const goesOn = codes.length === paths.length;
  const words = `is answered in turn${goesOn ? "" : `, the last with ${codes.at(-1)}`}`;
  return { words, codes, calls, goesOn };
}

/** The application is called once, and then the connection ends. */
export function servedLast(environ: ExpectedCall["environ"] = {}, body = ""): Verdict {
  return { ...served(environ, body), words: "is served, and nothing after it", goesOn: false };
}

/** The application is called once and does not read the body, which is passed over. */
export const unread: Verdict = {
  words: "is answered unread, and passed over",
  codes: [200],
  calls: [{ body: undefined }],
  goesOn: true,
};

/** The same, but where the body ends cannot be told, and so the connection ends. */
export const unreadLast: Verdict = {
  ...unread,
  words: "is answered unread, and nothing after it",
  goesOn: false,
  endsUntold: true,
};

/** The application is called once, reading the body throws, and with that the answer has this status. */
export function failsReading(code: number): Verdict {
  const words = `fails who reads it, and is answered with ${code}`;
  return { words, codes: [code], calls: [{ body: undefined }], goesOn: false };
}

/** The application is called once, reading the body throws, and nobody is there for an answer. */
export const cutOff: Verdict = {
  words: "fails who reads it",
  codes: [],
  calls: [{ body: undefined }],
  goesOn: false,
};

/** Is what the application was called with. */
interface Call {
  readonly environ: Readonly<Record<string, unknown>>;
  body: string | undefined;
}

/** Is an application that reads each request to its end, and keeps what it was called with. */
export interface Recorder {
  readonly app: Application;
  /** The calls by the port of the client, which tells connections apart. */
  readonly calls: Map<string, Call[]>;
}

/** Makes an application that keeps what it is called with. */
export function makeRecorder(): Recorder {
  const calls = new Map<string, Call[]>();
  const app: Application = (environ, startResponse) => {
    const port = String(environ.REMOTE_PORT);
    const call: Call = { environ: textOf(environ), body: undefined };
    calls.set(port, [...(calls.get(port) ?? []), call]);
    const { PATH_INFO: path, "wsgi.input": input } = environ;
    if (path === "/unread") return answer(environ, startResponse);
    return when(path === "/slow" ? readSlowly(input) : input.read(), (bytes) => {
      call.body = Buffer.from(bytes).toString("latin1");
      assert.deepEqual(textOf(environ), call.environ, "reading the body changes environ");
      return answer(environ, startResponse);
    });
  };
  return { app, calls };
}

const answer: Application = ({ PATH_INFO }, startResponse) => {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return [PATH_INFO];
};

/** Reads after some turns of the event loop, in which all that was sent behind it arrives. */
async function readSlowly(input: InputStream): Promise<Uint8Array> {
  await turn(5);
  return await input.read();
}

/** Takes what a request says from its environ, but for the port, by which no two are the same. */
function textOf(environ: Environ): Record<string, unknown> {
  const text = Object.entries(environ).filter(
    ([key, value]) => typeof value === "string" && key !== "REMOTE_PORT",
  );
  return Object.fromEntries(text);
}

const after = "GET /after HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const afterCall: ExpectedCall = { environ: { PATH_INFO: "/after" }, body: "" };

/** Makes a test of each case: whole and in pieces, the request has to get the same verdict. */
export function testRequests(
  cases: readonly RequestCase[],
  serve: () => { server: ServingServer; recorder: Recorder },
): void {
  for (const request of cases) {
    it(`${request.id} · ${request.title} ${request.verdict.words}`, async () => {
      const { server, recorder } = serve();
      let first: readonly Call[] | undefined;
      for (const [name, pieces] of cutsOf(request.ends ? request.send : request.send + after)) {
        const { received, calls } = await send(server.port, pieces, request, recorder);
        check(request, received, calls, `sent ${name}, answered ${JSON.stringify(received)}`);
        first ??= calls;
        assert.deepEqual(calls, first, `sent ${name}, it is another request`);
      }
      assert.equal(server.reports, "");
      const [canary] = parsed(await sendAll(server.port, [after]), ["GET"]);
      assert.equal(canary?.text(), "/after");
    });
  }
}

function check(
  { verdict, send: sent, ends = false }: RequestCase,
  received: string,
  calls: readonly Call[],
  message: string,
): void {
  const goesOn = verdict.goesOn && !ends;
  const expected = goesOn ? [...verdict.calls, afterCall] : verdict.calls;
  assert.equal(calls.length, expected.length, message);
  for (const [i, { environ = {}, body }] of expected.entries()) {
    const found = calls[i]!;
    for (const [key, value] of Object.entries(environ)) {
      assert.equal(found.environ[key], value, `${key}: ${message}`);
    }
    assert.equal(found.body, body, message);
  }
  const methods = sent.match(/(?<=^|\n)[A-Z]+(?= )/g) ?? ["GET"];
  const responses = parsed(received, [...methods, "GET"]);
  const codes = responses.map(({ code }) => code);
  assert.deepEqual(codes, goesOn ? [...verdict.codes, 200] : verdict.codes, message);
  for (const response of responses) assert.ok(response.complete, message);
  for (const response of responses.slice(0, -1)) assert.ok(response.keepsOpen, message);
  const isTold = !ends && verdict.endsUntold !== true;
  if (isTold) assert.notEqual(responses.at(-1)?.keepsOpen, true, message);
}

/** Takes apart what came back, which has to be responses to these methods and nothing more. */
function parsed(received: string, methods: readonly string[]): ParsedResponse[] {
  return parseResponses(Buffer.from(received, "latin1"), { methods });
}

async function send(
  port: number,
  pieces: readonly string[],
  { ends = false }: RequestCase,
  { calls }: Recorder,
): Promise<{ received: string; calls: readonly Call[] }> {
  using client = await RawClient.connect({ port });
  const key = String(client.socket.localPort);
  // Ports come again.
  calls.delete(key);
  const received = await sendOn(client, pieces, ends);
  return { received, calls: calls.get(key) ?? [] };
}

/** Sends the pieces on a connection of their own, and gives what comes back until that is closed. */
export async function sendAll(port: number, pieces: readonly string[]): Promise<string> {
  using client = await RawClient.connect({ port });
  return await sendOn(client, pieces, false);
}

async function sendOn(
  client: RawClient,
  pieces: readonly string[],
  ends: boolean,
): Promise<string> {
  client.socket.setNoDelay(true);
  for (const piece of pieces) {
    if (client.socket.destroyed) break;
    client.send(piece);
    // Lets the server, which is in this process, read it, and the client what the server says to it.
    await turn(2);
  }
  if (ends) client.socket.end();
  return await client.closed;
}

/** Is what the random cuts begin with; set SEED to see a failure again. */
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));

/** Cuts a text in different ways. */
function cutsOf(text: string): readonly [name: string, pieces: readonly string[]][] {
  const random = randomFrom(seed);
  const cutAtRandom = (): [string, string[]] => {
    const places = Array.from({ length: 8 }, () => random(text.length));
    const borders = [...new Set([0, ...places, text.length])].toSorted((one, other) => one - other);
    return [
      `at random, SEED=${seed}`,
      borders.slice(1).map((end, i) => text.slice(borders[i], end)),
    ];
  };
  return [
    ["whole", [text]],
    ["line by line", text.match(/[^\n]*\n|[^\n]+$/g)!],
    // What is long is so in its middle, of which no byte differs from the next.
    ["byte by byte", text.length < 2_000 ? [...text] : text.match(/[^]{1,97}/g)!],
    cutAtRandom(),
    cutAtRandom(),
    cutAtRandom(),
  ];
}
