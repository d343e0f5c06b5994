// Runs the cases of `serverSuite` on Bun, and prints a line of JSON for each.
import process from "node:process";
import { toFetch } from "@wsgi/bridge/fetch";
import { judge } from "./suite.ts";

interface BunServer {
  readonly url: URL;
  requestIP(request: Request): { address: string } | null;
  stop(now: boolean): Promise<void>;
}

declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    fetch(request: Request, server: BunServer): Promise<Response>;
  }): BunServer;
};

await judge(
  (app) => {
    let reports = "";
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: toFetch(app, {
        errors: { write: (text) => void (reports += text) },
        environ: (request, server: BunServer) => ({
          REMOTE_ADDR: server.requestIP(request)?.address ?? "",
        }),
      }),
    });
    return {
      url: server.url.origin,
      reports: () => reports,
      close: () => server.stop(true),
    };
  },
  (verdict) => console.log(JSON.stringify(verdict)),
);
process.exit();
