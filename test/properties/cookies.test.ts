import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cookies, cookiesKey, type CookieAttributes, type CookieJar } from "@wsgi/cookies";
import { call, environFor } from "@wsgi/testing";
import fc from "fast-check";
import { pure } from "../support/property.ts";

const secrets = ["a secret of the properties, long enough"];

/** Serves one request, and gives the Set-Cookie fields of its response. */
async function serveOne(cookie: string, act: (jar: CookieJar) => void): Promise<string[]> {
  const app = cookies({ secrets })((environ, startResponse) => {
    act(environ[cookiesKey]);
    startResponse("200 OK", []);
    return [];
  });
  const environ = environFor("GET /", { headers: { Cookie: cookie } });
  const { headers } = await call(app, environ as never);
  return headers.map(([name, value]) => {
    assert.equal(name, "Set-Cookie");
    return value;
  });
}

/** Is text with what has a meaning in the fields of cookies. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom(...'ab=;, \t\r\n"\\%41\0é世') }),
  fc.constantFrom("__proto__", "constructor", "toString", "__Host-a", "$Version", "Path"),
);

const attributes: fc.Arbitrary<CookieAttributes> = fc.record(
  {
    maxAge: fc.oneof(fc.integer(), fc.constantFrom(1.5, Number.NaN, Infinity)),
    expires: fc.date({ noInvalidDate: false }),
    domain: fc.oneof(text, fc.constantFrom("example.com", ".example.com")),
    path: fc.oneof(text, fc.constantFrom("/", "/a b")),
    httpOnly: fc.boolean(),
    secure: fc.boolean(),
    sameSite: fc.constantFrom<"strict" | "lax" | "none" | false>("strict", "lax", "none", false),
    partitioned: fc.boolean(),
    priority: fc.constantFrom("low", "medium", "high"),
  },
  { requiredKeys: [] },
);

/** Tells whether a jar refused by an error that it documents. */
function refuses(act: () => void): boolean {
  try {
    act();
    return false;
  } catch (error) {
    assert.ok(error instanceof TypeError || error instanceof RangeError, String(error));
    assert.match(error.message, /^Cannot set the cookie /);
    return true;
  }
}

describe("cookies()", () => {
  it("gives back what was set, or refuses to set it", async () => {
    await fc.assert(
      fc.asyncProperty(text, text, fc.boolean(), async (name, value, signed) => {
        let refused = false;
        const [field] = await serveOne("", (jar) => {
          refused = refuses(() => jar[signed ? "setSigned" : "set"](name, value));
        });
        assert.equal(field === undefined, refused);
        if (field === undefined) return;
        await serveOne(`x=y; ${field.split(";", 1).join()}`, (jar) => {
          assert.equal(signed ? jar.getSigned(name) : jar.get(name), value);
          assert.deepEqual(Array.from(jar, ([found]) => found).toSorted(), [name, "x"].toSorted());
        });
      }),
      pure,
    );
  });

  it("writes a field of the name, the value and the attributes, and of nothing else", async () => {
    const known =
      /^(?:Max-Age=-?\d+|Domain=[\w.-]+|Path=[ -:<-~]*|Expires=\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT|HttpOnly|Secure|Partitioned|Priority=(?:Low|Medium|High)|SameSite=(?:Strict|Lax|None))$/;
    await fc.assert(
      fc.asyncProperty(text, text, attributes, async (name, value, attributes) => {
        const fields = await serveOne(
          "",
          (jar) => void refuses(() => jar.set(name, value, attributes)),
        );
        for (const field of fields) {
          const [pair = "", ...rest] = field.split("; ");
          assert.match(pair, /^[!-:<>-~]+=[!-:<-~]*$/);
          assert.equal(pair.slice(0, pair.indexOf("=")), name);
          for (const attribute of rest) assert.match(attribute, known);
          assert.equal(new Set(rest.map((one) => one.split("=", 1).join())).size, rest.length);
        }
      }),
      pure,
    );
  });

  it("reads every field without an error, each name as it came", async () => {
    await fc.assert(
      fc.asyncProperty(text, async (field) => {
        await serveOne(field, (jar) => {
          const came = new Map<string, string>();
          for (const pair of field.split(";").filter((pair) => pair.includes("="))) {
            const at = pair.indexOf("=");
            const name = trimmed(pair.slice(0, at));
            if (!came.has(name)) came.set(name, decoded(trimmed(pair.slice(at + 1))));
          }
          // Fewer than two characters are no pair.
          const expected = field.length < 2 ? [] : [...came];
          assert.deepEqual([...jar].toSorted(), expected.toSorted());
          for (const name of ["__proto__", "constructor", "toString"]) {
            assert.equal(jar.get(name), came.get(name));
            assert.equal(jar.has(name), came.has(name));
          }
        });
      }),
      pure,
    );
  });
});

function trimmed(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
