import {
  checkBody,
  closeBody,
  isBodyless,
  isSync,
  ResponseHead,
  type Application,
  type Body,
  type Environ,
} from "@wsgi/core";
import { Replay, type Journal } from "./journal.ts";

/** Calls an application with the request of a recording, and tells the number of the new one. */
export async function replayOrigin(
  journal: Journal,
  id: number,
  app: Application,
): Promise<number> {
  const fail = (found: string, wanted: string): never => {
    throw new Error(`Cannot replay recording ${id}: ${found}; wanted ${wanted}`);
  };
  const origin = journal.origins.get(id) ?? fail("it is not there", "one that is kept");
  const { fault } = origin.body;
  if (fault !== undefined) fail(`of its request body, ${fault}`, "one that was kept as a whole");
  const environ = { ...origin.environ, "wsgi.input": origin.body.replay() } as Environ;
  const replay = new Replay(id);
  journal.mark(environ, replay);
  const { REQUEST_METHOD } = environ;
  const isEnough = (head: ResponseHead): boolean => {
    const isFull = journal.isFull(replay.recording);
    return head.code !== 0 && (isFull || REQUEST_METHOD === "HEAD" || isBodyless(head.code));
  };
  try {
    await serve(app, environ, isEnough);
  } catch {
    // It is in the recording.
  }
  return (
    replay.recording ?? fail("nothing was recorded", "an application inspected with this recorder")
  );
}

/** Calls an application as a server does, for a client that takes all and keeps nothing. */
async function serve(
  app: Application,
  environ: Environ,
  isEnough: (head: ResponseHead) => boolean,
): Promise<void> {
  const head = new ResponseHead();
  const body = checkBody(
    await app(environ, (status, headers, excInfo) => {
      head.start(status, headers, excInfo);
      return () => void (head.sent = true);
    }),
  );
  try {
    if (!isEnough(head)) await read(body, head, isEnough);
  } finally {
    await closeBody(body);
  }
}

async function read(
  body: Body,
  head: ResponseHead,
  isEnough: (head: ResponseHead) => boolean,
): Promise<void> {
  const isLast = (length: number): boolean => {
    head.sent ||= length > 0;
    return isEnough(head);
  };
  if (isSync(body)) {
    for (const chunk of body) if (isLast(chunk.length)) return;
  } else {
    for await (const chunk of body) if (isLast(chunk.length)) return;
  }
}
