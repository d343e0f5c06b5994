import type { JSX } from "preact";
import type { Recording } from "../recording.ts";
import { ChunkList } from "./chunk-list.tsx";
import { count, show } from "./format.ts";
import { Fold } from "./layer-details.tsx";
import { knownIn, type Known } from "./moments.ts";

/** Shows what is known at this moment: of the request where control is, and of the response. */
export function KnownSoFar({ recording }: { recording: Recording }): JSX.Element {
  const known = knownIn(recording);
  const { environ, fresh, start, by } = known;
  return (
    <section class="details" aria-label="Known so far">
      <h3>Known so far</h3>
      <h4>Environ of {known.name}</h4>
      <dl class="plain">
        {[...environ]
          .filter(([key]) => fresh.has(key))
          .map(([key, value]) => (
            <div key={key} class="added">
              <dt>{key}</dt>
              <dd>{show(value)}</dd>
            </div>
          ))}
      </dl>
      <Fold
        title={`${fresh.size === 0 ? "" : "and "}${count(environ.size - fresh.size, "key")} from the server`}
      >
        <dl class="plain">
          {[...environ]
            .filter(([key]) => !fresh.has(key))
            .map(([key, value]) => (
              <div key={key}>
                <dt>{key}</dt>
                <dd>{show(value)}</dd>
              </div>
            ))}
        </dl>
      </Fold>
      <h4>Status and headers</h4>
      {start === undefined ? (
        <p class="muted">Nobody has called startResponse.</p>
      ) : (
        <>
          <p>
            {start.status}, <span class="muted">by {by}</span>
          </p>
          <dl class="plain">
            {start.headers.map(([name, value], i) => (
              <div key={i}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      <h4>Body, at the server</h4>
      <BodySoFar known={known} />
    </section>
  );
}

function BodySoFar({ known: { chunks, isClosed } }: { known: Known }): JSX.Element {
  return (
    <>
      {chunks.length === 0 && <p class="muted">No chunk has come.</p>}
      <ChunkList chunks={chunks} />
      {isClosed && <p>It is closed.</p>}
    </>
  );
}
