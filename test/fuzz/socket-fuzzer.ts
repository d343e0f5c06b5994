import assert from "node:assert/strict";
import { environKey, type Application, type Environ } from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import { StrictClient } from "../support/strict-client.ts";
import { randomFrom } from "../support/random.ts";
import { serving, turn, type ServingServer } from "../support/serving.ts";
import { mutate, pieces } from "./mutate.ts";
import { readRequests, type Reading, type ReadRequest } from "./request-parser.ts";
import { corpus } from "./request-corpus.ts";

/** Is a call of the application, and what it has read. */
interface Call {
  readonly environ: Environ;
  /** The body; undefined as long as it is not whole. */
  body: string | undefined;
}

/** Is an input that is under way, on one connection. */
interface Run {
  readonly client: StrictClient;
  readonly input: string;
  readonly reading: Reading;
  readonly calls: readonly Call[];
}

/** Says what was done. */
export interface Report {
  inputs: number;
  connections: number;
  requests: number;
  calls: number;
  refusals: number;
}

/** How many inputs are under way at once, each on two connections. */
const width = 50;
/** How long a server may take to answer, in milliseconds, on a machine that is busy. */
const patience = 20_000;

/**
 * Sends inputs to a server that hears of nothing, and checks what no answer may break: Y1 to Y8.
 *
 * @throws AssertionError with the seed and the number of the input, by which it is made again
 */
export async function fuzzSockets(seed: number, from: number, to: number): Promise<Report> {
  const report = { inputs: 0, connections: 0, requests: 0, calls: 0, refusals: 0 };
  const calls = new Map<string, Call[]>();
  const bodies = { open: 0 };
  const app = validator()(recorder(calls, bodies));
  // Longer than anyone waits, so that no connection ends for being kept too long.
  await using server = await serving(app, { limits: { keepAliveTimeout: 5 * patience } });
  for (let first = from; first < to; first += width) {
    const numbers = Array.from({ length: Math.min(width, to - first) }, (_, i) => first + i);
    const pairs = await Promise.all(numbers.map((number) => start(seed, number, server, calls)));
    await checkCanary(server);
    await Promise.all(pairs.flat().map(settled));
    for (const [i, pair] of pairs.entries()) {
      try {
        checkPair(pair, report);
      } catch (error) {
        const input = JSON.stringify(pair[0].input);
        const found = `Seed ${seed}, input ${numbers[i]}: ${input}`;
        throw new Error(`${found}\n${(error as Error).message}`, { cause: error });
      } finally {
        for (const { client } of pair) client.socket.destroy();
      }
    }
    await until(() => bodies.open === 0, "Y7: every body is closed");
    calls.clear();
  }
  return report;
}

/** Answers each request when it has its body, and writes down what it was called with. */
function recorder(calls: Map<string, Call[]>, bodies: { open: number }): Application {
  return function recorder(environ, startResponse) {
    const call: Call = { environ, body: undefined };
    const port = environ.REMOTE_PORT as string;
    calls.set(port, [...(calls.get(port) ?? []), call]);
    const answer = (body: Uint8Array) => {
      call.body = Buffer.from(body).toString("latin1");
      bodies.open += 1;
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return Object.assign(["Hello"], { close: () => void bodies.open-- });
    };
    const body = environ["wsgi.input"].read();
    return body instanceof Uint8Array ? answer(body) : body.then(answer);
  };
}

/** Sends an input twice, in one piece and in several, and waits for what has to come. */
async function start(
  seed: number,
  number: number,
  server: ServingServer,
  calls: Map<string, Call[]>,
): Promise<[Run, Run]> {
  const random = randomFrom(seed ^ Math.imul(number + 1, 0x9e3779b1));
  const input = mutate(corpus, random);
  const reading = readRequests(input);
  const send = async (parts: readonly string[]): Promise<Run> => {
    const client = await StrictClient.connect(server);
    const port = String(client.socket.localPort);
    calls.set(port, []);
    for (const part of parts) {
      client.send(part);
      await turn();
    }
    await answered(client, reading);
    return { client, input, reading, calls: calls.get(port)! };
  };
  return await Promise.all([send([input]), send(pieces(input, random))]);
}

function methodsOf({ requests, wrongMethod }: Reading): string[] {
  return [...requests.map(({ method }) => method), wrongMethod];
}

/** Waits for the end that a response has announced, if it was an early one. */
async function settled({ client, reading }: Run): Promise<void> {
  await turn();
  await answered(client, reading);
}

