import { show } from "../show.ts";
import type { ErrorStream } from "../types.ts";
import type { Exchange } from "./exchange.ts";

/** Stands before `wsgi.errors`: offers what the contract has of it, and checks its use. */
export function watchErrors(errors: ErrorStream, exchange: Exchange): ErrorStream {
  const take = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      const message = "Cannot write to wsgi.errors: it threw; wanted one that takes every text";
      exchange.blame("server", "errors-text", message, error);
    }
  };
  const watched = {
    write(...args: readonly unknown[]) {
      if (args.length !== 1) refuseText(`write got ${args.length} arguments`, "one text", exchange);
      const text = checkText(args[0], exchange);
      take(() => errors.write(text));
    },
    writelines(texts: Iterable<string>) {
      // By its type it could be an iterable of letters.
      if (typeof texts === "string")
        refuseText("writelines got a string", "a list of texts", exchange);
      const lines = [...texts].map((text) => checkText(text, exchange));
      take(() => errors.writelines(lines));
    },
    flush: () => take(() => errors.flush()),
    close() {
      const message = "Cannot close wsgi.errors: it is the server's; wanted it left open";
      exchange.blame("application", "errors-members", message);
    },
  };
  return watched;
}

function checkText(text: unknown, exchange: Exchange): string {
  return typeof text === "string" ? text : refuseText(`got ${show(text)}`, "a string", exchange);
}

function refuseText(found: string, wanted: string, exchange: Exchange): never {
  return exchange.blame(
    "application",
    "errors-text",
    `Cannot write to wsgi.errors: ${found}; wanted ${wanted}`,
  );
}
