import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type {
  Body,
  Chunk,
  Environ,
  Header,
  HeaderList,
  InputStream,
  Write,
  WsgiError,
} from "@wsgi/core";
import { serverCases, type StartServer } from "@wsgi/testing/server-suite";
import { read } from "../support/repository.ts";
import {
  between,
  body,
  closedBy,
  environ,
  input,
  start,
  startServer,
  wire,
} from "./broken-servers.ts";
import { failsExactly } from "./suite-failures.ts";

/** Sees that the suite finds this fault in a server, in these cases and in no other of their areas. */
function breaks(server: StartServer, ...ids: readonly string[]): Promise<void> {
  const areas = new Set(ids.map(areaOf));
  // Not all the cases for each fault: there are two hundred, and nearly as many servers.
  const cases = serverCases.filter(({ id }) => areas.has(areaOf(id)));
  return failsExactly(cases, server, ids);
}

/** Names what a case is about, as the ids of clauses begin: `"environ"`. */
function areaOf(id: string): string {
  return id.split("-", 1).join();
}

/** Does so for what a server reads and sends. */
function breaksOnWire(texts: Parameters<typeof wire>[0], ...ids: readonly string[]): Promise<void> {
  return breaks(wire(texts), ...ids);
}

/** Is a server that takes a request for another, because it reads it too kindly. */
function reads(request: string, as: string, ...ids: readonly string[]): Promise<void> {
  return breaksOnWire({ request: (text) => text.replace(request, as) }, ...ids);
}

/** Changes a list of headers, if it is one. */
function listed(headers: HeaderList, change: (list: readonly Header[]) => HeaderList): HeaderList {
  const isPair = (header: unknown): boolean => Array.isArray(header);
  return Array.isArray(headers) && headers.every(isPair) ? change(headers) : headers;
}

/** Is a server that lets pass what breaks a clause about write(). */
function writing(clause: string): StartServer {
  return start((real) => (...given) => {
    const write = real(...given);
    return (chunk) => {
      try {
        return write(chunk);
      } catch (error) {
        if ((error as WsgiError).clause !== clause) throw error;
        return undefined;
      }
    };
  });
}

/** Makes a synchronous stream with other chunks, and leaves every other body as it is. */
function mapped(one: Body, change: (all: Iterable<Chunk>) => Iterable<Chunk>): Body {
  if (!(Symbol.iterator in one) || Array.isArray(one)) return one;
  return {
    [Symbol.iterator]: () => change(one as Iterable<Chunk>)[Symbol.iterator](),
    close: () => one.close?.(),
  };
}

describe("the cases for servers", () => {
  it("have different ids, of clauses that are there", () => {
    const spec = read("packages/core/SPEC.md");
    const ids = serverCases.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(
      ids.filter((id) => !spec.includes(`**[${id.split("/")[0]}]**`)),
      [],
    );
  });

  it("pass for a server that is right", () => failsExactly(serverCases, startServer, []));

  it("pass for one behind a wire that changes nothing", () => {
    const cases = serverCases.filter(({ id }) => /^(?:environ|http|length|start|header)-/.test(id));
    return failsExactly(cases, wire({}), []);
  });
});

