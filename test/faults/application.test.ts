import { describe } from "node:test";
import type { HeaderList } from "@wsgi/core";
import { turn } from "../support/serving.ts";
import { fault, is500, isCut, isServed, isServers500, type FaultyApplication } from "./faults.ts";

const text: HeaderList = [["Content-Type", "text/plain"]];
const oops = new Error("oops");

// oxlint-disable-next-line require-yield -- it does not come that far
function* failAtOnce(): Generator<string> {
  throw oops;
}

// oxlint-disable-next-line require-yield -- it does not come that far
async function* rejectAtOnce(): AsyncGenerator<string> {
  throw oops;
}

/** What throws, like some exotic objects, whenever it is looked at. */
const hostile = new Proxy(
  {},
  {
    get() {
      throw new Error("trap");
    },
    getPrototypeOf() {
      throw new Error("trap");
    },
  },
);

describe("an application that fails before it starts its response", () => {
  fault("F1 · throws", is500("Error: oops"), () => {
    throw oops;
  });

  fault("F1 · rejects", is500("Error: oops"), () => Promise.reject(oops));

  fault("F1 · rejects in a later turn", is500("Error: oops"), async () => {
    await turn();
    throw oops;
  });

  fault("F1 · returns a thenable that throws", is500("Error: oops"), () => ({
    // oxlint-disable-next-line unicorn/no-thenable -- a broken one is what this is about
    then() {
      throw oops;
    },
  }));

  fault("F1 · throws as a generator", is500("Error: oops"), (_environ, _start, closing) =>
    closing(failAtOnce),
  );

  fault("F1 · throws after empty chunks", is500("Error: oops"), (_environ, _start, closing) =>
    closing(function* () {
      yield "";
      yield new Uint8Array(0);
      throw oops;
    }),
  );

  fault("F1 · rejects as an async generator", is500("Error: oops"), (_environ, _start, closing) =>
    closing(rejectAtOnce),
  );

  fault(
    "F20 · recurses without end",
    is500("RangeError: Maximum call stack"),
    function recurse(...args): unknown {
      return [recurse(...args)];
    },
  );

  fault("F1 · throws a string", is500("in words"), () => {
    throw "in words";
  });

  fault("F1 · throws undefined", is500("undefined"), () => {
    throw undefined;
  });

  fault("F1 · rejects with null", is500("null"), () => Promise.reject(null));

  fault("F1 · throws what throws when it is looked at", is500("{}"), () => {
    throw hostile;
  });

  fault(
    "F1 · throws when it has read the request",
    is500("Error: oops"),
    async (environ) => {
      await environ["wsgi.input"].read();
      throw oops;
    },
    { method: "POST", body: "a form" },
  );

  fault(
    "F1 · throws and leaves the request unread",
    is500("Error: oops"),
    () => {
      throw oops;
    },
    { method: "POST", body: "a form" },
  );

  fault(
    "F1 · throws and leaves the rest of the request unread",
    is500("Error: oops"),
    async (environ) => {
      await environ["wsgi.input"].read(2);
      throw oops;
    },
    { method: "POST", body: "a form" },
  );

  fault(
    "F1 · throws at HEAD",
    {
      "socket · bare": { seen: '500 "", kept', told: ["Error: oops"] },
      "socket · under the stack": { seen: '500 "", kept', told: ["Error: oops"] },
      "call · bare": { seen: "throws", told: ["Error: oops"] },
      "call · under the stack": { seen: '500 ""', told: ["Error: oops"] },
    },
    () => {
      throw oops;
    },
    { method: "HEAD" },
  );

  fault(
    "F1 · throws and leaves a large request unread",
    {
      "socket · bare": {
        seen: '500 "Internal Server Error", closed',
        told: ["Error: oops"],
      },
      "socket · under the stack": {
        seen: '500 "500 Internal Server Error\\n", closed',
        told: ["Error: oops"],
      },
    },
    () => {
      throw oops;
    },
    { method: "POST", body: "x".repeat(100_000) },
  );
});

