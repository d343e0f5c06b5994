import type { Body, HeaderList, StartResponse } from "@wsgi/core";

/** Is an answer, before it is started. */
export interface Answer {
  readonly status: string;
  readonly headers: HeaderList;
  readonly body: Body;
}

/** Lets the page have what is its own, and nothing else; and nobody else have the page. */
const policy: HeaderList = [
  [
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ["Cache-Control", "no-store"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Referrer-Policy", "no-referrer"],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
];

/** Answers with text of a type. */
export function text(status: string, content: string, type = "text/plain; charset=utf-8"): Answer {
  return { status, headers: [["Content-Type", type]], body: [content] };
}

/** Answers with a value as JSON. */
export function json(status: string, value: unknown): Answer {
  return text(status, JSON.stringify(value), "application/json");
}

/** Answers with nothing but a header field, or not even that. */
export function empty(status: string, ...headers: HeaderList): Answer {
  return { status, headers, body: [] };
}

/** Starts the response of an answer, and gives its body. */
export function send({ status, headers, body }: Answer, startResponse: StartResponse): Body {
  startResponse(status, [...headers, ...policy]);
  return body;
}
