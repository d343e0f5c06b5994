import { after, before, describe } from "node:test";
import { serving, type ServingServer } from "../support/serving.ts";
import { framingCases } from "./framing.ts";
import { fieldCases, lineCases, sequenceCases } from "./heads.ts";
import { makeRecorder, testRequests, type RequestCase } from "./request-case.ts";

describe("the framing of a body", () => testOnOneServer(framingCases));

describe("the header fields of a request", () => testOnOneServer(fieldCases));

describe("the request line and the host", () => testOnOneServer(lineCases));

describe("requests behind requests", () => testOnOneServer(sequenceCases));

function testOnOneServer(cases: readonly RequestCase[]): void {
  const recorder = makeRecorder();
  let server: ServingServer;
  before(async () => void (server = await serving(recorder.app)));
  after(() => server[Symbol.asyncDispose]());
  testRequests(cases, () => ({ server, recorder }));
}