describe("an application that fails when it has started, before its first byte", () => {
  fault("F2 · throws", is500("Error: oops"), (_environ, startResponse) => {
    startResponse("200 OK", text);
    throw oops;
  });

  fault("F2 · rejects", is500("Error: oops"), async (_environ, startResponse) => {
    startResponse("200 OK", text);
    throw oops;
  });

  fault("F2 · throws as a generator", is500("Error: oops"), (_environ, startResponse, closing) => {
    startResponse("200 OK", text);
    return closing(failAtOnce);
  });

  fault(
    "F2 · throws in a generator that started late",
    is500("Error: oops"),
    (_environ, startResponse, closing) =>
      closing(function* () {
        startResponse("200 OK", text);
        yield "";
        throw oops;
      }),
  );

  fault(
    "F2 · rejects in an async generator that started late",
    is500("Error: oops"),
    (_environ, startResponse, closing) =>
      closing(async function* () {
        startResponse("200 OK", text);
        yield "";
        throw oops;
      }),
  );

  fault(
    "F2 · throws after empty chunks",
    is500("Error: oops"),
    (_environ, startResponse, closing) => {
      startResponse("200 OK", text);
      return closing(function* () {
        yield "";
        yield new Uint8Array(0);
        throw oops;
      });
    },
  );

  fault(
    "F2 · throws where its body is asked for an iterator",
    is500("Error: oops"),
    (_environ, startResponse, closing) => {
      startResponse("200 OK", text);
      return closing({
        [Symbol.iterator]() {
          throw oops;
        },
      });
    },
  );

  fault(
    "F2 · has a step that throws where its result is looked at",
    is500("Error: oops"),
    (_environ, startResponse, closing) => {
      startResponse("200 OK", text);
      const step = {
        get done(): boolean {
          throw oops;
        },
      };
      return closing({ [Symbol.iterator]: () => ({ next: () => step }) });
    },
  );

  fault(
    "F2 · declared a length that the 500 does not have",
    is500("Error: oops"),
    (_environ, startResponse) => {
      startResponse("200 OK", [["Content-Length", "1000"]]);
      throw oops;
    },
  );

  fault("F2 · throws at a status without a body", is500("Error: oops"), (_environ, start) => {
    start("204 No Content", []);
    throw oops;
  });
});

describe("an application that never starts its response", () => {
  const never = "startResponse was not called";

  fault("F6 · returns an array", isServers500(never), (_environ, _start, closing) =>
    closing(["Hello"]),
  );

  fault("F6 · returns an empty array", isServers500(never), () => []);

  fault(
    "F6 · returns a promise of an array",
    isServers500(never),
    async (_environ, _start, closing) => closing(["Hello"]),
  );

  fault("F6 · yields", isServers500(never), (_environ, _start, closing) =>
    closing(function* () {
      yield "Hello";
    }),
  );

  fault("F6 · yields only empty chunks", isServers500(never), (_environ, _start, closing) =>
    closing(function* () {
      yield "";
      yield "";
    }),
  );

  fault("F6 · yields from an async generator", isServers500(never), (_environ, _start, closing) =>
    closing(async function* () {
      yield "Hello";
    }),
  );

  fault("F6 · ends as an empty async generator", isServers500(never), (_environ, _start, closing) =>
    closing(async function* () {}),
  );

  fault(
    "F6 · traps that its start was refused",
    isServers500(never),
    (_environ, start, closing) => {
      try {
        start("Fine", []);
      } catch {
        // As an application must not.
      }
      return closing(["Hello"]);
    },
  );
});

