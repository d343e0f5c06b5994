import type { Application, Chunk, HeaderList } from "@wsgi/core";

/** Is what an application does wrong, or what looks as if it did, and what the client gets of it. */
export interface ResponseCase {
  /** The class of fault; SECURITY.md says what each one is. */
  readonly id: string;
  /** What the application does, in words. */
  readonly title: string;
  readonly app: Application;
  /** The method of the request. Default: GET. */
  readonly method?: string;
  readonly outcome: Outcome;
}

/** Says what the client gets. */
export interface Outcome {
  /** What the title of the test says of it. */
  readonly words: string;
  /** The status code; 0 if there is no whole response. */
  readonly code: number;
  /** The body, if it matters. */
  readonly body?: string;
  /** Fields that the response has to have, or with null must not have. */
  readonly fields?: Readonly<Record<string, string | null>>;
  /** What the report on wsgi.errors says; undefined if nothing is reported. */
  readonly report?: string;
}

/** A plain 500, and a report that names the clause of the contract which was broken. */
function fails(clause: string): Outcome {
  const words = `gives a plain 500 [${clause}]`;
  return { words, code: 500, body: "Internal Server Error", report: `[${clause}]` };
}

/** The response as it should be. */
function sends(code: number, body: string, fields: Outcome["fields"] = {}, report = ""): Outcome {
  const words = report === "" ? "is sent right" : `is sent right, and reported [${report}]`;
  return { words, code, body, fields, ...(report === "" ? {} : { report: `[${report}]` }) };
}

/** A connection that is cut, so that nobody takes a part for the whole. */
function cut(clause: string): Outcome {
  return { words: `cuts the connection [${clause}]`, code: 0, report: `[${clause}]` };
}

/** Starts a response with a header field and says hello. */
function header(name: unknown, value: unknown): Application {
  return starting("200 OK", [[name, value]] as unknown as HeaderList);
}

/** Starts a response and says hello. */
function starting(status: unknown, headers: unknown = []): Application {
  return (_environ, startResponse) => {
    startResponse(status as string, headers as HeaderList);
    return ["hello"];
  };
}

/** Starts a response with this length, and yields these chunks one by one. */
function streaming(length: string | undefined, ...chunks: unknown[]): Application {
  return function* (_environ, startResponse) {
    startResponse("200 OK", length === undefined ? [] : [["Content-Length", length]]);
    yield* chunks as Chunk[];
  } as Application;
}

/** Returns something else than a body. */
function returning(body: unknown): Application {
  return ((_environ, startResponse) => {
    startResponse("200 OK", []);
    return body;
  }) as Application;
}

