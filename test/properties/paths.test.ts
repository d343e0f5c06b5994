import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { applicationUri, decodePath, requestUri, setupTestingDefaults } from "@wsgi/core";
import type { AnyMiddleware, Application, Environ } from "@wsgi/core";
import { mount } from "@wsgi/middleware/mount";
import { when } from "@wsgi/middleware/when";
import { router } from "@wsgi/router";
import { call, environFor, respond } from "@wsgi/testing";
import fc from "fast-check";
import { serving, RawClient } from "../support/serving.ts";
import { onSockets, pure } from "../support/property.ts";

const wellFormed = fc.string({ unit: "binary" });

/** Is bytes that are often UTF-8, or nearly. */
const octets: fc.Arbitrary<number[]> = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 2 }).map((text) => [...Buffer.from(text)]),
      fc.uint8Array({ maxLength: 4 }).map((bytes) => [...bytes]),
      fc.constantFrom([0xe4, 0xb8], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.flat());

/** Escapes octets, but not all that could stand as they are. */
function escape(bytes: readonly number[]): string {
  return bytes
    .map((byte, i) => {
      const hex = byte.toString(16).padStart(2, "0");
      if (byte >= 0x61 && byte <= 0x7a && i % 2 === 0) return String.fromCharCode(byte);
      return `%${i % 3 === 0 ? hex : hex.toUpperCase()}`;
    })
    .join("");
}

/** Turns decoded text back into octets: escapes that are left are one each. */
function octetsOf(text: string): number[] {
  return [...text.matchAll(/%([0-9A-Fa-f]{2})|[^]/gu)].flatMap(([one, hex]) =>
    hex === undefined ? [...Buffer.from(one)] : [Number.parseInt(hex, 16)],
  );
}

describe("decodePath()", () => {
  it("gives back every text that was escaped", () => {
    fc.assert(
      fc.property(wellFormed, (text) => assert.equal(decodePath(encodeURIComponent(text)), text)),
      pure,
    );
  });

  it("keeps every octet", () => {
    // An escaped percent sign is the one thing that decoded text does not tell from an escape: D1.
    const distinct = octets.map((bytes) => bytes.filter((byte) => byte !== 0x25));
    fc.assert(
      fc.property(distinct, (bytes) =>
        assert.deepEqual(octetsOf(decodePath(escape(bytes))), [...bytes]),
      ),
      pure,
    );
  });

  it("decodes what is UTF-8, character by character, and leaves the rest as it came", () => {
    fc.assert(
      fc.property(octets, (bytes) =>
        assert.equal(decodePath(bytes.map(escapeOf).join("")), reference(bytes)),
      ),
      pure,
    );
  });

  it("never throws", () => {
    const anything = fc.oneof(
      fc.string({ unit: fc.constantFrom("%", "e", "4", "F", "/", "\ud83d", "\udc00", "\0") }),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(anything, (text) => assert.equal(typeof decodePath(text), "string")),
      pure,
    );
  });
});

function escapeOf(octet: number): string {
  return `%${octet.toString(16).padStart(2, "0").toUpperCase()}`;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes octets with nothing but the platform's decoder, which takes or refuses. */
function reference(octets: readonly number[]): string {
  let text = "";
  for (let at = 0; at < octets.length;) {
    const lengths = [1, 2, 3, 4].filter((length) => isCharacter(octets.slice(at, at + length)));
    const [length = 0] = lengths;
    const character = Uint8Array.from(octets.slice(at, at + length));
    text += length === 0 ? escapeOf(octets[at]!) : strict.decode(character);
    at += Math.max(1, length);
  }
  return text;
}

function isCharacter(octets: readonly number[]): boolean {
  try {
    return [...strict.decode(Uint8Array.from(octets))].length === 1;
  } catch {
    return false;
  }
}

describe("requestUri()", () => {
  it("is decoded to the path that it was made of", () => {
    fc.assert(
      fc.property(wellFormed, wellFormed, (script, path) => {
        const environ = setupTestingDefaults({ SCRIPT_NAME: `/${script}`, PATH_INFO: `/${path}` });
        const start = "http://127.0.0.1".length;
        assert.equal(decodePath(requestUri(environ).slice(start)), `/${script}/${path}`);
        assert.equal(decodePath(applicationUri(environ).slice(start)), `/${script}`);
      }),
      pure,
    );
  });
});

const segment = fc.constantFrom("a", "b", "世", "A", "%FF", "..", "", "a b");
const path = fc
  .array(segment, { maxLength: 5 })
  .map((parts) => parts.map((part) => `/${part}`).join(""));
const places = fc.constantFrom("/a", "/b", "/a/b", "/世", "/", "localhost/a", "localhost");

/** Is how to put an application deeper: under a mount, or behind a router. */
const descents = fc.array(
  fc.record({ by: fc.constantFrom("mount", "use", "param"), place: places }),
  { maxLength: 4 },
);

function below(app: Application, { by, place }: { by: string; place: string }): Application {
  if (by === "mount") return mount({ [place]: app })(app);
  const pages = router();
  pages.use(by === "param" ? "/:first" : place.replace("localhost", "") || "/", app);
  return pages(app);
}

describe("a mount, or a router's use()", () => {
  it("moves the border between SCRIPT_NAME and PATH_INFO, and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(path, descents, async (path, descents) => {
        let seen: Environ | undefined;
        const app: Application = (environ, startResponse) => {
          seen = environ;
          return respond([])(environ, startResponse);
        };
        const environ = setupTestingDefaults({ PATH_INFO: path, HTTP_HOST: "localhost:80" });
        await call(descents.reduce(below, app), environ);
        assert.equal(seen!.SCRIPT_NAME + seen!.PATH_INFO, path);
        assert.match(seen!.SCRIPT_NAME, /^(?:\/[^]*[^/]|\/\/+[^]*)?$/);
        assert.match(seen!.PATH_INFO, /^(?:\/[^]*)?$/);
        assert.deepEqual([environ.SCRIPT_NAME, environ.PATH_INFO], ["", path]);
      }),
      pure,
    );
  });
});