describe("an application that starts its response twice", () => {
  const twice = "startResponse was called before";

  fault("F8 · before the first byte", is500(twice), (_environ, startResponse) => {
    startResponse("200 OK", text);
    startResponse("404 Not Found", text);
    return ["Hello"];
  });

  fault("F8 · after the first byte", isCut('200 "Hello"', twice), (_environ, start, closing) => {
    start("200 OK", text);
    return closing(function* () {
      yield "Hello";
      start("404 Not Found", text);
      yield "World";
    });
  });

  fault("F8 · after it has written", isCut('200 "Hello"', twice), (_environ, startResponse) => {
    void startResponse("200 OK", text)("Hello");
    startResponse("404 Not Found", text);
    return [];
  });

  fault("F8 · and traps that", isServed('200 "Hello"'), (_environ, startResponse) => {
    startResponse("200 OK", text);
    try {
      startResponse("404 Not Found", text);
    } catch {
      // The first start stands.
    }
    return ["Hello"];
  });

  fault("F8 · after one that was refused", is500(twice), (_environ, startResponse) => {
    try {
      startResponse("Fine", text);
    } catch {
      startResponse("200 OK", text);
    }
    return ["Hello"];
  });

  fault("F9 · with the error, in time", isServed('503 "Sorry"'), (_environ, startResponse) => {
    startResponse("200 OK", [["Content-Length", "1000"]]);
    startResponse("503 Service Unavailable", text, oops);
    return ["Sorry"];
  });

  fault(
    "F9 · with the error, in time, as a generator",
    isServed('503 "Sorry"'),
    (_environ, startResponse, closing) =>
      closing(function* () {
        startResponse("200 OK", text);
        yield "";
        startResponse("503 Service Unavailable", text, oops);
        yield "Sorry";
      }),
  );

  fault(
    "F9 · with the error, where the first was refused",
    isServed('503 "Sorry"'),
    (_environ, startResponse) => {
      try {
        startResponse("Fine", []);
      } catch (error) {
        startResponse("503 Service Unavailable", text, error);
      }
      return ["Sorry"];
    },
  );

  fault("F9 · with the error, the first time", isServed('503 "Sorry"'), (_environ, start) => {
    start("503 Service Unavailable", text, oops);
    return ["Sorry"];
  });

  fault(
    "F9 · with the error, too late",
    isCut('200 "Hello"', "Error: oops"),
    (_environ, startResponse, closing) => {
      startResponse("200 OK", text);
      return closing(function* () {
        yield "Hello";
        startResponse("503 Service Unavailable", text, oops);
        yield "Sorry";
      });
    },
  );

  fault(
    "F9 · with the error, after it has flushed the head",
    isCut('200 ""', "Error: oops"),
    (_environ, startResponse) => {
      void startResponse("200 OK", text)("");
      startResponse("503 Service Unavailable", text, oops);
      return ["Sorry"];
    },
  );
});

/** Answers with these header fields. */
function withHeaders(headers: unknown): FaultyApplication {
  return (_environ, startResponse) => {
    startResponse("200 OK", headers as HeaderList);
    return ["Hello"];
  };
}

describe("an application with headers that cannot be sent", () => {
  fault(
    "F15 · a Content-Length that is no number",
    is500("[header-length]"),
    withHeaders([["Content-Length", "five"]]),
  );

  fault(
    "F15 · a negative Content-Length",
    is500("[header-length]"),
    withHeaders([["Content-Length", "-5"]]),
  );

  fault(
    "F15 · two Content-Lengths",
    is500("[header-length]"),
    withHeaders([
      ["Content-Length", "5"],
      ["content-length", "5"],
    ]),
  );

  fault(
    "F15 · a Transfer-Encoding",
    is500("[header-hop-by-hop]"),
    withHeaders([["Transfer-Encoding", "chunked"]]),
  );

  fault(
    "F15 · a Transfer-Encoding beside a Content-Length",
    is500("[header-hop-by-hop]"),
    withHeaders([
      ["Content-Length", "5"],
      ["Transfer-Encoding", "chunked"],
    ]),
  );

  fault("F15 · a Connection", is500("[header-hop-by-hop]"), withHeaders([["Connection", "close"]]));

  fault(
    "F15 · a Keep-Alive",
    is500("[header-hop-by-hop]"),
    withHeaders([["keep-alive", "timeout=5"]]),
  );

  fault("F15 · an Upgrade", is500("[header-hop-by-hop]"), withHeaders([["Upgrade", "h2c"]]));

  fault("F15 · a name with a space", is500("[header-name]"), withHeaders([["X Name", "v"]]));

  fault("F15 · an empty name", is500("[header-name]"), withHeaders([["", "v"]]));

  fault("F15 · a name that is a status", is500("[header-name]"), withHeaders([["Status", "200"]]));

  fault(
    "F15 · a value that begins another line",
    is500("[header-value]"),
    withHeaders([["X-Name", "v\r\nSet-Cookie: admin=1"]]),
  );

  fault("F15 · a value with NUL", is500("[header-value]"), withHeaders([["X-Name", "a\0b"]]));

  fault("F15 · a value beyond Latin-1", is500("[header-value]"), withHeaders([["X-Name", "世界"]]));

  fault("F15 · a value that is a number", is500("[header"), withHeaders([["X-Name", 5]]));

  fault("F15 · an object", is500("[headers-list]"), withHeaders({ "X-Name": "v" }));

  fault("F15 · a Map", is500("[headers-list]"), withHeaders(new Map([["X-Name", "v"]])));

  fault("F15 · none at all", is500("[headers-list]"), withHeaders(undefined));

  fault("F15 · a bare name", is500("[headers-list]"), withHeaders(["X-Name"]));
});

/** Answers with this status. */
function withStatus(status: unknown): FaultyApplication {
  return (_environ, startResponse) => {
    startResponse(status as string, text);
    return ["Hello"];
  };
}

