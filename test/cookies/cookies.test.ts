import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import type { Application, Environ, HeaderList } from "@wsgi/core";
import { cookies, cookiesKey, type CookieEnviron, type CookieJar } from "@wsgi/cookies";
import { call, closable, environFor, failing, late, respond, slow, writing } from "@wsgi/testing";

const secret = "a secret of more than 32 random bytes";
const newSecret = new Uint8Array(32).fill(7);

/** Makes an application that does something with its jar, and then answers. */
function using(use: (jar: CookieJar) => void): Application<Environ & CookieEnviron> {
  return function using(environ, startResponse) {
    use(environ[cookiesKey]);
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    return ["Hello"];
  };
}

/** Gives the jar of a request. */
async function jarOf(cookie: string, layer = cookies({ secrets: [secret] })): Promise<CookieJar> {
  let jar: CookieJar | undefined;
  const app = layer(using((given) => (jar = given)));
  await call(app, environFor("GET /", { headers: { Cookie: cookie } }));
  return jar!;
}

/** Gives the Set-Cookie fields that a response has after something was done with its jar. */
async function fieldsOf(
  use: (jar: CookieJar) => void,
  { layer = cookies({ secrets: [secret] }), scheme = "https" } = {},
): Promise<string[]> {
  const environ = environFor("GET /", { environ: { "wsgi.url_scheme": scheme as "https" } });
  const { headers } = await call(layer(using(use)), environ);
  return setCookies(headers);
}

function setCookies(headers: HeaderList): string[] {
  return headers.filter(([name]) => name === "Set-Cookie").map(([, value]) => value);
}

/** Gives the Cookie field that brings back a signed cookie named user. */
async function signedCookie(
  value: string,
  attributes = {},
  layer = cookies({ secrets: [secret] }),
): Promise<string> {
  const [field] = await fieldsOf((jar) => jar.setSigned("user", value, attributes), { layer });
  return field!.split(";")[0]!;
}

