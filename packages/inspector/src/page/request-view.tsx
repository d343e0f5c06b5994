import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Recording } from "../recording.ts";
import { Comparison } from "./comparison.tsx";
import { clock, time } from "./format.ts";
import { LayersView } from "./layers-view.tsx";
import { Status } from "./request-list.tsx";
import { roving } from "./roving.ts";
import type { RecordingSummary as Summary } from "../recording-summary.ts";
import { StepMode } from "./step-mode.tsx";

interface RequestViewProps {
  readonly summary: Summary;
  /** The recording; undefined until it is loaded. */
  readonly recording: Recording | undefined;
  readonly summaries: readonly Summary[];
  /** The recording to compare it with. */
  readonly other: Recording | undefined;
  onCompare(id: number | null): void;
  onReplay(): void;
}

const views = ["Layers", "Step by step", "Compare"] as const;

/** Is one request, seen in one of three ways. */
export function RequestView(props: RequestViewProps): JSX.Element {
  const { summary, recording, summaries, other, onCompare, onReplay } = props;
  const [view, setView] = useState<(typeof views)[number]>("Layers");
  return (
    <main class="request">
      <div class="title">
        <h2>
          <span class="method">{summary.method}</span> {summary.target}
        </h2>
        <p>
          <Status summary={summary} /> · {clock(summary.begun)} ·{" "}
          {summary.ended === null ? "under way" : time(summary.ended)}
        </p>
        <button type="button" onClick={onReplay}>
          Replay
        </button>
      </div>
      <div
        class="tabs"
        role="tablist"
        aria-label="Ways to see it"
        onKeyDown={roving("ArrowLeft", "ArrowRight")}
      >
        {views.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            data-roving
            tabIndex={name === view ? 0 : -1}
            aria-selected={name === view}
            aria-controls="view"
            onClick={() => setView(name)}
          >
            {name}
          </button>
        ))}
      </div>
      <div id="view" role="tabpanel" aria-label={view}>
        {recording === undefined ? (
          <p class="muted">Loading</p>
        ) : view === "Layers" ? (
          <LayersView recording={recording} />
        ) : view === "Step by step" ? (
          <StepMode recording={recording} />
        ) : (
          <Comparison one={recording} other={other} summaries={summaries} onCompare={onCompare} />
        )}
      </div>
    </main>
  );
}
