import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { RecordingSummary as Summary } from "../recording-summary.ts";

/** How long it is quiet before the newest request is told, in milliseconds. */
const pause = 1_000;

/** Tells screen readers of new requests: of many in a row, the last. */
export function Announcer({ newest }: { newest: Summary | undefined }): JSX.Element {
  const [text, setText] = useState("");
  const told = newest && `New request: ${newest.method} ${newest.target}, ${newest.status ?? ""}`;
  useEffect(() => {
    const timer = setTimeout(() => setText(told ?? ""), pause);
    return () => clearTimeout(timer);
  }, [told]);
  return (
    <p class="unseen" aria-live="polite">
      {text}
    </p>
  );
}
