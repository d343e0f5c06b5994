import { nameArguments, readArguments, UsageError } from "./command.ts";
import { listen, loadServed, logFormats, untilSignal, type ServeSettings } from "./serving.ts";

export const usage = `Usage: wsgi serve FILE[:NAME] [options]

Serves the application NAME of FILE. Without NAME, it is "app" or else the
default export. FILE may be TypeScript. Ctrl-C lets the requests that are under
way end; a second Ctrl-C does not.

      --host HOST     name or address to listen on; default 127.0.0.1
      --port PORT     port to listen on, 0 for a free one; default 8000
      --log FORMAT    dev, common, combined, json or off; default dev
      --development   show errors in the browser, to clients on this machine
      --validate      hold the application and its layers to the contract
      --reload        start afresh when a source file in FILE's folder is saved
  -h, --help          print this
`;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArguments(args, {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8000" },
    log: { type: "string", default: "dev" },
    development: { type: "boolean", default: false },
    validate: { type: "boolean", default: false },
    reload: { type: "boolean", default: false },
  });
  const [target] = nameArguments(positionals, "FILE");
  const { host, development, validate } = values;
  const port = readPort(values.port);
  const settings = { target, host, port, log: readLog(values.log), development, validate };
  if (values.reload) {
    const { serveReloading } = await import("./reload.ts");
    await serveReloading(settings);
  } else {
    const { app, label } = await loadServed(settings);
    const server = await listen(app, settings);
    const told = untilSignal();
    console.log(`Serving ${label} on ${server.url}`);
    await told;
    await server.close();
  }
  return 0;
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UsageError(
    `Cannot serve: the port is ${JSON.stringify(text)}; wanted a whole number from 0 to 65535`,
  );
}

function readLog(text: string): ServeSettings["log"] {
  const format = logFormats.find((name) => name === text);
  if (format !== undefined) return format;
  throw new UsageError(
    `Cannot serve: the log is ${JSON.stringify(text)}; wanted ${logFormats.join(", ")}`,
  );
}
