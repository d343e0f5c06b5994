// What the applications of the matrix have in common: bodies that tell a client how far they are.

/** What became of each body, by the id that the client has given it. */
const states = new Map();

function stateOf(id) {
  let state = states.get(id);
  if (state === undefined) {
    state = { produced: 0, closed: 0, gone: 0 };
    states.set(id, state);
  }
  return state;
}

/** Waits until the client has said `/control/go` so often. */
async function hasGone(state, times) {
  // By a timer, because some hosts let no request wake another.
  while (state.gone < times) await new Promise((resolve) => void setTimeout(resolve, 1));
}

/** Yields four chunks, each but the first only after the client has asked for it. */
export async function* steps(id) {
  const state = stateOf(id);
  for (let i = 1; i <= 4; i++) {
    await hasGone(state, i - 1);
    yield `${i}\n`;
  }
}

/** Yields a chunk, and throws when the client has it. */
export async function* broken(id) {
  yield "begun\n";
  await hasGone(stateOf(id), 1);
  fail();
}

const block = new Uint8Array(65_536).fill("x".charCodeAt(0));

/** Yields 100 MiB in 1,600 chunks, and counts them. */
export function* large(id) {
  const state = stateOf(id);
  try {
    while (state.produced < 1_600) {
      state.produced += 1;
      yield block;
    }
  } finally {
    state.closed += 1;
  }
}

/** Does the same for who takes only what is asynchronous. */
export async function* largeAsync(id) {
  yield* large(id);
}

/** Makes a stream of the web of what is iterated, which goes on when it is read, and ends when it is not. */
export function streamOf(iterable) {
  const encoder = new TextEncoder();
  const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** What an application throws to see what becomes of it. */
export function fail() {
  throw new Error("thrown for the matrix");
}

/** The lines of the access log. */
export const log = [];

/** Answers the client's questions: what became of a body, and which lines were logged. */
export function control({ PATH_INFO, QUERY_STRING }, startResponse) {
  const id = new URLSearchParams(QUERY_STRING).get("id");
  const state = stateOf(id);
  if (PATH_INFO === "/go") state.gone += 1;
  const lines = log.filter((line) => line.includes(id));
  startResponse("200 OK", [["Content-Type", "application/json"]]);
  return [JSON.stringify({ produced: state.produced, closed: state.closed, lines })];
}
