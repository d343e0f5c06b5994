// Runs the cases of `serverSuite` on Deno, and prints a line of JSON for each.
import process from "node:process";
import { toFetch } from "@wsgi/bridge/fetch";
import { judge } from "./suite.ts";

interface Info {
  readonly remoteAddr: { hostname: string };
}

declare const Deno: {
  serve(
    options: { hostname: string; port: number; signal: AbortSignal; onListen(): void },
    handler: (request: Request, info: Info) => Promise<Response>,
  ): { readonly addr: { readonly port: number }; readonly finished: Promise<void> };
};

await judge(
  (app) => {
    let reports = "";
    const handler = toFetch(app, {
      errors: { write: (text) => void (reports += text) },
      environ: (_request, { remoteAddr }: Info) => ({ REMOTE_ADDR: remoteAddr.hostname }),
    });
    const stop = new AbortController();
    const { signal } = stop;
    const options = { hostname: "127.0.0.1", port: 0, signal, onListen: () => {} };
    const server = Deno.serve(options, handler);
    return {
      url: `http://127.0.0.1:${server.addr.port}`,
      reports: () => reports,
      close() {
        stop.abort();
        return server.finished;
      },
    };
  },
  (verdict) => console.log(JSON.stringify(verdict)),
);
process.exit();
