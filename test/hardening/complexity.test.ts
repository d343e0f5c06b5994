import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { call, environFor } from "@wsgi/testing";
import { exchange, serving } from "../support/serving.ts";
import { readFields, readingApp, repeat, repeaters } from "./repeaters.ts";

// How the time grows is measured by complexity.ts, by hand; what is quadratic a hundred times over shows here too.
describe("a field of 16 KB that repeats itself", () => {
  for (const field of readFields) {
    it(`X4 · named ${field} is answered by every layer`, async () => {
      for (const repeater of repeaters) {
        const headers = { [field]: repeat(repeater, 16_384) };
        const response = await call(readingApp, environFor("GET /a-b/c", { headers }));
        assert.ok(response.code >= 400);
      }
    });

    it(`X4 · named ${field} is answered by the server`, async () => {
      await using server = await serving(readingApp);
      for (const repeater of repeaters) {
        const line = `${field}: ${repeat(repeater, 15_000)}`;
        const rest = field === "Host" ? line : `Host: a.example\r\n${line}`;
        const response = await exchange(
          server,
          `GET / HTTP/1.1\r\n${rest}\r\nConnection: close\r\n\r\n`,
        );
        assert.match(response, /^HTTP\/1\.1 [45]\d\d /);
      }
    });
  }

  it("X4 · is a path, and is answered by every layer", async () => {
    for (const repeater of [...repeaters, "/", "/a", "%2F", "%ff", "%c3%28"]) {
      const environ = environFor("GET /");
      environ.PATH_INFO = `/${repeat(repeater, 16_384)}`;
      assert.ok((await call(readingApp, environ)).code >= 400);
    }
  });

  it("X4 · is a target, and is answered by the server", async () => {
    await using server = await serving(readingApp);
    for (const repeater of [",", ";", "=", '"', "%", "/", "%ff", "%c3%28", "?", "&a=", "/../"]) {
      const target = `/${repeat(repeater, 7_000)}`;
      const response = await exchange(
        server,
        `GET ${target} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`,
      );
      assert.match(response, /^HTTP\/1\.1 [45]\d\d /);
    }
  });
});
