import assert from "node:assert/strict";
import type { HeaderList } from "@wsgi/core";
import { respond } from "../applications.ts";
import { last, request, serverCase, type Host, type ServerCase } from "./host.ts";

/** Serves each head in turn, and sees that `startResponse` throws. */
async function refuses(
  host: Host,
  heads: readonly (readonly [string, HeaderList])[],
): Promise<void> {
  const client = await host.serve((environ, startResponse) => {
    const [status, headers] = heads[Number(environ.QUERY_STRING)]!;
    let thrown = false;
    try {
      startResponse(status, headers);
    } catch (error) {
      thrown = true;
      startResponse("200 OK", [], error);
    }
    return [thrown ? "refused" : "taken"];
  });
  for (const [number, head] of heads.entries()) {
    client.send(request(`GET /?${number}`));
    const answer = (await client.response()).text();
    assert.equal(answer, "refused", `startResponse is to throw for ${JSON.stringify(head)}`);
  }
}

function pair(name: string, value: string): readonly [string, HeaderList] {
  return ["200 OK", [[name, value]]];
}

/** Is the cases about the status and the header fields. */
export const headCases: readonly ServerCase[] = [
  serverCase("status-form", "refuses a status that is not one", async (host) => {
    const bad = ["200", "200OK", "20X OK", "200 ", " 200 OK", "200 OK\r\n", "200 \u015d", "99 Low"];
    await refuses(
      host,
      bad.map((status) => [status, []]),
    );
  }),
  serverCase("headers-list", "refuses headers that are no list of pairs", async (host) => {
    const bad: unknown[] = [{ a: "b" }, "a: b", undefined, [["a"]], [["a", "b", "c"]], ["a: b"]];
    await refuses(
      host,
      bad.map((headers) => ["200 OK", headers as HeaderList]),
    );
  }),
  serverCase("header-name", "refuses a name that is not one", async (host) => {
    const bad = ["", "Foo:", "Foo\n", "Foo Bar", "F\xf6\xf6", "Status"];
    await refuses(
      host,
      bad.map((name) => pair(name, "x")),
    );
  }),
  serverCase("header-value", "refuses a value that cannot be sent", async (host) => {
    const bad: unknown[] = ["a\r\nb: c", "a\n", "a\0", "a\tb", "\x7f", "\u015d", 5, undefined];
    await refuses(
      host,
      bad.map((value) => pair("X", value as string)),
    );
  }),
  serverCase("header-hop-by-hop", "refuses what concerns the connection", async (host) => {
    const bad = ["Connection", "keep-alive", "Transfer-Encoding", "TE", "Upgrade", "Trailers"];
    await refuses(
      host,
      bad.map((name) => pair(name, "x")),
    );
  }),
  serverCase("header-length", "refuses two lengths, and one that is no number", async (host) => {
    await refuses(host, [
      pair("Content-Length", "five"),
      pair("content-length", "-1"),
      pair("Content-Length", ""),
      [
        "200 OK",
        [
          ["Content-Length", "5"],
          ["content-length", "5"],
        ],
      ],
    ]);
  }),
  serverCase(
    "headers-list/shared",
    "takes a frozen list, which all requests share",
    async (host) => {
      const headers: HeaderList = Object.freeze([Object.freeze(["X", "y"] as const)]);
      const client = await host.serve(respond(["Hello"], { headers }));
      assert.equal((await client.send(request("GET /")).response()).header("X"), "y");
      assert.equal((await client.send(request("GET /")).response()).header("X"), "y");
      assert.deepEqual(headers, [["X", "y"]]);
    },
  ),
  serverCase("header-case", "knows a name in any case", async (host) => {
    const response = await host.answer(
      respond(["Hello"], { headers: [["content-LENGTH", "5"]] }),
      last("GET /"),
    );
    assert.equal(response.text(), "Hello");
  }),
  serverCase("header-repeat", "sends repeated fields apart, in order", async (host) => {
    const headers: HeaderList = [
      ["Set-Cookie", "a=1"],
      ["X", "bar, baz"],
      ["Set-Cookie", "b=2"],
    ];
    const response = await host.answer(respond(["Hello"], { headers }), last("GET /"));
    const cookies = response.headers.filter(([name]) => name.toLowerCase() === "set-cookie");
    assert.deepEqual(
      cookies.map(([, value]) => value),
      ["a=1", "b=2"],
    );
  }),
  serverCase("http-unchanged", "leaves status, reason and fields as they are", async (host) => {
    const headers: HeaderList = [
      ["X-b", "2"],
      ["x-A", "1"],
      ["X-b", "\xe9"],
    ];
    const response = await host.answer(
      respond(["世"], { status: "299 Odd Reason", headers }),
      last("GET /"),
    );
    assert.equal(response.status, "299 Odd Reason");
    assert.deepEqual(
      response.headers.filter(([name]) => /^x-/i.test(name)),
      headers,
    );
    assert.equal(response.text(), "世");
  }),
  serverCase("http-date", "adds Date", async (host) => {
    const response = await host.answer(respond(["Hello"]), last("GET /"));
    const dates = response.headers.filter(([name]) => name.toLowerCase() === "date");
    assert.equal(dates.length, 1);
    assert.ok(!Number.isNaN(Date.parse(dates[0]![1])));
  }),
  serverCase("http-date/given", "leaves the Date that was given", async (host) => {
    const date = "Tue, 15 Nov 1994 08:12:31 GMT";
    const response = await host.answer(
      respond(["Hello"], { headers: [["date", date]] }),
      last("GET /"),
    );
    const dates = response.headers.filter(([name]) => name.toLowerCase() === "date");
    assert.deepEqual(
      dates.map(([, value]) => value),
      [date],
    );
  }),
];
