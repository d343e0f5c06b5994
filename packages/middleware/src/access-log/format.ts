import type { Environ } from "@wsgi/core";
import { requestIdKey } from "../request-id.ts";

/** Is what a log tells of one request and its response. Its text is as the client sent it. */
export interface AccessLogEntry {
  /** The environ as the layers inside have left it, with REMOTE_USER if one of them found out. */
  readonly environ: Environ;
  /** When the request came. */
  readonly time: Date;
  /** The method with which the request came. */
  readonly method: string;
  /** The target with which it came, path and query. */
  readonly target: string;
  /** The version that the client used, `"HTTP/1.1"`. */
  readonly protocol: string;
  /** The status code; 500 if the application failed before anything was sent. */
  readonly status: number;
  /**
   * The bytes of the body that were handed to the server; without the server's own answer to an error.
   * What a client that leaves has not taken of an array is among them.
   */
  readonly bytes: number;
  /** Whether a stream ended before its end: the client left, or the application failed. */
  readonly cut: boolean;
  /** The milliseconds until the response had ended. */
  readonly duration: number;
}

/** The usual forms of a line, by name. */
export const formats: Readonly<
  Record<"common" | "combined" | "dev" | "json", (entry: AccessLogEntry, colour: boolean) => string>
> = { common, combined, dev, json };

/** `%h %l %u %t "%r" %>s %b` */
function common(entry: AccessLogEntry): string {
  const { environ, method, target, protocol, status, bytes } = entry;
  const client = `${word(environ.REMOTE_ADDR)} - ${word(environ.REMOTE_USER)}`;
  const line = `${word(method)} ${word(target)} ${word(protocol)}`;
  return `${client} [${apacheTime(entry.time)}] "${line}" ${status} ${bytes || "-"}`;
}

/** The common format and `"%{Referer}i" "%{User-agent}i"` */
function combined(entry: AccessLogEntry): string {
  const { HTTP_REFERER, HTTP_USER_AGENT } = entry.environ;
  return `${common(entry)} ${quoted(HTTP_REFERER)} ${quoted(HTTP_USER_AGENT)}`;
}

let second = NaN;
let secondText = "";

/** `21/Nov/2026:07:59:04 +0000`, from `Sat, 21 Nov 2026 07:59:04 GMT` */
function apacheTime(time: Date): string {
  // Making this text takes longer than the rest of a line, so the requests of one second share it.
  const now = Math.floor(time.getTime() / 1000);
  if (now !== second) {
    const [, day, month, year, clock] = time.toUTCString().split(" ");
    secondText = `${day}/${month}/${year}:${clock} +0000`;
    second = now;
  }
  return secondText;
}

const colours: Readonly<Record<string, number>> = { 2: 32, 3: 36, 4: 33, 5: 31 };

function dev(entry: AccessLogEntry, colour: boolean): string {
  const { method, target, status, bytes, cut, duration } = entry;
  const code = colour ? `\x1b[${colours[String(status)[0]!]}m${status}\x1b[0m` : status;
  const sent = cut ? `${bytes} B and cut` : `${bytes} B`;
  return `${word(method)} ${word(target)} ${code} ${sent} ${duration.toFixed(1)} ms`;
}

function json({ environ, time, duration, ...rest }: AccessLogEntry): string {
  const line = JSON.stringify({
    time,
    remoteAddr: environ.REMOTE_ADDR,
    user: environ.REMOTE_USER,
    ...rest,
    duration: Math.round(duration * 1000) / 1000,
    referer: environ.HTTP_REFERER,
    userAgent: environ.HTTP_USER_AGENT,
    requestId: environ[requestIdKey],
  });
  return line.replace(/[^\x20-\x7e]/g, unicodeEscape);
}

/** Sees to it that a line stays one, whatever the function that makes it does. */
export function keepOnLine(
  format: (entry: AccessLogEntry) => string,
): (entry: AccessLogEntry) => string {
  return (entry) => format(entry).replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, escape);
}

const unsafeInWord = /[^\x21-\x7e]|["\\]/g;

/** A field that ends at a space. */
function word(value: unknown): string {
  return field(value, unsafeInWord);
}

const unsafeInQuotes = /[^\x20-\x7e]|["\\]/g;

/** A field that ends at a quotation mark. */
function quoted(value: unknown): string {
  return `"${field(value, unsafeInQuotes)}"`;
}

function field(value: unknown, unsafe: RegExp): string {
  if (typeof value !== "string" || value === "") return "-";
  // Nearly all fields are safe, and looking takes half the time of replacing nothing.
  return value.search(unsafe) === -1 ? value : value.replace(unsafe, escape);
}

function escape(unit: string): string {
  const code = unit.charCodeAt(0);
  return code > 0xff ? unicodeEscape(unit) : `\\x${code.toString(16).padStart(2, "0")}`;
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