describe("serverSuite() finds a server that", () => {
  it("calls the application twice", () =>
    breaks(
      between((app) => (environ, startResponse) => {
        if (environ.REQUEST_METHOD === "PURGE") void app({ ...environ }, () => () => {});
        return app(environ, startResponse);
      }),
      "call-once",
    ));

  it("changes the case of a method", () =>
    breaks(
      environ((request) => {
        request.REQUEST_METHOD = request.REQUEST_METHOD.replace("PURGE", "purge");
      }),
      "call-once",
      "environ-method",
    ));

  it("passes a third argument", () =>
    breaks(
      between(
        (app) =>
          (...given) =>
            (app as (...given: unknown[]) => Body)(...given, {}),
      ),
      "call-arguments",
    ));

  it("looks at the application", () =>
    breaks(
      between((app) => (environ, startResponse) => {
        void app.length;
        return app(environ, startResponse);
      }),
      "call-callable",
    ));

  it("gives an environ without a prototype", () =>
    breaks(
      between(
        (app) => (environ, startResponse) =>
          app(Object.assign(Object.create(null) as Environ, environ), startResponse),
      ),
      "environ-plain",
    ));

  it("gives an environ that cannot be added to", () =>
    breaks(environ(Object.preventExtensions), "environ-plain", "environ-owned/emptied"));

  it("keeps keys for the next request", () => {
    const kept: Partial<Environ> = {};
    const keeping = between((app) => (environ, startResponse) => {
      const result = app(Object.assign(environ, kept), startResponse);
      if ("suite.mark" in environ) kept["suite.mark"] = environ["suite.mark"];
      return result;
    });
    return breaks(keeping, "environ-owned/new");
  });

  it("reads the path back", () =>
    breaks(
      between((app) => (environ, startResponse) => {
        const result = app(environ, startResponse);
        environ.PATH_INFO.toLowerCase();
        return result;
      }),
      "environ-owned/emptied",
    ));

  it("leaves a key out", () =>
    breaks(
      environ((request) => void delete (request as Partial<Environ>)["wsgi.run_once"]),
      "environ-complete",
      "environ-run-once",
    ));

  it("gives null", () =>
    breaks(
      environ((request) => void (request["wsgi.user"] = null)),
      "environ-complete",
    ));

  it("gives a number", () =>
    breaks(
      environ((request) => void (request.REMOTE_PORT = 5)),
      "environ-strings",
    ));

  it("names a key of its own in capitals", () =>
    breaks(
      environ((request) => void (request["Server.Key"] = "x")),
      "environ-keys",
    ));

  it("adds the variables of its process", () =>
    breaks(
      environ((request) => {
        if (process.env.WSGI_SUITE !== undefined) request.WSGI_SUITE = process.env.WSGI_SUITE;
      }),
      "environ-process",
    ));

  it("decodes the path twice", () =>
    breaks(
      environ((request) => void (request.PATH_INFO = request.PATH_INFO.replace("%2c", ","))),
      "environ-path/once",
    ));

  it("decodes the path as Latin-1", () =>
    breaks(
      environ((request) => {
        request.PATH_INFO = Buffer.from(request.PATH_INFO).toString("latin1");
      }),
      "environ-path/text",
    ));

  it("replaces what is no UTF-8", () =>
    breaks(
      environ((request) => void (request.PATH_INFO = request.PATH_INFO.replace("%FF", "\ufffd"))),
      "environ-path/odd",
    ));

  it("puts slashes together", () =>
    breaks(
      environ((request) => void (request.PATH_INFO = request.PATH_INFO.replace(/\/+/g, "/"))),
      "environ-split/slashes",
      "http-target/slashes",
    ));

  it("names the root by a slash", () =>
    breaks(
      environ((request) => void (request.SCRIPT_NAME = "/")),
      "environ-split/root",
    ));

  it("decodes the query", () =>
    breaks(
      environ((request) => {
        request.QUERY_STRING = decodeURIComponent(request.QUERY_STRING);
      }),
      "environ-query",
    ));

  it("takes every version for the newest", () =>
    breaks(
      environ((request) => void (request.SERVER_PROTOCOL = "HTTP/1.1")),
      "environ-protocol",
    ));

  it("hides Authorization", () =>
    breaks(
      environ((request) => void delete request.HTTP_AUTHORIZATION),
      "environ-header/private",
    ));

  it("decodes fields as UTF-8", () =>
    breaks(
      environ((request) => {
        if (request.HTTP_X) request.HTTP_X = Buffer.from(request.HTTP_X, "latin1").toString();
      }),
      "environ-latin",
    ));

  it("names Content-Type like the other fields", () =>
    breaks(
      environ((request) => {
        if (request.CONTENT_TYPE) request.HTTP_CONTENT_TYPE = request.CONTENT_TYPE;
      }),
      "environ-content",
    ));

  it("makes up a Content-Type", () =>
    breaks(
      environ((request) => void (request.CONTENT_TYPE ??= "text/plain")),
      "environ-content/none",
    ));

  it("joins cookies with a comma", () =>
    breaks(
      environ((request) => {
        if (request.HTTP_COOKIE) request.HTTP_COOKIE = request.HTTP_COOKIE.replace(";", ",");
      }),
      "environ-joined/cookie",
    ));

  it("takes a field with _ for one with -", () => reads("Y_Z:", "Y-Z:", "environ-underscore"));

  it("has no name", () =>
    breaks(
      environ((request) => void (request.SERVER_NAME = "")),
      "environ-server",
    ));

  it("takes a proxy for the client", () =>
    breaks(
      environ((request) => void (request.REMOTE_ADDR = "192.0.2.1")),
      "environ-cgi/client",
    ));

  it("says that HTTPS is off", () =>
    breaks(
      environ((request) => void (request.HTTPS = "off")),
      "environ-cgi/tls",
    ));

  it("claims to have threads", () =>
    breaks(
      environ((request) => void (request["wsgi.multithread"] = true)),
      "environ-threads",
    ));

  it("reads no further than what is there", () => {
    const impatient = (real: InputStream): Partial<InputStream> => ({
      read: (size) => real.read(size === undefined ? size : Math.min(size, 2)),
    });
    return breaks(input(impatient), "input-end/length", "input-size/exact");
  });

  it("makes a promise of everything that is read", () =>
    breaks(
      input((real) => ({ read: async (size) => real.read(size) })),
      "input-end/none",
      "input-settled",
    ));

  it("gives whole lines only", () =>
    breaks(
      input((real) => ({ readline: () => real.readline() })),
      "input-line",
    ));

  it("iterates the input by blocks", () => {
    const blocks = (real: InputStream): Partial<InputStream> => ({
      async *[Symbol.asyncIterator]() {
        yield await real.read();
      },
    });
    return breaks(input(blocks), "input-iterate");
  });

  it("takes a body that is cut short for the whole", () => {
    const trusting = (real: InputStream): Partial<InputStream> => ({
      read: async (size) => {
        // At once where it is there, because that is another rule.
        try {
          return await real.read(size);
        } catch {
          return new Uint8Array(0);
        }
      },
    });
    return breaks(
      input(trusting),
      "input-end/none",
      "input-settled",
      "input-cut/length",
      "input-cut/chunked",
      "client-gone/read",
    );
  });

  it("loses what is written to wsgi.errors", () =>
    breaks(
      environ((request) => {
        request["wsgi.errors"] = { write() {}, writelines() {}, flush() {} };
      }),
      "errors-text",
    ));

  it("returns nothing from a second start", () => {
    const once = start((real) => {
      let started = false;
      return (...given) => {
        const write = real(...given);
        if (started) return undefined as never;
        started = true;
        return write;
      };
    });
    return breaks(once, "start-write");
  });

  it("takes null for no error", () =>
    breaks(
      start((real) => (status, headers, excInfo) => real(status, headers, excInfo ?? undefined)),
      "start-error",
    ));

  it("throws another error when it is too late", () => {
    const wrapping = start((real) => (status, headers, excInfo) => {
      try {
        return real(status, headers, excInfo);
      } catch (error) {
        throw error === excInfo ? new Error("Too late") : error;
      }
    });
    return breaks(wrapping, "start-sent");
  });

  it("repairs a status", () =>
    breaks(
      start(
        (real) =>
          (status, ...rest) =>
            real(status.trim(), ...rest),
      ),
      "status-form",
    ));

  it("repairs a value", () => {
    const withoutTabs = ([name, value]: Header): Header => [name, String(value).replace("\t", " ")];
    return breaks(
      start(
        (real) => (status, headers, excInfo) =>
          real(
            status,
            listed(headers, (list) =>
              list.map((one) => (one.length === 2 ? withoutTabs(one) : one)),
            ),
            excInfo,
          ),
      ),
      "header-value",
    );
  });

  it("drops what concerns the connection without a word", () =>
    breaks(
      start(
        (real) => (status, headers, excInfo) =>
          real(
            status,
            listed(headers, (list) => list.filter(([name]) => name !== "TE")),
            excInfo,
          ),
      ),
      "header-hop-by-hop",
    ));

  it("adds to the list that it is given", () =>
    breaks(
      start((real) => (status, headers, excInfo) => {
        if (Array.isArray(headers)) headers.push(["X-Server", "yes"]);
        return real(status, headers, excInfo);
      }),
      "headers-list/shared",
    ));

  it("joins repeated fields", () => {
    const joined = (list: readonly Header[]): HeaderList => {
      const cookies = list.filter(([name]) => name === "Set-Cookie");
      const others = list.filter((header) => !cookies.includes(header));
      if (cookies.length < 2) return list;
      return [...others, ["Set-Cookie", cookies.map(([, value]) => value).join(", ")]];
    };
    return breaks(
      start((real) => (status, headers, excInfo) => real(status, listed(headers, joined), excInfo)),
      "header-repeat",
    );
  });

  it("sends no Date", () =>
    breaksOnWire(
      { response: (text) => text.replace(/\r\nDate: [^\r]*\r\n/, "\r\n") },
      "http-date",
    ));

  it("sends Date twice", () =>
    breaksOnWire(
      { response: (text) => text.replace(/(\r\nDate: [^\r]*)\r\n/i, "$1$1\r\n") },
      "http-date",
      "http-date/given",
    ));

  it("knows a reason better", () =>
    breaksOnWire(
      { response: (text) => text.replace("299 Odd Reason", "299 Unknown") },
      "http-unchanged",
    ));

  it("closes twice", () => {
    const again = body((one) =>
      one.close === undefined
        ? one
        : closedBy(one, () => {
            Promise.resolve(one.close?.()).catch(() => {});
            return one.close?.();
          }),
    );
    return breaks(
      again,
      "close-once/stream",
      "close-once/async",
      "close-once/array",
      "close-once/throws",
      "close-once/throws-later",
      "close-once/head",
      "close-once/304",
      "close-once/length",
      "close-once/not-started",
      "close-once/left",
      "close-once/late",
      "close-returned",
      "close-return",
      "close-waited",
      "file-close",
    );
  });

  it("never closes an array", () =>
    breaks(
      body((one) => (Array.isArray(one) ? [...one] : one)),
      "close-once/array",
      "close-once/not-started",
      "close-dispose",
      "close-waited",
    ));

  it("does not end the iteration", () =>
    breaks(
      body((one) => {
        if (!(Symbol.iterator in one) || Array.isArray(one)) return one;
        const iterator = (): Iterator<Chunk> => {
          const real = (one as Iterable<Chunk>)[Symbol.iterator]();
          return { next: () => real.next() };
        };
        return { [Symbol.iterator]: iterator, close: () => one.close?.() };
      }),
      "close-return",
    ));

  it("never stops reading a body, and ends all the same", () => {
    const server = body((one) =>
      Symbol.iterator in one && !Array.isArray(one)
        ? closedBy(new Set([[...(one as Iterable<Chunk>)].join("")]), () => one.close?.())
        : one,
    );
    const ids = ["body-turns", "client-closed/stops", "close-return"];
    const endless = serverCases.filter(({ id }) => ids.includes(id));
    return failsExactly(endless, server, ids);
  });

  it("hides what close throws", () =>
    breaks(
      body((one) => {
        if (Array.isArray(one) || one.close === undefined) return one;
        return closedBy(one, () => {
          try {
            return one.close?.();
          } catch {
            return undefined;
          }
        });
      }),
      "error-contained/close",
    ));

  it("believes the length of what is no array", () =>
    breaks(
      body((one) => {
        const { length } = one as { length?: number };
        if (length !== 1 || Array.isArray(one)) return one;
        return [[...(one as Iterable<Chunk>)][0]!];
      }),
      "body-length",
      "body-attributes",
    ));

  it("takes a bare string for a chunk", () =>
    breaks(
      between((app) => (environ, startResponse) => {
        const result: unknown = app(environ, startResponse);
        return (typeof result === "string" ? [result] : result) as Body;
      }),
      "body-iterable/string",
    ));

  it("waits for whatever has a then", () =>
    breaks(
      between((app) => async (environ, startResponse) => await app(environ, startResponse)),
      "body-settled",
    ));

  it("shows errors to clients", () =>
    breaks(
      between((app) => (environ, startResponse) => {
        try {
          return app(environ, startResponse);
        } catch (error) {
          environ["wsgi.errors"].write(String(error));
          startResponse("500 Internal Server Error", [], error);
          return [String(error)];
        }
      }),
      "error-contained/own",
      "error-unsent",
      "error-unsent/started",
    ));

  it("does not report errors", () =>
    breaks(
      between((app) => (environ, startResponse) => {
        try {
          return app(environ, startResponse);
        } catch (error) {
          startResponse("500 Internal Server Error", [], error);
          return [];
        }
      }),
      "error-contained/own",
      "error-contained/call",
    ));

  it("holds write back that is empty", () =>
    breaks(
      start((real) => (...given) => {
        const write = real(...given);
        return (chunk) => (chunk.length === 0 ? undefined : write(chunk));
      }),
      "write-flush",
    ));

  it("lets no writer wait", () =>
    breaks(
      start((real) => (...given) => {
        const write = real(...given);
        return (chunk) => void write(chunk);
      }),
      "write-full",
    ));

  it("passes a short body off as the whole", () =>
    breaksOnWire(
      { response: (text) => text.replace("Content-Length: 300", "Content-Length: 13") },
      "length-short",
    ));

  it("gives a 304 a type", () =>
    breaksOnWire(
      {
        response: (text) => text.replace(/(304 Not Modified\r\n)/, "$1Content-Type: text/html\r\n"),
      },
      "length-bodyless/304",
    ));

  it("gives a 204 a length", () =>
    breaksOnWire(
      { response: (text) => text.replace(/(204 No Content\r\n)/, "$1Content-Length: 0\r\n") },
      "length-head/late",
      "length-bodyless/204",
      "length-dropped",
    ));

  it("takes HTTP/1.0 for HTTP/1.1", () =>
    reads(
      "GET / HTTP/1.0\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
      "environ-protocol",
      "length-unknown/old",
    ));

  it("never signals", () =>
    breaks(
      environ((request) => void (request["wsgix.signal"] = () => new AbortController().signal)),
      "ext-environ",
      "client-signal",
    ));

  it("keeps files open", () =>
    breaks(
      environ((request) => {
        type Wrap = (file: { read(size?: number): unknown }) => Body;
        const wrap = request["wsgi.file_wrapper"] as Wrap;
        const open: Wrap = (file) => wrap({ read: (size) => file.read(size) });
        request["wsgi.file_wrapper"] = open;
      }),
      "file-close",
    ));
});

