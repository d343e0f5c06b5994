import type { JSX } from "preact";
import { clock, time } from "./format.ts";
import { roving } from "./roving.ts";
import type { RecordingSummary as Summary } from "../recording-summary.ts";

interface RequestListProps {
  readonly summaries: readonly Summary[];
  readonly shown: number;
  /** Whether the newest is always the one that is shown. */
  readonly isFollowing: boolean;
  onChoose(id: number | null): void;
}

/** Is the list of requests, the newest first. */
export function RequestList(props: RequestListProps): JSX.Element {
  const { summaries, shown, isFollowing, onChoose } = props;
  return (
    <nav class="requests" aria-label="Requests">
      <label class="follow">
        <input
          type="checkbox"
          checked={isFollowing}
          onChange={() => onChoose(isFollowing ? shown : null)}
        />
        Always show the newest
      </label>
      <ol reversed onKeyDown={roving("ArrowUp", "ArrowDown")}>
        {summaries.toReversed().map((summary) => (
          <RequestItem
            key={summary.id}
            summary={summary}
            isShown={summary.id === shown}
            onChoose={onChoose}
          />
        ))}
      </ol>
    </nav>
  );
}

interface RequestItemProps {
  readonly summary: Summary;
  readonly isShown: boolean;
  onChoose(id: number): void;
}

function RequestItem({ summary, isShown, onChoose }: RequestItemProps): JSX.Element {
  const { id, method, target, ended, begun, replayOf } = summary;
  return (
    <li>
      <button
        type="button"
        data-roving
        tabIndex={isShown ? 0 : -1}
        aria-current={isShown ? "true" : undefined}
        title={target}
        onClick={() => onChoose(id)}
      >
        <span class="target">
          <b>{method}</b> {target}
        </span>
        <Status summary={summary} />
        <span class="when">
          {clock(begun)} · {ended === null ? "under way" : time(ended)}
          {replayOf !== null && ` · replay of ${replayOf}`}
        </span>
      </button>
    </li>
  );
}

/** Is the status of a response, or why there is none. */
export function Status({ summary }: { summary: Summary }): JSX.Element {
  const { status, failed, ended } = summary;
  const text = status ?? (failed ? "failed" : ended === null ? "…" : "no status");
  const isFault = failed || text.startsWith("5");
  return <span class={isFault ? "status fault" : "status"}>{text}</span>;
}
