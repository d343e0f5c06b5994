import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  checkHeaders,
  createInput,
  decodePath,
  requestUri,
  setupTestingDefaults,
  statusCode,
  toBytes,
  type Application,
  type Environ,
} from "@wsgi/core";
import { cookies, cookiesKey, type CookieJar } from "@wsgi/cookies";
import { accessLog } from "@wsgi/middleware/access-log";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { mount } from "@wsgi/middleware/mount";
import { requestId, requestIdKey } from "@wsgi/middleware/request-id";
import { router } from "@wsgi/router";
import { environFor, respond } from "@wsgi/testing";
import { parseResponses } from "@wsgi/testing/parse-responses";
import { randomFrom } from "../support/random.ts";
import { seed, times } from "../support/property.ts";

const inputs = 50_000 * times;

/** Gives an act texts of these pieces and of any characters; what it throws has to be of these names. */
function fuzz(signs: string, names: readonly string[], act: (text: string) => void): void {
  const random = randomFrom(seed);
  const pieces = [...signs.split(" "), " ", "\t", "\r\n", "\0", "é", "世", "\ud83d", "%", "x"];
  for (let i = 0; i < inputs; i++) {
    let text = "";
    for (let left = random(10); left > 0; left--) {
      const isAny = random(8) === 0;
      text += isAny ? String.fromCharCode(random(0x300)) : pieces[random(pieces.length)]!;
    }
    try {
      act(text);
    } catch (error) {
      const found = `Seed ${seed}, input ${i}: ${JSON.stringify(text)}`;
      assert.ok(names.includes((error as Error).name), `${found}\n${String(error)}`);
    }
  }
}

/** Calls an application that makes no promise; gives its header fields. */
function fieldsOf(app: Application, more: Partial<Environ>): Map<string, string> {
  const fields = new Map<string, string>();
  const body = app(setupTestingDefaults(more), (_status, headers) => {
    for (const [name, value] of headers) fields.set(name.toLowerCase(), value);
    return () => {};
  });
  (body as { close?(): void }).close?.();
  return fields;
}

const empty = respond([]);

/** Makes an application that gives its jar of cookies away. */
function withJar(act: (jar: CookieJar) => void): Application {
  return cookies()((environ, startResponse) => {
    act(environ[cookiesKey]);
    return empty(environ, startResponse);
  });
}

describe(`the parser (seed ${seed})`, () => {
  it("of a Cookie field throws nothing", () => {
    fuzz('a b = ; ; , " \\ %41 %zz __proto__ $Path', [], (text) => {
      fieldsOf(
        withJar((jar) => void [...jar]),
        { HTTP_COOKIE: text },
      );
    });
  });

  it("of cookies to set throws nothing but what it says, and sends one field", () => {
    fuzz("a b = ; , __Host- / . example.com %41", ["TypeError", "RangeError"], (text) => {
      const app = withJar((jar) => jar.set(text.slice(0, 3), text, { path: text, domain: text }));
      assert.match(fieldsOf(app, {}).get("set-cookie")!, /^[ -~]+$/);
    });
  });

  it("of a path throws nothing", () => {
    fuzz("/ a %E4 %B8 %96 %F0 %ED%A0%80 %C0 %2F %25 %", [], (text) => {
      assert.equal(typeof decodePath(text), "string");
      requestUri(setupTestingDefaults({ PATH_INFO: text, SCRIPT_NAME: text, HTTP_HOST: text }));
    });
  });

  it("of a route's pattern throws nothing but a TypeError, and its matcher nothing", () => {
    fuzz('/ /a :a :b *a { } {/ ( ) [ ] ? + ! \\ \\: " :"a" -', ["TypeError"], (text) => {
      const app = router({ trailing: true });
      const route = app.get(text, empty);
      for (const path of [text, "/a", "/a/b/"]) fieldsOf(app, { PATH_INFO: path });
      route.url({ a: text, b: text } as never);
    });
  });

  it("of the places of a mount throws nothing but a TypeError, and its matcher nothing", () => {
    fuzz("/ /a a . a.b : :80 [::1] localhost // /..", ["TypeError"], (text) => {
      const app = mount({ [text]: empty, "/a": empty });
      for (const path of [text, "/a/b"]) fieldsOf(app, { PATH_INFO: path, HTTP_HOST: text });
    });
  });

  it("of lines throws nothing, and loses nothing", () => {
    fuzz("\n \n\n \r ab", [], (text) => {
      const left = [...text].map(toBytes);
      const input = createInput(() => left.shift() ?? null);
      const lines = input.readlines() as Uint8Array[];
      assert.equal(Buffer.concat(lines).toString(), Buffer.from(text).toString());
    });
  });

  it("of header lists throws nothing but a WsgiError", () => {
    fuzz("Content-Length Status Connection X-A : 5 -1 ; é", ["WsgiError"], (text) => {
      checkHeaders([[text, "5"]]);
    });
    fuzz("a 5 -1 ; , = é", ["WsgiError"], (text) => {
      checkHeaders([["Content-Length", text]]);
    });
  });

  it("of status lines throws nothing but a WsgiError", () => {
    fuzz("200 404 100 600 99 OK Not Found é", ["WsgiError"], (text) => {
      statusCode(text);
      assert.match(text, /^[2-5]\d\d [!-~\x80-\xff]/);
    });
  });

  it("of the test client's requests throws nothing but a TypeError", () => {
    fuzz("GET POST / /a ? # * %41 http://a : ;", ["TypeError"], (text) => {
      assert.match(environFor(text).PATH_INFO, /^(?:\/[^]*|\*)$/);
    });
  });

  it("of Accept, for error pages, throws nothing and finds a type", () => {
    const app = catchErrors({ report: () => {} })(() => {
      throw new Error("Odd");
    });
    fuzz('text/html text/plain */* text/* ; , q= q=0 q=0.5 q=1.5 ;q=1 " \\ /', [], (text) => {
      const type = fieldsOf(app, { HTTP_ACCEPT: text }).get("content-type");
      assert.match(
        type!,
        /^(?:text\/(?:plain|html); charset=utf-8|application\/(?:problem\+)?json)$/,
      );
    });
  });

  it("of request ids throws nothing and passes on what can be logged", () => {
    const app = requestId({ trust: true })((environ, startResponse) => {
      assert.match(environ[requestIdKey], /^[\w=.-]{1,255}$/);
      return empty(environ, startResponse);
    });
    fuzz("a b 1 = . - _ ,", [], (text) => {
      assert.match(fieldsOf(app, { HTTP_X_REQUEST_ID: text }).get("x-request-id")!, /^[\w=.-]+$/);
    });
  });

  it("of log entries throws nothing and writes one line", () => {
    let line = "";
    const destination = { write: (written: string) => void (line = written) };
    const app = accessLog({ format: "combined", destination })(empty);
    fuzz('" \\ [ ] - \n \x85 \u2028 \x1b[31m', [], (text) => {
      fieldsOf(app, { REQUEST_URI: text, REMOTE_ADDR: text, HTTP_REFERER: text });
      assert.match(line, /^[ -~]+\n$/);
    });
  });

  it("of responses throws nothing but a SyntaxError", () => {
    const signs =
      "HTTP/1.1 200 OK \r\n \r\n\r\n Content-Length: 5 Transfer-Encoding: chunked 0 5 a : ;";
    fuzz(signs, ["SyntaxError"], (text) => {
      parseResponses(Buffer.from(`HTTP/1.1 200 OK\r\n${text}`, "latin1"));
      parseResponses(Buffer.from(text, "latin1"), { closed: false });
    });
  });
});
