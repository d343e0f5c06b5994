import type { JSX } from "preact";
import type { EnvironDifference, HeaderDifference } from "../differences.ts";
import { show } from "./format.ts";

/** Is one thing that was added, changed or removed. */
export interface Difference {
  readonly kind: "added" | "changed" | "removed";
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Lists what became of environ. */
export function environDifferences(difference: EnvironDifference): Difference[] {
  const { added, changed, removed } = difference;
  return [
    ...Object.entries(added).map(([name, value]) => addition(name, show(value))),
    ...Object.entries(changed).map(([name, { before, after }]) =>
      change(name, show(before), show(after)),
    ),
    ...Object.entries(removed).map(([name, value]) => removal(name, show(value))),
  ];
}

/** Lists what became of header fields. */
export function headerDifferences({ added, changed, removed }: HeaderDifference): Difference[] {
  return [
    ...added.map(([name, value]) => addition(name, value)),
    ...changed.map(({ name, before, after }) => change(name, before, after)),
    ...removed.map(([name, value]) => removal(name, value)),
  ];
}

function addition(name: string, after: string): Difference {
  return { kind: "added", name, before: null, after };
}

/** Makes a change of what it was before and is after. */
export function change(name: string, before: string, after: string): Difference {
  return { kind: "changed", name, before, after };
}

function removal(name: string, before: string): Difference {
  return { kind: "removed", name, before, after: null };
}

const signs = { added: "+", changed: "~", removed: "−" } as const;

interface DifferencesProps {
  readonly title: string;
  readonly differences: readonly Difference[];
  /** What is said if there are none; without it, nothing is shown. */
  readonly none?: string;
}

/** Shows differences, before and after. */
export function Differences({ title, differences, none }: DifferencesProps): JSX.Element | null {
  if (differences.length === 0 && none === undefined) return null;
  return (
    <section class="differences">
      <h4>{title}</h4>
      {differences.length === 0 && <p class="muted">{none}</p>}
      <dl>
        {differences.map(({ kind, name, before, after }, i) => (
          <div key={`${i} ${name}`} class={kind}>
            <dt>
              <span class="mark" aria-hidden="true">
                {signs[kind]}
              </span>
              <span class="unseen">{kind}</span> {name}
            </dt>
            {before !== null && (
              <dd class="before">
                <span class="unseen">before: </span>
                {before}
              </dd>
            )}
            {after !== null && (
              <dd>
                <span class="unseen">after: </span>
                {after}
              </dd>
            )}
          </div>
        ))}
      </dl>
    </section>
  );
}