describe("cookies()", () => {
  it("gives its application a jar with the cookies of the request", async () => {
    const jar = await jarOf("a=1; b=two%20words");
    assert.equal(jar.get("a"), "1");
    assert.equal(jar.get("b"), "two words");
    assert.equal(jar.get("c"), undefined);
  });

  it("finds no cookies where none came", async () => {
    let names: unknown;
    await call(cookies()(using((jar) => (names = [...jar]))), "GET /");
    assert.deepEqual(names, []);
  });

  it("passes startResponse's arguments on untouched if no cookie is set", () => {
    const headers: HeaderList = [["Content-Type", "text/plain"]];
    let passed: unknown;
    const app = cookies()(respond(["Hello"], { headers }));
    void app(environFor("GET /"), (_status, given) => {
      passed = given;
      return () => {};
    });
    assert.equal(passed, headers);
  });

  it("adds Set-Cookie without changing the headers that it was given", async () => {
    const headers: HeaderList = Object.freeze([["Set-Cookie", "own=1"]] as const);
    const app: Application<Environ & CookieEnviron> = (environ, startResponse) => {
      environ[cookiesKey].set("a", "1");
      startResponse("200 OK", headers);
      return ["Hello"];
    };
    const response = await call(cookies()(app), "GET /");
    assert.deepEqual(response.headers, [
      ["Set-Cookie", "own=1"],
      ["Set-Cookie", "a=1; Path=/; HttpOnly; SameSite=Lax"],
    ]);
  });

  it("gives each request a jar of its own", async () => {
    const app = cookies()(using((jar) => jar.set("a", String([...jar].length))));
    await call(app, "GET /");
    const second = await call(app, "GET /");
    assert.equal(setCookies(second.headers).length, 1);
  });

  it("returns the application's own body", () => {
    const body = closable("Hello");
    const returned = cookies()(respond(body))(environFor("GET /"), () => () => {});
    assert.equal(returned, body);
    assert.equal(body.taken, 0);
  });

  it("leaves closing the body to the server", async () => {
    const body = closable("Hello");
    await call(cookies()(respond(body)), "GET /");
    assert.equal(body.timesClosed, 1);
  });

  it("lets the application's error through", async () => {
    await assert.rejects(call(cookies()(failing("body")), "GET /"), /Failed in body/);
  });

  it("sets cookies before what is written", async () => {
    const app: Application<Environ & CookieEnviron> = (environ, startResponse) => {
      environ[cookiesKey].set("a", "1");
      return writing(["Hello, "], ["world!"])(environ, startResponse);
    };
    const response = await call(cookies()(app), "GET /");
    assert.equal(setCookies(response.headers).length, 1);
    assert.equal(response.text(), "Hello, world!");
  });

  it("takes cookies until a late response starts", async () => {
    const app: Application<Environ & CookieEnviron> = function* (environ, startResponse) {
      yield "";
      environ[cookiesKey].set("a", "1");
      yield* late("Hello")(environ, startResponse) as Iterable<string>;
    };
    const response = await call(cookies()(app), "GET /");
    assert.equal(setCookies(response.headers).length, 1);
  });

  it("takes the cookies of an asynchronous application", async () => {
    const app: Application<Environ & CookieEnviron> = async (environ, startResponse) => {
      const body = await slow("Hello")(environ, () => () => {});
      environ[cookiesKey].set("a", "1");
      startResponse("200 OK", []);
      return body;
    };
    const response = await call(cookies()(app), "GET /");
    assert.equal(setCookies(response.headers).length, 1);
  });

  it("takes the cookies of a layer that sees the response first", async () => {
    const layer =
      (app: Application): Application<Environ & CookieEnviron> =>
      (environ, startResponse) =>
        app(environ, (status, headers, excInfo) => {
          environ[cookiesKey].set("a", "1");
          return startResponse(status, headers, excInfo);
        });
    const response = await call(cookies()(layer(respond(["Hello"]))), "GET /");
    assert.equal(setCookies(response.headers).length, 1);
  });

  it("gives a second cookies() further in a jar and secrets of its own", async () => {
    const inner = cookies({ secrets: [newSecret] })(using((jar) => jar.set("inner", "1")));
    const between: Application<Environ & CookieEnviron> = (environ, startResponse) => {
      environ[cookiesKey].set("outer", "1");
      return inner(environ, startResponse);
    };
    const response = await call(cookies()(between), "GET /");
    const names = setCookies(response.headers).map((field) => field.split("=")[0]);
    assert.deepEqual(names, ["inner", "outer"]);
  });

  it("makes no promise for a synchronous application", () => {
    const returned = cookies()(respond(["Hello"]))(environFor("GET /"), () => () => {});
    assert.ok(Array.isArray(returned));
  });

  it("provides its key to the compiler", () => {
    const app = using(() => {});
    cookies()(app) satisfies Application;
    // @ts-expect-error -- nothing provides the jar
    app satisfies Application;
  });
});

describe("cookies() on errors", () => {
  /** Sets cookies, and reports an error before or after it has started its response. */
  function erring(use: (jar: CookieJar) => void, starts: boolean): Application {
    const app: Application<Environ & CookieEnviron> = (environ, startResponse) => {
      use(environ[cookiesKey]);
      if (starts) startResponse("200 OK", []);
      startResponse("500 Internal Server Error", [["X-Error", "1"]], new Error("Oh"));
      return ["Sorry"];
    };
    return cookies()(app);
  }

  it("drops the cookies set before the failure", async () => {
    const response = await call(
      erring((jar) => jar.set("a", "1"), true),
      "GET /",
    );
    assert.deepEqual(response.headers, [["X-Error", "1"]]);
  });

  it("drops them if the response had not started either", async () => {
    const response = await call(
      erring((jar) => jar.set("a", "1"), false),
      "GET /",
    );
    assert.deepEqual(response.headers, [["X-Error", "1"]]);
  });

  it("sets the cookies marked keep once", async () => {
    const response = await call(
      erring((jar) => {
        jar.set("a", "1");
        jar.delete("b", { keep: true });
      }, true),
      "GET /",
    );
    assert.equal(setCookies(response.headers).length, 1);
    assert.match(setCookies(response.headers)[0]!, /^b=; Max-Age=0;/);
  });

  it("forwards excInfo", () => {
    const passed: unknown[] = [];
    const app = erring(() => {}, false);
    void app(environFor("GET /"), (_status, _headers, excInfo) => {
      passed.push(excInfo);
      return () => {};
    });
    assert.equal((passed[0] as Error).message, "Oh");
  });
});

