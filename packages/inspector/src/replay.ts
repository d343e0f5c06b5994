import {
  checkApplication,
  checkBody,
  closeBody,
  isBodyless,
  isSync,
  quietly,
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
  gone: Promise<void>,
): Promise<number> {
  checkApplication(app, "replay");
  const fail = (found: string, wanted: string): never => {
    throw new Error(`Cannot replay recording ${id}: ${found}; wanted ${wanted}`);
  };
  const origin = journal.origins.get(id) ?? fail("it is not there", "one that is kept");
  const { fault } = origin.body;
  if (fault !== undefined) fail(`of its request body, ${fault}`, "one that was kept as a whole");
  const environ = { ...origin.environ, "wsgi.input": origin.body.replay() } as Environ;
  const replay = new Replay(id);
  journal.mark(environ, replay);
  const isEnough = ({ code }: ResponseHead): boolean =>
    journal.isFull(replay.recording) ||
    (code !== 0 && (environ.REQUEST_METHOD === "HEAD" || isBodyless(code)));
  try {
    await serve(app, environ, isEnough, gone);
  } catch {
    // It is in the recording.
  }
  return (
    replay.recording ?? fail("nothing was recorded", "an application inspected with this recorder")
  );
}

/** Calls an application as a server does, for a client that takes all and keeps nothing, until it is gone. */
async function serve(
  app: Application,
  environ: Environ,
  isEnough: (head: ResponseHead) => boolean,
  gone: Promise<void>,
): Promise<void> {
  const head = new ResponseHead();
  const result = app(environ, (status, headers, excInfo) => {
    head.start(status, headers, excInfo);
    return () => void (head.sent = true);
  });
  const answered = Promise.resolve(result).then(checkBody);
  const body = await Promise.race([answered, gone]);
  if (body === undefined) return void answered.then(closeBody).catch(() => {});
  try {
    if (!isEnough(head)) await read(body, head, isEnough, gone);
  } finally {
    await closeBody(body);
  }
}

async function read(
  body: Body,
  head: ResponseHead,
  isEnough: (head: ResponseHead) => boolean,
  gone: Promise<void>,
): Promise<void> {
  const steps = isSync(body) ? body[Symbol.iterator]() : body[Symbol.asyncIterator]();
  for (;;) {
    const step = await Promise.race([steps.next(), gone]);
    if (step?.done === true) return;
    if (step !== undefined) head.sent ||= step.value.length > 0;
    if (step !== undefined && !isEnough(head)) continue;
    // Not waited for, because it may be behind a step that never comes.
    return void quietly(() => steps.return?.());
  }
}
