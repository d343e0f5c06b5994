import { getHeader, isBodyless, joinBytes, show, type Header, type HeaderList } from "@wsgi/core";

/** Says which requests were sent, and whether more is to come. */
export interface ParseOptions {
  /** The methods of the requests, in order; a response to HEAD has no body. Default: one GET. */
  methods?: readonly string[];
  /** Whether the server has closed the connection, so that no more bytes will come. Default: true. */
  closed?: boolean;
}

/** Is the first part of a response: the status line and the header fields. */
export interface ParsedHead {
  /** The version, `"HTTP/1.1"`. */
  readonly protocol: string;
  /** The status code and the reason, `"200 OK"`. */
  readonly status: string;
  /** The status code. */
  readonly code: number;
  /** The fields as they came, their values without the spaces around them; one character an octet. */
  readonly headers: HeaderList;
}

/** Is a response as it stood on the wire. */
export interface ParsedResponse extends ParsedHead {
  /** The 1xx responses before it, such as 100 Continue. */
  readonly interim: readonly ParsedHead[];
  /** What tells where the body ends; `"none"` if the response cannot have one. */
  readonly framing: "none" | "length" | "chunked" | "close";
  /** The body: each chunk that was framed as one, else whatever there is in one piece. */
  readonly chunks: readonly Uint8Array[];
  /** The fields after a chunked body. */
  readonly trailers: HeaderList;
  /** Whether all of it was there, as far as its framing can tell. */
  readonly complete: boolean;
  /** Whether the connection can be used again. */
  readonly keepsOpen: boolean;
  /** Finds the first value of a header field, by its name in any case. */
  header(name: string): string | undefined;
  /** Puts the body together. */
  bytes(): Uint8Array;
  /** Decodes the body as UTF-8. */
  text(): string;
}

/**
 * Takes the bytes that came over a connection apart into responses, as RFC 9112 has it, and forgives
 * nothing: no bare LF, no second Content-Length, no byte too many.
 *
 * @param bytes - everything that came since the first of the requests was sent
 * @param options - the requests, and whether more may come
 * @returns the responses in order; the last may not be complete, and one whose head is not is left out
 * @throws SyntaxError if the bytes break HTTP, or if the connection was closed in the middle of a head
 * @example
 * ```ts
 * import { toBytes } from "@wsgi/core";
 * import { parseResponses } from "@wsgi/testing/parse-responses";
 *
 * const bytes = toBytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello");
 * const [response] = parseResponses(bytes);
 * response.text(); // "Hello"
 * ```
 * @see RFC 9112, sections 2 to 7
 */
export function parseResponses(bytes: Uint8Array, options: ParseOptions = {}): ParsedResponse[] {
  const { methods = ["GET"], closed = true } = options;
  const source = new Source(bytes, closed);
  const responses: ParsedResponse[] = [];
  for (const method of methods) {
    const response = source.left === 0 ? undefined : readResponse(source, method);
    if (response === undefined) return responses;
    responses.push(response);
    if (!response.complete) return responses;
    if (!response.keepsOpen) break;
  }
  if (source.left > 0) source.fail(`${source.left} bytes follow the last response`, "none");
  return responses;
}

const lf = 10;
const cr = 13;

