// What is served. `/KIND?SEED` is answered with the payload of the seed, in the way that the kind is named
// after; `/layers/KIND?SEED` through middleware.
import { open } from "node:fs/promises";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  chunks,
  FileWrapper,
  stack,
  when,
  type Application,
  type Body,
  type HeaderList,
} from "@wsgi/core";
import { accessLog } from "@wsgi/middleware/access-log";
import { contentLength } from "@wsgi/middleware/content-length";
import { head } from "@wsgi/middleware/head";
import { mount } from "@wsgi/middleware/mount";
import { requestId } from "@wsgi/middleware/request-id";
import { signalKey, type ServerEnviron } from "@wsgi/server";
import { payload } from "./payload.ts";

/** Counts calls of the application, bodies that it returned, and how often one was closed, or again. */
export const counts = { called: 0, returned: 0, closed: 0, closedAgain: 0 };

/** Is what the kind "file" sends. */
export const servedFile: string = fileURLToPath(import.meta.url);

const plain: HeaderList = [["Content-Type", "text/plain"]];

const answering: Readonly<Record<string, Application<ServerEnviron>>> = {
  array(environ, startResponse) {
    startResponse("200 OK", plain);
    return [payloadOf(environ)];
  },

  text(environ, startResponse) {
    startResponse("200 OK", plain);
    const text = payloadOf(environ).toString();
    return [text.slice(0, 100), text.slice(100)];
  },

  /** Starts late, as a generator does. */
  *generator(environ, startResponse) {
    yield "";
    startResponse("200 OK", plain);
    yield* pieces(environ);
  },

  async stream(environ, startResponse) {
    await nextTurn();
    startResponse("200 OK", plain);
    return (async function* () {
      for (const piece of pieces(environ)) {
        await nextTurn();
        yield piece;
      }
    })();
  },

  async write(environ, startResponse) {
    const write = startResponse("200 OK", plain);
    for (const piece of pieces(environ)) await write(piece);
    return [];
  },

  declared(environ, startResponse) {
    const length = String(payloadOf(environ).byteLength);
    startResponse("200 OK", [...plain, ["Content-Length", length]]);
    return pieces(environ);
  },

  replaced(environ, startResponse) {
    startResponse("404 Not Found", [["X-Forgotten", "yes"]]);
    startResponse("200 OK", plain, new Error("Something else was found"));
    return [payloadOf(environ)];
  },

  empty(_environ, startResponse) {
    startResponse("204 No Content", []);
    return [];
  },

  async echo(environ, startResponse) {
    const body = await environ["wsgi.input"].read();
    startResponse("200 OK", plain);
    return [body];
  },

  /** Sends on what comes in, while it comes in. */
  relay(environ, startResponse) {
    startResponse("200 OK", plain);
    return chunks(environ["wsgi.input"]);
  },

  /** Leaves the body of the request where it is. */
  unread(environ, startResponse) {
    startResponse("200 OK", plain);
    return [payloadOf(environ)];
  },

  async file(_environ, startResponse) {
    const file = await open(servedFile);
    startResponse("200 OK", plain);
    return new FileWrapper({
      async read(size) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(size), 0, size);
        return buffer.subarray(0, bytesRead);
      },
      close: () => file.close(),
    });
  },

  /** Stops thinking when the client leaves. */
  async slow(environ, startResponse) {
    await after(20, undefined, { signal: environ[signalKey](environ) });
    startResponse("200 OK", plain);
    return pieces(environ);
  },
};

const failing: Readonly<Record<string, Application<ServerEnviron>>> = {
  throw() {
    throw new Error("Thrown when called");
  },

  async reject() {
    await nextTurn();
    throw new Error("Rejected");
  },

  *break(environ, startResponse) {
    startResponse("200 OK", plain);
    yield payloadOf(environ);
    throw new Error("Thrown in the body");
  },

  short(environ, startResponse) {
    startResponse("200 OK", [["Content-Length", "300000"]]);
    return pieces(environ);
  },

  closing(environ, startResponse) {
    startResponse("200 OK", plain);
    return Object.assign([payloadOf(environ)], {
      close() {
        throw new Error("Thrown in close()");
      },
    });
  },
};

// One for all, so that what is measured is the server's memory.
const block = new Uint8Array(16_384);

/** Never ends: in turns of the event loop if the seed is odd, else at once. */
const endless: Application<ServerEnviron> = (environ, startResponse) => {
  startResponse("200 OK", plain);
  if (Number(environ.QUERY_STRING) % 2 === 0) return endlessPieces();
  return (async function* () {
    yield* endlessPieces();
  })();
};

function* endlessPieces(): Generator<Uint8Array> {
  for (;;) yield block;
}

const kinds = new Map(Object.entries({ ...answering, ...failing, endless }).map(counted));

const direct: Application<ServerEnviron> = (environ, startResponse) =>
  kinds.get(environ.PATH_INFO)!(environ, startResponse);

const layers = stack(
  accessLog({ destination: { write: () => {} }, format: "combined" }),
  requestId(),
  head(),
  contentLength(),
);

/** Is the whole application. */
export const app: Application<ServerEnviron> = mount<ServerEnviron>({
  "/": direct,
  "/layers": layers(direct),
});

/** Counts what becomes of an application's calls. */
function counted([name, kind]: readonly [string, Application<ServerEnviron>]): [
  string,
  Application<ServerEnviron>,
] {
  const counting: Application<ServerEnviron> = (environ, startResponse) => {
    counts.called += 1;
    return when(kind(environ, startResponse), (body: Body) => {
      const close = body.close?.bind(body);
      let isClosed = false;
      counts.returned += 1;
      return Object.assign(body, {
        close() {
          if (isClosed) counts.closedAgain += 1;
          else counts.closed += 1;
          isClosed = true;
          return close?.();
        },
      });
    });
  };
  return [`/${name}`, counting];
}

function payloadOf(environ: ServerEnviron): Buffer {
  return payload(Number(environ.QUERY_STRING));
}

function* pieces(environ: ServerEnviron): Generator<Uint8Array> {
  const bytes = payloadOf(environ);
  for (let at = 0; at < bytes.byteLength; at += 4_096) yield bytes.subarray(at, at + 4_096);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
