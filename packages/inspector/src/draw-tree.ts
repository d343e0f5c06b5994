import { analyse, type CallAnalysis } from "./analyse.ts";
import { printable } from "./printable.ts";
import type { Json, Recording } from "./recording.ts";

/** Says how a tree is drawn. */
export interface DrawOptions {
  /** Whether it has colours, for a terminal. Default: false. */
  color?: boolean;
}

/**
 * Draws a recording as a tree, for a terminal: the layers with their own times, and beneath each what it did
 * to the request and to the response.
 *
 * @param recording - the recording
 * @param options - how it is drawn
 * @returns the lines, without a final newline; no character in them can control a terminal, but for colours
 * @throws TypeError for what is no recording
 * @example
 * ```ts
 * import { drawTree, inspect, Recorder } from "@wsgi/inspector";
 * import { call, respond } from "@wsgi/testing";
 *
 * const recorder = new Recorder();
 * await call(inspect(respond(["Hello"]), recorder), "GET /");
 * console.log(drawTree(recorder.recordings[0]));
 * // GET /  200 OK  5 bytes  0.3 ms
 * //
 * // respond                   0.1 ms
 * //     status   200 OK
 * //     header + Content-Type: text/plain
 * //     body     an array
 * ```
 * @see core's describe
 */
export function drawTree(recording: Recording, options: DrawOptions = {}): string {
  const paint = options.color === true ? paints : plain;
  const { calls, status } = analyse(recording);
  const [first] = calls;
  if (first === undefined) return `${recording.method} ${recording.target}`;
  const title = [
    printable(`${recording.method} ${recording.target}`),
    printable(status ?? "no status"),
    bytes(first.given.bytes),
    time(first.total),
  ];
  const lines = drawCall(first, "", "", calls, paint);
  const layers = lines.filter(({ style }) => style === undefined);
  const width = Math.max(...layers.map(({ left }) => left.length)) + 2;
  const drawn = lines.map(({ left, right, style }) =>
    style === undefined ? `${left.padEnd(width)}${paint.dim(right)}` : style(left),
  );
  return [paint.strong(title.join("  ")), "", ...drawn].join("\n");
}

interface Line {
  readonly left: string;
  readonly right: string;
  /** How it is painted, if it tells of a difference. */
  readonly style?: (text: string) => string;
}

function drawCall(
  call: CallAnalysis,
  lead: string,
  indent: string,
  calls: readonly CallAnalysis[],
  paint: Paint,
): Line[] {
  const name = call.label === "" ? call.name : `${call.label}  ${call.name}`;
  const children = call.children.map((id) => calls[id]!);
  const bar = children.length === 0 ? "    " : "│   ";
  return [
    { left: lead + printable(name), right: time(call.own) },
    ...details(call, paint).map(([text, style]) => ({
      left: indent + bar + printable(text),
      right: "",
      style: (line: string) =>
        line.slice(0, (indent + bar).length) + style(line.slice((indent + bar).length)),
    })),
    ...children.flatMap((child, i) => {
      const isLast = i === children.length - 1;
      return drawCall(
        child,
        indent + (isLast ? "└─ " : "├─ "),
        indent + (isLast ? "   " : "│  "),
        calls,
        paint,
      );
    }),
  ];
}

type Detail = readonly [text: string, style: (text: string) => string];

/** Lists what a call did, in the order of a request: in, out, and the end. */
function details(call: CallAnalysis, paint: Paint): Detail[] {
  return [...environDetails(call, paint), ...headDetails(call, paint), ...bodyDetails(call, paint)];
}

function environDetails({ environ }: CallAnalysis, paint: Paint): Detail[] {
  const { added, changed, removed } = environ;
  return [
    ...Object.entries(added).map(([key, value]): Detail => [
      `environ + ${key}: ${show(value)}`,
      paint.added,
    ]),
    ...Object.entries(changed).map(([key, { before, after }]): Detail => [
      `environ ~ ${key}: ${show(before)} → ${show(after)}`,
      paint.changed,
    ]),
    ...Object.keys(removed).map((key): Detail => [`environ - ${key}`, paint.removed]),
  ];
}

function headDetails(call: CallAnalysis, paint: Paint): Detail[] {
  const { status, statusInside, headers } = call;
  const detail: Detail[] = [];
  if (call.shortCircuits) detail.push(["answered without calling what is inside", paint.changed]);
  if (status !== null && statusInside === null) detail.push([`status   ${status}`, paint.added]);
  if (status !== null && statusInside !== null && status !== statusInside) {
    detail.push([`status ~ ${statusInside} → ${status}`, paint.changed]);
  }
  return [
    ...detail,
    ...headers.added.map(([name, value]): Detail => [`header + ${name}: ${value}`, paint.added]),
    ...headers.changed.map(({ name, before, after }): Detail => [
      `header ~ ${name}: ${before} → ${after}`,
      paint.changed,
    ]),
    ...headers.removed.map(([name, value]): Detail => [
      `header - ${name}: ${value}`,
      paint.removed,
    ]),
  ];
}

function bodyDetails(call: CallAnalysis, paint: Paint): Detail[] {
  const { given, taken, threw, caught } = call;
  const detail: Detail[] = [];
  const isSame = given.bytes === taken.bytes && given.chunks === taken.chunks;
  if (!isSame) {
    const now = `${count(given.chunks, "chunk")}, ${bytes(given.bytes)}`;
    const isOwn = taken.chunks === 0;
    const before = `${count(taken.chunks, "chunk")}, ${bytes(taken.bytes)} → `;
    detail.push([`body   ${isOwn ? " " : "~"} ${isOwn ? "" : before}${now}`, paint.changed]);
  }
  if (call.buffers) detail.push([`held back up to ${bytes(call.held)}`, paint.changed]);
  if (call.isLayer && call.promise === "introduced") {
    detail.push(["made the server wait: a promise that nothing inside asked for", paint.changed]);
  }
  if (threw !== null) detail.push([`threw ${threw.name}: ${threw.message}`, paint.removed]);
  for (const { name, message } of caught) {
    detail.push([`caught ${name}: ${message}`, paint.changed]);
  }
  if (call.isLeaked) detail.push(["was never closed", paint.removed]);
  if (call.closes > 1) detail.push([`was closed ${call.closes} times`, paint.removed]);
  return detail;
}

interface Paint {
  strong(text: string): string;
  dim(text: string): string;
  added(text: string): string;
  changed(text: string): string;
  removed(text: string): string;
}

const same = (text: string): string => text;
const plain: Paint = { strong: same, dim: same, added: same, changed: same, removed: same };

const painter =
  (code: number, end: number) =>
  (text: string): string =>
    `\x1b[${code}m${text}\x1b[${end}m`;
const paints: Paint = {
  strong: painter(1, 22),
  dim: painter(2, 22),
  added: painter(32, 39),
  changed: painter(33, 39),
  removed: painter(31, 39),
};

function show(value: Json): string {
  return JSON.stringify(value);
}

function time(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

function bytes(size: number): string {
  return count(size, "byte");
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