describe("serverSuite() finds, of a request, a server that", () => {
  it("does not decode the path", () =>
    breaks(
      environ((request) => {
        const [path = ""] = request.REQUEST_URI.split("?");
        if (path.startsWith("/")) request.PATH_INFO = path;
      }),
      "environ-path/decoded",
      "environ-path/once",
      "environ-path/text",
    ));

  it("decodes the target", () =>
    breaks(
      environ((request) => void (request.REQUEST_URI = request.REQUEST_URI.replace("%20", " "))),
      "environ-target",
    ));

  it("takes the question mark for a part of the query", () =>
    breaks(
      environ((request) => {
        if (request.REQUEST_URI.endsWith("?")) request.QUERY_STRING = "?";
      }),
      "environ-query/empty",
    ));

  it("drops an empty field", () =>
    breaks(
      environ((request) => {
        if (request.HTTP_X_EMPTY === "") delete request.HTTP_X_EMPTY;
      }),
      "environ-header",
    ));

  it("keeps the last of repeated fields", () =>
    breaks(
      environ((request) => {
        if (request.HTTP_X) request.HTTP_X = request.HTTP_X.replace(/.*, /, "");
      }),
      "environ-joined",
    ));

  it("has another version of WSGI", () =>
    breaks(
      environ((request) => void (request["wsgi.version"] = [1, 1] as never)),
      "environ-version",
    ));

  it("writes the scheme in capitals", () =>
    breaks(
      environ((request) => void (request["wsgi.url_scheme"] = "HTTP" as never)),
      "environ-scheme",
    ));

  it("has no readlines", () =>
    breaks(
      input(() => ({ readlines: undefined as never })),
      "input-line/all",
      "input-methods",
    ));

  it("loses the end of a long body", () =>
    breaks(
      input((real) => ({
        read: (size) => {
          const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, 65_536);
          const bytes = real.read(size);
          return bytes instanceof Uint8Array ? cut(bytes) : bytes.then(cut);
        },
      })),
      "input-size/rest",
    ));

  it("says that its input has no end", () =>
    breaks(
      environ((request) => void (request["wsgi.input_terminated"] = false)),
      "environ-terminated",
    ));

  it("takes trailers for fields", () =>
    breaks(
      environ((request) => {
        if (request.HTTP_TRANSFER_ENCODING === "chunked") request.HTTP_X_TRAILER = "bad";
      }),
      "http-trailers",
    ));

  it("does not decode a chunked body", () =>
    reads("5;x=y\r\nHello\r\n008\r\n", "5\r\nHallo\r\n8\r\n", "http-decoded"));

  it("reads the body before it is asked to", () =>
    breaks(
      between((app) => async (environ, startResponse) => {
        if (environ.HTTP_EXPECT !== undefined) {
          const bytes = await environ["wsgi.input"].read();
          environ["wsgi.input"] = { ...environ["wsgi.input"], read: () => bytes };
        }
        return app(environ, startResponse);
      }),
      "body-settled",
      "http-expect/read",
      "http-expect/unread",
    ));

  it("has no writelines", () =>
    breaks(
      environ((request) => {
        const { write, flush } = request["wsgi.errors"];
        request["wsgi.errors"] = { write, flush } as never;
      }),
      "errors-methods",
      "errors-text",
    ));
});

