// The command `wsgi serve` is a convenience: a program may serve an application by itself.
//
//   node examples/dist/14-serving.js

import { serve, untilStopped } from "@wsgi/server";
import { app } from "./02-greet.ts";

const server = await serve(app, {
  host: "127.0.0.1",
  port: Number(process.env.PORT ?? 8000),
  environ: { "example.started": Date.now() }, // more keys, for every request
  limits: { body: 1_000_000 }, // bytes; without it a GiB, and all other limits are finite too
});
console.log(`Serving on ${server.url}`);

// Ctrl-C, or `kill`: what is under way is finished, and nothing new is taken on.
process.exit(await untilStopped(server));
