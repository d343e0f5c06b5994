import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { analyse } from "../analyse.ts";
import type { Recording } from "../recording.ts";
import { LayerDetails } from "./layer-details.tsx";
import { Onion } from "./onion.tsx";
import { TimeLineView } from "./time-line.tsx";

/** Shows the layers of a recording: as an onion, to scale, and one of them in full. */
export function LayersView({ recording }: { recording: Recording }): JSX.Element {
  const [selected, setSelected] = useState(0);
  const { calls } = analyse(recording);
  const call = calls[selected] ?? calls[0];
  if (call === undefined) return <p class="muted">Nothing has happened yet.</p>;
  return (
    <>
      <div class="halves">
        <section aria-label="Layers">
          <Onion calls={calls} recording={recording} selected={call.id} onSelect={setSelected} />
          <p class="caption">
            From the top: the request goes in through each layer as environ, and the response comes
            back out through the same layers. + is added, ~ changed, − removed; times are a layer’s
            own.
          </p>
        </section>
        <LayerDetails call={call} recording={recording} />
      </div>
      <TimeLineView recording={recording} selected={call.id} />
    </>
  );
}
