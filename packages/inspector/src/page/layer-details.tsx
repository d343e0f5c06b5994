import type { ComponentChildren, JSX } from "preact";
import type { CallAnalysis } from "../analyse.ts";
import { environAt, type KnownEnviron } from "../differences.ts";
import type { Flow } from "../flow.ts";
import type { CallEvent, ErrorRecord, Recording } from "../recording.ts";
import { ChunkList } from "./chunk-list.tsx";
import { change, Differences, environDifferences, headerDifferences } from "./differences.tsx";
import { bytes, count, show, showError, time } from "./format.ts";
import { chunksOf } from "./moments.ts";

interface LayerDetailsProps {
  readonly call: CallAnalysis;
  readonly recording: Recording;
}

/** Shows what one layer did, before and after. */
export function LayerDetails({ call, recording }: LayerDetailsProps): JSX.Element {
  const { status, statusInside } = call;
  const response = [
    ...(status !== null && statusInside !== null && status !== statusInside
      ? [change("Status", statusInside, status)]
      : []),
    ...headerDifferences(call.headers),
  ];
  const begins = status !== null && statusInside === null;
  return (
    <section class="details" aria-label={`What ${call.name} did`}>
      <h3>{call.name}</h3>
      <p class="muted">
        {time(call.own)} by itself, {time(call.total)} with what is inside
      </p>
      <Errors call={call} />
      {call.isLayer && (
        <Differences
          title="Environ, on the way in"
          differences={environDifferences(call.environ)}
          none={call.shortCircuits ? "It called nothing inside." : "Handed on as it came."}
        />
      )}
      <Differences
        title={begins ? `Response: ${status}` : "Status and headers, on the way out"}
        differences={response}
        none={status === null ? "There are none yet." : "Handed on as they came."}
      />
      <section>
        <h4>Body</h4>
        {call.isLayer && <p>Came from inside: {flow(call.taken)}</p>}
        <p>Given to the outside: {flow(call.given)}</p>
        {call.buffers && <p>It held back up to {bytes(call.held)}.</p>}
        <ChunkList chunks={chunksOf(recording, call.id)} />
      </section>
      <section>
        <h4>Promises and close()</h4>
        <p>{promises[call.promise]}</p>
        <p>{closing(call, recording)}</p>
      </section>
      <Fold title={`Environ as ${call.name} was given it`}>
        <dl class="plain">
          {[...environOf(call.id, recording)].map(([key, value]) => (
            <div key={key}>
              <dt>{key}</dt>
              <dd>{show(value)}</dd>
            </div>
          ))}
        </dl>
      </Fold>
    </section>
  );
}

function Errors({ call }: { call: CallAnalysis }): JSX.Element {
  const { threw, caught, passedOn } = call;
  return (
    <>
      {threw !== null && <ErrorView verb="Threw" error={threw} />}
      {caught.map((error) => (
        <ErrorView key={error.id} verb="Caught" error={error} />
      ))}
      {passedOn.map((error) => (
        <ErrorView key={error.id} verb="Let through" error={error} />
      ))}
    </>
  );
}

function ErrorView({ verb, error }: { verb: string; error: ErrorRecord }): JSX.Element {
  return (
    <section class={verb === "Threw" ? "error fault" : "error"}>
      <h4>{verb}</h4>
      <p class="code">{showError(error)}</p>
      {error.stack !== null && (
        <Fold title="Stack">
          <pre tabIndex={0}>{error.stack}</pre>
        </Fold>
      )}
    </section>
  );
}

const promises = {
  none: "It made nobody wait.",
  "passed on": "Who is outside has to wait for a promise that came from inside.",
  introduced: "It made who is outside wait: the promise began here.",
} as const;

function closing({ closes, isLeaked }: CallAnalysis, { ended }: Recording): string {
  if (isLeaked) return "Its body was never closed.";
  if (closes > 0) return `Its body was closed ${times(closes)}.`;
  return ended === null ? "Nothing is closed yet." : "There was nothing to close.";
}

function times(number: number): string {
  return number === 1 ? "once" : `${number} times`;
}

function flow({ chunks, bytes: size, written }: Flow): string {
  const how = written === 0 ? "" : `, ${written} of them by write()`;
  return `${count(chunks, "chunk")}, ${bytes(size)}${how}`;
}

function environOf(id: number, { events }: Pick<Recording, "events">): KnownEnviron {
  const isIt = (event: Recording["events"][number]): event is CallEvent =>
    event.kind === "call" && event.call === id;
  const call = events.find(isIt);
  if (call === undefined) return new Map();
  return environAt(call, call.parent === null ? undefined : environOf(call.parent, { events }));
}

/** Is what can be opened. */
export function Fold(props: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <details>
      <summary>{props.title}</summary>
      {props.children}
    </details>
  );
}