/** Is the bytes, and how far they were read. What is not there yet reads as undefined. */
class Source {
  readonly closed: boolean;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array, closed: boolean) {
    this.#bytes = bytes;
    this.closed = closed;
  }

  get left(): number {
    return this.#bytes.byteLength - this.#at;
  }

  fail(found: string, wanted: string): never {
    throw new SyntaxError(
      `Cannot read the response: at byte ${this.#at}, ${found}; wanted ${wanted}`,
    );
  }

  /** Reads a line without its CRLF. */
  line(): string | undefined {
    const last = this.#bytes.byteLength - 1;
    let end = this.#at;
    while (end <= last && this.#bytes[end] !== lf && this.#bytes[end] !== cr) end += 1;
    if (this.#bytes[end] === lf) this.fail("a line ends in LF alone", "CRLF");
    if (end >= last) return undefined;
    if (this.#bytes[end + 1] !== lf) this.fail("a line has a CR without LF", "CRLF");
    const line = this.#latin1(end);
    this.#at = end + 2;
    return line;
  }

  /** Reads so many bytes, or as many as there are. */
  take(length: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#at, Math.min(this.#at + length, this.#bytes.length));
    this.#at += taken.byteLength;
    return taken;
  }

  /** Makes sure that what is there can still become something that begins so. */
  expect(start: string): void {
    const found = this.#latin1(Math.min(this.#at + start.length, this.#bytes.byteLength));
    if (!start.startsWith(found)) this.fail(`there is ${show(found)}`, show(start));
  }

  #latin1(end: number): string {
    const text = Array.from(this.#bytes.subarray(this.#at, end), (byte) =>
      String.fromCharCode(byte),
    );
    return text.join("");
  }
}

function readResponse(source: Source, method: string): ParsedResponse | undefined {
  const interim: ParsedHead[] = [];
  let head = readHead(source);
  while (head !== undefined && head.code < 200) {
    if (head.code === 101) source.fail("there is a 101", "the protocol that was asked for");
    interim.push(head);
    head = readHead(source);
  }
  if (head === undefined) {
    if (source.closed) source.fail("the connection was closed", "the rest of the head");
    return undefined;
  }
  const framing = framingOf(head, method);
  const body = bodyReaders[framing](source, head);
  const bytes = (): Uint8Array => joinBytes(body.chunks);
  const { headers } = head;
  return {
    ...head,
    ...body,
    interim,
    framing,
    keepsOpen: framing !== "close" && keepsOpen(head),
    header: (name) => getHeader(headers, name),
    bytes,
    text: () => new TextDecoder().decode(bytes()),
  };
}

/** RFC 9112 section 4: HTTP-version SP status-code SP [ reason-phrase ] */
const statusForm = /^(HTTP\/1\.[01]) (([1-5][0-9]{2}) [\t\x20-\x7e\x80-\xff]*)$/;

function readHead(source: Source): ParsedHead | undefined {
  source.expect("HTTP/1.");
  const line = source.line();
  if (line === undefined) return undefined;
  const [, protocol, status, code] = statusForm.exec(line) ?? [];
  if (code === undefined) source.fail(`there is ${show(line)}`, 'a status line, "HTTP/1.1 200 OK"');
  const headers = readFields(source);
  if (headers === undefined) return undefined;
  const head = { protocol: protocol!, status: status!, code: Number(code), headers };
  checkFraming(source, head);
  return head;
}

/** RFC 9112 section 5: field-name ":" OWS field-value OWS; no line is folded. */
const fieldForm =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[\t ]*$/;

/** Reads fields up to the empty line behind them. */
function readFields(source: Source): HeaderList | undefined {
  const fields: Header[] = [];
  for (let line = source.line(); line !== undefined; line = source.line()) {
    if (line === "") return fields;
    const [, name, value] = fieldForm.exec(line) ?? [];
    if (name === undefined) source.fail(`there is ${show(line)}`, 'a field, "Name: value"');
    fields.push([name, value!]);
  }
  return undefined;
}

/** Makes sure that no two recipients can disagree on where the body ends. */
function checkFraming(source: Source, { protocol, code, headers }: ParsedHead): void {
  const lengths = valuesOf(headers, "content-length");
  const codings = valuesOf(headers, "transfer-encoding");
  if (lengths.length > 1) source.fail("Content-Length is given twice", "one");
  if (lengths.some((length) => !/^[0-9]{1,15}$/.test(length))) {
    source.fail(`Content-Length is ${show(lengths[0])}`, "decimal digits");
  }
  if (codings.length > 0) {
    if (lengths.length > 0) source.fail("Transfer-Encoding stands beside Content-Length", "one");
    if (protocol === "HTTP/1.0") source.fail("HTTP/1.0 has a Transfer-Encoding", "none");
    if (codings.join().toLowerCase() !== "chunked") {
      source.fail(`Transfer-Encoding is ${show(codings.join())}`, '"chunked" once');
    }
  }
  if ((code < 200 || code === 204) && lengths.length + codings.length > 0) {
    source.fail(`a ${code} has a Content-Length or Transfer-Encoding`, "neither");
  }
}

/** Finds out what tells where the body ends, as RFC 9112 section 6.3 has it. */
function framingOf({ code, headers }: ParsedHead, method: string): ParsedResponse["framing"] {
  if (method === "HEAD" || isBodyless(code)) return "none";
  if (getHeader(headers, "Transfer-Encoding") !== undefined) return "chunked";
  return getHeader(headers, "Content-Length") === undefined ? "close" : "length";
}

type BodyPart = Pick<ParsedResponse, "chunks" | "trailers" | "complete">;

const bodyReaders: Record<
  ParsedResponse["framing"],
  (source: Source, head: ParsedHead) => BodyPart
> = {
  none: () => ({ chunks: [], trailers: [], complete: true }),
  length(source, { headers }) {
    const length = Number(getHeader(headers, "Content-Length"));
    const bytes = source.take(length);
    return { chunks: pieces(bytes), trailers: [], complete: bytes.byteLength === length };
  },
  chunked: readChunked,
  close(source) {
    return { chunks: pieces(source.take(Infinity)), trailers: [], complete: source.closed };
  },
};

/** RFC 9112 section 7.1: 1*HEXDIG [ chunk-ext ]; 13 digits stay exact in a number. */
const chunkForm = /^([0-9A-Fa-f]{1,13})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/;

function readChunked(source: Source): BodyPart {
  const chunks: Uint8Array[] = [];
  const part = (trailers?: HeaderList): BodyPart => ({
    chunks,
    trailers: trailers ?? [],
    complete: trailers !== undefined,
  });
  for (let line = source.line(); line !== undefined; line = source.line()) {
    const [, digits] = chunkForm.exec(line) ?? [];
    if (digits === undefined)
      source.fail(`a chunk begins ${show(line)}`, "its size in hexadecimal");
    const size = Number.parseInt(digits, 16);
    if (size === 0) return part(readFields(source));
    const bytes = source.take(size);
    chunks.push(...pieces(bytes));
    if (bytes.byteLength < size) return part();
    source.expect("\r\n");
    if (source.line() === undefined) return part();
  }
  return part();
}

function pieces(bytes: Uint8Array): Uint8Array[] {
  return bytes.byteLength === 0 ? [] : [bytes];
}

/** RFC 9112 section 9.3 */
function keepsOpen({ protocol, headers }: ParsedHead): boolean {
  const options = valuesOf(headers, "connection")
    .join()
    .toLowerCase()
    .split(/[\t ]*,[\t ]*/);
  if (options.includes("close")) return false;
  return protocol === "HTTP/1.1" || options.includes("keep-alive");
}

function valuesOf(headers: HeaderList, name: string): string[] {
  return headers.filter(([found]) => found.toLowerCase() === name).map(([, value]) => value);
}