describe("an application with a status that cannot be sent", () => {
  fault("F16 · 100", is500("[status-form]"), withStatus("100 Continue"));

  fault("F16 · 101", is500("[status-form]"), withStatus("101 Switching Protocols"));

  fault("F16 · 103", is500("[status-form]"), withStatus("103 Early Hints"));

  fault("F16 · 600", is500("[status-form]"), withStatus("600 Beyond"));

  fault("F16 · no reason", is500("[status-form]"), withStatus("200"));

  fault("F16 · an empty reason", is500("[status-form]"), withStatus("200 "));

  fault("F16 · no code", is500("[status-form]"), withStatus("OK"));

  fault("F16 · a number", is500("[status-form]"), withStatus(200));

  fault("F16 · nothing", is500("[status-form]"), withStatus(undefined));

  fault("F16 · a second line", is500("[status-form]"), withStatus("200 OK\r\nX-Name: v"));

  fault("F16 · a reason beyond Latin-1", is500("[status-form]"), withStatus("200 好"));

  fault("F16 · 204 with an array", isServed('204 ""'), (_environ, startResponse, closing) => {
    startResponse("204 No Content", text);
    return closing(["Hello"]);
  });

  fault("F16 · 204 with a length", isServed('204 ""'), (_environ, startResponse, closing) => {
    startResponse("204 No Content", [["Content-Length", "5"]]);
    return closing(["Hello"]);
  });

  fault("F16 · 204 with a stream", isServed('204 ""'), (_environ, startResponse, closing) => {
    startResponse("204 No Content", text);
    return closing(function* () {
      for (;;) yield "Hello";
    });
  });

  fault("F16 · 304 with an array", isServed('304 ""'), (_environ, startResponse, closing) => {
    startResponse("304 Not Modified", [["Content-Length", "5"]]);
    return closing(["Hello"]);
  });

  fault("F16 · 304 with an async stream", isServed('304 ""'), (_environ, start, closing) => {
    start("304 Not Modified", text);
    return closing(async function* () {
      for (;;) yield "Hello";
    });
  });

  fault("F16 · 304 with what is written", isServed('304 ""'), (_environ, startResponse) => {
    void startResponse("304 Not Modified", text)("Hello");
    return [];
  });
});

/** Answers with this status, and a body of a length that is declared or not. */
function answering(status: string, headers: HeaderList = text): FaultyApplication {
  return (_environ, startResponse, closing) => {
    startResponse(status, headers);
    return closing(["Hello"]);
  };
}

const form = { method: "POST", body: "a form" };
const chunkedForm = { ...form, isChunked: true };

describe("an application that leaves the connection to the next request", () => {
  fault("F30 · after a 404", isServed('404 "Hello"'), answering("404 Not Found"));

  fault("F30 · after a 500 of its own", isServed('500 "Hello"'), answering("500 Broken"));

  fault("F30 · after a 413, unread", isServed('413 "Hello"'), answering("413 Too Big"), form);

  fault("F30 · after HEAD", isServed('200 ""'), answering("200 OK", [["Content-Length", "5"]]), {
    method: "HEAD",
  });

  fault("F30 · after a 204", isServed('204 ""'), answering("204 No Content"));

  fault("F30 · after a 205", isServed('205 "Hello"'), answering("205 Reset Content"));

  fault("F30 · after a 304", isServed('304 ""'), answering("304 Not Modified"));

  fault(
    "F30 · after a 304 with a length",
    isServed('304 ""'),
    answering("304 Not Modified", [["Content-Length", "5"]]),
  );

  fault("F30 · after a form, unread", isServed('200 "Hello"'), answering("200 OK"), form);

  fault(
    "F30 · after a form that was read",
    isServed('200 "a form"'),
    async (environ, startResponse, closing) => {
      const body = await environ["wsgi.input"].read();
      startResponse("200 OK", text);
      return closing([body]);
    },
    form,
  );

  fault(
    "F30 · after a form in chunks, unread",
    isServed('200 "Hello"'),
    answering("200 OK"),
    chunkedForm,
  );

  fault(
    "F30 · after a form in chunks that was half read",
    isServed('200 "a "'),
    async (environ, startResponse, closing) => {
      const body = await environ["wsgi.input"].read(2);
      startResponse("200 OK", text);
      return closing([body]);
    },
    chunkedForm,
  );

  fault("F30 · after OPTIONS", isServed('200 "Hello"'), answering("200 OK"), { method: "OPTIONS" });
});
