import type { CallAnalysis } from "../analyse.ts";
import { bytes, count } from "./format.ts";

/** Says in few words something that a layer did. */
export interface Sign {
  readonly kind: "added" | "changed" | "removed" | "fault" | "plain";
  readonly text: string;
}

/** Lists what a layer did to the request on its way in. */
export function signsIn({ environ, shortCircuits }: CallAnalysis): Sign[] {
  return [
    ...named("added", "+", Object.keys(environ.added), "key"),
    ...named("changed", "~", Object.keys(environ.changed), "key"),
    ...named("removed", "−", Object.keys(environ.removed), "key"),
    ...(shortCircuits ? [{ kind: "changed", text: "short-circuited" } as const] : []),
  ];
}

/** Lists what a layer did to the response on its way out. */
export function signsOut(call: CallAnalysis): Sign[] {
  const { headers, caught, threw, passedOn } = call;
  const signs: Sign[] = [
    ...statusSigns(call),
    ...named("added", "+", namesOf(headers.added), "header"),
    ...named("changed", "~", namesOf(headers.changed), "header"),
    ...named("removed", "−", namesOf(headers.removed), "header"),
    ...bodySigns(call),
  ];
  if (call.buffers) signs.push({ kind: "changed", text: `buffered ${bytes(call.held)}` });
  if (call.isLayer && call.promise === "introduced") {
    signs.push({ kind: "changed", text: "made a promise" });
  }
  if (threw !== null) signs.push({ kind: "fault", text: `threw ${threw.name}` });
  for (const { name } of passedOn) signs.push({ kind: "plain", text: `let ${name} through` });
  for (const { name } of caught) signs.push({ kind: "changed", text: `caught ${name}` });
  if (call.isLeaked) signs.push({ kind: "fault", text: "never closed" });
  if (call.closes > 1) signs.push({ kind: "fault", text: `closed ${call.closes} times` });
  return signs;
}

function statusSigns({ status, statusInside }: CallAnalysis): Sign[] {
  if (status === null || status === statusInside) return [];
  if (statusInside === null) return [{ kind: "plain", text: status }];
  return [{ kind: "changed", text: `${statusInside} → ${status}` }];
}

function bodySigns({ given, taken }: CallAnalysis): Sign[] {
  if (given.chunks === taken.chunks && given.bytes === taken.bytes) return [];
  if (taken.chunks === 0) {
    return [{ kind: "plain", text: `${count(given.chunks, "chunk")}, ${bytes(given.bytes)}` }];
  }
  if (given.chunks !== taken.chunks) {
    return [{ kind: "changed", text: `${taken.chunks} → ${count(given.chunks, "chunk")}` }];
  }
  return [{ kind: "changed", text: `${taken.bytes} → ${bytes(given.bytes)}` }];
}

/** Names one or two of them; of more, only their number. */
function named(
  kind: Sign["kind"],
  sign: string,
  names: readonly string[],
  thing: string,
): readonly Sign[] {
  if (names.length > 2) return [{ kind, text: `${sign} ${count(names.length, thing)}` }];
  return names.map((name) => ({ kind, text: `${sign} ${name}` }));
}

function namesOf(fields: readonly (readonly [string, string] | { readonly name: string })[]) {
  return fields.map((field) => ("name" in field ? field.name : field[0]));
}
