// A server in a process of its own: `node serve.js hello/koa 50`. It tells its parent its port, and what it
// uses when it is asked.
import { createHook } from "node:async_hooks";
import { readFileSync } from "node:fs";
import process from "node:process";

const [name, variant] = process.argv.slice(2);
const { serve } = await import(`./${name}.js`);

let promises = 0;
const counter = createHook({ init: (id, type) => (promises += Number(type === "PROMISE")) });

/** What belongs to this process alone, in KiB; where the system does not tell, all that is resident. */
function own() {
  try {
    return Number(/^RssAnon:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
  } catch {
    return process.memoryUsage.rss() / 1024;
  }
}

process.on("disconnect", () => process.exit());
process.on("message", (how) => {
  if (how === "collect") for (let i = 0; i < 3; i++) globalThis.gc();
  const { user, system } = process.cpuUsage();
  const { maxRSS: peak } = process.resourceUsage();
  const rss = process.memoryUsage.rss() / 1024;
  process.send({ cpu: user + system, rss, own: own(), peak, promises });
  if (how === "count") counter.enable();
});
process.send(await serve(variant));