/** The head: status, names and values of header fields. */
export const headCases: readonly ResponseCase[] = [
  {
    id: "H1",
    title: "a value with CR and LF",
    app: header("X", "a\r\nSet-Cookie: evil=1"),
    outcome: fails("header-value"),
  },
  {
    id: "H1",
    title: "a value with LF",
    app: header("X", "a\nSet-Cookie: evil=1"),
    outcome: fails("header-value"),
  },
  {
    id: "H1",
    title: "a value with CR",
    app: header("X", "a\rSet-Cookie: evil=1"),
    outcome: fails("header-value"),
  },
  {
    id: "H1",
    title: "a value with LF at its end",
    app: header("X", "a\n"),
    outcome: fails("header-value"),
  },
  {
    id: "H1",
    title: "a value with NUL",
    app: header("X", "a\0b"),
    outcome: fails("header-value"),
  },
  {
    id: "H1",
    title: "a value with DEL",
    app: header("X", "a\x7f"),
    outcome: fails("header-value"),
  },
  {
    id: "H1",
    title: "a value with characters whose low bytes are CR and LF",
    app: header("X", "a\u560d\u560aSet-Cookie: evil=1"),
    outcome: fails("header-value"),
  },
  {
    id: "H1",
    title: "a value with a line separator",
    app: header("X", "a\u2028Set-Cookie: evil=1"),
    outcome: fails("header-value"),
  },
  {
    id: "H1",
    title: "a value that is a number",
    app: header("X", 1),
    outcome: fails("header-value"),
  },
  {
    id: "H1",
    title: "a value that is a list",
    app: header("X", ["a", "b\r\nSet-Cookie: evil=1"]),
    outcome: fails("header-value"),
  },
  {
    id: "H1",
    title: "a redirect to what the client sent, unescaped,",
    app: ({ PATH_INFO }, startResponse) => {
      startResponse("302 Found", [["Location", `${PATH_INFO}\r\nSet-Cookie: evil=1`]]);
      return [];
    },
    outcome: fails("header-value"),
  },
  {
    id: "H2",
    title: "a name with a space",
    app: header("X ", "a"),
    outcome: fails("header-name"),
  },
  {
    id: "H2",
    title: "a name with a colon",
    app: header("X: evil", "a"),
    outcome: fails("header-name"),
  },
  {
    id: "H2",
    title: "a name with CR and LF",
    app: header("X\r\nSet-Cookie", "evil=1"),
    outcome: fails("header-name"),
  },
  {
    id: "H2",
    title: "an empty name",
    app: header("", "a"),
    outcome: fails("header-name"),
  },
  {
    id: "H2",
    title: "a name beyond ASCII",
    app: header("X\u0131", "a"),
    outcome: fails("header-name"),
  },
  {
    id: "H2",
    title: "a name that is no string",
    app: header(undefined, "a"),
    outcome: fails("header-name"),
  },
  {
    id: "H2",
    title: "a reason with CR and LF",
    app: starting("200 OK\r\nSet-Cookie: evil=1"),
    outcome: fails("status-form"),
  },
  {
    id: "H2",
    title: "a reason with LF at its end",
    app: starting("200 OK\n"),
    outcome: fails("status-form"),
  },
  {
    id: "H2",
    title: "a reason with NUL",
    app: starting("200 O\0K"),
    outcome: fails("status-form"),
  },
  {
    id: "H2",
    title: "a reason beyond Latin-1",
    app: starting("200 \u560d\u560a"),
    outcome: fails("status-form"),
  },
  {
    id: "H2",
    title: "headers that are an object",
    app: starting("200 OK", { "X\r\nSet-Cookie": "evil=1" }),
    outcome: fails("headers-list"),
  },
  {
    id: "H2",
    title: "a header that is a text",
    app: starting("200 OK", ["ab"]),
    outcome: fails("headers-list"),
  },
  {
    id: "H2",
    title: "a name of __proto__",
    app: header("__proto__", "a"),
    outcome: sends(200, "hello", { __proto__: null, "Content-Length": "5" }),
  },
  {
    id: "H3",
    title: "a status of 100",
    app: starting("100 Continue"),
    outcome: fails("status-form"),
  },
  {
    id: "H3",
    title: "a status of 101",
    app: starting("101 Switching Protocols"),
    outcome: fails("status-form"),
  },
  {
    id: "H3",
    title: "a status of 103",
    app: starting("103 Early Hints"),
    outcome: fails("status-form"),
  },
  {
    id: "H10",
    title: "a status of 999",
    app: starting("999 Evil"),
    outcome: fails("status-form"),
  },
  {
    id: "H10",
    title: "a status of 099",
    app: starting("099 Evil"),
    outcome: fails("status-form"),
  },
  {
    id: "H10",
    title: "a status that is a number",
    app: starting(200),
    outcome: fails("status-form"),
  },
  {
    id: "H10",
    title: "a status of four digits",
    app: starting("2000 OK"),
    outcome: fails("status-form"),
  },
  {
    id: "H10",
    title: "Transfer-Encoding",
    app: header("Transfer-Encoding", "chunked"),
    outcome: fails("header-hop-by-hop"),
  },
  {
    id: "H10",
    title: "Transfer-Encoding beside Content-Length",
    app: starting("200 OK", [
      ["Content-Length", "5"],
      ["transfer-encoding", "chunked"],
    ]),
    outcome: fails("header-hop-by-hop"),
  },
  {
    id: "H10",
    title: "Connection",
    app: header("Connection", "keep-alive"),
    outcome: fails("header-hop-by-hop"),
  },
  {
    id: "H10",
    title: "Keep-Alive",
    app: header("Keep-Alive", "timeout=1000"),
    outcome: fails("header-hop-by-hop"),
  },
  {
    id: "H10",
    title: "Upgrade",
    app: header("Upgrade", "h2c"),
    outcome: fails("header-hop-by-hop"),
  },
  {
    id: "H10",
    title: "Proxy-Connection",
    app: header("Proxy-Connection", "keep-alive"),
    outcome: fails("header-hop-by-hop"),
  },
  {
    id: "H10",
    title: "Status, which gateways take for the status,",
    app: header("Status", "500 Evil"),
    outcome: fails("header-name"),
  },
  {
    id: "H10",
    title: "two Content-Lengths",
    app: starting("200 OK", [
      ["Content-Length", "5"],
      ["content-length", "5"],
    ]),
    outcome: fails("header-length"),
  },
  {
    id: "H10",
    title: "a Content-Length of letters",
    app: header("Content-Length", "abc"),
    outcome: fails("header-length"),
  },
  {
    id: "H10",
    title: "a Content-Length with a sign",
    app: header("Content-Length", "-1"),
    outcome: fails("header-length"),
  },
  {
    id: "H10",
    title: "a Content-Length that is a list",
    app: header("Content-Length", "5, 5"),
    outcome: fails("header-length"),
  },
  {
    id: "H10",
    title: "an empty Content-Length",
    app: header("Content-Length", ""),
    outcome: fails("header-length"),
  },
  {
    id: "H10",
    title: "a Content-Length beyond what is exact",
    app: header("Content-Length", "9007199254740993"),
    outcome: fails("header-length"),
  },
];

