import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isSync, mapBody, onClose, readBody, when } from "@wsgi/core";
import type { Application, Body, Chunk, Environ, StartResponse } from "@wsgi/core";
import { layerCases } from "@wsgi/testing/layer-suite";
import { read } from "../support/repository.ts";
import { failsExactly } from "./suite-failures.ts";

type Layer = (app: Application) => Application;

/** Sees that the suite finds this fault in a layer, in these cases and in no other. */
function breaks(layer: Layer, ...ids: readonly string[]): Promise<void> {
  return failsExactly(layerCases, { layer }, ids);
}

/** Is a layer that changes the request. */
function request(change: (environ: Environ) => Environ): Layer {
  return (app) => (environ, startResponse) => app(change(environ), startResponse);
}

/** Is a layer whose application starts its response in another way. */
function start(change: (startResponse: StartResponse) => StartResponse): Layer {
  return (app) => (environ, startResponse) => app(environ, change(startResponse));
}

/** Is a layer that makes another body of the one that it is given. */
function body(change: (body: Body) => Body | Promise<Body>): Layer {
  return (app) => (environ, startResponse) => when(app(environ, startResponse), change) as Body;
}

/** Makes a body that is not closed with the chunks of another. */
function chunksOf(one: Body): Body {
  return isSync(one)
    ? { [Symbol.iterator]: () => one[Symbol.iterator]() }
    : { [Symbol.asyncIterator]: () => one[Symbol.asyncIterator]() };
}

/** Reads the whole of a body within the call. */
function drained(one: Body): Body {
  return isSync(one) && !Array.isArray(one) ? onClose([...one], () => one.close?.()) : one;
}

describe("the cases for layers", () => {
  it("have different ids, of clauses that are there", () => {
    const spec = read("packages/core/SPEC.md");
    const ids = layerCases.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(
      ids.filter((id) => !spec.includes(`**[${id.split("/")[0]}]**`)),
      [],
    );
  });

  it("pass where there is no layer", () => breaks((app) => app));
});

