type Exceptions = Readonly<Record<string, string>>;

const continues = "an http.Server tells every client to go on before it asks its listener";

/** What is known to fail where an application is mounted on a server of node:http. */
export const mountExceptions: Exceptions = {
  "http-refused/no-host": "it answers 400 by itself, and serves what is behind it",
  "http-expect/read": continues,
  "http-expect/unread": continues,
  "http-refused/expectation": "it answers 417 by itself, and keeps the connection",
  "http-unchanged": "fields with one name are put together, and Express adds one of its own",
};

const router = "Fastify's router answers by itself what it does not know";

export const fastifyExceptions: Exceptions = {
  ...mountExceptions,
  "call-once": router,
  "environ-method": router,
  "environ-path/odd": router,
};

const reason = "the host sends reason phrases of its own";
const goesOn = "the host tells every client to go on before it asks the handler";
const turns = "the host sends what was made in a turn when the turn is over";
const url = "a Request has a URL, which is normalised and made of the Host field";
const lenient = "the host sees to the connection, and lets this pass";
const cut = "the host throws away what it has not sent when a body fails";
const adds = "the host adds up a body that is there at once";
const keeps = "the host waits for the rest of a body that nobody reads";

/** What is known to fail on Bun and on Deno. */
const bothExceptions: Exceptions = {
  "environ-protocol": "a Request does not tell the version",
  "environ-server": url,
  "http-target": url,
  "http-target/asterisk": url,
  "start-error": reason,
  "http-unchanged": reason,
  "body-prompt/sync": turns,
  "http-expect/read": goesOn,
  "http-expect/unread": goesOn,
  "http-expect/old": goesOn,
  "http-refused/bad-host": lenient,
  "http-refused/two-types": lenient,
  "http-refused/two-authorizations": lenient,
  "http-refused/fragment": lenient,
  "http-refused/connect": lenient,
  "http-refused/trace": lenient,
  "http-refused/expectation": lenient,
  "http-refused/no-answer": lenient,
};

export const bunExceptions: Exceptions = {
  ...bothExceptions,
  "environ-split/slashes": url,
  "http-trailers": "Bun takes a trailer for another request",
  "length-head/stream": "for HEAD Bun says Content-Length: 0 where the application says none",
  "start-sent": cut,
  "length-short": cut,
  "error-cut": cut,
  "error-cut/written": cut,
  "write-flush": "the head waits for the first bytes of the body",
  "length-unknown": adds,
  "length-unknown/old": adds,
  "close-waited": lenient,
  "http-order": "Bun does not answer requests that are sent ahead",
  "http-next/asked": lenient,
  "http-refused/two-hosts": lenient,
};

export const denoExceptions: Exceptions = {
  ...bothExceptions,
  "input-size/exact": keeps,
  "http-unread": keeps,
  "client-gone/read": "Deno fails the body before it tells that the client has left",
  "http-refused/no-host": lenient,
  "http-refused/other-coding": lenient,
  "http-refused/scheme": lenient,
};

const later = "Workers learn that the client has left when they send something";

export const workerdExceptions: Exceptions = {
  "environ-protocol": "a Request does not tell the version",
  "environ-server": url,
  "environ-latin": "workerd reads fields as UTF-8",
  "environ-joined/cookie": "workerd joins repeated Cookie fields with a comma",
  "environ-cgi/client": "nothing on a machine of one's own tells the address of the client",
  "http-target": url,
  "http-target/asterisk": url,
  "http-expect/old": "workerd does not know HTTP/1.0",
  "length-unknown/old": "workerd does not know HTTP/1.0",
  "http-date": "workerd sends no Date",
  "http-unchanged": "workerd writes fields as UTF-8",
  "body-prompt/sync": "the client of this case is a thread, which a worker cannot have",
  "start-sent": cut,
  "error-cut": cut,
  "error-cut/written": cut,
  "client-closed": later,
  "client-gone/read": later,
  "client-gone/write": later,
  "client-signal": later,
  "ext-environ": later,
  "http-refused/no-host": lenient,
  "http-refused/two-hosts": lenient,
  "http-refused/bad-host": lenient,
  "http-refused/length-and-coding": lenient,
  "http-refused/two-types": lenient,
  "http-refused/two-authorizations": lenient,
  "http-refused/other-coding": lenient,
  "http-refused/fragment": lenient,
  "http-refused/scheme": lenient,
  "http-refused/asterisk": lenient,
  "http-refused/connect": lenient,
  "http-refused/trace": lenient,
  "http-refused/large-head": lenient,
  "http-refused/expectation": lenient,
  "http-refused/no-answer": lenient,
};
