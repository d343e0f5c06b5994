import type { JSX } from "preact";
import { Announcer } from "./announcer.tsx";
import { EmptyPage } from "./empty-page.tsx";
import { RequestList } from "./request-list.tsx";
import { RequestView } from "./request-view.tsx";
import { clear, replay } from "./server.ts";
import { shown } from "./state.ts";
import { useRecordings } from "./use-recordings.ts";

/** Is the page. */
export function App(): JSX.Element {
  const [state, dispatch] = useRecordings();
  const summary = shown(state);
  const attempt = (what: string, work: Promise<void>): void => {
    dispatch({ type: "tell", message: null });
    work.catch((error: Error) =>
      dispatch({ type: "tell", message: `${what} failed: ${error.message}` }),
    );
  };
  const again = (id: number): void =>
    attempt(
      "The replay",
      replay(id).then((copy) => dispatch({ type: "choose", id: copy })),
    );
  return (
    <>
      <header class="bar">
        <h1>Inspector</h1>
        <p class="connection" role="status">
          {state.isLive ? "live" : "not connected"}
        </p>
        <button
          type="button"
          class="quiet"
          aria-disabled={state.summaries.length === 0}
          onClick={() => state.summaries.length > 0 && attempt("Clearing", clear())}
        >
          Clear
        </button>
      </header>
      {state.message !== null && (
        <div class="message" role="alert">
          <p>{state.message}</p>
          <button
            type="button"
            class="quiet"
            onClick={() => dispatch({ type: "tell", message: null })}
          >
            Dismiss
          </button>
        </div>
      )}
      <Announcer newest={state.summaries.at(-1)} />
      {summary === undefined ? (
        <EmptyPage isLive={state.isLive} />
      ) : (
        <div class="columns">
          <RequestList
            summaries={state.summaries}
            shown={summary.id}
            isFollowing={state.chosen === null}
            onChoose={(id) => dispatch({ type: "choose", id })}
          />
          <RequestView
            key={summary.id}
            summary={summary}
            recording={state.recordings.get(summary.id)}
            summaries={state.summaries}
            other={state.other === null ? undefined : state.recordings.get(state.other)}
            onCompare={(id) => dispatch({ type: "compare", id })}
            onReplay={() => again(summary.id)}
          />
        </div>
      )}
    </>
  );
}
