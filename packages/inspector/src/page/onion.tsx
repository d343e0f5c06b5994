import type { JSX } from "preact";
import type { CallAnalysis } from "../analyse.ts";
import type { Recording, StartEvent } from "../recording.ts";
import { bytes, count, time } from "./format.ts";
import type { Crossing } from "./moments.ts";
import { roving } from "./roving.ts";
import { signsIn, signsOut, type Sign } from "./signs.ts";

interface OnionProps {
  /** What each call has done by now. */
  readonly calls: readonly CallAnalysis[];
  readonly recording: Recording;
  readonly selected: number;
  /** What crosses a boundary at this moment, where the exchange is gone through step by step. */
  readonly crossing?: Crossing | undefined;
  /** Calls that come later. */
  readonly later?: readonly CallAnalysis[];
  onSelect?(call: number): void;
}

/** Draws the layers around each other: the request goes in at the top, the response comes out at the bottom. */
export function Onion(props: OnionProps): JSX.Element {
  const { calls, recording, later = [] } = props;
  const all = [...calls, ...later];
  const [first] = recording.events;
  const keys = first?.kind === "call" ? Object.keys(first.environ.added).length : 0;
  return (
    <div class="onion" onKeyDown={roving("ArrowUp", "ArrowDown")}>
      <p class="end">
        <b>server</b> <span aria-hidden="true">→</span> environ, {count(keys, "key")}
      </p>
      <ol>{all[0] !== undefined && <Layer {...props} all={all} call={all[0]} />}</ol>
      <p class="end">
        <b>server</b> <span aria-hidden="true">←</span> {responseOf(calls, recording)}
      </p>
    </div>
  );
}

interface LayerProps extends OnionProps {
  readonly all: readonly CallAnalysis[];
  readonly call: CallAnalysis;
}

function Layer({ call, all, ...props }: LayerProps): JSX.Element {
  const { calls, selected, crossing, onSelect } = props;
  const isLater = !calls.includes(call);
  const token = crossing?.call === call.id ? crossing : undefined;
  const classes = [
    "layer",
    call.isLayer ? "" : "core",
    isLater ? "later" : "",
    token === undefined ? "" : `crossed ${token.way}`,
    call.id === selected ? "selected" : "",
  ];
  const select = (event: MouseEvent): void => {
    event.stopPropagation();
    onSelect?.(call.id);
  };
  const name = (
    <>
      {call.label !== "" && <span class="label">{call.label}</span>} <b>{call.name}</b>
    </>
  );
  return (
    <li class={classes.filter(Boolean).join(" ")} data-layer={call.name} onClick={select}>
      <div class="row">
        {onSelect === undefined ? (
          <span class="name">{name}</span>
        ) : (
          <button
            type="button"
            class="name"
            data-roving
            tabIndex={call.id === selected ? 0 : -1}
            aria-pressed={call.id === selected}
          >
            {name}
          </button>
        )}
        <span class="own-time">{isLater ? "" : time(call.own)}</span>
        <Signs way="in" signs={isLater ? [] : signsIn(call)} token={token} />
      </div>
      {call.children.length > 0 && (
        <ol>
          {call.children
            .map((id) => all[id])
            .filter((child) => child !== undefined)
            .map((child) => (
              <Layer key={child.id} {...props} all={all} call={child} />
            ))}
        </ol>
      )}
      <Signs way="out" signs={isLater ? [] : signsOut(call)} token={token} />
    </li>
  );
}

interface SignsProps {
  readonly way: Crossing["way"];
  readonly signs: readonly Sign[];
  readonly token: Crossing | undefined;
}

function Signs({ way, signs, token }: SignsProps): JSX.Element | null {
  if (signs.length === 0 && token?.way !== way) return null;
  return (
    <span class={`signs ${way}`}>
      <span class="way" aria-hidden="true">
        {way === "in" ? "→" : "←"}
      </span>
      <span class="unseen">{way === "in" ? "on the way in:" : "on the way out:"}</span>
      {token?.way === way && <span class="token">{token.what}</span>}
      {signs.map(({ kind, text }) => (
        <span key={text} class={`sign ${kind}`}>
          {text}
        </span>
      ))}
    </span>
  );
}

function responseOf(calls: readonly CallAnalysis[], { events }: Recording): string {
  const [outermost] = calls;
  const isIt = (event: Recording["events"][number]): event is StartEvent =>
    event.kind === "start" && event.call === 0;
  const start = events.findLast(isIt);
  if (outermost === undefined || start === undefined) return "no response yet";
  const { chunks, bytes: size } = outermost.given;
  const body = chunks === 0 ? "no body yet" : `${count(chunks, "chunk")}, ${bytes(size)}`;
  return `${start.status}, ${count(start.headers.length, "header")}, ${body}`;
}
