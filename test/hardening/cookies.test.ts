import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application, Environ } from "@wsgi/core";
import { cookies, cookiesKey, type CookieEnviron, type CookieJar } from "@wsgi/cookies";
import { call, environFor } from "@wsgi/testing";

describe("a cookie that comes", () => {
  it("K1 · does not get a name with a prefix by its name being decoded", async () => {
    assert.equal((await jarOf("%5f_Host-a=1; __%48ost-a=1")).has("__Host-a"), false);
  });

  it("K1 · does not get a name with a prefix by having none", async () => {
    assert.equal((await jarOf("=__Host-a=1")).has("__Host-a"), false);
  });

  it("K1 · does not get a name with a prefix by a no-break space being cut off", async () => {
    assert.equal((await jarOf("\xa0__Host-a=1")).has("__Host-a"), false);
  });

  it("K1 · does not get a name with a prefix by a control character being cut off", async () => {
    assert.equal((await jarOf("\x0b__Host-a=1; \x1f__Host-a=1")).has("__Host-a"), false);
  });

  it("K1 · does not replace the first of its name", async () => {
    assert.equal((await jarOf("a=1; a=2; a=3")).get("a"), "1");
  });

  it("K1 · does not share its name with one in other case", async () => {
    assert.equal((await jarOf("SID=1")).get("sid"), undefined);
  });

  it("K1 · is not split at a comma", async () => {
    assert.deepEqual([...(await jarOf("a=1,__Host-b=2"))], [["a", "1,__Host-b=2"]]);
  });

  it("K3 · named __proto__ is a plain entry", async () => {
    assert.equal((await jarOf("__proto__=1")).get("__proto__"), "1");
    assert.equal(({} as Record<string, unknown>)["1"], undefined);
  });

  it("K3 · named constructor is a plain entry", async () => {
    assert.equal((await jarOf("constructor=1")).get("constructor"), "1");
  });

  it("K3 · is not there for the names that every object has", async () => {
    const jar = await jarOf("a=1");
    const names = ["__proto__", "constructor", "hasOwnProperty", "toString", "valueOf"];
    assert.deepEqual(
      names.filter((name) => jar.has(name) || jar.get(name) !== undefined),
      [],
    );
  });

  it("K8 · is one of thousands", async () => {
    const field = Array.from({ length: 4_000 }, (_, i) => `c${i}=${i}`).join("; ");
    assert.equal((await jarOf(field)).get("c3999"), "3999");
  });

  it("K8 · has a value of 16 KB", async () => {
    assert.equal((await jarOf(`a=${"%41".repeat(5_400)}`)).get("a"), "A".repeat(5_400));
  });
});