describe("serverSuite() finds, of a response, a server that", () => {
  it("sends the head at once", () =>
    breaks(
      start((real) => (...given) => {
        const write = real(...given);
        void write("");
        return write;
      }),
      "close-once/late",
      "error-unsent/body",
      "error-unsent/started",
      "length-known",
      "start-error",
      "start-lazy",
      "start-replace",
      "start-replace/empty-chunk",
      "start-write",
    ));

  it("takes a second start", () =>
    breaks(
      start((real) => {
        let write: Write | undefined;
        return (status, headers, excInfo) => {
          if (write === undefined || excInfo !== undefined) write = real(status, headers, excInfo);
          return write;
        };
      }),
      "start-once",
    ));

  it("takes a second start after one that threw", () =>
    breaks(
      start((real) => {
        let failed = false;
        return (status, headers, excInfo = failed ? new Error("Again") : undefined) => {
          try {
            return real(status, headers, excInfo);
          } catch (error) {
            failed = excInfo === undefined && !headers.every?.(([name]) => name !== "Bad name");
            throw error;
          }
        };
      }),
      "start-once/after-error",
    ));

  it("keeps fields of a head that was replaced", () =>
    breaks(
      start((real) => {
        let old: HeaderList = [];
        return (status, headers, excInfo) => {
          const kept = old.filter(([name]) => name === "X-Old");
          if (Array.isArray(headers)) old = headers;
          return real(status, [...kept, ...headers], excInfo);
        };
      }),
      "start-replace",
    ));

  it("cuts pairs to size", () =>
    breaks(
      start(
        (real) => (status, headers, excInfo) =>
          real(
            status,
            listed(headers, (list) => list.map((one) => one.slice(0, 2) as never)),
            excInfo,
          ),
      ),
      "headers-list",
    ));

  it("repairs a name", () => {
    const repaired = (list: readonly Header[]): HeaderList =>
      list.map((one) => (one.length === 2 ? [one[0].replace(":", ""), one[1]] : one));
    return breaks(
      start(
        (real) => (status, headers, excInfo) => real(status, listed(headers, repaired), excInfo),
      ),
      "header-name",
    );
  });

  it("drops a second length", () => {
    const isLength = ([name]: Header): boolean => name === "content-length";
    const first = (list: readonly Header[]): HeaderList =>
      list.filter((one) => list.length === 1 || !isLength(one));
    return breaks(
      start((real) => (status, headers, excInfo) => real(status, listed(headers, first), excInfo)),
      "header-length",
    );
  });

  it("ends at an empty chunk", () =>
    breaks(
      body((one) =>
        mapped(one, function* (all) {
          for (const chunk of all) {
            if (chunk.length === 0) return;
            yield chunk;
          }
        }),
      ),
      "body-empty",
      "error-unsent/body",
      "length-head/late",
      "start-late/empty",
      "start-replace/empty-chunk",
    ));

  it("changes the ends of lines", () =>
    breaks(
      body((one) =>
        mapped(one, function* (all) {
          for (const chunk of all) {
            yield typeof chunk === "string" ? chunk.replace("\r\n", "\n") : chunk;
          }
        }),
      ),
      "body-opaque",
    ));

  it("sends text as Latin-1", () =>
    breaks(
      body((one) =>
        Array.isArray(one) && one.length === 3 ? [Buffer.from("\xe7", "latin1")] : one,
      ),
      "body-chunk",
      "body-iterable/array",
    ));

  it("adds to an array that all requests share", () =>
    breaks(
      body((one) => {
        if (Object.isFrozen(one)) (one as Chunk[]).push("");
        return one;
      }),
      "body-shared",
    ));

  it("takes bare bytes for a chunk", () =>
    breaks(
      between((app) => (environ, startResponse) => {
        const result: unknown = app(environ, startResponse);
        return (result instanceof Uint8Array ? [result] : result) as Body;
      }),
      "body-iterable/bytes",
    ));

  it("takes nothing for an empty body", () =>
    breaks(
      between((app) => (environ, startResponse) => app(environ, startResponse) ?? []),
      "body-iterable/nothing",
    ));

  it("prefers asynchronous iteration", () =>
    breaks(
      body((one) =>
        Symbol.asyncIterator in one && Symbol.iterator in one
          ? { [Symbol.asyncIterator]: () => one[Symbol.asyncIterator]() }
          : one,
      ),
      "body-settled/sync",
    ));

  it("makes text of numbers", () =>
    breaks(
      body((one) => (Array.isArray(one) && typeof one[0] === "number" ? one.map(String) : one)),
      "body-chunk/other",
    ));

  it("waits for promises in a synchronous body", () =>
    breaks(
      body((one) => {
        const isPromised = one instanceof Set && [...one].some((chunk) => chunk instanceof Promise);
        if (!isPromised) return one;
        return (async function* () {
          yield* one as Iterable<Chunk>;
        })();
      }),
      "body-chunk/promise",
    ));

  it("swallows what a body throws", () =>
    breaks(
      body((one) =>
        mapped(one, function* (all) {
          try {
            yield* all;
          } catch {
            // This is the fault.
          }
        }),
      ),
      "error-contained/body",
      "error-cut",
      "error-unsent/body",
      "start-sent",
    ));

  it("takes a write that comes too late", () => breaks(writing("write-in-time"), "write-in-time"));

  it("takes a write past the length", () =>
    breaks(writing("length-exceeded"), "length-exceeded/write"));

  it("loses what is written after something else", () =>
    breaks(
      start((real) => (...given) => {
        const write = real(...given);
        let written = 0;
        return (chunk) => ((written += 1) === 2 ? undefined : write(chunk));
      }),
      "length-exceeded/write",
      "write-then-body",
    ));

  it("does not know the length of an array", () =>
    breaks(
      body((one) =>
        Array.isArray(one) && one[0] === "世" && one.length === 2 ? new Set(one) : one,
      ),
      "length-known",
    ));

  it("signals after the end", () =>
    breaks(
      environ((request) => {
        request["wsgix.signal"] = () => AbortSignal.abort();
      }),
      "client-signal",
      "client-signal/ended",
      "ext-environ",
    ));

  it("sends a file before it is returned", () =>
    breaks(
      environ((request) => {
        request["wsgi.file_wrapper"] = () => {
          throw new Error("It was sent already");
        };
      }),
      "file-close",
      "file-lazy",
      "file-read",
    ));

  it("does not say that it closes the connection", () =>
    breaksOnWire(
      { response: (text) => text.replace("Connection: close\r\n", "") },
      "http-next/asked",
    ));
});

