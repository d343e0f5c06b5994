import type { Recording } from "../recording.ts";
import type { Action } from "./state.ts";

/**
 * Follows what the recorder tells.
 *
 * @param dispatch - is given what happens
 * @returns what ends it
 */
export function follow(dispatch: (action: Action) => void): () => void {
  const source = new EventSource("events");
  const on = (type: string, read: (data: string) => Action): void =>
    source.addEventListener(type, (message) =>
      dispatch(read((message as MessageEvent<string>).data)),
    );
  on("hello", (data) => ({ type: "hello", summaries: JSON.parse(data) }));
  on("recorded", (data) => {
    const { recording, event, index, oldest = 0 } = JSON.parse(data);
    return { type: "recorded", summary: recording, event, index, oldest };
  });
  on("cleared", () => ({ type: "cleared" }));
  source.addEventListener("error", () => dispatch({ type: "disconnected" }));
  return () => source.close();
}

/** Gets a recording with its events. */
export async function load(id: number): Promise<Recording> {
  return (await ask(`recordings/${id}`, "GET")).json() as Promise<Recording>;
}

/** Makes a request again; tells the number of the new recording. */
export async function replay(id: number): Promise<number> {
  const answer = (await (await ask(`recordings/${id}/replay`, "POST")).json()) as { id: number };
  return answer.id;
}

/** Has the recorder forget all. */
export async function clear(): Promise<void> {
  await ask("clear", "POST");
}

async function ask(path: string, method: "GET" | "POST"): Promise<Response> {
  const response = await fetch(path, { method, headers: { "X-Inspector": "1" } });
  if (response.ok) return response;
  const text = await response.text();
  throw new Error(reasonIn(text) ?? `${response.status} ${response.statusText}`);
}

function reasonIn(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { error?: string }).error;
  } catch {
    return undefined;
  }
}
