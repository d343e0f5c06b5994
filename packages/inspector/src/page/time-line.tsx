import type { JSX } from "preact";
import type { Recording } from "../recording.ts";
import { timeLine, type Bar, type Lane, type Mark } from "./lanes.ts";

interface TimeLineViewProps {
  readonly recording: Recording;
  readonly selected: number;
}

/** Draws when control was where, to scale. */
export function TimeLineView({ recording, selected }: TimeLineViewProps): JSX.Element {
  const { lanes, ticks } = timeLine(recording);
  return (
    <section class="time-line">
      <h3>Time line</h3>
      <ol>
        {lanes.map((lane) => (
          <LaneView key={lane.call.call} lane={lane} isSelected={lane.call.call === selected} />
        ))}
      </ol>
      <div class="ticks" aria-hidden="true">
        {ticks.map(({ left, text }) => (
          <span key={left} style={{ left: `${left}%` }}>
            {text}
          </span>
        ))}
      </div>
      <p class="legend">
        {legend.map(([name, text]) => (
          <span key={name}>
            <span class={`key ${name}`} /> {text}
          </span>
        ))}
      </p>
    </section>
  );
}

const legend = [
  ["own", "in the layer"],
  ["inside", "further inside"],
  ["given", "a chunk given"],
  ["taken", "a chunk taken"],
  ["start", "startResponse"],
  ["error", "an error"],
] as const;

function LaneView({ lane, isSelected }: { lane: Lane; isSelected: boolean }): JSX.Element {
  return (
    <li class={isSelected ? "lane selected" : "lane"}>
      <span class="lane-name" style={{ "--depth": lane.depth }}>
        {lane.call.name}
      </span>
      <span class="track">
        <Bars className="inside" bars={lane.inside} />
        <Bars className="own" bars={lane.own} />
        {lane.marks.map((mark, i) => (
          <MarkView key={i} mark={mark} />
        ))}
      </span>
    </li>
  );
}

function Bars({ className, bars }: { className: string; bars: readonly Bar[] }): JSX.Element {
  return (
    <>
      {bars.map(({ left, width }) => (
        <span
          key={left}
          class={`interval ${className}`}
          style={{ left: `${left}%`, width: `${width}%` }}
        />
      ))}
    </>
  );
}

function MarkView({ mark: { kind, left, text } }: { mark: Mark }): JSX.Element {
  return (
    <span class={`moment ${kind}`} style={{ left: `${left}%` }} title={text}>
      <span class="unseen">{text}</span>
    </span>
  );
}
