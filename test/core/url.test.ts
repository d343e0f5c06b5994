import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  applicationUri,
  decodePath,
  guessScheme,
  requestUri,
  setupTestingDefaults,
  shiftPathInfo,
  type Environ,
} from "@wsgi/core";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function decode(octets: readonly number[]): string {
  return decoder.decode(Uint8Array.from(octets));
}

function escape(octets: readonly number[]): string {
  return octets.map((octet) => `%${octet.toString(16).padStart(2, "0")}`).join("");
}

/** Shifts once, and says what came of it: the name, SCRIPT_NAME and PATH_INFO. */
function shift(script: string, path: string): [string | undefined, string, string] {
  const environ = { SCRIPT_NAME: script, PATH_INFO: path };
  const name = shiftPathInfo(environ);
  return [name, environ.SCRIPT_NAME, environ.PATH_INFO];
}

function application(environ: Partial<Environ> = {}): string {
  return applicationUri(setupTestingDefaults(environ));
}

function request(environ: Partial<Environ> = {}, includeQuery?: boolean): string {
  return requestUri(setupTestingDefaults(environ), includeQuery);
}

describe("decodePath()", () => {
  it("decodes UTF-8, once", () => {
    assert.equal(decodePath("/foo/bar%2cbaz"), "/foo/bar,baz");
    assert.equal(decodePath("/foo/bar%252cbaz"), "/foo/bar%2cbaz");
    assert.equal(decodePath("/foo%E3%81%82"), "/fooあ");
    assert.equal(decodePath("/%f0%9f%98%80"), "/😀");
  });

  it("leaves a path without escapes as it is", () => {
    assert.equal(decodePath("//foo///bar/../baz"), "//foo///bar/../baz");
    assert.equal(decodePath("/a+b"), "/a+b");
    assert.equal(decodePath(""), "");
  });

  it("leaves malformed escapes as they came", () => {
    assert.equal(decodePath("/100%"), "/100%");
    assert.equal(decodePath("/%zz/%4"), "/%zz/%4");
    assert.equal(decodePath("/%%41"), "/%A");
  });

  it("leaves octets that are not UTF-8 as they came, and decodes the others", () => {
    assert.equal(decodePath("/%FF/%41"), "/%FF/A");
    assert.equal(decodePath("/%e4%b8%96%e4%b8"), "/世%e4%b8");
    assert.equal(decodePath("/%80%E7%95%8C%80"), "/%80界%80");
    assert.equal(decodePath("/%80%80"), "/%80%80");
  });

  it("leaves overlong forms, surrogates and what is beyond Unicode as they came", () => {
    assert.equal(decodePath("/%C0%AF"), "/%C0%AF");
    assert.equal(decodePath("/%E0%80%AF"), "/%E0%80%AF");
    assert.equal(decodePath("/%ED%A0%80"), "/%ED%A0%80");
    assert.equal(decodePath("/%F0%80%80%AF"), "/%F0%80%80%AF");
    assert.equal(decodePath("/%F4%90%80%80"), "/%F4%90%80%80");
  });

  it("decodes two octets exactly where they are UTF-8, whichever they are", () => {
    const escapes = Array.from({ length: 256 }, (_, octet) => escape([octet]));
    const alone = escapes.map((escaped, octet) => (octet < 0x80 ? decode([octet]) : escaped));
    const wrong: string[] = [];
    for (let pair = 0; pair < 0x1_0000; pair++) {
      const [a, b] = [pair >> 8, pair & 0xff];
      const path = escapes[a]! + escapes[b]!;
      const both = decode([a, b]);
      const wanted = both.includes("\ufffd") ? alone[a]! + alone[b]! : both;
      if (decodePath(path) !== wanted) wrong.push(path);
    }
    assert.deepEqual(wrong, []);
  });

  it("decodes three octets exactly where they are one character", () => {
    const wrong: string[] = [];
    for (let pair = 0xe000; pair < 0xf000; pair++) {
      const octets = [pair >> 8, pair & 0xff, 0x80];
      const whole = decode(octets);
      const decoded = decodePath(escape(octets));
      const right = whole.includes("\ufffd") ? decoded.startsWith("%e") : decoded === whole;
      if (!right) wrong.push(escape(octets));
    }
    assert.deepEqual(wrong, []);
  });
});

describe("guessScheme()", () => {
  it("is https for on, yes and 1", () => {
    assert.equal(guessScheme({ HTTPS: "on" }), "https");
    assert.equal(guessScheme({ HTTPS: "yes" }), "https");
    assert.equal(guessScheme({ HTTPS: "1" }), "https");
  });

  it("is http for everything else", () => {
    assert.equal(guessScheme({}), "http");
    assert.equal(guessScheme({ HTTPS: "foo" }), "http");
    assert.equal(guessScheme({ HTTPS: "off" }), "http");
  });
});