describe("cookies() options", () => {
  it("refuses secrets that are no array", () => {
    assert.throws(() => cookies({ secrets: secret as never }), {
      name: "TypeError",
      message: "Cannot sign cookies: secrets is empty or no array; wanted at least one secret",
    });
  });

  it("refuses an empty list of secrets", () => {
    assert.throws(() => cookies({ secrets: [] }), /secrets is empty or no array/);
  });

  it("refuses a secret that is undefined", () => {
    assert.throws(() => cookies({ secrets: [secret, undefined as never] }), {
      name: "TypeError",
      message:
        "Cannot sign cookies: secrets[1] is of type undefined; wanted a string or a Uint8Array",
    });
  });

  it("refuses a short secret without telling it", () => {
    assert.throws(() => cookies({ secrets: ["hush-hush"] }), {
      name: "RangeError",
      message: "Cannot sign cookies: secrets[0] has 9 bytes; wanted at least 32",
    });
  });

  it("refuses default attributes that are no object", () => {
    assert.throws(() => cookies({ defaults: null as never }), {
      name: "TypeError",
      message: "Cannot use the default attributes: they are of type object; wanted an object",
    });
  });

  it("refuses default attributes that no cookie can have", () => {
    assert.throws(() => cookies({ defaults: { path: "/;" } }), {
      name: "TypeError",
      message:
        "Cannot use the default attributes: option path is invalid: /;; wanted what RFC 6265 allows",
    });
  });

  it("refuses default attributes that browsers drop", () => {
    const defaults = { sameSite: "none", secure: false } as const;
    assert.throws(
      () => cookies({ defaults }),
      /Cannot use the default attributes: SameSite=None without Secure; wanted secure: true/,
    );
  });

  it("accepts default attributes that are good over https only", async () => {
    const layer = cookies({ defaults: { sameSite: "none" } });
    const fields = await fieldsOf((jar) => jar.set("a", "1"), { layer });
    assert.deepEqual(fields, ["a=1; Path=/; HttpOnly; Secure; SameSite=None"]);
  });

  it("uses the default attributes", async () => {
    const layer = cookies({ defaults: { path: "/app", sameSite: "strict", httpOnly: false } });
    const fields = await fieldsOf((jar) => jar.set("a", "1"), { layer });
    assert.deepEqual(fields, ["a=1; Path=/app; Secure; SameSite=Strict"]);
  });

  it("prefers a cookie's own attributes", async () => {
    const layer = cookies({ defaults: { path: "/app", maxAge: 60 } });
    const fields = await fieldsOf((jar) => jar.set("a", "1", { path: "/b" }), { layer });
    assert.deepEqual(fields, ["a=1; Max-Age=60; Path=/b; HttpOnly; Secure; SameSite=Lax"]);
  });
});

