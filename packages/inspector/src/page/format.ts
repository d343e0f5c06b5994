import type { ErrorRecord, Json } from "../recording.ts";

/** Writes a time that is in milliseconds. */
export function time(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

/** Writes a number of bytes. */
export function bytes(size: number): string {
  if (size < 10_000) return count(size, "byte");
  const [unit, name] = size < 10_000_000 ? [1_000, "kB"] : [1_000_000, "MB"];
  return `${(size / unit).toFixed(size < 100 * unit ? 1 : 0)} ${name}`;
}

/** Writes how many there are of something. */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

/** Writes a value of environ. */
export function show(value: Json): string {
  return JSON.stringify(value);
}

/** Writes an error in a line. */
export function showError({ name, message }: ErrorRecord): string {
  return message === "" ? name : `${name}: ${message}`;
}

/** Writes the time of the day at which something began. */
export function clock(begun: number): string {
  return new Date(begun).toTimeString().slice(0, 8);
}
