// Runs the cases of `serverSuite` inside a worker, and answers with a line of JSON for each. The worker is
// its own client: what is not for the host "control" is for the application of the present case.
import { toFetch } from "@wsgi/bridge/fetch";
import { judge } from "./suite.ts";

let serve: ((request: Request) => Promise<Response>) | undefined;

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.headers.get("Host") !== "control") {
      return (await serve?.(request)) ?? new Response(null, { status: 503 });
    }
    const port = new URL(request.url).searchParams.get("port");
    let lines = "";
    await judge(
      (app) => {
        let reports = "";
        serve = toFetch(app, {
          errors: { write: (text) => void (reports += text) },
          environ: () => ({ REMOTE_ADDR: "127.0.0.1" }),
        });
        return {
          url: `http://127.0.0.1:${port}`,
          reports: () => reports,
          async close() {
            serve = undefined;
            // What is still on its way to this application is not to reach the next.
            for (let i = 0; i < 3; i++) await (await fetch(`http://127.0.0.1:${port}`)).text();
          },
        };
      },
      (verdict) => void (lines += `${JSON.stringify(verdict)}\n`),
    );
    return new Response(lines);
  },
};