describe("CookieJar reading", () => {
  it("does not parse what nobody reads", async (t) => {
    const decode = t.mock.method(globalThis, "decodeURIComponent");
    const environ = environFor("GET /", { headers: { Cookie: "a=%20" } });
    decode.mock.resetCalls();
    await call(cookies()(respond(["Hello"])), environ);
    assert.equal(decode.mock.callCount(), 0);
  });

  it("parses once", async (t) => {
    const jar = await jarOf("a=%20");
    const decode = t.mock.method(globalThis, "decodeURIComponent");
    assert.equal(jar.get("a"), " ");
    assert.ok(jar.has("a"));
    assert.equal(decode.mock.callCount(), 1);
  });

  it("iterates over the names and values that came", async () => {
    assert.deepEqual(
      [...(await jarOf("a=1; b=2"))],
      [
        ["a", "1"],
        ["b", "2"],
      ],
    );
  });

  it("tells an empty cookie from none", async () => {
    const jar = await jarOf("a=");
    assert.ok(jar.has("a"));
    assert.equal(jar.get("a"), "");
    assert.ok(!jar.has("b"));
  });

  it("takes the first of equal names", async () => {
    assert.equal((await jarOf("a=1; a=2")).get("a"), "1");
  });

  it("leaves a value raw that is not percent-encoded UTF-8", async () => {
    assert.equal((await jarOf("a=%E4; b=%zz")).get("a"), "%E4");
  });

  it("keeps quotes and equals signs in a value", async () => {
    assert.equal((await jarOf('a="b=c"')).get("a"), '"b=c"');
  });

  it("never decodes a name", async () => {
    assert.ok(!(await jarOf("%5f_Host-a=1")).has("__Host-a"));
  });

  it("does not read a name out of a nameless cookie", async () => {
    assert.ok(!(await jarOf("=__Host-a=1")).has("__Host-a"));
  });

  it("does not trim a no-break space off a name", async () => {
    assert.ok(!(await jarOf("\u00a0__Host-a=1")).has("__Host-a"));
  });

  it("trims spaces and tabs", async () => {
    assert.equal((await jarOf(" \ta\t = \t1 ; b=2")).get("a"), "1");
  });

  it("has plain entries for the names of Object.prototype", async () => {
    const jar = await jarOf("__proto__=1; constructor=2");
    assert.deepEqual(
      [...jar],
      [
        ["__proto__", "1"],
        ["constructor", "2"],
      ],
    );
    assert.equal(jar.get("toString"), undefined);
  });

  it("reads thousands of cookies", async () => {
    const cookie = Array.from({ length: 4000 }, (_, i) => `c${i}=${i}`).join("; ");
    assert.equal((await jarOf(cookie)).get("c3999"), "3999");
  });

  it("reads any characters in any place", async () => {
    const every = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");
    const jar = await jarOf([...every].map((one) => `${one}=%${one}${every}`).join(";"));
    assert.ok([...jar].length > 200);
  });

  it("reads what came, whatever is set", async () => {
    let read: unknown;
    await fieldsOf((jar) => {
      jar.set("a", "1");
      read = jar.get("a");
    });
    assert.equal(read, undefined);
  });
});

