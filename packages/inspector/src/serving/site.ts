import { signalKey, type Environ, type Header, type MaybePromise } from "@wsgi/core";
import type { Recorder } from "../recorder.ts";
import { summariseRecording } from "../recording-summary.ts";
import type { Access } from "./access.ts";
import { empty, json, text, type Answer } from "./answer.ts";
import { readAssets, type Assets } from "./assets.ts";
import { EventStream } from "./event-stream.ts";

/** Is where a request goes. */
export interface Place {
  /** The path of the page, as a URL has it. */
  readonly path: string;
  /** What follows it. */
  readonly rest: string;
}

/** Is a request for a part of the page. */
interface Asked {
  /** What is in the path. */
  readonly name: string;
  readonly environ: Environ;
  readonly replay: Replay;
}

/** Makes a request again, until its client is gone; tells the number of the new recording. */
type Replay = (id: number, gone: Promise<void>) => Promise<number>;

interface Route {
  readonly method: "GET" | "POST";
  readonly form: RegExp;
  answer(asked: Asked): MaybePromise<Answer>;
}

const hint =
  "This is the inspector of a server. It opens with the link that the server prints when it starts, " +
  "and which has a token in it.";

/** Answers for the page and all that belongs to it. */
export class Site {
  readonly #recorder: Recorder;
  readonly #access: Access;
  readonly #streams = new Set<EventStream>();
  /** End the replays that are under way. */
  readonly #endings = new Set<() => void>();
  #assets: Assets | undefined;
  #isClosed = false;

  constructor(recorder: Recorder, access: Access) {
    this.#recorder = recorder;
    this.#access = access;
  }

  /** Answers a request, from a client on this machine. */
  answer(environ: Environ, place: Place, replay: Replay): MaybePromise<Answer> {
    return this.#admit(environ, place) ?? this.#dispatch(environ, place, replay);
  }

  /** Tells open pages that the recordings are gone. */
  tellCleared(): void {
    for (const stream of this.#streams) stream.tellCleared();
  }

  /** Ends the streams that are open, and those to come. */
  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams) stream.close();
    for (const end of this.#endings) end();
  }

  /** Leads to the page, or refuses; undefined for a request that has the cookie, and all that it needs. */
  #admit(environ: Environ, { path, rest }: Place): Answer | undefined {
    const isPost = environ.REQUEST_METHOD === "POST";
    const isIndex = (rest === "" || rest === "/") && !isPost;
    // Relative, because a proxy may have the page at another place.
    const index: Header = ["Location", rest === "" ? `${path.split("/").at(-1)}/` : "./"];
    if (isIndex && this.#access.hasToken(environ)) {
      return empty("303 See Other", index, this.#access.setCookie(environ, path));
    }
    if (!this.#access.hasCookie(environ)) return deny("403 Forbidden", hint, isPost, rest);
    if (isPost && !this.#access.isFromPage(environ)) {
      return deny("403 Forbidden", "Only the inspector's own page can ask for that", isPost, rest);
    }
    return isIndex && rest === "" ? empty("303 See Other", index) : undefined;
  }

  #dispatch(environ: Environ, { rest }: Place, replay: Replay): MaybePromise<Answer> {
    const method = environ.REQUEST_METHOD === "HEAD" ? "GET" : environ.REQUEST_METHOD;
    const isPost = method === "POST";
    const route = this.#routes.find(({ form }) => form.test(rest));
    if (route === undefined) {
      return deny("404 Not Found", "The inspector has nothing there", isPost, rest);
    }
    if (method !== route.method) {
      const refused = deny("405 Method Not Allowed", `It takes ${route.method}`, isPost, rest);
      return { ...refused, headers: [...refused.headers, ["Allow", route.method]] };
    }
    const [, name = ""] = route.form.exec(rest)!;
    return route.answer({ name, environ, replay });
  }

  readonly #routes: readonly Route[] = [
    { method: "GET", form: /^\/$/, answer: () => text("200 OK", page, "text/html; charset=utf-8") },
    { method: "GET", form: /^\/assets\/(.+)$/, answer: ({ name }) => this.#asset(name) },
    { method: "GET", form: /^\/recordings$/, answer: () => this.#list() },
    { method: "GET", form: /^\/recordings\/(\d+)$/, answer: ({ name }) => this.#find(name) },
    { method: "GET", form: /^\/events$/, answer: () => this.#follow() },
    {
      method: "POST",
      form: /^\/recordings\/(\d+)\/replay$/,
      answer: (asked) => this.#replay(asked),
    },
    { method: "POST", form: /^\/clear$/, answer: () => this.#clear() },
  ];

  #asset(name: string): Answer {
    this.#assets ??= readAssets();
    return this.#assets.get(name) ?? text("404 Not Found", "404 Not Found\n");
  }

  #list(): Answer {
    return json("200 OK", this.#recorder.recordings.map(summariseRecording));
  }

  #find(id: string): Answer {
    const recording = this.#recorder.find(Number(id));
    if (recording !== undefined) return json("200 OK", recording);
    return json("404 Not Found", { error: `Recording ${id} is not kept any more` });
  }

  #follow(): Answer {
    const stream: EventStream = new EventStream(this.#recorder, () => this.#streams.delete(stream));
    this.#streams.add(stream);
    if (this.#isClosed) stream.close();
    return { status: "200 OK", headers: [["Content-Type", "text/event-stream"]], body: stream };
  }

  async #replay({ name, environ, replay }: Asked): Promise<Answer> {
    let end = (): void => {};
    const gone = new Promise<void>((resolve) => void (end = resolve));
    const makeSignal = environ[signalKey] as ((environ: Environ) => AbortSignal) | undefined;
    makeSignal?.(environ).addEventListener("abort", end);
    this.#endings.add(end);
    if (this.#isClosed) end();
    try {
      return json("200 OK", { id: await replay(Number(name), gone) });
    } catch (error) {
      return json("409 Conflict", { error: (error as Error).message });
    } finally {
      this.#endings.delete(end);
    }
  }

  #clear(): Answer {
    this.#recorder.clear();
    return empty("204 No Content");
  }
}

/** Refuses a request; scripts of the page get the reason as JSON. */
function deny(status: string, reason: string, isPost: boolean, rest: string): Answer {
  return isPost || rest.startsWith("/recordings")
    ? json(status, { error: reason })
    : text(status, `${status}\n\n${reason}\n`);
}

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Inspector</title>
<link rel="stylesheet" href="assets/page/page.css">
<link rel="icon" href="data:,">
<script type="module" src="assets/page/main.js"></script>
</head>
<body><div id="page"><noscript>The inspector needs JavaScript.</noscript></div></body>
</html>
`;