async function answered(client: StrictClient, reading: Reading): Promise<void> {
  const whole = reading.requests.filter(({ body }) => body !== undefined).length;
  const mayStay = reading.end === "nothing" || reading.end === "incomplete";
  const deadline = setTimeout(() => client.socket.destroy(new Error("Too slow")), patience);
  const isDone = (): boolean => {
    if (client.closed) return true;
    if (!mayStay) return false;
    const responses = client.parse(methodsOf(reading)).filter(({ complete }) => complete);
    return responses.length >= whole && responses.at(-1)?.keepsOpen !== false;
  };
  try {
    while (!isDone()) await client.moved();
    assert.equal(client.socket.errored?.message === "Too slow", false, "the server is silent");
  } catch {
    // Bytes that cannot be parsed are judged with all the rest.
  } finally {
    clearTimeout(deadline);
  }
}

/** Y6: someone else is still answered. */
async function checkCanary(server: ServingServer): Promise<void> {
  using client = await StrictClient.connect(server);
  client.send("GET /canary HTTP/1.1\r\nHost: a\r\n\r\n");
  const [response] = await client.responses("GET");
  assert.equal(response?.text(), "Hello", "Y6: the canary is answered");
}

function checkPair([whole, cut]: [Run, Run], report: Report): void {
  check(whole);
  check(cut);
  assert.deepEqual(verdict(cut), verdict(whole), "Y5: the cuts make no difference");
  report.inputs += 1;
  report.connections += 2;
  report.requests += whole.reading.requests.length;
  report.calls += whole.calls.length + cut.calls.length;
  report.refusals += Number(whole.reading.end === "wrong");
}

function check(run: Run): void {
  const { client, reading, calls } = run;
  const { requests, end } = reading;
  assert.notEqual(client.socket.errored?.message, "Too slow", "the server is silent");
  // Y2
  assert.ok(calls.length <= requests.length, "Y2: no call for what is wrong");
  calls.forEach((call, i) => checkCall(call, requests[i]!));
  // Y3
  const responses = client.parse(methodsOf(reading));
  const refusals = responses.slice(requests.length);
  assert.ok(refusals.every(({ code }) => code >= 400));
  if (client.closed && end === "nothing" && responses.length > 0) {
    assert.ok(!responses.at(-1)!.keepsOpen, "Y3: the end is announced");
  }
  const answered = responses.filter(({ code }) => code === 200).length;
  const whole = calls.filter(({ body }) => body !== undefined).length;
  assert.equal(answered, whole, "Y3: one answer for each call");
}

/** Y2 and Y4: the application has been given what was sent. */
function checkCall({ environ, body }: Call, request: ReadRequest): void {
  assert.equal(environ.REQUEST_METHOD, request.method);
  assert.equal(environ.REQUEST_URI, request.target);
  assert.equal(environ.SERVER_PROTOCOL, request.protocol);
  // What is right for the reference may be too much for the server, as some chunk extensions are.
  if (body !== undefined) assert.equal(body, request.body, "Y2: the body is the one that was sent");
  const expected: Record<string, string> = {};
  for (const [name, value] of request.fields) {
    if (name.includes("_")) continue;
    const key = environKey(name);
    const before = expected[key];
    const joint = key === "HTTP_COOKIE" ? "; " : ", ";
    expected[key] = before === undefined ? value : `${before}${joint}${value}`;
  }
  const given = Object.keys(environ).filter((key) => /^(?:HTTP|CONTENT)_/.test(key));
  assert.deepEqual(
    new Set(given),
    new Set(["HTTP_HOST", ...Object.keys(expected)].slice(Number(!("HTTP_HOST" in environ)))),
  );
  for (const [key, value] of Object.entries(expected)) {
    if (key !== "HTTP_HOST") assert.equal(environ[key], value);
  }
  checkEnviron(environ);
}

/** Y4 */
function checkEnviron(environ: Environ): void {
  for (const [key, value] of Object.entries(environ)) {
    if (key.includes(".")) continue;
    assert.match(key, /^[A-Z][A-Z0-9_]*$|^HTTP_[!-~]+$/);
    assert.equal(typeof value, "string");
    // The path is decoded, and may hold whatever can be escaped.
    if (key !== "PATH_INFO") assert.doesNotMatch(value as string, /[\r\n\0]/);
  }
  assert.match(environ.CONTENT_LENGTH ?? "0", /^\d+$/);
  assert.match(environ.PATH_INFO, /^(?:\/[^]*|\*)$/);
  assert.equal(environ.SCRIPT_NAME, "");
}

/** Y5: what must not depend on how the bytes were cut. */
function verdict({ client, reading, calls }: Run): unknown {
  const whole = calls.filter(({ body }) => body !== undefined);
  const responses = client.parse(methodsOf(reading));
  return {
    calls: whole.map(({ environ, body }) => [environ.REQUEST_METHOD, environ.REQUEST_URI, body]),
    codes: responses.map(({ code }) => code),
    closed: client.closed,
  };
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let turns = 0; !isSo(); turns++) {
    assert.ok(turns < 1_000, what);
    await turn();
  }
}
