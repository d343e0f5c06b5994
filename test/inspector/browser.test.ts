import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { stack, type Application, type Middleware } from "@wsgi/core";
import { append } from "@wsgi/middleware/append";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { requestId } from "@wsgi/middleware/request-id";
import { router } from "@wsgi/router";
import { respond } from "@wsgi/testing";
import type { Browser, Page } from "playwright-core";
import { deferred } from "../support/serving.ts";
import { barriers, open } from "./browsing.ts";
import { startChromium } from "./chromium.ts";

let browser: Browser;
before(async () => void (browser = await startChromium()));
after(() => browser.close());

const phone = { viewport: { width: 390, height: 844 } };

describe("the inspector's page", () => {
  it("shows the layers of a stack in their order, and what is in a router", async () => {
    const routes = router();
    routes.get("/hello/:name", function greet(_environ, startResponse) {
      startResponse("200 OK", []);
      return ["Hello"];
    });
    await using page = await open(browser, stack(requestId(), append("!"))(routes));
    await page.ask("/hello/Ann");
    await page.tab.getByText("Hello", { exact: true }).waitFor();
    assert.deepEqual(await layersIn(page.tab), ["requestId", "append", "router", "greet"]);
    await page.tab.getByRole("button", { name: "GET /hello/:name greet" }).waitFor();
  });

  it("shows a header at the layer that added it, and at no other", async () => {
    await using page = await open(browser, stack(append("!"), requestId())(respond(["Hello"])));
    await page.ask("/");
    const own = page.tab.locator("[data-layer]", { hasText: "X-Request-Id" }).last();
    assert.equal(await own.getAttribute("data-layer"), "requestId");
    const shown = page.tab.locator(".onion").getByText("+ X-Request-Id");
    assert.equal(await shown.count(), 1);
    await page.tab.getByRole("button", { name: "append" }).click();
    assert.equal(await detailsOf(page.tab, "append").getByText("X-Request-Id").count(), 0);
    await page.tab.getByRole("button", { name: "requestId" }).click();
    await detailsOf(page.tab, "requestId").getByText("X-Request-Id").waitFor();
  });

  it("shows chunks while they arrive", async () => {
    const second = deferred();
    async function* chunks() {
      yield "one";
      await second.promise;
      yield "two";
    }
    await using page = await open(browser, respond(chunks));
    const response = page.ask("/");
    const body = detailsOf(page.tab, "respond");
    await body.getByText("one").waitFor();
    assert.equal(await body.getByText("two").count(), 0);
    await page.tab.locator(".title").getByText("under way").waitFor();
    second.resolve();
    await body.getByText("two").waitFor();
    assert.equal(await response, "onetwo");
    await page.tab.locator(".title").getByText("ms").waitFor();
  });

  it("shows the newest request until another is chosen", async () => {
    await using page = await open(browser, respond(["Hello"]));
    await page.ask("/one");
    await page.ask("/two");
    await titled(page.tab, "GET /two").waitFor();
    await page.tab.getByRole("navigation").getByText("/one").click();
    await page.ask("/three");
    await page.tab.getByRole("navigation").getByText("/three").waitFor();
    await titled(page.tab, "GET /one").waitFor();
    await page.tab.getByRole("checkbox").check();
    await titled(page.tab, "GET /three").waitFor();
  });

  it("replays a request", async () => {
    await using page = await open(browser, respond(["Hello"]));
    await page.ask("/again");
    await page.tab.getByRole("button", { name: "Replay" }).click();
    await page.tab.getByText("replay of 1").waitFor();
    assert.equal(page.recorder.recordings[1]?.target, "/again");
  });

  it("says why a request cannot be replayed", async () => {
    const unread: Application = (_environ, startResponse) => {
      startResponse("200 OK", []);
      return ["Thank you"];
    };
    await using page = await open(browser, unread);
    await page.ask("/", { method: "POST", body: "not read" });
    page.tab.removeAllListeners("console");
    await page.tab.getByRole("button", { name: "Replay" }).click();
    await page.tab.getByRole("alert").getByText("Cannot replay recording 1").waitFor();
    await page.tab.getByRole("button", { name: "Dismiss" }).click();
    assert.equal(await page.tab.getByRole("alert").count(), 0);
  });

  it("forgets all requests", async () => {
    await using page = await open(browser, respond(["Hello"]));
    await page.ask("/");
    await titled(page.tab, "GET /").waitFor();
    await page.tab.getByRole("button", { name: "Clear" }).click();
    await page.tab.getByText("No requests yet").waitFor();
    assert.equal(page.recorder.recordings.length, 0);
  });

  it("compares two requests", async () => {
    const routes = router();
    routes.get("/plain", respond(["Hello"]));
    routes.get("/signed", stack(requestId())(respond(["Hello"])));
    await using page = await open(browser, routes);
    await page.ask("/plain");
    await page.ask("/signed");
    await titled(page.tab, "GET /signed").waitFor();
    await page.tab.getByRole("tab", { name: "Compare" }).click();
    await page.tab.getByRole("combobox").selectOption("1");
    const row = page.tab.getByRole("row", { name: "requestId" });
    assert.match(await row.innerText(), /ms\s+not called/);
    const response = page.tab.locator(".differences", { hasText: "Response" });
    await response.getByText("removed X-Request-Id").waitFor();
  });

  it("goes through the exchange to its end, by keyboard", async () => {
    await using page = await open(browser, stack(requestId())(respond(["Hello"])));
    await page.ask("/");
    await page.tab.getByRole("tab", { name: "Layers" }).focus();
    await page.tab.keyboard.press("ArrowRight");
    await page.tab.keyboard.press("Enter");
    await page.tab.getByRole("button", { name: "First step" }).focus();
    const clauses: string[] = [];
    const place = page.tab.locator(".place");
    for (let step = 1; ; step++) {
      await place.getByText(`${step} of`).waitFor();
      clauses.push(await page.tab.locator(".sentence code").innerText());
      if ((await place.innerText()) === `${step} of ${step}`) break;
      await page.tab.keyboard.press("ArrowRight");
    }
    assert.deepEqual(clauses, [
      "[call-once]",
      "[layer-keys]",
      "[start-lazy]",
      "[layer-start]",
      "[start-write]",
      "[start-write]",
      "[body-iterable]",
      "[body-iterable]",
    ]);
  });

  it("shows in a step what is known by then", async () => {
    await using page = await open(browser, stack(requestId())(respond(["Hello"])));
    await page.ask("/");
    await page.tab.getByRole("tab", { name: "Step by step" }).click();
    const known = page.tab.getByRole("region", { name: "Known so far" });
    await known.getByText("Nobody has called startResponse").waitFor();
    await page.tab.getByRole("button", { name: "Last step" }).click();
    await known.getByText("X-Request-Id").waitFor();
    await known.getByText("Hello").waitFor();
  });

  it("can be used by keyboard alone", async () => {
    await using page = await open(browser, stack(requestId())(respond(["Hello"])));
    await page.ask("/one");
    await page.ask("/two");
    await titled(page.tab, "GET /two").waitFor();
    await page.tab.getByRole("checkbox").focus();
    await page.tab.keyboard.press("Tab");
    await page.tab.keyboard.press("ArrowDown");
    await page.tab.keyboard.press("Enter");
    await titled(page.tab, "GET /one").waitFor();
    await page.tab.keyboard.press("Tab");
    await page.tab.keyboard.press("Tab");
    await page.tab.keyboard.press("Tab");
    await page.tab.keyboard.press("ArrowDown");
    await page.tab.keyboard.press("Enter");
    await detailsOf(page.tab, "respond").waitFor();
  });

  it("says when the server is away, and keeps what it knows", async () => {
    await using page = await open(browser, respond(["Hello"]));
    await page.ask("/one");
    await titled(page.tab, "GET /one").waitFor();
    page.closeStreams();
    await page.tab.getByRole("status").getByText("not connected").waitFor();
    await titled(page.tab, "GET /one").waitFor();
  });

  it("shows hostile text as text", async () => {
    const markup = "<img src=x onerror=alert(1)>";
    const hostile: Application = (environ, startResponse) => {
      startResponse("200 OK", [["X-Hostile", markup]]);
      if (environ.PATH_INFO !== "/") throw new Error(markup);
      return [markup];
    };
    await using page = await open(browser, stack(catchErrors())(hostile));
    await page.ask("/");
    await detailsOf(page.tab, "catchErrors").getByText(markup).first().waitFor();
    await page.ask(`/${encodeURIComponent(markup)}?${markup}`, { headers: { "X-Own": markup } });
    await page.tab.getByRole("button", { name: "hostile", exact: true }).click();
    await page.tab.getByText(`Error: ${markup}`, { exact: true }).waitFor();
    await page.tab.getByText("Environ as hostile was given it").click();
    await page.tab.getByText(JSON.stringify(markup), { exact: true }).waitFor();
    assert.equal(await page.tab.locator("img").count(), 0);
  });

  it("has no barriers in the light", async () => {
    assert.deepEqual(await barriersOfAll("light"), []);
  });

  it("has no barriers in the dark", async () => {
    assert.deepEqual(await barriersOfAll("dark"), []);
  });

  it("fits a phone, with long names and many layers", async () => {
    const layers = Array.from({ length: 12 }, () => named("aLayerWithQuiteALongName"));
    await using page = await open(browser, stack(...layers)(respond(["x".repeat(500)])), phone);
    await page.ask(`/${"a".repeat(300)}?${"b".repeat(300)}`);
    await page.tab.getByRole("button", { name: "respond" }).click();
    assert.equal(await overhang(page.tab), 0);
    await page.tab.getByRole("tab", { name: "Step by step" }).click();
    assert.equal(await overhang(page.tab), 0);
    await page.tab.getByRole("tab", { name: "Compare" }).click();
    assert.equal(await overhang(page.tab), 0);
  });
});

