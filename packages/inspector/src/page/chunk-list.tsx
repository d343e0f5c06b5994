import type { JSX } from "preact";
import { bytes, time } from "./format.ts";
import type { ChunkAt } from "./moments.ts";

/** How many are shown. */
const most = 50;

/** Lists chunks: when each came, how long it is, and how it begins. */
export function ChunkList({ chunks }: { chunks: readonly ChunkAt[] }): JSX.Element {
  return (
    <ol class="chunks">
      {chunks.slice(0, most).map(({ at, size, text, chunks: number }, i) => (
        <li key={i}>
          <span class="muted">
            {time(at)} · {bytes(size)}
            {number > 1 && ` in an array of ${number} chunks; the first:`}
          </span>
          <span class="text">{text ?? <i>no text</i>}</span>
        </li>
      ))}
      {chunks.length > most && <li>and {chunks.length - most} more</li>}
    </ol>
  );
}
