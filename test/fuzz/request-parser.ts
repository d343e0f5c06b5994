/** Is a request as RFC 9112 has it, read from bytes of which each is one character. */
export interface ReadRequest {
  readonly method: string;
  readonly target: string;
  readonly protocol: "HTTP/1.0" | "HTTP/1.1";
  /** The fields in order, their values without the spaces and tabs around them. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The body; undefined if it is not whole. */
  readonly body: string | undefined;
}

/** Is what a stream of bytes says. */
export interface Reading {
  /** The requests whose head is right, in order; only the last may lack its body. */
  readonly requests: readonly ReadRequest[];
  /**
   * What comes behind them: nothing, something that is not whole, something that is wrong, or whatever
   * follows a request that ends its connection.
   */
  readonly end: "nothing" | "incomplete" | "wrong" | "closed";
  /** The method of what is wrong, as far as it has one. */
  readonly wrongMethod: string;
}

/**
 * Reads requests as strictly as RFC 9110 and 9112 allow, and with the refusals of SPEC.md
 * [http-refused]: whatever this refuses must not reach an application.
 */
export function readRequests(bytes: string): Reading {
  const requests: ReadRequest[] = [];
  let at = 0;
  for (;;) {
    // RFC 9112 section 2.2: empty lines before a request line are ignored.
    while (bytes[at] === "\r" || bytes[at] === "\n") at += 1;
    if (at === bytes.length) return { requests, end: "nothing", wrongMethod: "" };
    const headEnd = bytes.indexOf("\r\n\r\n", at);
    const wrongMethod = /^\S*/.exec(bytes.slice(at))![0];
    if (headEnd === -1) return { requests, end: "incomplete", wrongMethod };
    const head = readHead(bytes.slice(at, headEnd));
    if (head === undefined) return { requests, end: "wrong", wrongMethod };
    const body = readBody(bytes, headEnd + 4, head);
    requests.push({ ...head, body: typeof body === "string" ? undefined : body.text });
    if (typeof body === "string") return { requests, end: body, wrongMethod };
    if (endsConnection(head)) return { requests, end: "closed", wrongMethod: "" };
    at = body.end;
  }
}

type Head = Omit<ReadRequest, "body">;

/** RFC 9112 section 3: method SP request-target SP HTTP-version; there may be more than one SP */
const requestLine = /^([!#$%&'*+\-.^_`|~\w]+) +([!"$-~]+) +(HTTP\/1\.[01])$/;
/** RFC 9112 section 5: field-name ":" OWS field-value OWS; no folding */
const fieldLine =
  /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*((?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)[ \t]*$/;
/** RFC 9110 section 7.2: uri-host [ ":" port ] */
const hostForm = /^(?:[\w.~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const absoluteForm = /^https?:\/\/(?:[^/?@]*@)?([^/?@]+)(?:[/?].*)?$/i;
/** Of these there may be one only. */
const single = ["host", "content-length", "content-type", "authorization"];

function readHead(text: string): Head | undefined {
  const [line = "", ...lines] = text.split("\r\n");
  const [, method, target, protocol] = requestLine.exec(line) ?? [];
  if (method === undefined || target === undefined) return undefined;
  const fields: [string, string][] = [];
  for (const line of lines) {
    const [, name, value] = fieldLine.exec(line) ?? [];
    if (name === undefined) return undefined;
    fields.push([name, value!]);
  }
  const head = { method, target, protocol: protocol as Head["protocol"], fields };
  return isRightTarget(head) && areRightFields(head) ? head : undefined;
}

function isRightTarget({ method, target }: Head): boolean {
  if (method === "CONNECT" || method === "TRACE") return false;
  if (target.startsWith("/") || (target === "*" && method === "OPTIONS")) return true;
  const authority = absoluteForm.exec(target)?.[1];
  return authority !== undefined && hostForm.test(authority);
}

function areRightFields({ protocol, fields }: Head): boolean {
  const valuesOf = (wanted: string): string[] =>
    fields.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
  if (single.some((name) => valuesOf(name).length > 1)) return false;
  const [host] = valuesOf("host");
  if (host === undefined ? protocol === "HTTP/1.1" : !hostForm.test(host)) return false;
  const lengths = valuesOf("content-length");
  if (lengths.some((length) => !/^\d+$/.test(length))) return false;
  const codings = valuesOf("transfer-encoding");
  if (codings.length === 0) return true;
  const isChunked = codings.join().toLowerCase() === "chunked";
  return isChunked && lengths.length === 0 && protocol === "HTTP/1.1";
}

function valueOf({ fields }: Head, wanted: string): string | undefined {
  return fields.find(([name]) => name.toLowerCase() === wanted)?.[1];
}

type Body = { readonly text: string; readonly end: number } | "incomplete" | "wrong";

function readBody(bytes: string, start: number, head: Head): Body {
  if (valueOf(head, "transfer-encoding") !== undefined) return readChunks(bytes, start);
  const end = start + Number(valueOf(head, "content-length") ?? 0);
  return end > bytes.length ? "incomplete" : { text: bytes.slice(start, end), end };
}

/** RFC 9112 section 7.1: 1*HEXDIG [ chunk-ext ]; what an extension says matters to nobody. */
const chunkLine = /^([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/;

function readChunks(bytes: string, start: number): Body {
  let text = "";
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return "incomplete";
    const size = chunkLine.exec(bytes.slice(at, lineEnd))?.[1];
    if (size === undefined) return "wrong";
    const from = lineEnd + 2;
    const to = from + Number.parseInt(size, 16);
    if (to === from) return readTrailers(bytes, from, text);
    if (to + 2 > bytes.length) return "incomplete";
    if (bytes.slice(to, to + 2) !== "\r\n") return "wrong";
    text += bytes.slice(from, to);
    at = to + 2;
  }
}

function readTrailers(bytes: string, start: number, text: string): Body {
  for (let at = start; ;) {
    const end = bytes.indexOf("\r\n", at);
    if (end === -1) return "incomplete";
    if (end === at) return { text, end: end + 2 };
    if (!fieldLine.test(bytes.slice(at, end))) return "wrong";
    at = end + 2;
  }
}

/** RFC 9112 section 9.3; what follows a request for an upgrade may be meant for another protocol. */
function endsConnection(head: Head): boolean {
  if (valueOf(head, "upgrade") !== undefined) return true;
  const options = head.fields
    .filter(([name]) => name.toLowerCase() === "connection")
    .flatMap(([, value]) => value.toLowerCase().split(/[ \t]*,[ \t]*/));
  if (options.includes("close")) return true;
  return head.protocol === "HTTP/1.0" && !options.includes("keep-alive");
}
