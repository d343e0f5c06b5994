// A stack of five layers, in a process of its own: `node cases/inspector.js CASE SECONDS` tells the
// nanoseconds that a request takes.
import process from "node:process";
import { isThenable, setupTestingDefaults, stack } from "@wsgi/core";
import { environFor } from "@wsgi/testing";
import { distinct } from "../servers/distinct.js";

const ok = [["Content-Type", "text/plain"]];
const body = ["Hello, world!"];

function hello(environ, startResponse) {
  startResponse("200 OK", ok);
  return body;
}

function* stream(environ, startResponse) {
  startResponse("200 OK", ok);
  for (let i = 0; i < 10; i++) yield "Hello, world!";
}

const layers = distinct(
  5,
  `(app) => (environ, startResponse) =>
     app(environ, (status, headers, excInfo) => startResponse(status, headers, excInfo))`,
);

const headers = {
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "Accept-Encoding": "gzip, deflate, br",
  "Accept-Language": "en-US,en;q=0.5",
  Cookie: "sid=1234567890abcdef; theme=dark",
  Referer: "http://localhost/?page=1",
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
};
const request = setupTestingDefaults(environFor("GET /hello/Ann?page=1", { headers }));

async function inspected(app, options) {
  const { inspect, Recorder } = await import("@wsgi/inspector");
  return inspect(stack(...layers)(app), new Recorder(), options);
}

async function imported(app) {
  await import("@wsgi/inspector");
  return stack(...layers)(app);
}

const cases = {
  "an array, plain": () => stack(...layers)(hello),
  "an array, the inspector imported": () => imported(hello),
  "an array, inspected": () => inspected(hello),
  "an array, inspected, with Server-Timing": () => inspected(hello, { serverTiming: true }),
  "ten chunks, plain": () => stack(...layers)(stream),
  "ten chunks, the inspector imported": () => imported(stream),
  "ten chunks, inspected": () => inspected(stream),
};

const [name, seconds] = process.argv.slice(2);
if (name === undefined) {
  process.send(Object.keys(cases));
} else {
  const app = await cases[name]();
  let sum = 0;
  const startResponse = (status, fields) => {
    sum += fields.length;
    return () => {};
  };
  const serve = (times) => {
    for (let i = 0; i < times; i++) {
      const result = app({ ...request }, startResponse);
      if (isThenable(result)) throw new Error("A promise was made");
      for (const chunk of result) sum += chunk.length;
      result.close?.();
    }
  };
  const measure = (milliseconds) => {
    let times = 0;
    const begun = performance.now();
    let taken;
    do {
      serve(100);
      times += 100;
      taken = performance.now() - begun;
    } while (taken < milliseconds);
    return (1e6 * taken) / times;
  };
  measure(500 * seconds);
  let least = Infinity;
  for (let i = 0; i < 9; i++) least = Math.min(least, measure((1000 * seconds) / 9));
  if (!(sum > 0)) throw new Error("Nothing was answered");
  process.send({ ns: least });
}
