import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { analyse } from "../analyse.ts";
import type { Recording } from "../recording.ts";
import { steps } from "../steps.ts";
import { time } from "./format.ts";
import { KnownSoFar } from "./known-so-far.tsx";
import { crossingOf, upTo } from "./moments.ts";
import { Onion } from "./onion.tsx";

/** Goes through a recording event by event, with a sentence on each: the lesson. */
export function StepMode({ recording }: { recording: Recording }): JSX.Element {
  const [chosen, setPlace] = useState(0);
  const told = steps(recording);
  const last = told.length - 1;
  const place = Math.min(chosen, last);
  const step = told[place];
  if (step === undefined) return <p class="muted">Nothing has happened yet.</p>;
  const go = (to: number): void => setPlace(Math.max(0, Math.min(last, to)));
  const past = upTo(recording, place);
  const { calls } = analyse(past);
  return (
    <div class="steps" onKeyDown={(event) => onKey(event, place, last, go)}>
      <div class="step">
        <Controls place={place} last={last} go={go} />
        <div class="sentence" role="status">
          <p>{step.text}</p>
          <p class="muted">
            {time(step.at)} · SPEC.md <code>[{step.clause}]</code>
          </p>
        </div>
      </div>
      <div class="halves">
        <section aria-label="Layers">
          <Onion
            calls={calls}
            later={analyse(recording).calls.slice(calls.length)}
            recording={past}
            selected={step.call}
            crossing={crossingOf(recording.events[place]!)}
          />
        </section>
        <KnownSoFar recording={past} />
      </div>
    </div>
  );
}

interface ControlsProps {
  readonly place: number;
  readonly last: number;
  go(to: number): void;
}

function Controls({ place, last, go }: ControlsProps): JSX.Element {
  const button = (name: string, sign: string, to: number, isUseless: boolean): JSX.Element => (
    <button type="button" aria-label={name} aria-disabled={isUseless} onClick={() => go(to)}>
      {sign}
    </button>
  );
  return (
    <div class="controls" role="group" aria-label="Steps">
      {button("First step", "⇤", 0, place === 0)}
      {button("Previous step", "←", place - 1, place === 0)}
      {button("Next step", "→", place + 1, place === last)}
      {button("Last step", "⇥", last, place === last)}
      <input
        type="range"
        aria-label="Step"
        min={1}
        max={last + 1}
        value={place + 1}
        onInput={(event) => go(Number(event.currentTarget.value) - 1)}
      />
      <span class="place">
        {place + 1} of {last + 1}
      </span>
    </div>
  );
}

function onKey(event: KeyboardEvent, place: number, last: number, go: (to: number) => void): void {
  // The slider has keys of its own, which do the same.
  if (event.target instanceof HTMLInputElement) return;
  const targets: Readonly<Record<string, number>> = {
    ArrowLeft: place - 1,
    ArrowRight: place + 1,
    Home: 0,
    End: last,
  };
  const target = targets[event.key];
  if (target === undefined) return;
  event.preventDefault();
  go(target);
}
