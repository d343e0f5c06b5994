import type { JSX } from "preact";
import { analyse, type CallAnalysis } from "../analyse.ts";
import type { Recording } from "../recording.ts";
import { compareRequests, compareResponses, pair } from "./compare.ts";
import { change, Differences, environDifferences, headerDifferences } from "./differences.tsx";
import { bytes, time } from "./format.ts";
import type { RecordingSummary as Summary } from "../recording-summary.ts";

interface ComparisonProps {
  readonly one: Recording;
  readonly other: Recording | undefined;
  readonly summaries: readonly Summary[];
  onCompare(id: number | null): void;
}

/** Shows how two requests differ. */
export function Comparison({ one, other, summaries, onCompare }: ComparisonProps): JSX.Element {
  const others = summaries.filter(({ id }) => id !== one.id).toReversed();
  return (
    <div class="comparison">
      <label>
        Compare request {one.id} with{" "}
        <select
          value={other?.id ?? ""}
          onChange={({ currentTarget: { value } }) =>
            onCompare(value === "" ? null : Number(value))
          }
        >
          <option value="">another request</option>
          {others.map(({ id, method, target, status }) => (
            <option key={id} value={id}>
              {`${id}: ${method} ${short(target)} ${status ?? ""}`}
            </option>
          ))}
        </select>
      </label>
      {others.length === 0 && <p class="muted">There is no other request yet.</p>}
      {other !== undefined && other.id !== one.id && <Both one={one} other={other} />}
    </div>
  );
}

function Both({ one, other }: { one: Recording; other: Recording }): JSX.Element {
  const [left, right] = [analyse(one), analyse(other)];
  const [before, after] = [left.status ?? "no status", right.status ?? "no status"];
  const size = ({ calls }: typeof left): string => bytes(calls[0]?.given.bytes ?? 0);
  const response = [
    ...(before === after ? [] : [change("Status", before, after)]),
    ...headerDifferences(compareResponses(one, other)),
    ...(size(left) === size(right) ? [] : [change("Body", size(left), size(right))]),
  ];
  return (
    <>
      <h3>
        From request {one.id} to request {other.id}
      </h3>
      <table>
        <caption>Layers and their own times</caption>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col">Request {one.id}</th>
            <th scope="col">Request {other.id}</th>
            <th scope="col">Difference</th>
          </tr>
        </thead>
        <tbody>
          {pair(left, right).map((layers, i) => (
            <Row key={i} {...layers} />
          ))}
        </tbody>
      </table>
      <Differences
        title="Request"
        differences={environDifferences(compareRequests(one, other))}
        none="Both have the same environ."
      />
      <Differences title="Response" differences={response} none="Both have the same." />
    </>
  );
}

function Row(layers: { one: CallAnalysis | null; other: CallAnalysis | null }): JSX.Element {
  const { one, other } = layers;
  const { name, label, depth } = (one ?? other)!;
  const isOnly = one === null || other === null;
  return (
    <tr class={one === null ? "added" : other === null ? "removed" : undefined}>
      <th scope="row" style={{ "--depth": depth }}>
        {label !== "" && <span class="label">{label} </span>}
        {name}
      </th>
      <td>{one === null ? "not called" : time(one.own)}</td>
      <td>{other === null ? "not called" : time(other.own)}</td>
      <td>{isOnly ? "" : signed(other.own - one.own)}</td>
    </tr>
  );
}

function signed(difference: number): string {
  return `${difference < 0 ? "−" : "+"}${time(Math.abs(difference))}`;
}

function short(target: string): string {
  return target.length > 60 ? `${target.slice(0, 60)}…` : target;
}