describe("layerSuite() finds a layer that", () => {
  it("calls the application twice", () =>
    breaks(
      (app) => (environ, startResponse) => {
        void when(
          app({ ...environ }, () => () => {}),
          () => {},
          () => {},
        );
        return app(environ, startResponse);
      },
      "call-once",
      "call-overlap",
      "environ-owned/new",
      "input-methods",
    ));

  it("passes a third argument", () =>
    breaks(
      (app) =>
        (...given) =>
          (app as (...given: unknown[]) => Body)(...given, {}),
      "call-arguments",
    ));

  it("looks at the application", () =>
    breaks(
      (app) =>
        (...given) =>
          app.name === "" ? app(...given) : app(...given),
      "call-callable",
    ));

  it("keeps the response of a request under way for the next", () => {
    const sharing: Layer = (app) => {
      let last: StartResponse;
      return (environ, startResponse) => {
        last = startResponse;
        return app(environ, (...given) => last(...given));
      };
    };
    return breaks(sharing, "call-overlap");
  });

  it("hands down an environ without a prototype", () =>
    breaks(
      request((environ) => Object.assign(Object.create(null) as Environ, environ)),
      "environ-plain",
    ));

  it("leaves a key out", () =>
    breaks(
      request((environ) => {
        const { REMOTE_ADDR, ...rest } = environ;
        return typeof REMOTE_ADDR === "string" ? (rest as Environ) : environ;
      }),
      "environ-complete",
    ));

  it("hands down a number", () =>
    breaks(
      request((environ) => ({ ...environ, REMOTE_PORT: 5 })),
      "environ-strings",
    ));

  it("reads back what the application may have changed", () =>
    breaks(
      (app) => (environ, startResponse) =>
        app(environ, (status, headers, excInfo) =>
          startResponse(status, [...headers, ["X-Path", environ.PATH_INFO]], excInfo),
        ),
      "environ-owned",
    ));

  it("hands the environ of one request to the next", () => {
    const kept: Partial<Environ> = {};
    return breaks(
      (app) => (environ, startResponse) => {
        const inner = { ...environ, ...kept };
        const result = app(inner, startResponse);
        if ("suite.mark" in inner) kept["suite.mark"] = inner["suite.mark"];
        return result;
      },
      "environ-owned/new",
    );
  });

  it("changes the method for those above", () =>
    breaks(
      request((environ) => {
        if (environ.REQUEST_METHOD === "HEAD") environ.REQUEST_METHOD = "GET";
        return environ;
      }),
      "layer-environ",
    ));

  it("takes the slash off a path", () =>
    breaks(
      request((environ) => ({ ...environ, PATH_INFO: environ.PATH_INFO.slice(1) })),
      "layer-mount",
    ));

  it("reads the request's body", () =>
    breaks(
      (app) => (environ, startResponse) =>
        when(environ["wsgi.input"].read(), () => app(environ, startResponse)) as Body,
      "input-methods",
    ));

  it("swallows messages", () =>
    breaks(
      request((environ) => ({
        ...environ,
        "wsgi.errors": { write() {}, writelines() {}, flush() {} },
      })),
      "errors-text",
    ));

  it("turns the fields round", () =>
    breaks(
      start(
        (real) => (status, headers, excInfo) =>
          real(status, Array.isArray(headers) ? [...headers].reverse() : headers, excInfo),
      ),
      "header-repeat",
    ));

  it("adds a second length", () =>
    breaks(
      start((real) => (status, headers, excInfo) => {
        const isLong = status === "200 OK" && headers.some(([name]) => name === "Content-Length");
        return real(status, isLong ? [...headers, ["Content-Length", "5"]] : headers, excInfo);
      }),
      "header-repeat/once",
      "start-replace",
      "layer-length",
      "length-head",
    ));

  it("adds to the list that it is given", () =>
    breaks(
      start((real) => (status, headers, excInfo) => {
        (headers as [string, string][]).push(["X-Layer", "yes"]);
        return real(status, headers, excInfo);
      }),
      "headers-list",
    ));

  it("returns nothing from startResponse", () =>
    breaks(
      start(
        (real) =>
          (...given) =>
            void real(...given) as never,
      ),
      "layer-written",
      "start-write",
      "write-as-yielded",
      "write-flush",
      "write-full",
      "write-then-body",
    ));

  it("wants the start within the call", () => {
    const early: Layer = (app) => (environ, startResponse) => {
      let started = false;
      const result = app(environ, (...given) => {
        started = true;
        return startResponse(...given);
      });
      if (isSync(result as Body) && !started) startResponse("200 OK", []);
      return result;
    };
    return breaks(
      early,
      "body-iterable/generator",
      "error-unsent/body",
      "layer-start",
      "start-before-body",
      "start-late",
      "start-late/empty",
      "start-late/end",
      "start-sent",
    );
  });

  it("starts later than it is told to", () => {
    const deferring: Layer = (app) => (environ, startResponse) => {
      let begin = (): unknown => undefined;
      const result = app(environ, (...given) => {
        begin = () => startResponse(...given);
        return () => {};
      });
      return when(result, (one) => {
        begin();
        return one;
      }) as Body;
    };
    return breaks(
      deferring,
      "body-iterable/generator",
      "error-cut/async",
      "layer-start",
      "layer-written",
      "start-check",
      "start-late",
      "start-late/empty",
      "start-late/end",
      "start-once",
      "start-sent",
      "write-as-yielded",
      "write-flush",
      "write-full",
      "write-then-body",
    );
  });

  it("keeps excInfo to itself", () =>
    breaks(
      start((real) => (status, headers) => real(status, headers)),
      "layer-start",
      "start-check",
      "start-replace",
      "start-sent",
    ));

  it("makes another error of excInfo", () =>
    breaks(
      start(
        (real) => (status, headers, excInfo) =>
          real(status, headers, excInfo === undefined ? excInfo : new Error("Another")),
      ),
      "layer-start",
      "start-sent",
    ));

  it("changes a body, and not what is written", () =>
    failsExactly(
      layerCases,
      {
        layer: body((one) =>
          mapBody(one, {
            chunk: (chunk) =>
              Buffer.from(chunk as string)
                .toString()
                .toUpperCase(),
          }),
        ),
        body: (text: string) => text.toUpperCase(),
      },
      ["layer-written", "write-then-body"],
    ));

  it("lengthens a body, and not its length", () =>
    failsExactly(
      layerCases,
      {
        layer: body((one) => mapBody(one, { end: () => "!" })),
        body: (text: string) => `${text}!`,
      },
      ["layer-length", "length-bodyless"],
    ));

  it("writes what is yielded", () => {
    const writing: Layer = (app) => (environ, startResponse) => {
      let write: ((chunk: Chunk) => unknown) | undefined;
      const result = app(environ, (...given) => (write = startResponse(...given)));
      return when(result, (one) =>
        isSync(one) && !Array.isArray(one)
          ? mapBody(one, { chunk: (chunk) => (chunk.length > 0 && write?.(chunk), "") })
          : one,
      ) as Body;
    };
    return breaks(writing, "layer-write", "layer-sync");
  });

  it("keeps what is written for the end", () => {
    const keeping: Layer = (app) => (environ, startResponse) => {
      const kept: Chunk[] = [];
      const result = app(environ, (...given) => {
        startResponse(...given);
        return (chunk) => void kept.push(chunk);
      });
      return when(result, (one) =>
        mapBody(one, { end: () => kept.map(String).join("") || undefined }),
      ) as Body;
    };
    return breaks(keeping, "write-as-yielded", "write-flush", "write-full", "write-then-body");
  });

  it("lets no writer wait", () =>
    breaks(
      start((real) => (...given) => {
        const write = real(...given);
        return (chunk) => void write(chunk);
      }),
      "write-full",
    ));

  it("reads a body within the call", () =>
    breaks(
      body(drained),
      "close-once/throws",
      "close-once/throws-later",
      "close-return",
      "layer-block",
      "layer-lazy",
      "layer-lazy/late",
      "start-sent",
    ));

  it("waits for two chunks to yield one", () => {
    const pairing = (one: Body): Body => {
      if (!isSync(one) || Array.isArray(one)) return one;
      const pairs = function* (): Generator<Chunk, void> {
        let first: Chunk | undefined;
        for (const chunk of one) {
          if (first === undefined) first = chunk;
          else {
            yield first;
            yield chunk;
            first = undefined;
          }
        }
        if (first !== undefined) yield first;
      };
      return onClose({ [Symbol.iterator]: pairs }, () => one.close?.());
    };
    return breaks(body(pairing), "layer-block", "start-sent");
  });

  it("leaves empty chunks out", () => {
    const filled = (one: Body): Body => {
      if (!isSync(one) || Array.isArray(one)) return one;
      const full = function* (): Generator<Chunk, void> {
        for (const chunk of one) if (chunk.length > 0) yield chunk;
      };
      return onClose({ [Symbol.iterator]: full }, () => one.close?.());
    };
    return breaks(body(filled), "layer-block");
  });

  it("ends at an empty chunk", () => {
    const cut = (one: Body): Body => {
      if (!isSync(one) || Array.isArray(one)) return one;
      const until = function* (): Generator<Chunk, void> {
        for (const chunk of one) {
          if (chunk.length === 0) return;
          yield chunk;
        }
      };
      return onClose({ [Symbol.iterator]: until }, () => one.close?.());
    };
    return breaks(
      body(cut),
      "body-empty",
      "error-unsent/body",
      "layer-block",
      "layer-start",
      "start-late",
      "start-late/empty",
      "start-late/end",
    );
  });

  it("is asynchronous where nothing is", () =>
    breaks(
      (app) => async (environ, startResponse) => await app(environ, startResponse),
      "body-settled",
      "layer-sync",
    ));

  it("makes text of bytes", () =>
    breaks(
      body((one) => mapBody(one, { chunk: String })),
      "body-chunk",
      "body-opaque",
      "input-methods",
    ));

  it("adds to an array that all requests share", () =>
    breaks(
      body((one) => {
        if (Array.isArray(one) && one.length > 0) one.push("");
        return one;
      }),
      "body-shared",
    ));

  it("never closes", () =>
    breaks(
      body(chunksOf),
      "client-closed",
      "close-dispose",
      "close-failed",
      "close-once/304",
      "close-once/array",
      "close-once/async",
      "close-once/head",
      "close-once/left",
      "close-once/not-started",
      "close-once/rejects",
      "close-once/stream",
      "close-once/throws",
      "close-once/throws-later",
      "close-once/unread",
      "close-returned",
      "close-waited",
    ));

  it("closes twice", () =>
    breaks(
      body((one) => onClose(one, () => one.close?.())),
      "client-closed",
      "close-once/304",
      "close-once/array",
      "close-once/async",
      "close-once/head",
      "close-once/left",
      "close-once/not-started",
      "close-once/rejects",
      "close-once/stream",
      "close-once/throws",
      "close-once/throws-later",
      "close-once/unread",
      "close-returned",
      "close-waited",
    ));

  it("closes in the finally of a generator", () => {
    const generated = (one: Body): Body => {
      if (!isSync(one)) return one;
      return (function* () {
        try {
          yield* one;
        } finally {
          void one.close?.();
        }
      })();
    };
    return breaks(
      body(generated),
      "close-dispose",
      "close-once/304",
      "close-once/head",
      "close-once/unread",
      "close-waited",
    );
  });

  it("does not wait for close", () =>
    breaks(
      body((one) =>
        one.close === undefined
          ? one
          : onClose(chunksOf(one), () => void Promise.resolve(one.close?.()).catch(() => {})),
      ),
      "close-waited",
    ));

  it("hides what the body throws", () => {
    const quiet = (one: Body): Body => {
      if (!isSync(one) || Array.isArray(one)) return one;
      const caught = function* (): Generator<Chunk, void> {
        try {
          yield* one;
        } catch {
          // This is the fault.
        }
      };
      return onClose({ [Symbol.iterator]: caught }, () => one.close?.());
    };
    return breaks(body(quiet), "error-cut", "error-unsent/body", "start-sent");
  });

  it("takes an error for a success", () => {
    const cheerful: Layer = (app) => (environ, startResponse) => {
      try {
        return app(environ, startResponse);
      } catch (error) {
        startResponse("200 OK", [], error);
        return ["All is well"];
      }
    };
    return breaks(cheerful, "error-unsent/call", "error-unsent/start");
  });

  it("answers no more after an error", () => {
    const offended: Layer = (app) => {
      let failed: unknown;
      return (environ, startResponse) => {
        if (failed !== undefined) throw failed;
        try {
          return app(environ, startResponse);
        } catch (error) {
          failed = error;
          throw error;
        }
      };
    };
    return breaks(offended, "error-contained");
  });

  it("reads bodies into one chunk", () =>
    breaks(
      body((one) => when(readBody(one), (bytes) => [bytes]) as Body),
      "body-opaque",
      "client-closed",
      "close-return",
      "layer-block",
      "layer-block/async",
      "layer-lazy",
      "layer-lazy/late",
      "start-sent",
    ));
});