describe("serverSuite() finds a server that reads too kindly", () => {
  it("two Hosts", () =>
    reads("Host: localhost\r\nHost: localhost", "Host: localhost", "http-refused/two-hosts"));

  it("a bad Host", () => reads("a/b@c", "localhost", "http-refused/bad-host"));

  it("a length beside a coding", () =>
    reads(
      "\r\nTransfer-Encoding: chunked\r\n\r\nGET",
      "\r\n\r\nGET",
      "http-refused/length-and-coding",
    ));

  it("two lengths", () =>
    reads(
      "Content-Length: 5\r\nContent-Length: 6",
      "Content-Length: 5",
      "http-refused/two-lengths",
    ));

  it("a length with a sign", () => reads("+5", "5", "http-refused/bad-length"));

  it("another coding", () => reads("gzip, chunked", "chunked", "http-refused/other-coding"));

  it("a fragment", () =>
    reads("GET /#a", "GET /", "http-refused/fragment", "http-refused/no-answer"));

  it("another scheme", () => reads("ftp:", "http:", "http-refused/scheme"));

  it("TRACE", () => reads("TRACE", "GET", "http-refused/trace"));

  it("another version", () => reads("HTTP/2.0", "HTTP/1.1", "http-refused/version"));

  it("a space before a colon", () => reads("X : y", "X: y", "http-refused/name-space"));

  it("a folded field", () => reads("X: y\r\n z", "X: y z", "http-refused/folded"));

  it("a control character", () => reads("a\0b", "ab", "http-refused/control"));

  it("an absolute target", () => reads("http://example.com:81/", "/", "http-target"));

  it("two Content-Types", () =>
    reads("Content-Type: a/b\r\nContent-Type: a/c", "Content-Type: a/b", "http-refused/two-types"));

  it("two Authorizations", () =>
    reads(
      "Authorization: Basic a\r\nAuthorization: Basic b",
      "Authorization: Basic a",
      "http-refused/two-authorizations",
    ));

  it("a coding over HTTP/1.0", () =>
    reads(
      "HTTP/1.0\r\nTransfer-Encoding",
      "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding",
      "http-refused/old-coding",
    ));

  it("a malformed coding", () => reads("Transfer-Encoding: x;", "X: y", "http-refused/bad-coding"));

  it("* for GET", () => reads("GET *", "GET /", "http-refused/asterisk"));

  it("CONNECT", () => reads("CONNECT example.com:443", "GET /", "http-refused/connect"));

  it("no version", () => reads("GET /\r\n", "GET / HTTP/1.1\r\n", "http-refused/no-version"));

  it("no Host", () =>
    reads("GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "http-refused/no-host"));

  it("nonsense", () => reads("\x16\x03\x01 Hello\r\n\r\n", "", "http-refused/nonsense"));

  it("another expectation", () => reads("Expect: miracles", "X: y", "http-refused/expectation"));

  it("OPTIONS *", () => reads("OPTIONS *", "OPTIONS /", "http-target/asterisk"));
});
