import type { Application } from "@wsgi/core";
import { inspect, Recorder, type RecordedEvent } from "@wsgi/inspector";
import { inspectorPage, type InspectorPage, type InspectorPageOptions } from "@wsgi/inspector/page";
import { serving } from "./serving.ts";

/** Is an inspected application with its page, served, and a browser that has opened the page. */
export interface OpenPage extends AsyncDisposable {
  readonly recorder: Recorder;
  readonly page: InspectorPage;
  readonly port: number;
  /** The URL of the application. */
  readonly url: string;
  readonly cookie: string;
  /** Asks for something below the page's path, as the page does. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Reads what `ask` gets as JSON. */
  read(path: string, init?: RequestInit): Promise<unknown>;
}

/** Serves an application, inspected and with its page, for the length of a test. */
export async function openPage(
  app: Application,
  options: InspectorPageOptions = {},
  recorder: Recorder = new Recorder(),
): Promise<OpenPage> {
  const page = inspectorPage(recorder, options);
  const server = await serving(page(inspect(app, recorder)));
  const opened = await fetch(page.url(server.url), { redirect: "manual" });
  const [cookie = ""] = opened.headers.get("Set-Cookie")!.split(";");
  const ask: OpenPage["ask"] = (path, { headers, ...init } = {}) =>
    fetch(`${server.url}${page.path}/${path}`, {
      redirect: "manual",
      ...init,
      headers: { Cookie: cookie, ...(headers as Record<string, string> | undefined) },
    });
  return {
    recorder,
    page,
    port: server.port,
    url: server.url,
    cookie,
    ask,
    read: async (path, init) => (await ask(path, init)).json(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Is what makes a POST one of the page's own. */
export const post: RequestInit = { method: "POST", headers: { "X-Inspector": "1" } };

/** Is a message of the event stream. */
export interface Message {
  readonly event: string;
  readonly data: unknown;
}

/** Is the data of `recorded`. */
export interface Recorded {
  readonly recording: { id: number; status: string | null; ended: number | null };
  readonly event: RecordedEvent;
  readonly index: number;
  readonly oldest: number;
}

/** Reads an event stream, message by message, as the standard says. */
export async function* messagesOf(response: Response): AsyncGenerator<Message, undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of response.body!) {
    text += decoder.decode(bytes as Uint8Array, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop()!;
    for (const block of blocks) {
      const fields = new Map(
        block.split(/\r\n|\n|\r/).map((line): [string, string] => {
          const [name, value = ""] = line.split(/: ?(.*)/s);
          return [name!, value];
        }),
      );
      const event = fields.get("event");
      if (event !== undefined) yield { event, data: JSON.parse(fields.get("data")!) as unknown };
    }
  }
  return undefined;
}

/** Reads on until a message of a name has come. */
export async function until(messages: AsyncGenerator<Message>, event: string): Promise<unknown> {
  for (;;) {
    const { value, done } = await messages.next();
    if (done === true) throw new Error(`The stream ended before ${event}`);
    if ((value as Message).event === event) return (value as Message).data;
  }
}
