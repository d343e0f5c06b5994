export * from "./cookies.ts";
export type { CookieJar } from "./jar.ts";
export type { CookieAttributes } from "./set-cookie.ts";
export type { Secret } from "./sign.ts";
