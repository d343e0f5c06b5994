import type { Exchange } from "./exchange.ts";

/** Warns of what is odd in an environ, and not forbidden. */
export function adviseEnviron(exchange: Exchange): void {
  const { SERVER_NAME, HTTP_HOST = "", HTTPS } = exchange.environ;
  if (!nameForm.test(SERVER_NAME)) {
    advise("environ-server", `SERVER_NAME is ${quote(SERVER_NAME)}`, "a name or address", exchange);
  }
  if (!hostForm.test(HTTP_HOST)) {
    advise("url-host", `HTTP_HOST is ${quote(HTTP_HOST)}`, "a host and its port", exchange);
  }
  if (HTTPS !== undefined && HTTPS !== "on") {
    advise("environ-cgi", `HTTPS is ${quote(HTTPS)}`, '"on", or nothing without TLS', exchange);
  }
  for (const key of Object.keys(exchange.environ)) {
    if (!key.startsWith("HTTP_") && !keyForm.test(key)) {
      const wanted = "a variable in capitals, or a name in lower case with a dot";
      advise("environ-keys", `there is the key ${quote(key)}`, wanted, exchange);
    }
  }
}

/** RFC 3986 section 3.2.2: what a registered name may hold, or an IPv6 address, bare as CGI has it */
const nameForm = /^(?:[\w.~!$&'()*+,;=%-]+|[0-9a-f:.]+(?:%\w+)?)$/i;
/** RFC 9110 section 7.2: uri-host [ ":" port ]; an empty one is allowed */
const hostForm = /^(?:(?:[\w.~!$&'()*+,;=%-]+|\[[0-9a-f:.]+\])(?::\d*)?)?$/i;
/** A CGI variable, or a key of a server or layer with its prefix. */
const keyForm = /^(?:[A-Z0-9_]+|[a-z0-9_]+(?:\.[a-z0-9_]+)+)$/;

function advise(clause: string, found: string, wanted: string, exchange: Exchange): void {
  exchange.warn("server", clause, `${found}; wanted ${wanted}`);
}

const quote = JSON.stringify as (text: string) => string;