describe("CookieJar setting", () => {
  it("makes a cookie of the application's host, hidden from scripts and other sites", async () => {
    const fields = await fieldsOf((jar) => jar.set("a", "1"));
    assert.deepEqual(fields, ["a=1; Path=/; HttpOnly; Secure; SameSite=Lax"]);
  });

  it("leaves Secure out over http", async () => {
    const fields = await fieldsOf((jar) => jar.set("a", "1"), { scheme: "http" });
    assert.deepEqual(fields, ["a=1; Path=/; HttpOnly; SameSite=Lax"]);
  });

  it("takes an attribute that is undefined as not given", async () => {
    const fields = await fieldsOf((jar) => jar.set("a", "1", { httpOnly: undefined } as never));
    assert.deepEqual(fields, ["a=1; Path=/; HttpOnly; Secure; SameSite=Lax"]);
  });

  it("writes every attribute", async () => {
    const [field] = await fieldsOf((jar) =>
      jar.set("a", "ä;b", {
        maxAge: 60,
        expires: new Date(0),
        domain: "example.com",
        path: "/x",
        httpOnly: false,
        sameSite: "none",
        partitioned: true,
        priority: "high",
        keep: true,
      }),
    );
    assert.equal(
      field,
      "a=%C3%A4%3Bb; Max-Age=60; Domain=example.com; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; Partitioned; Priority=High; SameSite=None",
    );
  });

  it("takes name and value from nowhere else", async () => {
    const attributes = { name: "b", value: "2", encode: () => "3" };
    const fields = await fieldsOf((jar) => jar.set("a", "1", attributes as never));
    assert.deepEqual(fields, ["a=1; Path=/; HttpOnly; Secure; SameSite=Lax"]);
  });

  it("sends one field for each cookie, in the order of setting", async () => {
    const fields = await fieldsOf((jar) => {
      jar.set("b", "1");
      jar.set("a", "2");
    });
    assert.deepEqual(
      fields.map((field) => field.slice(0, 3)),
      ["b=1", "a=2"],
    );
  });

  it("keeps the last of equal cookies, in its turn", async () => {
    const fields = await fieldsOf((jar) => {
      jar.set("a", "1");
      jar.set("b", "2");
      jar.set("a", "3");
    });
    assert.deepEqual(
      fields.map((field) => field.slice(0, 3)),
      ["b=2", "a=3"],
    );
  });

  it("keeps cookies apart by domain, path and partition", async () => {
    const fields = await fieldsOf((jar) => {
      jar.set("a", "1");
      jar.set("a", "2", { domain: "example.com" });
      jar.set("a", "3", { path: "/x" });
      jar.set("a", "4", { partitioned: true });
    });
    assert.equal(fields.length, 4);
  });

  it("ends a cookie with the attributes that it was set with", async () => {
    const fields = await fieldsOf((jar) =>
      jar.delete("a", { domain: "example.com", path: "/x", maxAge: 60 }),
    );
    assert.deepEqual(fields, [
      "a=; Max-Age=0; Domain=example.com; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax",
    ]);
  });

  it("sends only the deletion of a cookie set before", async () => {
    const fields = await fieldsOf((jar) => {
      jar.set("a", "1");
      jar.delete("a");
    });
    assert.equal(fields.length, 1);
    assert.match(fields[0]!, /Max-Age=0/);
  });

  it("refuses a cookie once the response has started", async () => {
    const jar = await jarOf("");
    assert.throws(() => jar.set("a", "1"), {
      name: "Error",
      message: 'Cannot set the cookie "a": the response has started; set it before startResponse',
    });
  });

  it("has started before a layer outside sees the headers", async () => {
    let jar: CookieJar | undefined;
    const app = cookies()(using((given) => (jar = given)));
    const outside: Application = (environ, startResponse) =>
      app(environ, (status, headers, excInfo) => {
        jar!.set("a", "1");
        return startResponse(status, headers, excInfo);
      });
    await assert.rejects(call(outside, "GET /"), /the response has started/);
  });

  it("refuses a value that is no string", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.setSigned("a", undefined as never)),
      /Cannot set the cookie "a": the value is of type undefined; wanted a string/,
    );
  });

  it("refuses a name that is no name", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("a\r\nb", "1")),
      /Cannot set the cookie "a\\r\\nb": argument name is invalid/,
    );
  });

  it("refuses a value that is not Unicode text", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("a", "\ud800")),
      { message: 'Cannot set the cookie "a": URI malformed; wanted what RFC 6265 allows' },
    );
  });

  it("refuses an end in a year that browsers cannot read", async () => {
    const setTo = (expires: Date) => fieldsOf((jar) => jar.set("a", "1", { expires }));
    await assert.rejects(setTo(new Date(8.64e15)), {
      message:
        'Cannot set the cookie "a": it expires in the year 275760; wanted one from 1601 to 9999',
    });
    await assert.rejects(setTo(new Date("1600-12-31")), /it expires in the year 1600/);
  });

  it("refuses a SameSite that carries another attribute", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("a", "1", { sameSite: "lax; Domain=evil.com" as never })),
      /Cannot set the cookie "a": option sameSite is invalid/,
    );
  });

  it("refuses a priority that carries another attribute", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("a", "1", { priority: "low\r\nX: y" as never })),
      /Cannot set the cookie "a": option priority is invalid/,
    );
  });

  it("refuses __Host- without Secure", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("__Host-a", "1"), { scheme: "http" }),
      { message: 'Cannot set the cookie "__Host-a": __Host- without Secure; wanted secure: true' },
    );
  });

  it("refuses __Host- in any case, as browsers do", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("__HOST-a", "1", { secure: false })),
      /__HOST- without Secure/,
    );
  });

  it("refuses another path for it in any case too", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("__HOST-a", "1", { path: "/x" })),
      /__Host- with a domain or another path/,
    );
  });

  it("refuses __Host- with another path", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("__Host-a", "1", { path: "/x" })),
      {
        message:
          'Cannot set the cookie "__Host-a": __Host- with a domain or another path; wanted path: "/" and no domain',
      },
    );
  });

  it("refuses __Host- without a path", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("__Host-a", "1", { path: "" })),
      /__Host- with a domain or another path/,
    );
  });

  it("refuses __Host- with a domain", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.delete("__Host-a", { domain: "example.com" })),
      /__Host- with a domain or another path/,
    );
  });

  it("refuses __Secure- without Secure", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("__Secure-a", "1", { secure: false })),
      /__Secure- without Secure/,
    );
  });

  it("refuses SameSite=None without Secure", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("a", "1", { sameSite: "none" }), { scheme: "http" }),
      /SameSite=None without Secure/,
    );
  });

  it("refuses SameSite=None in any case, as it is written", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("a", "1", { sameSite: "None" as never, secure: false })),
      /Cannot set the cookie "a": SameSite=None without Secure/,
    );
  });

  it("refuses Partitioned without Secure", async () => {
    await assert.rejects(
      fieldsOf((jar) => jar.set("a", "1", { partitioned: true, secure: false })),
      /Partitioned without Secure/,
    );
  });

  it("accepts what has the attributes it demands", async () => {
    const fields = await fieldsOf((jar) => {
      jar.set("__Host-a", "1");
      jar.set("__Secure-a", "1", { domain: "example.com", path: "/x" });
      jar.set("a", "__Host- SameSite=None", { secure: false });
    });
    assert.equal(fields.length, 3);
  });

  it("accepts 4096 bytes", async () => {
    const rest = "a=; Path=/; HttpOnly; Secure; SameSite=Lax".length;
    const [field] = await fieldsOf((jar) => jar.set("a", "x".repeat(4096 - rest)));
    assert.equal(field!.length, 4096);
  });

  it("refuses 4097 bytes", async () => {
    const rest = "a=; Path=/; HttpOnly; Secure; SameSite=Lax".length;
    await assert.rejects(
      fieldsOf((jar) => jar.set("a", "x".repeat(4097 - rest))),
      {
        name: "RangeError",
        message:
          'Cannot set the cookie "a": it takes 4097 bytes with its attributes; wanted at most 4096',
      },
    );
  });

  it("gives back the text that was set", async () => {
    const text = Array.from({ length: 700 }, (_, code) => String.fromCharCode(code)).join("");
    const [field] = await fieldsOf((jar) => jar.set("a", text));
    assert.equal((await jarOf(field!.split(";")[0]!)).get("a"), text);
  });

  it("lets no attribute add to the field", async () => {
    const nasty = ["\r", "\n", "\0", ";", "a; Secure", "a\r\nX: y", "\u{a0}", "\u2028", "ſ"];
    for (const text of nasty) {
      for (const attribute of ["domain", "path", "expires", "maxAge", "sameSite", "priority"]) {
        await assert.rejects(
          fieldsOf((jar) => jar.set("a", "1", { [attribute]: text })),
          /Cannot set the cookie "a"/,
        );
      }
    }
  });
});