/** The body: its length, its chunks, and what has none. */
export const bodyCases: readonly ResponseCase[] = [
  {
    id: "H9",
    title: "an array of text beyond ASCII, whose length is in bytes,",
    app: (_environ, startResponse) => {
      startResponse("200 OK", []);
      return ["\u4e16", "\u754c"];
    },
    outcome: sends(200, "\u4e16\u754c", { "Content-Length": "6" }),
  },
  {
    id: "H9",
    title: "a Content-Length in characters",
    app: streaming("2", "\u4e16\u754c"),
    outcome: sends(200, "\ufffd", { "Content-Length": "2" }, "length-exceeded"),
  },
  {
    id: "H10",
    title: "an array longer than its Content-Length",
    app: starting("200 OK", [["Content-Length", "3"]]),
    outcome: sends(200, "hel", { "Content-Length": "3" }, "length-exceeded"),
  },
  {
    id: "H10",
    title: "a stream longer than its Content-Length",
    app: streaming("3", "he", "llo", "evil"),
    outcome: sends(200, "hel", { "Content-Length": "3" }, "length-exceeded"),
  },
  {
    id: "H10",
    title: "a body that looks like a second response, behind its Content-Length",
    app: streaming("5", "helloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
    outcome: sends(200, "hello", { "Content-Length": "5" }, "length-exceeded"),
  },
  {
    id: "H10",
    title: "an array shorter than its Content-Length",
    app: starting("200 OK", [["Content-Length", "30"]]),
    outcome: fails("length-short"),
  },
  {
    id: "H10",
    title: "a stream shorter than its Content-Length",
    app: streaming("30", "hello"),
    outcome: cut("length-short"),
  },
  {
    id: "H10",
    title: "a stream that looks like the end of its chunks",
    app: streaming(undefined, "0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"),
    outcome: sends(200, "0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", { "Content-Length": null }),
  },
  {
    id: "H10",
    title: "a stream with an empty chunk, which does not end it,",
    app: streaming(undefined, "a", "", new Uint8Array(0), "b"),
    outcome: sends(200, "ab"),
  },
  {
    id: "H10",
    title: "a 204 with a length and a body",
    app: starting("204 No Content", [["Content-Length", "5"]]),
    outcome: sends(204, "", { "Content-Length": null, "Transfer-Encoding": null }),
  },
  {
    id: "H10",
    title: "a 304 with a length and a body",
    app: starting("304 Not Modified", [["Content-Length", "5"]]),
    outcome: sends(304, "", { "Content-Length": "5" }),
  },
  {
    id: "H10",
    title: "a body for HEAD",
    app: starting("200 OK", [["Content-Length", "5"]]),
    method: "HEAD",
    outcome: sends(200, "", { "Content-Length": "5" }),
  },
  {
    id: "H10",
    title: "a stream for HEAD",
    app: streaming(undefined, "hello"),
    method: "HEAD",
    outcome: sends(200, "", { "Content-Length": null }),
  },
  {
    id: "H10",
    title: "a chunk that is a number",
    app: streaming(undefined, 42),
    outcome: fails("body-chunk"),
  },
  {
    id: "H10",
    title: "a chunk that is null",
    app: streaming(undefined, null),
    outcome: fails("body-chunk"),
  },
  {
    id: "H10",
    title: "a chunk of 16-bit numbers",
    app: streaming(undefined, new Uint16Array([1, 2])),
    outcome: fails("body-chunk"),
  },
  {
    id: "H10",
    title: "a chunk that only says it is bytes",
    app: streaming(undefined, { byteLength: 5, length: 5, [Symbol.toStringTag]: "Uint8Array" }),
    outcome: fails("body-chunk"),
  },
  {
    id: "H10",
    title: "a chunk that is a number behind the first bytes",
    app: streaming("7", "hello", 42),
    outcome: cut("body-chunk"),
  },
  {
    id: "H10",
    title: "a body that is a string",
    app: returning("hello"),
    outcome: fails("body-iterable"),
  },
  {
    id: "H10",
    title: "a body that is null",
    app: returning(null),
    outcome: fails("body-iterable"),
  },
  {
    id: "H10",
    title: "a body that is an object",
    app: returning({ evil: true }),
    outcome: fails("body-iterable"),
  },
  {
    id: "H10",
    title: "a body without startResponse",
    app: () => ["hello"],
    outcome: fails("start-before-body"),
  },
  {
    id: "H10",
    title: "startResponse twice",
    app: (_environ, startResponse) => {
      startResponse("200 OK", []);
      startResponse("200 OK", [["X", "evil"]]);
      return ["hello"];
    },
    outcome: fails("start-once"),
  },
  {
    id: "H7",
    title: "a header list that is changed after it was checked",
    app: (_environ, startResponse) => {
      const headers: [string, string][] = [["X", "a"]];
      startResponse("200 OK", headers);
      headers[0]![1] = "a\r\nSet-Cookie: evil=1";
      headers.push(["Transfer-Encoding", "chunked"]);
      return ["hello"];
    },
    outcome: sends(200, "hello", { X: "a", "Set-Cookie": null, "Transfer-Encoding": null }),
  },
  {
    id: "H7",
    title: "a header list that nobody may change",
    app: starting("200 OK", Object.freeze([Object.freeze(["X", "a"])])),
    outcome: sends(200, "hello", { X: "a", "Content-Length": "5" }),
  },
  {
    id: "E1",
    title: "an error in the call",
    app: () => {
      throw new Error("evil secret");
    },
    outcome: { ...fails("none"), words: "gives a plain 500", report: "evil secret" },
  },
  {
    id: "E1",
    title: "an error that is a promise",
    app: () => Promise.reject(new Error("evil secret")),
    outcome: { ...fails("none"), words: "gives a plain 500", report: "evil secret" },
  },
  {
    id: "E1",
    title: "an error with headers started",
    app: (_environ, startResponse) => {
      startResponse("200 OK", [["X-Secret", "evil"]]);
      throw new Error("evil secret");
    },
    outcome: { ...fails("none"), words: "gives a plain 500", report: "evil secret" },
  },
  {
    id: "E1",
    title: "an error before the first byte",
    app: function* (_environ, startResponse) {
      startResponse("200 OK", [["X-Secret", "evil"]]);
      yield "";
      throw new Error("evil secret");
    },
    outcome: { ...fails("none"), words: "gives a plain 500", report: "evil secret" },
  },
  {
    id: "E1",
    title: "an error behind the first byte",
    app: function* (_environ, startResponse) {
      startResponse("200 OK", []);
      yield "hello";
      throw new Error("evil secret");
    },
    outcome: { words: "cuts the connection", code: 0, report: "evil secret" },
  },
  {
    id: "E1",
    title: "an error in close()",
    app: (_environ, startResponse) => {
      startResponse("200 OK", []);
      const close = (): never => {
        throw new Error("evil secret");
      };
      return Object.assign(["hello"], { close });
    },
    outcome: { ...sends(200, "hello"), report: "evil secret" },
  },
  {
    id: "E1",
    title: "an error that throws when it is looked at",
    app: () => {
      throw new Proxy(new Error("evil secret"), {
        get: () => {
          throw new Error("evil");
        },
      });
    },
    outcome: { ...fails("none"), words: "gives a plain 500", report: "GET /" },
  },
];
