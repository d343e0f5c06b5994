import { signalKey } from "../environ.ts";
import { show } from "../show.ts";
import type { Environ } from "../types.ts";
import { adviseEnviron } from "./environ-advice.ts";
import type { Exchange } from "./exchange.ts";

/** Checks what the application is given, before it is given it. */
export function checkEnviron(exchange: Exchange): void {
  checkPlain(exchange);
  for (const [key, value] of Object.entries(exchange.environ)) checkKey(key, value, exchange);
  for (const key of always) {
    if (!Object.hasOwn(exchange.environ, key)) {
      refuse("environ-complete", `${key} is missing`, "wanted it in every environ", exchange);
    }
  }
  for (const [key, clause, isRight, wanted] of rules) {
    const value = exchange.environ[key];
    if (value !== undefined && !isRight(value, exchange.environ)) {
      refuse(clause, `${key} is ${show(value)}`, `wanted ${wanted}`, exchange);
    }
  }
  checkStream("wsgi.input", "input-methods", inputMethods, exchange);
  checkStream("wsgi.errors", "errors-methods", errorsMethods, exchange);
  adviseEnviron(exchange);
}

function refuse(clause: string, found: string, wanted: string, exchange: Exchange): never {
  return exchange.blame("server", clause, `Cannot call the application: ${found}; ${wanted}`);
}

function checkPlain(exchange: Exchange): void {
  const { environ } = exchange;
  if (Object.getPrototypeOf(environ) !== Object.prototype) {
    refuse("environ-plain", `environ is ${show(environ)}`, "wanted a plain object", exchange);
  }
  if (!Object.isExtensible(environ)) {
    refuse("environ-plain", "environ is frozen", "wanted one that can be changed", exchange);
  }
  for (const key of Reflect.ownKeys(environ)) {
    const { enumerable, get } = Object.getOwnPropertyDescriptor(environ, key)!;
    if (get !== undefined || enumerable !== true) {
      const found = `${String(key)} is ${get === undefined ? "hidden" : "computed"}`;
      refuse("environ-plain", found, "wanted a plain value", exchange);
    }
  }
}