describe("CookieJar signing", () => {
  it("gives back what it signed", async () => {
    const jar = await jarOf(await signedCookie("Ann;\n世界"));
    assert.equal(jar.getSigned("user"), "Ann;\n世界");
  });

  it("leaves the value readable", async () => {
    assert.match(await signedCookie("Ann"), /^user=Ann\.\.[\w-]{43}$/);
  });

  it("finds nothing where no cookie came", async () => {
    assert.equal((await jarOf("")).getSigned("user"), undefined);
  });

  it("refuses an unsigned value", async () => {
    assert.equal((await jarOf("user=Ann")).getSigned("user"), undefined);
  });

  it("refuses a cookie with any character changed", async () => {
    const cookie = await signedCookie("Ann", { maxAge: 60 });
    for (let i = "user=".length; i < cookie.length; i++) {
      for (const other of ["A", "B", "1", ".", "\u00ff"]) {
        if (other === cookie[i]) continue;
        const jar = await jarOf(cookie.slice(0, i) + other + cookie.slice(i + 1));
        assert.equal(jar.getSigned("user"), undefined);
      }
    }
  });

  it("refuses a signature whose spare bits are changed", async () => {
    const cookie = await signedCookie("Ann");
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet[alphabet.indexOf(cookie.at(-1)!) + 1]!;
    assert.equal((await jarOf(cookie.slice(0, -1) + last)).getSigned("user"), undefined);
  });

  it("refuses the cookie of another name", async () => {
    const cookie = await signedCookie("Ann");
    const jar = await jarOf(cookie.replace("user", "admin"));
    assert.equal(jar.getSigned("admin"), undefined);
  });

  it("refuses a name that takes a letter from the value", async () => {
    const cookie = await signedCookie("Ann");
    const jar = await jarOf(cookie.replace("user=A", "userA="));
    assert.equal(jar.getSigned("userA"), undefined);
  });

  it("refuses a signature of another secret", async () => {
    const cookie = await signedCookie("Ann", {}, cookies({ secrets: [newSecret] }));
    assert.equal((await jarOf(cookie)).getSigned("user"), undefined);
  });

  it("verifies with every secret, so that they can be changed", async () => {
    const cookie = await signedCookie("Ann");
    const jar = await jarOf(cookie, cookies({ secrets: [newSecret, secret] }));
    assert.equal(jar.getSigned("user"), "Ann");
  });

  it("signs with the first secret", async () => {
    const cookie = await signedCookie("Ann", {}, cookies({ secrets: [newSecret, secret] }));
    const jar = await jarOf(cookie, cookies({ secrets: [newSecret] }));
    assert.equal(jar.getSigned("user"), "Ann");
  });

  it("refuses a cookie after its maxAge, even if the client still sends it", async (t) => {
    const now = t.mock.method(Date, "now", () => 0);
    const cookie = await signedCookie("Ann", { maxAge: 60 });
    now.mock.mockImplementation(() => 59_999);
    assert.equal((await jarOf(cookie)).getSigned("user"), "Ann");
    now.mock.mockImplementation(() => 60_000);
    assert.equal((await jarOf(cookie)).getSigned("user"), undefined);
  });

  it("refuses a cookie after its expires", async (t) => {
    const now = t.mock.method(Date, "now", () => 0);
    const cookie = await signedCookie("Ann", { expires: new Date(60_000) });
    now.mock.mockImplementation(() => 59_999);
    assert.equal((await jarOf(cookie)).getSigned("user"), "Ann");
    now.mock.mockImplementation(() => 60_000);
    assert.equal((await jarOf(cookie)).getSigned("user"), undefined);
  });

  it("knows what earlier releases signed", async () => {
    const jar = await jarOf("user=Ann.4102444800.6GrdRV0H0Uqwh3Y_TXJelXc-IVN-qHAMMZ2Tmae0-2A");
    assert.equal(jar.getSigned("user"), "Ann");
  });

  it("demands secrets", async () => {
    const jar = await jarOf("", cookies());
    assert.throws(() => jar.getSigned("user"), {
      name: "TypeError",
      message: "Cannot sign cookies: there are no secrets; wanted cookies({ secrets })",
    });
  });

  it("does not show its secrets", async () => {
    const jar = await jarOf("", cookies({ secrets: [secret] }));
    assert.ok(!inspect(jar, { depth: 9, showHidden: true }).includes(secret));
    assert.equal(JSON.stringify(jar), "{}");
  });
});
