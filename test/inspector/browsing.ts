import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import type { Application } from "@wsgi/core";
import { inspect, Recorder, type RecorderOptions } from "@wsgi/inspector";
import { inspectorPage } from "@wsgi/inspector/page";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { serving } from "../support/serving.ts";

/** Is the inspector's page, open in a browser, of an application that is served. */
export interface Opened extends AsyncDisposable {
  readonly tab: Page;
  readonly recorder: Recorder;
  /** Makes a request; gives the text of the response. */
  ask(path: string, options?: RequestInit): Promise<string>;
  /** Ends the event streams, as a server does that stops. */
  closeStreams(): void;
}

/** Serves an application with the inspector, and opens its page. It ends well if the browser had no complaint. */
export async function open(
  browser: Browser,
  app: Application,
  options: BrowserContextOptions & RecorderOptions = {},
): Promise<Opened> {
  const recorder = new Recorder(options);
  const page = inspectorPage(recorder);
  const served = await serving(page(inspect(app, recorder)));
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const tab = await context.newPage();
  const faults: string[] = [];
  tab.on("console", (message) => faults.push(`console: ${message.text()}`));
  tab.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  tab.on("requestfailed", (request) => faults.push(`failed: ${request.url()}`));
  tab.on("request", (request) => {
    const isOwn = request.url().startsWith(served.url) || request.url().startsWith("data:");
    if (!isOwn) faults.push(`foreign: ${request.url()}`);
  });
  await tab.goto(page.url(served.url));
  await tab.getByRole("status").getByText("live").waitFor();
  return {
    tab,
    recorder,
    ask: async (path, init) => (await fetch(new URL(path, served.url), init)).text(),
    closeStreams: () => page.close(),
    async [Symbol.asyncDispose]() {
      const found = faults.slice();
      await context.close();
      page.close();
      await served[Symbol.asyncDispose]();
      assert.deepEqual(found, []);
    },
  };
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Lists what is wrong with a page for those who use it in another way. */
export async function barriers(tab: Page): Promise<string[]> {
  await tab.evaluate(axe);
  const { violations } = (await tab.evaluate("axe.run({ preload: false })")) as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
