import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { read } from "../support/repository.ts";
import { withTables } from "./security-table.ts";

describe("SECURITY.md", () => {
  it("has the limits of the server and the cases of the tests", () => {
    const text = read("SECURITY.md");
    assert.equal(text, withTables(text), "run node test/dist/hardening/security-table.js --write");
  });
});
