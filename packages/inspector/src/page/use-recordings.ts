import { useEffect, useReducer, useRef } from "preact/hooks";
import { follow, load } from "./server.ts";
import { reduce, shown, unknown, type Action, type State } from "./state.ts";

/**
 * Follows the recorder, and loads the recordings that are shown.
 *
 * @returns what is known, and what tells of something that has happened
 */
export function useRecordings(): [State, (action: Action) => void] {
  const [state, dispatch] = useReducer(reduce, unknown);
  const loading = useRef(new Set<number>());
  useEffect(() => follow(dispatch), []);
  useEffect(() => {
    if (!state.isLive) return;
    for (const id of [shown(state)?.id, state.other]) {
      if (id === undefined || id === null || loading.current.has(id)) continue;
      if (state.recordings.has(id) && !state.stale.has(id)) continue;
      loading.current.add(id);
      void load(id)
        .then(
          (recording): Action => ({ type: "loaded", recording }),
          (error: Error): Action =>
            // That is what fetch throws; when the server is there again, it says hello.
            error instanceof TypeError
              ? { type: "disconnected" }
              : { type: "gone", id, message: `Cannot show request ${id}: ${error.message}` },
        )
        .then((action) => {
          loading.current.delete(id);
          dispatch(action);
        });
    }
  }, [state]);
  return [state, dispatch];
}
