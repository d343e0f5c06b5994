import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { contextKey, eventKey, toLambda, type LambdaEnviron } from "@wsgi/bridge/lambda";
import { stack, type Application } from "@wsgi/core";
import { validator } from "@wsgi/core/validator";
import { closable, failing, respond } from "@wsgi/testing";

/** Is the example of AWS's page on Lambda proxy integrations for HTTP APIs, format 2.0, but for its longest parts. */
const urlEvent = {
  version: "2.0",
  routeKey: "$default",
  rawPath: "/my/path",
  rawQueryString: "parameter1=value1&parameter1=value2&parameter2=value",
  cookies: ["cookie1=a", "cookie2=b"],
  headers: { header1: "value1", header2: "value1,value2" },
  queryStringParameters: { parameter1: "value1,value2", parameter2: "value" },
  requestContext: {
    accountId: "123456789012",
    apiId: "api-id",
    domainName: "id.execute-api.us-east-1.amazonaws.com",
    domainPrefix: "id",
    http: {
      method: "POST",
      path: "/my/path",
      protocol: "HTTP/1.1",
      sourceIp: "192.0.2.1",
      userAgent: "agent",
    },
    requestId: "id",
    routeKey: "$default",
    stage: "$default",
    time: "12/Mar/2020:19:03:58 +0000",
    timeEpoch: 1583348638390,
  },
  body: "Hello from Lambda",
  isBase64Encoded: false,
  stageVariables: { stageVariable1: "value1" },
};

/** Is the example of AWS's page on Lambda functions as targets of an Application Load Balancer. */
const albEvent = {
  requestContext: {
    elb: {
      targetGroupArn:
        "arn:aws:elasticloadbalancing:region:123456789012:targetgroup/my-target-group/6d0ecf831eec9f09",
    },
  },
  httpMethod: "GET",
  path: "/a%20path",
  queryStringParameters: { a: "%31", b: "" },
  headers: {
    accept: "text/html,application/xhtml+xml",
    "accept-language": "en-US,en;q=0.8",
    "content-type": "text/plain",
    cookie: "cookies",
    host: "lambda-846800462-us-east-2.elb.amazonaws.com",
    "user-agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_6)",
    "x-amzn-trace-id": "Root=1-5bdb40ca-556d8b0c50dc66f0511bf520",
    "x-forwarded-for": "203.0.113.9, 72.21.198.66",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
  },
  isBase64Encoded: false,
  body: "",
};

/** Is the same with multi-value headers. */
const multiValueEvent = {
  ...albEvent,
  queryStringParameters: undefined,
  headers: undefined,
  multiValueQueryStringParameters: { a: ["1", "2"] },
  multiValueHeaders: {
    cookie: ["name1=value1", "name2=value2"],
    host: ["example.com:8080"],
    "x-forwarded-proto": ["http"],
  },
};

/** Gives the environ that an event reaches an application with. */
async function environOf(event: unknown, context?: unknown): Promise<LambdaEnviron> {
  let seen: LambdaEnviron | undefined;
  const app: Application<LambdaEnviron> = (environ, startResponse) => {
    seen = environ;
    startResponse("200 OK", []);
    return [];
  };
  await toLambda(stack(validator())(app as Application))(event, context);
  return seen!;
}

const echo: Application = async (environ, startResponse) => {
  startResponse("200 OK", [["Content-Type", environ.CONTENT_TYPE ?? "text/plain"]]);
  return [await environ["wsgi.input"].read()];
};

const cookies = respond(["Hello"], {
  status: "404 Not Found",
  headers: [
    ["Set-Cookie", "a=1"],
    ["X-A", "1"],
    ["Set-Cookie", "b=2"],
    ["X-A", "2"],
  ],
});

describe("toLambda() with an event of format 2.0", () => {
  it("gives the request", async () => {
    const environ = await environOf(urlEvent);
    assert.deepEqual(
      [environ.REQUEST_METHOD, environ.PATH_INFO, environ.QUERY_STRING, environ.REQUEST_URI],
      ["POST", "/my/path", urlEvent.rawQueryString, `/my/path?${urlEvent.rawQueryString}`],
    );
    assert.deepEqual(
      [environ.SERVER_NAME, environ.SERVER_PORT, environ.REMOTE_ADDR, environ.HTTPS],
      ["id.execute-api.us-east-1.amazonaws.com", "443", "192.0.2.1", "on"],
    );
    assert.deepEqual(
      [environ.HTTP_HEADER2, environ.HTTP_COOKIE, environ.CONTENT_LENGTH],
      ["value1,value2", "cookie1=a; cookie2=b", "17"],
    );
  });

  it("gives the event and the context", async () => {
    const context = { awsRequestId: "1" };
    const environ = await environOf(urlEvent, context);
    assert.deepEqual([environ[eventKey], environ[contextKey]], [urlEvent, context]);
  });

  it("answers with cookies of their own", async () => {
    assert.deepEqual(await toLambda(cookies)(urlEvent), {
      statusCode: 404,
      headers: { "content-length": "5", "x-a": "1, 2" },
      cookies: ["a=1", "b=2"],
      body: "Hello",
      isBase64Encoded: false,
    });
  });

  it("takes a body in base64", async () => {
    const event = { ...urlEvent, body: "d8O2cmxk", isBase64Encoded: true };
    assert.equal((await toLambda(echo)(event)).body, "wörld");
  });

  it("answers with base64 what is not text", async () => {
    const { body, isBase64Encoded } = await toLambda(respond([new Uint8Array([0xff, 0])]))(
      urlEvent,
    );
    assert.deepEqual([body, isBase64Encoded], ["/wA=", true]);
  });

  it("takes an event without header fields, and a length without a body", async () => {
    const { headers: _, body: __, ...bare } = urlEvent;
    assert.equal((await environOf(bare)).HTTP_COOKIE, "cookie1=a; cookie2=b");
    const headers = { "content-length": "99" };
    assert.equal((await environOf({ ...bare, headers })).CONTENT_LENGTH, "0");
  });

  it("drops fields with an underscore", async () => {
    const environ = await environOf({ ...urlEvent, headers: { x_user: "root" } });
    assert.equal(environ.HTTP_X_USER, undefined);
  });
});