describe("a cookie that is set", () => {
  it("K2 · has no CR and LF in its name", async () => {
    await refusesCookie((jar) => jar.set("a\r\nX: y", "1"));
  });

  it("K2 · has no semicolon in its name", async () => {
    await refusesCookie((jar) => jar.set("a; Domain=evil", "1"));
  });

  it("K2 · has no equals sign in its name", async () => {
    await refusesCookie((jar) => jar.set("__Host-a=1; x", "1"));
  });

  it("K2 · has CR, LF and a semicolon in its value only escaped", async () => {
    const { headers } = await call(
      setting((jar) => jar.set("a", "1\r\n; Domain=evil")),
      "GET /",
    );
    const [, value] = headers.find(([name]) => name === "Set-Cookie")!;
    assert.match(value, /^a=1%0D%0A%3B%20Domain%3Devil; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  it("K2 · has no attribute in its domain", async () => {
    await refusesCookie((jar) => jar.set("a", "1", { domain: "example.com; Secure" }));
  });

  it("K2 · has no CR and LF in its domain", async () => {
    await refusesCookie((jar) => jar.set("a", "1", { domain: "example.com\r\nX: y" }));
  });

  it("K2 · has no attribute in its path", async () => {
    await refusesCookie((jar) => jar.set("a", "1", { path: "/; Domain=evil" }));
  });

  it("K2 · has no CR and LF in its path", async () => {
    await refusesCookie((jar) => jar.set("a", "1", { path: "/\r\nX: y" }));
  });

  it("K2 · has no attribute in its SameSite", async () => {
    const sameSite = "lax; Domain=evil" as "lax";
    await refusesCookie((jar) => jar.set("a", "1", { sameSite }));
  });

  it("K2 · has no attribute in its priority", async () => {
    const priority = "low; Domain=evil" as "low";
    await refusesCookie((jar) => jar.set("a", "1", { priority }));
  });

  it("K2 · has no attribute in its lifetime", async () => {
    const maxAge = "1; Domain=evil" as unknown as number;
    await refusesCookie((jar) => jar.set("a", "1", { maxAge }));
  });

  it("K2 · has a real date for its end", async () => {
    await refusesCookie((jar) => jar.set("a", "1", { expires: new Date(NaN) }));
  });

  it("K2 · has Secure if its name says __Host-", async () => {
    await refusesCookie((jar) => jar.set("__Host-a", "1", { secure: false }));
  });

  it("K2 · has no domain if its name says __Host- in any case", async () => {
    const attributes = { secure: true, domain: "example.com" };
    await refusesCookie((jar) => jar.set("__hOST-a", "1", attributes));
  });

  it("K2 · has Secure if its name says __Secure-", async () => {
    await refusesCookie((jar) => jar.set("__Secure-a", "1", { secure: false }));
  });

  it("K8 · has no more than 4096 bytes", async () => {
    await refusesCookie((jar) => jar.set("a", "1".repeat(4_096)), RangeError);
  });
});

describe("a signed cookie", () => {
  it("K4 · is no longer one with any of its characters changed", async () => {
    const field = await signedField("sid", "ann");
    const text = field.slice("sid=".length);
    const forged = [...text].map((character, i) => {
      const other = character === "A" ? "B" : "A";
      return text.slice(0, i) + other + text.slice(i + 1);
    });
    const found = await Promise.all(forged.map((value) => signedValue(`sid=${value}`)));
    assert.deepEqual(new Set(found), new Set([undefined]));
  });

  it("K4 · is no longer one with any of its ends cut off", async () => {
    const field = await signedField("sid", "ann");
    const ends = Array.from({ length: field.length - 4 }, (_, i) => field.slice(0, 4 + i));
    const found = await Promise.all(ends.map((end) => signedValue(end)));
    assert.deepEqual(new Set(found), new Set([undefined]));
  });

  it("K4 · is none under another name", async () => {
    const field = await signedField("user", "ann");
    assert.equal(await signedValue(field.replace("user=", "sid=")), undefined);
  });

  it("K4 · is none under a name that takes a letter from the value", async () => {
    const field = await signedField("si", "dann");
    assert.equal(await signedValue(field.replace("si=d", "sid=")), undefined);
  });

  it("K4 · is none with the signature of another secret", async () => {
    const field = await signedField("sid", "ann", "y".repeat(32));
    assert.equal(await signedValue(field), undefined);
  });

  it("K4 · is none where the value came unsigned", async () => {
    assert.equal(await signedValue("sid=ann"), undefined);
  });

  it("K4 · is none after its end, however long the client keeps it", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
    const field = await signedField("sid", "ann");
    t.mock.timers.tick(3_600_000);
    assert.equal(await signedValue(field), undefined);
  });
});

const secret = "x".repeat(32);

/** Gets the jar that an application finds. */
async function jarOf(field: string, key = secret): Promise<CookieJar> {
  let jar!: CookieJar;
  const app = cookies({ secrets: [key] })((environ, startResponse) => {
    jar = environ[cookiesKey];
    startResponse("200 OK", []);
    return [];
  });
  await call(app, environFor("GET /", { headers: { Cookie: field } }));
  return jar;
}

function setting(set: (jar: CookieJar) => void, key = secret): Application {
  return cookies({ secrets: [key] })((environ: Environ & CookieEnviron, startResponse) => {
    set(environ[cookiesKey]);
    startResponse("200 OK", []);
    return [];
  });
}

async function refusesCookie(
  set: (jar: CookieJar) => void,
  error: new () => Error = TypeError,
): Promise<void> {
  await assert.rejects(call(setting(set), "GET /"), error);
}

/** Sets a signed cookie that lives for an hour, and gives what a browser sends back. */
async function signedField(name: string, value: string, key = secret): Promise<string> {
  const app = setting((jar) => jar.setSigned(name, value, { maxAge: 3_600 }), key);
  return (await call(app, "GET /")).header("Set-Cookie")!.split(";")[0]!;
}

async function signedValue(field: string): Promise<string | undefined> {
  return (await jarOf(field)).getSigned("sid");
}