const spellings = (
  "/ / admin admin %61dmin ADMIN Admin %2F %2f // . .. %2e%2e x ? ; ;a=b %3f %00 % %25 " +
  "%2561dmin \\ %5c %20 %C0%AF %EF%BC%8F public admin/ /admin"
).split(" ");

/** Is a spelling of a path, of the kinds that have led past guards elsewhere. */
const spelling = fc
  .array(fc.constantFrom(...spellings), { minLength: 1, maxLength: 6 })
  .map((parts) => `/${parts.join("")}`);

/** Tells by the path, as people do, whether a request is for the admins. */
function isAdmin({ PATH_INFO }: Environ): boolean {
  return PATH_INFO === "/admin" || PATH_INFO.startsWith("/admin/");
}

const guards = {
  when: (guard: AnyMiddleware) => when(isAdmin, guard),
  mount: (guard: AnyMiddleware) => (app: Application) =>
    mount({ "/admin": under(guard(app)) })(app),
  use: (guard: AnyMiddleware) => (app: Application) => {
    const pages = router();
    pages.use("/admin", under(guard(app)));
    return pages(app);
  },
} satisfies Record<string, (guard: AnyMiddleware) => AnyMiddleware>;

/** Undoes what a mount does, so that what is inside sees the whole path. */
function under(app: Application): Application {
  return (environ, startResponse) =>
    app(
      { ...environ, SCRIPT_NAME: "", PATH_INFO: environ.SCRIPT_NAME + environ.PATH_INFO },
      startResponse,
    );
}

const routings = {
  mount: (secret: Application) => mount({ "/admin": secret, "/": respond(["public"]) }),
  get(secret: Application) {
    const pages = router({ trailing: true });
    pages.get("/admin", secret);
    pages.get("/admin/:page", secret);
    pages.get("/admin{/*rest}", secret);
    return pages;
  },
  use(secret: Application) {
    const pages = router();
    pages.use("/admin", secret);
    return pages;
  },
  nested(secret: Application) {
    const inside = router();
    inside.all("/", secret);
    inside.all("/*rest", secret);
    return mount({ "/admin": inside });
  },
} satisfies Record<string, (secret: Application) => Application>;

const guarded = fc.record({
  guard: fc.constantFrom(...(Object.keys(guards) as (keyof typeof guards)[])),
  routing: fc.constantFrom(...(Object.keys(routings) as (keyof typeof routings)[])),
});

/** Makes an application whose secret part is reached by one mechanism and guarded by another. */
function site({ guard, routing }: { guard: keyof typeof guards; routing: keyof typeof routings }) {
  const seen: ("guard" | "secret")[] = [];
  const watch: AnyMiddleware = (app: Application) => (environ: Environ, startResponse) => {
    seen.push("guard");
    return app(environ, startResponse);
  };
  const secret: Application = (environ, startResponse) => {
    seen.push("secret");
    return respond(["secret"])(environ, startResponse);
  };
  return { app: guards[guard](watch)(routings[routing](secret)) as Application, seen };
}

describe("a guard", () => {
  it("is passed by every request for what it guards, however that is spelt", async () => {
    await fc.assert(
      fc.asyncProperty(guarded, spelling, async (guarded, target) => {
        const { app, seen } = site(guarded);
        await call(app, environFor(`GET ${target}`));
        assert.notEqual(seen[0], "secret", `${target} goes past the guard`);
      }),
      pure,
    );
  });

  it("is passed by the raw targets of a socket, too", async () => {
    const form = fc.constantFrom("", "http://localhost", "HTTP://user@localhost:80");
    let current = site({ guard: "when", routing: "mount" });
    const app: Application = (environ, startResponse) => current.app(environ, startResponse);
    await using server = await serving(app);
    using client = await RawClient.connect(server);
    await fc.assert(
      fc.asyncProperty(guarded, form, spelling, async (guarded, form, target) => {
        current = site(guarded);
        client.received = "";
        client.send(`GET ${form}${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
        await client.until("\r\n\r\n");
        assert.notEqual(current.seen[0], "secret", `${form}${target} goes past the guard`);
      }),
      onSockets,
    );
  });
});