describe("toLambda() with the event of a load balancer", () => {
  it("gives the request", async () => {
    const environ = await environOf(albEvent);
    assert.deepEqual(
      [environ.PATH_INFO, environ.QUERY_STRING, environ.REQUEST_URI],
      ["/a path", "a=%31&b", "/a%20path?a=%31&b"],
    );
    assert.deepEqual(
      [environ.SERVER_NAME, environ.SERVER_PORT, environ.REMOTE_ADDR, environ.HTTPS],
      ["lambda-846800462-us-east-2.elb.amazonaws.com", "443", "72.21.198.66", "on"],
    );
    assert.equal(environ.CONTENT_TYPE, "text/plain");
  });

  it("gives each of several values", async () => {
    const environ = await environOf(multiValueEvent);
    assert.deepEqual(
      [environ.QUERY_STRING, environ.HTTP_COOKIE],
      ["a=1&a=2", "name1=value1; name2=value2"],
    );
    assert.deepEqual(
      [environ.SERVER_NAME, environ.SERVER_PORT, environ["wsgi.url_scheme"], environ.HTTPS],
      ["example.com", "80", "http", undefined],
    );
  });

  it("answers with several values where it was asked so", async () => {
    assert.deepEqual(await toLambda(cookies)(multiValueEvent), {
      statusCode: 404,
      statusDescription: "404 Not Found",
      multiValueHeaders: {
        "content-length": ["5"],
        "set-cookie": ["a=1", "b=2"],
        "x-a": ["1, 2"],
      },
      body: "Hello",
      isBase64Encoded: false,
    });
  });

  it("answers with names that differ in case where it was not", async () => {
    const { headers } = await toLambda(cookies)(albEvent);
    assert.deepEqual(headers, {
      "content-length": "5",
      "set-cookie": "a=1",
      "Set-cookie": "b=2",
      "x-a": "1, 2",
    });
  });
});

describe("toLambda()", () => {
  it("is rejected for an event of another kind, and says which it takes", async () => {
    const handler = toLambda(respond([]));
    const wanted =
      "wanted one of a function URL, of an HTTP API with payload format 2.0, or of an Application Load Balancer";
    const rejects = (event: unknown, found: string): Promise<void> =>
      assert.rejects(handler(event), {
        name: "TypeError",
        message: `Cannot read the event: ${found}; ${wanted}`,
      });
    await rejects({ Records: [], more: 1 }, "it has the keys Records, more");
    await rejects({ httpMethod: "GET", path: "/" }, "it is of payload format 1.0");
    await rejects({}, "it is empty");
    await rejects(null, "it is null");
  });

  it("answers 500 for an application that fails, even half-way, and closes its body", async () => {
    let reports = "";
    const errors = { write: (text: string) => void (reports += text) };
    const result = await toLambda(failing("body"), { errors })(urlEvent);
    assert.deepEqual([result.statusCode, result.body], [500, "Internal Server Error"]);
    assert.match(reports, /^POST \/my\/path\?.*: Error: Failed in body/);
    assert.equal((await toLambda(failing("call"), { errors })(urlEvent)).statusCode, 500);
  });

  it("closes the body once", async () => {
    const body = closable("Hello, ", "world!");
    assert.equal((await toLambda(respond(body))(urlEvent)).body, "Hello, world!");
    assert.equal(body.timesClosed, 1);
  });

  it("mounts the application, and adds keys", async () => {
    const app: Application<LambdaEnviron & { "my.id": string }> = (environ, startResponse) => {
      startResponse("200 OK", []);
      return [environ.SCRIPT_NAME, "|", environ.PATH_INFO, "|", environ["my.id"]];
    };
    const environ = (_event: unknown, context: unknown): { "my.id": string } => ({
      "my.id": (context as { awsRequestId: string }).awsRequestId,
    });
    const handler = toLambda(app, { scriptName: "/my", environ });
    assert.equal((await handler(urlEvent, { awsRequestId: "7" })).body, "/my|/path|7");
    const outside = { ...urlEvent, rawPath: "/other" };
    assert.equal((await handler(outside, { awsRequestId: "7" })).statusCode, 404);
    // @ts-expect-error -- nobody adds the key that the application needs
    toLambda(app);
  });

  it("refuses what is no application and options that are wrong", () => {
    assert.throws(() => toLambda(1 as never), /Cannot make a Lambda handler: the application is 1/);
    assert.throws(() => toLambda(respond([]), { scriptName: "x" }), /scriptName is "x"/);
  });
});