describe("applicationUri()", () => {
  it("is the root by default", () => {
    assert.equal(application(), "http://127.0.0.1/");
  });

  it("adds SCRIPT_NAME, escaped as UTF-8", () => {
    assert.equal(application({ SCRIPT_NAME: "/spam" }), "http://127.0.0.1/spam");
    assert.equal(application({ SCRIPT_NAME: "/sp\xe4m" }), "http://127.0.0.1/sp%C3%A4m");
    assert.equal(application({ SCRIPT_NAME: "/a;b=c,d" }), "http://127.0.0.1/a%3Bb%3Dc%2Cd");
  });

  it("takes the host as the client named it", () => {
    assert.equal(
      application({ HTTP_HOST: "spam.example.com:2071" }),
      "http://spam.example.com:2071/",
    );
    assert.equal(
      application({ HTTP_HOST: "spam.example.com", SERVER_NAME: "other" }),
      "http://spam.example.com/",
    );
  });

  it("takes the server's name where no host is named", () => {
    const nameless = { HTTP_HOST: undefined, SERVER_NAME: "spam.example.com" };
    assert.equal(application(nameless), "http://spam.example.com/");
    assert.equal(application({ ...nameless, HTTP_HOST: "" }), "http://spam.example.com/");
  });

  it("adds the port only where it is not the usual one", () => {
    const nameless = { HTTP_HOST: undefined };
    assert.equal(application({ ...nameless, SERVER_PORT: "8000" }), "http://127.0.0.1:8000/");
    assert.equal(application({ ...nameless, HTTPS: "on" }), "https://127.0.0.1/");
    assert.equal(
      application({ ...nameless, HTTPS: "on", SERVER_PORT: "80" }),
      "https://127.0.0.1:80/",
    );
  });

  it("puts an IPv6 address in brackets", () => {
    const environ = { HTTP_HOST: undefined, SERVER_NAME: "::1", SERVER_PORT: "8000" };
    assert.equal(application(environ), "http://[::1]:8000/");
  });
});

describe("requestUri()", () => {
  it("adds PATH_INFO", () => {
    assert.equal(request(), "http://127.0.0.1/");
    assert.equal(
      request({ SCRIPT_NAME: "/spammity", PATH_INFO: "/spam" }),
      "http://127.0.0.1/spammity/spam",
    );
  });

  it("escapes it as UTF-8", () => {
    assert.equal(
      request({ SCRIPT_NAME: "/spammity", PATH_INFO: "/sp\xe4m" }),
      "http://127.0.0.1/spammity/sp%C3%A4m",
    );
    assert.equal(request({ PATH_INFO: "/a b?c#d%e" }), "http://127.0.0.1/a%20b%3Fc%23d%25e");
  });

  it("escapes what encodeURIComponent leaves", () => {
    assert.equal(request({ PATH_INFO: "/!'()*~" }), "http://127.0.0.1/%21%27%28%29%2A~");
  });

  it("leaves ; = and , as they are", () => {
    assert.equal(
      request({ SCRIPT_NAME: "/spammity", PATH_INFO: "/spam;ham" }),
      "http://127.0.0.1/spammity/spam;ham",
    );
    assert.equal(
      request({ SCRIPT_NAME: "/spammity", PATH_INFO: "/spam;cookie=1234,5678" }),
      "http://127.0.0.1/spammity/spam;cookie=1234,5678",
    );
  });

  it("adds the query as it came, unless it is told not to", () => {
    const environ = { SCRIPT_NAME: "/spammity", PATH_INFO: "/spam", QUERY_STRING: "say=ni" };
    assert.equal(request(environ), "http://127.0.0.1/spammity/spam?say=ni");
    assert.equal(request(environ, false), "http://127.0.0.1/spammity/spam");
    assert.equal(request({ QUERY_STRING: "s%E4y=ni" }), "http://127.0.0.1/?s%E4y=ni");
  });

  it("gives an application's root the slash that it needs", () => {
    assert.equal(request({ SCRIPT_NAME: "", PATH_INFO: "" }), "http://127.0.0.1/");
    assert.equal(request({ SCRIPT_NAME: "/wiki", PATH_INFO: "" }), "http://127.0.0.1/wiki");
  });

  it("does not throw for a lone surrogate", () => {
    assert.equal(request({ PATH_INFO: "/\ud800" }), "http://127.0.0.1/%EF%BF%BD");
  });
});

describe("shiftPathInfo()", () => {
  it("moves the first segment", () => {
    assert.deepEqual(shift("", "/"), ["", "/", ""]);
    assert.deepEqual(shift("", "/x"), ["x", "/x", ""]);
    assert.deepEqual(shift("/a", "/x/y"), ["x", "/a/x", "/y"]);
    assert.deepEqual(shift("/a", "/x/"), ["x", "/a/x", "/"]);
  });

  it("does nothing where there is nothing left", () => {
    assert.deepEqual(shift("/", ""), [undefined, "/", ""]);
  });

  it("goes up for two dots, but not above the root", () => {
    assert.deepEqual(shift("/a/b", "/../y"), ["..", "/a", "/y"]);
    assert.deepEqual(shift("", "/../y"), ["..", "", "/y"]);
  });

  it("passes over empty segments and single dots", () => {
    assert.deepEqual(shift("/a/b", "//y"), ["y", "/a/b/y", ""]);
    assert.deepEqual(shift("/a/b", "//y/"), ["y", "/a/b/y", "/"]);
    assert.deepEqual(shift("/a/b", "/./y"), ["y", "/a/b/y", ""]);
    assert.deepEqual(shift("/a/b", "/./y/"), ["y", "/a/b/y", "/"]);
    assert.deepEqual(shift("/a/b", "///./..//y/.//"), ["..", "/a", "/y/"]);
  });

  it("keeps the slash at the end", () => {
    assert.deepEqual(shift("/a/b", "///"), ["", "/a/b/", ""]);
    assert.deepEqual(shift("/a/b", "/.//"), ["", "/a/b/", ""]);
    assert.deepEqual(shift("/a/b", "/x//"), ["x", "/a/b/x", "/"]);
  });

  it("has no name for a dot at the end", () => {
    assert.deepEqual(shift("/a/b", "/."), [undefined, "/a/b", ""]);
  });

  it("takes the slashes off the end of SCRIPT_NAME, and looks at no others", () => {
    // So many that looking for the end from each of them would not be over in minutes.
    const slashes = "/".repeat(2 ** 20);
    assert.deepEqual(shift(`${slashes}a//`, "/x"), ["x", `${slashes}a/x`, ""]);
  });
});