/** RFC 9110 section 5.6.2, as environ has it: no lower case, and "_" for "-". */
const headerKey = /^HTTP_[!#$%&'*+.^_`|~0-9A-Z]+$/;

function checkKey(key: string, value: unknown, exchange: Exchange): void {
  const isHeader = key.startsWith("HTTP_");
  const isVariable = isHeader || !key.includes(".");
  if ((isVariable || key.startsWith("wsgi.")) && (value === undefined || value === null)) {
    refuse(
      "environ-complete",
      `${key} is ${String(value)}`,
      "leave out what is not there",
      exchange,
    );
  }
  if (!isVariable) return;
  if (typeof value !== "string") {
    refuse("environ-strings", `${key} is ${show(value)}`, "wanted a string", exchange);
  }
  if (key === "HTTP_CONTENT_TYPE" || key === "HTTP_CONTENT_LENGTH") {
    refuse("environ-content", `there is ${key}`, `wanted it as ${key.slice(5)}`, exchange);
  }
  if (isHeader && !headerKey.test(key)) {
    const wanted = "wanted the field's name in capitals, with _ for -";
    refuse("environ-header", `there is ${JSON.stringify(key)}`, wanted, exchange);
  }
  if ((isHeader || key === "CONTENT_TYPE") && !fieldValue.test(value)) {
    // Without the value, which may be long, or a secret.
    const found = `${key} has a space at an end, or more than Latin-1`;
    refuse("environ-latin", found, "wanted a character for each octet", exchange);
  }
}

/** Octets without spaces at the ends, but for the one before an empty field that was joined to others. */
const fieldValue = /^(?![ \t])[\0-\xff]*(?:(?<![ \t])|(?<=[,;] ))$/;

const always: readonly (keyof Environ & string)[] = [
  "REQUEST_METHOD",
  "SCRIPT_NAME",
  "PATH_INFO",
  "QUERY_STRING",
  "REQUEST_URI",
  "SERVER_NAME",
  "SERVER_PORT",
  "SERVER_PROTOCOL",
  "REMOTE_ADDR",
  "wsgi.version",
  "wsgi.url_scheme",
  "wsgi.input",
  "wsgi.errors",
  "wsgi.multithread",
  "wsgi.multiprocess",
  "wsgi.run_once",
  "wsgi.input_terminated",
];

type Rule = readonly [
  key: string,
  clause: string,
  isRight: (value: unknown, environ: Environ) => boolean,
  wanted: string,
];

const rules: readonly Rule[] = [
  ["REQUEST_METHOD", "environ-method", has(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/), "an HTTP token"],
  ["SCRIPT_NAME", "environ-split", has(/^(?:\/.+)?$/s), '"" or a path that is more than "/"'],
  ["PATH_INFO", "environ-split", isPathInfo, 'a path, "" for the root without its slash'],
  ["SCRIPT_NAME", "environ-path", isWellFormed, "text without halves of surrogate pairs"],
  ["PATH_INFO", "environ-path", isWellFormed, "text without halves of surrogate pairs"],
  ["QUERY_STRING", "environ-query", has(/^[^\0-\x20\x7f#]*$/), "it as it came, not decoded"],
  ["REQUEST_URI", "environ-target", has(/^[^\0-\x20\x7f#]+$/), "the request target as it came"],
  ["CONTENT_LENGTH", "environ-content", has(/^\d+$/), "decimal digits"],
  ["SERVER_NAME", "environ-server", has(/./), "a name or an address"],
  ["SERVER_PORT", "environ-server", has(/^\d+$/), "decimal digits"],
  ["SERVER_PROTOCOL", "environ-protocol", has(/^HTTP\/\d(?:\.\d)?$/), '"HTTP/1.1" or its like'],
  ["wsgi.version", "environ-version", isVersion, "[1, 0]"],
  ["wsgi.url_scheme", "environ-scheme", has(/^https?$/), '"http" or "https"'],
  ["wsgi.multithread", "environ-threads", (value) => value === false, "false"],
  ["wsgi.multiprocess", "environ-threads", isBoolean, "true or false"],
  ["wsgi.run_once", "environ-run-once", isBoolean, "true or false"],
  ["wsgi.input_terminated", "environ-terminated", isBoolean, "true or false"],
  ["wsgi.file_wrapper", "file-read", isFunction, "a function (file, blockSize) => body"],
  [signalKey, "ext-environ", isFunction, "a function (environ) => signal"],
  ["wsgix.upgrade", "ext-environ", isFunction, "a function (environ) => connection"],
];

function has(form: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === "string" && form.test(value);
}

function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function isWellFormed(value: unknown): boolean {
  return (value as string).isWellFormed();
}

function isVersion(value: unknown): boolean {
  return Array.isArray(value) && value.join() === "1,0";
}

function isPathInfo(value: unknown, { SCRIPT_NAME, REQUEST_METHOD }: Environ): boolean {
  if (value === "*") return REQUEST_METHOD === "OPTIONS";
  return value === "" ? SCRIPT_NAME !== "" : (value as string).startsWith("/");
}

const inputMethods = ["read", "readline", "readlines", Symbol.asyncIterator] as const;
const errorsMethods = ["write", "writelines", "flush"] as const;

function checkStream(
  key: string,
  clause: string,
  methods: readonly (string | symbol)[],
  exchange: Exchange,
): void {
  const stream = Object(exchange.environ[key]) as Record<string | symbol, unknown>;
  for (const method of methods) {
    if (typeof stream[method] !== "function") {
      refuse(clause, `${key} has no ${String(method)}`, "wanted a method", exchange);
    }
  }
}