function layersIn(tab: Page): Promise<(string | null)[]> {
  return tab
    .locator("[data-layer]")
    .all()
    .then((layers) => Promise.all(layers.map((layer) => layer.getAttribute("data-layer"))));
}

function detailsOf(tab: Page, name: string) {
  return tab.getByRole("region", { name: `What ${name} did` });
}

function titled(tab: Page, text: string) {
  return tab.getByRole("heading", { name: text, exact: true });
}

/** How much wider the page is than its window. */
function overhang(tab: Page): Promise<number> {
  return tab.evaluate("document.documentElement.scrollWidth - innerWidth");
}

function named(name: string): Middleware {
  const layer: Middleware = (app) => (environ, startResponse) => app(environ, startResponse);
  return Object.defineProperty(layer, "name", { value: name });
}

/**
 * Looks at each view of a page that has all there is: differences, errors and chunks. What looks at it writes
 * styles into it, which the page itself may not.
 */
async function barriersOfAll(colorScheme: "light" | "dark"): Promise<string[]> {
  const failing = stack(
    requestId(),
    catchErrors(),
  )(function fail() {
    throw new Error("This is a test");
  });
  await using page = await open(browser, failing, { colorScheme, bypassCSP: true });
  const found = await barriers(page.tab);
  await page.ask("/one");
  await page.ask("/two");
  await page.tab.getByRole("button", { name: "fail", exact: true }).click();
  await page.tab.getByText("Stack").click();
  found.push(...(await barriers(page.tab)));
  await page.tab.getByRole("tab", { name: "Step by step" }).click();
  await page.tab.getByRole("button", { name: "Next step" }).click();
  found.push(...(await barriers(page.tab)));
  await page.tab.getByRole("tab", { name: "Compare" }).click();
  await page.tab.getByRole("combobox").selectOption("1");
  await page.tab.getByRole("table").waitFor();
  return [...found, ...(await barriers(page.tab))];
}
